//! The outbox: its promises, under restarts, power cuts and failing calls.

use super::*;
use crate::storage::{Fault, FaultFs};
use crate::testing::soak;
use breaker::OPEN_MS;
use habitus_model::Millis;
use oorandom::Rand32;
use schedule::{LEASE_MS, TRIES, WAITS_MS};

const DAY: i64 = 86_400_000;

fn at(ms: i64) -> IngestTime {
    IngestTime::from_millis(1_700_000_000_000 + ms).unwrap()
}

fn item(id: &str, responder: &str) -> Item {
    Item {
        id: id.into(),
        responder: responder.into(),
        payload: format!("order {id}").into_bytes(),
        expires: at(7 * DAY),
    }
}

fn try_open(fs: &FaultFs) -> Result<Outbox> {
    let settings = Settings {
        segment_bytes: 2_000,
        reserve_bytes: 4_000,
        ..Settings::default()
    };
    Outbox::open_with(Arc::new(fs.clone()), settings).map(|(outbox, _)| outbox)
}

fn open(fs: &FaultFs) -> Outbox {
    try_open(fs).unwrap()
}

fn failed() -> Outcome {
    Outcome::Failed {
        why: "503".into(),
        retry_after: None,
    }
}

fn ids(due: &Due) -> Vec<&str> {
    due.leases.iter().map(|lease| lease.item.id.as_str()).collect()
}

#[test]
fn an_order_is_tried_by_the_schedule_and_then_waits_for_a_person() {
    let fs = FaultFs::new();
    let mut outbox = open(&fs);
    let lasting = Item {
        expires: at(30 * DAY),
        ..item("a", "hook")
    };
    assert_eq!(outbox.put(&[lasting.clone(), lasting.clone()], at(0)).unwrap(), 1);
    let mut now = at(0);
    for attempt in 1..=TRIES {
        let due = outbox.due(now, 10).unwrap();
        assert_eq!((ids(&due), due.leases[0].attempt), (vec!["a"], attempt));
        assert_eq!(
            ids(&outbox.due(now, 10).unwrap()),
            Vec::<&str>::new(),
            "it is leased"
        );
        match outbox.done(("a", attempt), failed(), now).unwrap() {
            Fate::Again(next) => {
                let wait = next.as_millis() - now.as_millis();
                let expected = WAITS_MS[usize::try_from(attempt).unwrap() - 1];
                assert!((wait - expected).abs() <= expected / 10);
                assert_eq!(outbox.next_due(), Some(next));
                now = later(next, OPEN_MS);
            }
            fate => assert_eq!((fate, attempt), (Fate::Dead, TRIES)),
        }
        outbox = open(&fs);
    }
    let dead = outbox.dead();
    assert_eq!(
        (dead.len(), dead[0].attempts, dead[0].why.as_str()),
        (1, TRIES, "503")
    );
    assert_eq!(outbox.put(&[lasting], now).unwrap(), 0, "a dead letter is known");
    assert!(outbox.retry("a", later(now, DAY), now).unwrap());
    assert!(!outbox.retry("a", later(now, DAY), now).unwrap());
    outbox.due(now, 1).unwrap();
    assert_eq!(
        outbox.done(("a", 1), Outcome::Delivered, now).unwrap(),
        Fate::Done
    );
    assert_eq!(
        outbox.counts(),
        Counts {
            done: 1,
            ..Counts::default()
        }
    );
    assert_eq!(
        outbox.put(&[item("a", "hook")], now).unwrap(),
        0,
        "what is done is not done again"
    );
    outbox.maintain(later(now, DONE_KEPT_MS + 1)).unwrap();
    assert_eq!(outbox.counts().done, 0);
}

#[test]
fn a_failing_responder_is_left_alone_and_others_are_not() {
    let mut outbox = open(&FaultFs::new());
    let items: Vec<Item> = (0..40)
        .map(|i| item(&format!("{i:02}"), if i % 2 == 0 { "bad" } else { "good" }))
        .collect();
    outbox.put(&items, at(0)).unwrap();
    for lease in outbox.due(at(0), 5).unwrap().leases {
        let outcome = if lease.item.responder == "bad" {
            failed()
        } else {
            Outcome::Delivered
        };
        outbox
            .done((&lease.item.id, lease.attempt), outcome, at(1))
            .unwrap();
    }
    assert_eq!(
        outbox.breaker("bad"),
        breaker::State::Open {
            until_ms: at(1 + OPEN_MS).as_millis()
        }
    );
    let due = outbox.due(at(2), 100).unwrap();
    assert_eq!(due.leases.len(), 15, "all of the good one, none of the bad one");
    let probe = outbox.due(at(1 + OPEN_MS), 100).unwrap();
    assert_eq!(ids(&probe), ["10"], "one order tries");
    outbox
        .done(("10", 1), Outcome::Refused { why: "400".into() }, at(2 + OPEN_MS))
        .unwrap();
    assert_eq!(outbox.dead()[0].why, "400");
    assert_eq!(
        outbox.due(at(2 + OPEN_MS), 100).unwrap().leases.len(),
        19,
        "it answers again"
    );
}

