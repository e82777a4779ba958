//! What was seen, against a plain map, under power cuts and failing calls.

use super::*;
use crate::storage::{Access, Fault, FaultFs};
use crate::testing::soak;
use oorandom::Rand32;

const HOUR: i64 = 3_600_000;

fn at(ms: i64) -> IngestTime {
    IngestTime::from_millis(1_700_000_000_000 + ms).unwrap()
}

fn settings() -> SeenSettings {
    SeenSettings {
        window: Millis(100 * HOUR),
        memory_entries_max: 40,
        ..SeenSettings::new([6; 32])
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

fn with_key<T>(number: u32, act: impl FnOnce(EventKey<'_>) -> T) -> T {
    let (tenant, id) = (TenantId::new("acme"), format!("id-{number}"));
    act(EventKey {
        tenant: &tenant,
        source: "okta",
        id: &id,
    })
}

fn check(seen: &mut Seen, event: Event) -> Result<(Sighting, Fingerprint)> {
    with_key(event.number, |key| {
        seen.check(key, &[event.body], at(event.hour * HOUR))
    })
}

/// The log, and what deduplication must say.
#[derive(Default)]
struct Oracle {
    log: Vec<Event>,
    first: BTreeMap<u32, Event>,
    hour: i64,
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
        if dice.rand_range(0..8) == 0 {
            seen.forget(&[fingerprint]);
            return Ok(());
        }
        self.log.push(event);
        self.first.insert(event.number, event);
        seen.settle(&[fingerprint], Position(wide(self.log.len())));
        if dice.rand_range(0..60) == 0 {
            seen.flush(at(self.hour * HOUR))?;
        }
        if let Some(merge) = seen.merge_due(at(self.hour * HOUR)) {
            seen.adopt(merge.run()?)?;
        }
        Ok(())
    }

    fn restore(&self, seen: &mut Seen, from: Position) -> Result<()> {
        for (index, event) in self.log.iter().enumerate().skip(crate::bytes::narrow(from.0)) {
            let place = (at(event.hour * HOUR), Position(wide(index) + 1));
            with_key(event.number, |key| seen.restore(key, &[event.body], place))?;
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
            let (mut seen, recovery) = open(&fs);
            assert_eq!(recovery.files_damaged, 0);
            let unwritten = wide(oracle.log.len()) - recovery.restore_from.0;
            assert!(
                unwritten <= 40,
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
                fs.fail(u64::from(dice.rand_range(0..150)), fault);
                let lived = oracle.restore(&mut seen, recovery.restore_from).is_ok();
                for _ in 0..if lived { dice.rand_range(1..400) } else { 0 } {
                    match oracle.step(&mut seen, &mut dice) {
                        Ok(()) => {}
                        // What failed was not remembered, and the rest still is.
                        Err(Error::Full) => {}
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
        seen.settle(&[fingerprint], Position(wide(oracle.log.len())));
    }
    seen.flush(at(0)).unwrap();
    while let Some(merge) = seen.merge_due(at(0)) {
        seen.adopt(merge.run().unwrap()).unwrap();
    }
    drop(seen);
    let names = fs.list().unwrap();
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
                seen.settle(&[fingerprint], Position(400));
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
            if !names.contains(&name) {
                fs.remove(&name).unwrap();
            }
        }
        fs.open(&largest, Access::Create).unwrap();
        fs.tamper(&largest, |bytes| bytes.clone_from(&whole));
    }
}

#[test]
fn too_many_at_once_are_refused_and_too_many_in_all_forgotten_and_counted() {
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
    let under_way: Vec<Fingerprint> = (0..40)
        .map(|number| check(&mut seen, event(number)).unwrap().1)
        .collect();
    assert_eq!(check(&mut seen, event(40)).err(), Some(Error::Overloaded));
    seen.settle(&under_way, Position(40));
    for number in 40..400 {
        let (sighting, fingerprint) = check(&mut seen, event(number)).unwrap();
        assert_eq!(sighting, Sighting::New);
        seen.settle(&[fingerprint], Position(u64::from(number) + 1));
    }
    let stats = seen.stats();
    assert!(stats.forgotten >= 200 && stats.in_files <= 160, "{stats:?}");
    assert_eq!(check(&mut seen, event(0)).unwrap().0, Sighting::New, "forgotten");
    assert_eq!(check(&mut seen, event(399)).unwrap().0, Sighting::Duplicate);
}

#[test]
fn keys_cannot_be_shifted_between_their_parts() {
    let (mut seen, _) = open(&FaultFs::new());
    let tenant = TenantId::new("t");
    let mut ask = |source, id| {
        let key = EventKey {
            tenant: &tenant,
            source,
            id,
        };
        seen.check(key, b"", at(0)).unwrap().0
    };
    assert_eq!(ask("ab", "c"), Sighting::New);
    assert_eq!(ask("a", "bc"), Sighting::New);
    assert_eq!(ask("a", "bc"), Sighting::Pending);
}
