//! The log under power cuts, damage and failing calls, against a plain map.

use super::entry::sample;
use super::*;
use crate::storage::{Fault, FaultFs};
use crate::testing::soak;
use habitus_model::IngestTime;
use oorandom::Rand32;
use std::collections::BTreeMap;

fn settings(encrypted: bool) -> Settings {
    let settings = Settings {
        segment_bytes: 6_000,
        reserve_bytes: 20_000,
        ..Settings::default()
    };
    if encrypted {
        settings.encrypted(Key::new([5; 32]))
    } else {
        settings
    }
}

fn open(fs: &FaultFs, encrypted: bool) -> Result<(Log, Recovery)> {
    Log::open(Arc::new(fs.clone()), settings(encrypted))
}

fn try_read_all(log: &Log) -> Result<(BTreeMap<u64, Entry>, Damage)> {
    let mut reader = log.readers().from(Position(0));
    let records: Vec<Record> = reader.by_ref().collect::<Result<_>>()?;
    assert!(records.is_sorted_by(|a, b| a.position < b.position));
    let records = records
        .into_iter()
        .map(|record| (record.position.0, record.entry));
    Ok((records.collect(), reader.damage()))
}

fn read_all(log: &Log) -> (BTreeMap<u64, Entry>, Damage) {
    try_read_all(log).unwrap()
}

/// What has been promised, and what has been tried.
#[derive(Default)]
struct Oracle {
    kept: BTreeMap<u64, Entry>,
    tried: BTreeMap<u64, Vec<Entry>>,
    next: u64,
}

impl Oracle {
    /// Appends and commits a few entries; remembers them if the log said that they are kept.
    fn commit(&mut self, log: &mut Log, count: u32) -> Result<()> {
        let entries: Vec<Entry> = (0..u64::from(count)).map(|i| sample(self.next + i)).collect();
        self.next += u64::from(count);
        let positions = log.append(&entries)?;
        let numbered = (positions.start.0..positions.end.0).zip(entries);
        let numbered: Vec<_> = numbered.collect();
        for (position, entry) in &numbered {
            self.tried.entry(*position).or_default().push(entry.clone());
        }
        log.commit()?;
        self.kept.extend(numbered);
        Ok(())
    }

    /// All that was promised is there, and nothing that was never tried.
    fn check(&mut self, log: &Log) {
        self.try_check(log).unwrap();
    }

    fn try_check(&mut self, log: &Log) -> Result<()> {
        let (found, damage) = try_read_all(log)?;
        for (position, entry) in &self.kept {
            assert_eq!(
                found.get(position),
                Some(entry),
                "position {position} was promised"
            );
        }
        for (position, entry) in &found {
            let tried = self.tried.get(position);
            assert!(
                tried.is_some_and(|tried| tried.contains(entry)),
                "position {position} is made up"
            );
        }
        assert_eq!(damage.records_lost, 0, "{damage:?}");
        // Whatever is there now was found by a reader, and has to stay.
        self.kept = found;
        Ok(())
    }
}

/// A life of the log up to the power cut.
fn live(oracle: &mut Oracle, fs: &FaultFs, encrypted: bool, dice: &mut Rand32) -> Result<()> {
    let (mut log, _) = open(fs, encrypted)?;
    oracle.try_check(&log)?;
    for _ in 0..dice.rand_range(1..12) {
        oracle.commit(&mut log, dice.rand_range(1..9))?;
        if dice.rand_range(0..6) == 0 {
            log.maintenance(Retention::default()).run(now(), Position(0))?;
        }
    }
    Ok(())
}

fn now() -> IngestTime {
    IngestTime::from_millis(1_700_000_100_000).unwrap()
}

///
#[test]
fn power_cuts_lose_nothing_that_was_promised() {
    let mut cuts = 0;
    let mut seed = 0;
    while cuts < 2_000 * soak() {
        let fs = FaultFs::new();
        let mut oracle = Oracle::default();
        let mut dice = Rand32::new(seed);
        let encrypted = seed % 4 == 3;
        for life in 0..6 {
            fs.fail(u64::from(dice.rand_range(0..80)), Fault::Cut);
            cuts += u64::from(live(&mut oracle, &fs, encrypted, &mut dice).is_err());
            fs.restart(seed * 100 + life);
            let (log, recovery) = open(&fs, encrypted).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(recovery.records_lost, 0, "seed {seed}: {recovery:?}");
            oracle.check(&log);
        }
        seed += 1;
    }
}