#[test]
fn what_is_late_expires_and_what_is_held_too_long_lapses() {
    let mut outbox = open(&FaultFs::new());
    let brief = Item {
        expires: at(500),
        ..item("brief", "hook")
    };
    outbox
        .put(&[brief, item("held", "hook"), item("asked", "hook")], at(0))
        .unwrap();
    let due = outbox.due(at(600), 10).unwrap();
    assert_eq!(
        (due.expired.as_slice(), ids(&due)),
        (&["brief".into()][..], vec!["asked", "held"])
    );
    assert_eq!(outbox.dead()[0].why, "expired before it could be carried out");
    let wish = Outcome::Failed {
        why: "429".into(),
        retry_after: Some(Millis(90_000)),
    };
    assert_eq!(
        outbox.done(("asked", 1), wish, at(600)).unwrap(),
        Fate::Again(at(90_600))
    );
    let due = outbox.due(at(600 + LEASE_MS), 10).unwrap();
    assert_eq!(
        (due.lapsed.as_slice(), ids(&due)),
        (&["held".into()][..], vec!["asked"])
    );
    assert_eq!(
        outbox.done(("held", 1), failed(), at(130_000)).unwrap(),
        Fate::Unknown
    );
    assert_eq!(
        outbox.done(("held", 1), Outcome::Delivered, at(130_000)).unwrap(),
        Fate::Done,
        "late, but done"
    );
    assert_eq!(
        outbox.done(("other", 1), Outcome::Delivered, at(0)).unwrap(),
        Fate::Unknown
    );
}

/// What the world outside has been promised.
#[derive(Default)]
struct Oracle {
    put: BTreeSet<String>,
    delivered: BTreeSet<String>,
    discarded: BTreeSet<String>,
    next: u32,
}

impl Oracle {
    fn check(&self, outbox: &Outbox) {
        for id in &self.put {
            assert!(outbox.state.knows(id), "{id} was taken");
        }
        for id in self.delivered.union(&self.discarded) {
            assert!(!outbox.state.orders.contains_key(id.as_str()), "{id} was done");
        }
    }

    fn step(&mut self, outbox: &mut Outbox, dice: &mut Rand32, now: i64) -> Result<()> {
        match dice.rand_range(0..8) {
            0..3 => {
                let new: Vec<String> = (0..dice.rand_range(1..5))
                    .map(|i| format!("{:05}", self.next + i))
                    .collect();
                self.next += 5;
                let items: Vec<Item> = new.iter().map(|id| item(id, "hook")).collect();
                outbox.put(&items, at(now))?;
                self.put.extend(new);
            }
            3..6 => {
                for lease in outbox.due(at(now), 3)?.leases {
                    assert!(
                        !self.delivered.contains(lease.item.id.as_str()),
                        "handed out after it was done"
                    );
                    let outcome = match dice.rand_range(0..4) {
                        0 => failed(),
                        1 => Outcome::Refused { why: "no".into() },
                        2 => continue,
                        _ => Outcome::Delivered,
                    };
                    let fate = outbox.done((&lease.item.id, lease.attempt), outcome.clone(), at(now))?;
                    if outcome == Outcome::Delivered {
                        assert_eq!(fate, Fate::Done);
                        self.delivered.insert(lease.item.id.to_string());
                    }
                }
            }
            6 => {
                if let Some(letter) = outbox.dead().first()
                    && outbox.discard(&letter.item.id, at(now))?
                {
                    self.discarded.insert(letter.item.id.to_string());
                }
            }
            _ => outbox.compact(at(now))?,
        }
        Ok(())
    }
}

#[test]
fn no_fault_loses_an_order_or_repeats_one_that_is_done() {
    for fault in [
        Fault::Cut,
        Fault::Io,
        Fault::Full,
        Fault::Interrupted,
        Fault::Short,
    ] {
        for seed in 0..60 * soak() {
            let fs = FaultFs::new();
            let mut dice = Rand32::new(seed);
            let mut oracle = Oracle::default();
            for life in 0..4 {
                fs.fail(u64::from(dice.rand_range(0..120)), fault);
                let mut outbox = try_open(&fs);
                for turn in 0..dice.rand_range(1..40) {
                    let Ok(open) = &mut outbox else { break };
                    let now = i64::from(turn) * 20_000 + life * 1_000_000;
                    let result = oracle.step(open, &mut dice, now);
                    if result.is_err_and(|error| error != Error::Full) {
                        break;
                    }
                    oracle.check(open);
                }
                fs.restart(seed * 10 + u64::try_from(life).unwrap());
                oracle.check(&open(&fs));
            }
        }
    }
}

#[test]
fn reading_the_file_again_gives_the_same_state() {
    for seed in 0..30 * soak() {
        let fs = FaultFs::new();
        let mut dice = Rand32::new(seed + 1_000);
        let mut oracle = Oracle::default();
        let mut outbox = open(&fs);
        for turn in 0..60 {
            oracle.step(&mut outbox, &mut dice, turn * 15_000).unwrap();
        }
        outbox.state.end_leases();
        assert_eq!(open(&fs).state, outbox.state, "seed {seed}");
        outbox.compact(at(60 * 15_000)).unwrap();
        assert_eq!(open(&fs).state, outbox.state, "seed {seed}, compacted");
        let bytes: usize = outbox
            .state
            .orders
            .values()
            .map(|order| order.item.payload.len())
            .sum();
        assert_eq!(outbox.state.bytes, bytes);
    }
}
