//! What was seen, against a plain map, under power cuts and failing calls.

use super::*;
use crate::crypto::Key;
use crate::storage::{Access, Fault, FaultFs};
use crate::testing::soak;
use habitus_model::TenantId;
use oorandom::Rand32;

const HOUR: i64 = 3_600_000;

fn at(ms: i64) -> IngestTime {
    IngestTime::from_millis(1_700_000_000_000 + ms).unwrap()
}

fn settings() -> SeenSettings {
    SeenSettings {
        window: Millis(100 * HOUR),
        memory_entries_max: 40,
        ..SeenSettings::new(Keyring::default())
    }
}

fn open(fs: &FaultFs) -> (Seen, SeenRecovery) {
    Seen::open(Arc::new(fs.clone()), settings()).unwrap()
}

/// An event of the model: number, body, time.
#[derive(Debug, Clone, Copy)]
struct Event {
    number: u32,
    body: u8,
    hour: i64,
}

fn identity(seen: &Seen, event: Event) -> Identity {
    let id = format!("id-{}", event.number);
    let whose = (&TenantId::new("acme"), "okta");
    seen.hasher().identity(whose, [id.as_str()], &[event.body])
}

fn check(seen: &mut Seen, event: Event) -> Result<(Sighting, Fingerprint)> {
    let identity = identity(seen, event);
    let sighting = seen.check(identity, at(event.hour * HOUR))?;
    Ok((sighting, identity.fingerprint))
}

/// The log, and what deduplication must say.
#[derive(Default)]
struct Oracle {
    log: Vec<Event>,
    first: BTreeMap<u32, Event>,
    hour: i64,
    work: Option<Work>,
}

impl Oracle {
    fn expected(&self, event: Event) -> Sighting {
        match self.first.get(&event.number) {
            Some(first) if first.hour < event.hour - 100 => Sighting::New,
            Some(first) if first.body != event.body => Sighting::Conflict,
            Some(_) => Sighting::Duplicate,
            None => Sighting::New,
        }
    }

    fn step(&mut self, seen: &mut Seen, dice: &mut Rand32) -> Result<()> {
        self.hour += i64::from(dice.rand_range(0..12) == 0);
        let newest = u32::try_from(self.log.len()).unwrap() + 2;
        let event = Event {
            number: dice.rand_range(newest.saturating_sub(200)..newest),
            body: u8::from(dice.rand_range(0..10) == 0),
            hour: self.hour,
        };
        let (sighting, fingerprint) = check(seen, event)?;
        assert_eq!(
            sighting,
            self.expected(event),
            "{event:?} after {:?}",
            self.first.get(&event.number)
        );
        if sighting != Sighting::New {
            return Ok(());
        }
        assert_eq!(check(seen, event)?.0, Sighting::Pending);
        assert!(seen.is_pending(fingerprint));
        if dice.rand_range(0..8) == 0 {
            seen.forget([fingerprint]);
            return Ok(());
        }
        self.log.push(event);
        self.first.insert(event.number, event);
        seen.settle([fingerprint], Position(wide(self.log.len())));
        if dice.rand_range(0..60) == 0 {
            seen.flush(at(self.hour * HOUR))?;
        }
        // Often somebody else does it meanwhile, sometimes nobody for long.
        let now = at(self.hour * HOUR);
        match self.work.take() {
            Some(work) if dice.rand_range(0..4) == 0 => seen.finish(work.run())?,
            Some(work) => self.work = Some(work),
            None if dice.rand_range(0..8) != 0 => self.work = seen.due(now),
            None => {}
        }
        Ok(())
    }

    fn restore(&self, seen: &mut Seen, from: Position) -> Result<()> {
        for (index, event) in self.log.iter().enumerate().skip(crate::bytes::narrow(from.0)) {
            let place = (at(event.hour * HOUR), Position(wide(index) + 1));
            seen.restore(identity(seen, *event), place)?;
        }
        Ok(())
    }
}

#[test]
fn it_agrees_with_a_plain_map_over_flushes_merges_and_restarts() {
    for seed in 0..8 * soak() {
        let fs = FaultFs::new();
        let mut dice = Rand32::new(seed);
        let mut oracle = Oracle::default();
        let (mut merged, mut gone) = (0, false);
        for _ in 0..6 {
            oracle.work = None;
            let (mut seen, recovery) = open(&fs);
            assert_eq!(recovery.files_damaged, 0);
            let unwritten = wide(oracle.log.len()) - recovery.restore_from.0;
            assert!(
                unwritten <= 120,
                "only what was in memory comes from the log: {unwritten}"
            );
            oracle.restore(&mut seen, recovery.restore_from).unwrap();
            for _ in 0..1_000 {
                oracle.step(&mut seen, &mut dice).unwrap();
            }
            merged = merged.max(seen.runs.iter().map(|run| run.summary.level).max().unwrap());
            gone |= seen.stats().in_files < wide(oracle.log.len()) / 2;
        }
        assert!(
            merged >= 1 && gone,
            "seed {seed}: merged to {merged}, expired {gone}"
        );
    }
}