/// A log of a few segments, the last of which is open, and its records.
fn small(encrypted: bool) -> (FaultFs, BTreeMap<u64, Entry>) {
    let fs = FaultFs::new();
    let (mut log, _) = open(&fs, encrypted).unwrap();
    let mut oracle = Oracle::default();
    for count in [3, 1, 5, 2, 4, 6, 1, 1, 3, 5, 2, 4] {
        oracle.commit(&mut log, count).unwrap();
    }
    log.maintenance(Retention::default())
        .run(now(), Position(0))
        .unwrap();
    log.close_segment();
    for count in [2, 3, 2] {
        oracle.commit(&mut log, count).unwrap();
    }
    (fs, oracle.kept)
}

/// A directory with the same content.
fn copy(fs: &FaultFs) -> FaultFs {
    let copy = FaultFs::new();
    for name in fs.list().unwrap() {
        copy.open(&name, Access::Create).unwrap();
        let content = fs.content(&name).unwrap();
        copy.tamper(&name, |bytes| *bytes = content);
    }
    copy
}

/// Opens a tampered log: what is read was written, and what is missing is reported to the record.
fn check_damaged(fs: &FaultFs, kept: &BTreeMap<u64, Entry>, encrypted: bool, what: &str) -> u64 {
    let (log, recovery) = open(fs, encrypted).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (found, damage) = read_all(&log);
    for (position, entry) in &found {
        assert_eq!(kept.get(position), Some(entry), "{what}: changed unnoticed");
    }
    let missing = (kept.len() - found.len()) as u64;
    // Positions at the end that are given again are known to opening alone; others to the reader too.
    let at_the_end = (*kept.keys().next_back().unwrap() + 1).saturating_sub(log.end().0);
    let counted = damage.records_lost + damage.records_torn + at_the_end;
    assert_eq!(missing, counted, "{what}: {damage:?} {recovery:?}");
    if at_the_end > 0 {
        assert!(
            recovery.records_torn > 0 || recovery.bytes_cut > 0,
            "{what}: {recovery:?}"
        );
    }
    missing
}

///
#[test]
fn every_flipped_byte_is_noticed_contained_and_counted() {
    for encrypted in [false, true] {
        let (fs, kept) = small(encrypted);
        let names: Vec<String> = fs
            .list()
            .unwrap()
            .into_iter()
            .filter(|name| name != "reserve")
            .collect();
        let mut dice = Rand32::new(4);
        let mut flips = 0;
        let step = usize::try_from(8 / soak().min(8)).unwrap();
        for name in &names {
            let len = fs.content(name).unwrap().len();
            // Heads densely, the rest in steps: payload bytes are all alike.
            for at in (0..len).filter(|at| at % step == 0 || (1_024..1_300).contains(at)) {
                let bit = dice.rand_range(0..8);
                let changed = copy(&fs);
                changed.tamper(name, |bytes| bytes[at] ^= 1 << bit);
                let missing =
                    check_damaged(&changed, &kept, encrypted, &format!("{name} byte {at} bit {bit}"));
                if name.ends_with(".seg") && !encrypted {
                    assert!(
                        missing <= 1,
                        "{name} byte {at}: {missing} records for one byte of a plain segment"
                    );
                }
                flips += 1;
            }
        }
        assert!(flips > 1_000, "{flips}");
    }
}

#[test]
fn a_log_cut_at_any_byte_opens_and_keeps_what_is_before() {
    for encrypted in [false, true] {
        let (fs, kept) = small(encrypted);
        let last = fs
            .list()
            .unwrap()
            .into_iter()
            .rfind(|name| name.ends_with(".seg"))
            .unwrap();
        let len = fs.content(&last).unwrap().len();
        let mut missing_before = u64::MAX;
        for at in (0..len).filter(|at| at % 3 == 0) {
            let cut = copy(&fs);
            cut.tamper(&last, |bytes| bytes.truncate(at));
            let (log, _) = open(&cut, encrypted).unwrap_or_else(|error| panic!("cut at {at}: {error}"));
            let (found, _) = read_all(&log);
            assert!(
                found
                    .iter()
                    .all(|(position, entry)| kept.get(position) == Some(entry))
            );
            let missing = (kept.len() - found.len()) as u64;
            assert!(missing <= missing_before, "cut at {at}: less is left of more");
            missing_before = missing;
        }
        assert!(missing_before <= 2);
    }
}

///
#[test]
fn whichever_call_fails_nothing_promised_is_lost() {
    for fault in [
        Fault::Io,
        Fault::Full,
        Fault::Interrupted,
        Fault::Short,
        Fault::ReadOnly,
    ] {
        for nth in 0.. {
            let fs = FaultFs::new();
            let mut oracle = Oracle::default();
            fs.fail(nth, fault);
            let mut dice = Rand32::new(7);
            for life in 0..3 {
                let result = live(&mut oracle, &fs, false, &mut dice);
                if matches!(fault, Fault::Interrupted | Fault::Short) {
                    assert_eq!(result, Ok(()), "{fault:?} at call {nth}");
                }
                if life == 1 && fs.has_failed() {
                    fs.restart(nth);
                }
            }
            let failed = fs.has_failed();
            fs.reopen();
            let (mut log, _) = open(&fs, false).unwrap();
            oracle.check(&log);
            oracle.commit(&mut log, 3).unwrap();
            oracle.check(&log);
            if !failed && nth > 50 {
                break;
            }
        }
    }
}

#[test]
fn after_a_failed_sync_nothing_is_accepted_until_opened_again() {
    let fs = FaultFs::new();
    let (mut log, _) = open(&fs, false).unwrap();
    let mut oracle = Oracle::default();
    oracle.commit(&mut log, 2).unwrap();
    log.append(&[sample(50)]).unwrap();
    fs.fail(1, Fault::Io);
    assert!(matches!(log.commit(), Err(Error::Io { .. })));
    assert_eq!(log.append(&[sample(51)]), Err(Error::Stopped));
    assert_eq!(log.commit(), Err(Error::Stopped));
    drop(log);
    // The page cache shows what the disk does not have: opening must not build on it without writing it again.
    let (mut log, recovery) = open(&fs, false).unwrap();
    assert_eq!((recovery.records_repeated, log.end()), (1, Position(3)));
    log.append(&[sample(52)]).unwrap();
    log.commit().unwrap();
    fs.restart(1);
    let (log, _) = open(&fs, false).unwrap();
    let (found, damage) = read_all(&log);
    assert_eq!((found.len(), damage.records_lost), (4, 0));
}

#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    let fs = FaultFs::new();
    let (mut log, _) = open(&fs, false).unwrap();
    let mut oracle = Oracle::default();
    oracle.commit(&mut log, 5).unwrap();
    fs.limit(Some(26_000));
    let mut refused = 0;
    for _ in 0..40 {
        match oracle.commit(&mut log, 2) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, Error::Full);
                refused += 1;
            }
        }
    }
    assert!(refused > 10);
    oracle.check(&log);
    drop(log);
    // Opening a full disk works, with the reserve; new input is refused until the reserve can be set aside again.
    let (mut log, _) = open(&fs, false).unwrap();
    oracle.check(&log);
    assert_eq!(oracle.commit(&mut log, 9), Err(Error::Full));
    drop(log);
    let (mut log, _) = open(&fs, false).unwrap();
    fs.limit(None);
    oracle.commit(&mut log, 9).unwrap();
    oracle.check(&log);
    assert!(fs.content("reserve").is_some_and(|bytes| bytes.len() == 20_000));
}