#[test]
fn no_fault_makes_it_forget_what_is_in_the_log() {
    for fault in [
        Fault::Cut,
        Fault::Io,
        Fault::Full,
        Fault::Interrupted,
        Fault::Short,
    ] {
        for seed in 0..30 * soak() {
            let fs = FaultFs::new();
            let mut dice = Rand32::new(seed);
            let mut oracle = Oracle::default();
            for life in 0..4 {
                let (mut seen, recovery) = open(&fs);
                oracle.work = None;
                fs.fail(u64::from(dice.rand_range(0..150)), fault);
                let lived = oracle.restore(&mut seen, recovery.restore_from).is_ok();
                for _ in 0..if lived { dice.rand_range(1..400) } else { 0 } {
                    match oracle.step(&mut seen, &mut dice) {
                        Ok(()) => {}
                        // What failed was not remembered, and the rest still is.
                        Err(Error::Full | Error::Overloaded) => {}
                        Err(_) => break,
                    }
                }
                fs.restart(seed * 10 + life);
            }
        }
    }
}

#[test]
fn damage_is_noticed_and_costs_no_more_than_its_block() {
    let fs = FaultFs::new();
    let (mut seen, _) = open(&fs);
    let mut oracle = Oracle::default();
    for number in 0..400 {
        let event = Event {
            number,
            body: 0,
            hour: 0,
        };
        let (_, fingerprint) = check(&mut seen, event).unwrap();
        oracle.log.push(event);
        seen.settle([fingerprint], Position(wide(oracle.log.len())));
    }
    seen.flush(at(0)).unwrap();
    while let Some(work) = seen.due(at(0)) {
        seen.finish(work.run()).unwrap();
    }
    drop(seen);
    let names: Vec<String> = fs
        .list()
        .unwrap()
        .into_iter()
        .filter(|name| name.ends_with(".run"))
        .collect();
    let largest = names
        .iter()
        .max_by_key(|name| fs.content(name).unwrap().len())
        .unwrap()
        .clone();
    let whole = fs.content(&largest).unwrap();
    for place in (0..whole.len()).step_by(61) {
        fs.tamper(&largest, |bytes| bytes[place] ^= 16);
        let (mut seen, recovery) = open(&fs);
        oracle.restore(&mut seen, recovery.restore_from).unwrap();
        let mut taken_for_new = 0;
        for event in oracle.log.clone() {
            let (sighting, fingerprint) = check(&mut seen, event).unwrap();
            if sighting == Sighting::New {
                taken_for_new += 1;
                seen.settle([fingerprint], Position(400));
            } else {
                assert_eq!(sighting, Sighting::Duplicate, "byte {place}: made up");
            }
        }
        assert!(taken_for_new <= 128, "byte {place}: {taken_for_new}");
        assert!(
            taken_for_new == 0 || seen.stats().unknown > 0,
            "byte {place}: unnoticed"
        );
        for name in fs.list().unwrap() {
            if name.ends_with(".run") && !names.contains(&name) {
                fs.remove(&name).unwrap();
            }
        }
        fs.open(&largest, Access::Create).unwrap();
        fs.tamper(&largest, |bytes| bytes.clone_from(&whole));
    }
}

#[test]
fn what_cannot_be_written_is_refused_in_the_end_and_too_many_in_all_are_forgotten_and_counted() {
    let fs = FaultFs::new();
    let few = SeenSettings {
        file_entries_max: 100,
        ..settings()
    };
    let (mut seen, _) = Seen::open(Arc::new(fs), few).unwrap();
    let event = |number| Event {
        number,
        body: 0,
        hour: 0,
    };
    let kept = |seen: &mut Seen, number: u32| {
        let (sighting, fingerprint) = check(seen, event(number))?;
        assert_eq!(sighting, Sighting::New);
        seen.settle([fingerprint], Position(u64::from(number) + 1));
        Ok::<_, Error>(())
    };
    for number in 0..40 {
        kept(&mut seen, number).unwrap();
    }
    let work = seen.due(at(0)).unwrap();
    assert!(seen.due(at(0)).is_none(), "one at a time");
    for number in 40..120 {
        assert_eq!(
            check(&mut seen, event(number - 40)).unwrap().0,
            Sighting::Duplicate,
            "also while it is written"
        );
        kept(&mut seen, number).unwrap();
    }
    assert_eq!(check(&mut seen, event(120)).err(), Some(Error::Overloaded));
    seen.finish(work.run()).unwrap();
    for number in 120..800 {
        kept(&mut seen, number).unwrap();
    }
    let stats = seen.stats();
    assert!(stats.forgotten >= 400 && stats.in_files <= 200, "{stats:?}");
    assert_eq!(check(&mut seen, event(0)).unwrap().0, Sighting::New, "forgotten");
    assert_eq!(check(&mut seen, event(799)).unwrap().0, Sighting::Duplicate);
}