#[test]
fn a_wrong_key_and_a_missing_one_are_told_apart_and_a_new_key_reads_on() {
    let fs = FaultFs::new();
    let (old, new) = (Key::new([1; 32]), Key::new([2; 32]));
    let with = |keys: Keyring| Settings {
        keys,
        ..settings(false)
    };
    let dir: Arc<dyn Dir> = Arc::new(fs.clone());
    let mut oracle = Oracle::default();
    let (mut log, _) = Log::open(dir.clone(), with(Keyring::of(old.clone()))).unwrap();
    oracle.commit(&mut log, 4).unwrap();
    drop(log);
    let content = fs.content("00000000000000000000.seg").unwrap();
    assert!(
        !content.windows(6).any(|window| window == b"source"),
        "nothing readable is on the disk"
    );
    let wrong = Log::open(dir.clone(), with(Keyring::of(new.clone()))).err();
    assert!(matches!(wrong, Some(Error::KeyUnknown(_))));
    assert!(matches!(
        Log::open(dir.clone(), settings(false)).err(),
        Some(Error::KeyMissing(_))
    ));
    let both = Keyring::of(new).with_older(old);
    let (mut log, _) = Log::open(dir, with(both)).unwrap();
    oracle.commit(&mut log, 4).unwrap();
    oracle.check(&log);
    assert_eq!(
        fs.list()
            .unwrap()
            .iter()
            .filter(|name| name.ends_with(".seg"))
            .count(),
        2
    );
}

#[test]
fn retention_removes_the_oldest_but_nothing_a_snapshot_needs() {
    let fs = FaultFs::new();
    let (mut log, _) = open(&fs, false).unwrap();
    let mut oracle = Oracle::default();
    for _ in 0..60 {
        oracle.commit(&mut log, 5).unwrap();
    }
    let retention = Retention {
        age: None,
        bytes_max: Some(20_000),
    };
    let maintenance = log.maintenance(retention);
    let kept = maintenance.run(now(), Position(100)).unwrap();
    assert!(
        kept.sealed > 3 && kept.bytes_after < kept.bytes_before,
        "{kept:?}"
    );
    assert!(kept.removed > 0 && kept.oldest <= Position(100), "{kept:?}");
    let kept = maintenance.run(now(), Position(300)).unwrap();
    assert!(kept.bytes <= 20_000 && kept.sealed == 0, "{kept:?}");
    let mut reader = log.readers().from(Position(0));
    assert_eq!(reader.next().unwrap().unwrap().position, kept.oldest);
    assert_eq!(reader.damage().records_removed, kept.oldest.0);
    let old = Retention {
        age: Some(habitus_model::Millis(1)),
        bytes_max: None,
    };
    let kept = log.maintenance(old).run(now(), Position(300)).unwrap();
    assert_eq!(
        kept.oldest,
        log.readers().tail().base,
        "all that is closed is too old"
    );
}

#[test]
fn a_reader_follows_the_writer_and_a_lost_end_is_not_numbered_again() {
    let fs = FaultFs::new();
    let (mut log, _) = open(&fs, false).unwrap();
    let mut reader = log.readers().from(Position(2));
    assert!(reader.next().is_none());
    let mut oracle = Oracle::default();
    for expected in 0..200 {
        oracle.commit(&mut log, 1).unwrap();
        let seen: Vec<u64> = reader.by_ref().map(|record| record.unwrap().position.0).collect();
        assert_eq!(seen, if expected < 2 { vec![] } else { vec![expected] });
    }
    drop(log);
    let floor = Settings {
        floor: Position(250),
        ..settings(false)
    };
    let (mut log, recovery) = Log::open(Arc::new(fs.clone()), floor).unwrap();
    assert_eq!((recovery.records_missing, log.end()), (50, Position(250)));
    log.append(&[sample(1)]).unwrap();
    log.commit().unwrap();
    let (found, damage) = read_all(&log);
    assert_eq!((found.len(), damage.records_lost), (201, 50));
}

#[test]
fn limits_of_one_commit_are_refused_whole() {
    let fs = FaultFs::new();
    let (mut log, _) = Log::open(Arc::new(fs), Settings::default()).unwrap();
    let mut large = sample(1);
    large.payload = vec![b'x'; PAYLOAD_BYTES_MAX];
    let four = vec![large.clone(); 4];
    assert_eq!(log.append(&four), Err(Error::BlockFull));
    log.append(&four[..3]).unwrap();
    assert_eq!(log.append(&four[..1]), Err(Error::BlockFull));
    log.commit().unwrap();
    large.payload.push(b'x');
    assert!(matches!(log.append(&[large]), Err(Error::TooLarge { .. })));
    assert_eq!(log.end(), Position(3));
}