#[test]
fn work_that_fails_forgets_nothing_and_is_due_again() {
    let fs = FaultFs::new();
    let (mut seen, _) = open(&fs);
    let event = |number| Event {
        number,
        body: 0,
        hour: 0,
    };
    for number in 0..40 {
        let (_, fingerprint) = check(&mut seen, event(number)).unwrap();
        seen.settle([fingerprint], Position(u64::from(number) + 1));
    }
    let work = seen.due(at(0)).unwrap();
    let (_, pending) = check(&mut seen, event(99)).unwrap();
    fs.fail(1, Fault::Full);
    assert_eq!(seen.finish(work.run()), Err(Error::Full));
    assert!(seen.is_pending(pending) && seen.stats().in_memory == 41);
    assert_eq!(check(&mut seen, event(7)).unwrap().0, Sighting::Duplicate);
    assert_eq!(seen.keep_from(), Position(0));
    fs.restart(1);
    let work = seen.due(at(0)).unwrap();
    seen.finish(work.run()).unwrap();
    assert_eq!((seen.keep_from(), seen.stats().in_memory), (Position(40), 1));
}

#[test]
fn new_events_do_not_read_the_disk() {
    let fs = FaultFs::new();
    let many = SeenSettings {
        memory_entries_max: 2_000,
        ..settings()
    };
    let (mut seen, _) = Seen::open(Arc::new(fs), many).unwrap();
    for number in 0..60_000 {
        let event = Event {
            number,
            body: 0,
            hour: 0,
        };
        let (sighting, fingerprint) = check(&mut seen, event).unwrap();
        assert_eq!(sighting, Sighting::New);
        seen.settle([fingerprint], Position(u64::from(number) + 1));
        while let Some(work) = seen.due(at(0)) {
            seen.finish(work.run()).unwrap();
        }
    }
    let stats = seen.stats();
    assert!(stats.files >= 6 && stats.in_files > 50_000, "{stats:?}");
    assert!(stats.blocks_read < 60_000 / 50, "{stats:?}");
}

#[test]
fn the_key_is_kept_encrypted_and_a_lost_one_is_drawn_anew() {
    let fs = FaultFs::new();
    let ring = |byte| Keyring::of(Key::new([byte; 32]));
    let open = |keys: &Keyring| {
        let settings = SeenSettings {
            keys: keys.clone(),
            ..settings()
        };
        Seen::open(Arc::new(fs.clone()), settings)
    };
    let event = Event {
        number: 1,
        body: 0,
        hour: 0,
    };
    let (mut seen, _) = open(&ring(1)).unwrap();
    let (_, fingerprint) = check(&mut seen, event).unwrap();
    seen.settle([fingerprint], Position(1));
    seen.flush(at(0)).unwrap();
    assert!(matches!(open(&Keyring::default()), Err(Error::KeyMissing(_))));
    assert!(matches!(open(&ring(2)), Err(Error::KeyUnknown(_))));
    // With a new encryption key it is the same key of fingerprints, kept otherwise.
    let both = ring(2).with_older(Key::new([1; 32]));
    for keys in [&both, &ring(2)] {
        let (mut seen, recovery) = open(keys).unwrap();
        assert_eq!(recovery.restore_from, Position(1));
        assert_eq!(check(&mut seen, event).unwrap().0, Sighting::Duplicate);
    }
    for tamper in [
        |bytes: &mut Vec<u8>| bytes[50] ^= 1,
        |bytes: &mut Vec<u8>| bytes.truncate(20),
    ] {
        fs.tamper("fingerprints.key", tamper);
        let (mut seen, recovery) = open(&ring(2)).unwrap();
        assert_eq!(recovery.restore_from, Position(0), "the log has it");
        assert_eq!(check(&mut seen, event).unwrap().0, Sighting::New);
    }
}

#[test]
fn keys_cannot_be_shifted_between_their_parts() {
    let (mut seen, _) = open(&FaultFs::new());
    let tenant = TenantId::new("t");
    let mut ask = |source, ids: &[&str]| {
        let identity = seen
            .hasher()
            .identity((&tenant, source), ids.iter().copied(), b"");
        seen.check(identity, at(0)).unwrap()
    };
    assert_eq!(ask("ab", &["c"]), Sighting::New);
    assert_eq!(ask("a", &["bc"]), Sighting::New);
    assert_eq!(ask("a", &["b", "c"]), Sighting::New);
    assert_eq!(ask("a", &["bc"]), Sighting::Pending);
}
