//! Whatever order events arrive in, however they are batched, and wherever a snapshot is taken: the same settles.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may stop"
)]

use habitus_engine::{Learning, Record, Sequential};
use habitus_live::{Arrival, Entry, Origin, Output, Place, Reducer, Settings, Stage};
use habitus_model::network::Asn;
use habitus_model::{
    AccountId, AccountKind, Activity, Assessment, Client, Context, CountryCode, EventTime, EventUid,
    IngestTime, Millis, Network, NetworkClass, Place as OnEarth, Status, TenantId, Text,
};
use proptest::prelude::*;

const START_MS: i64 = 1_767_225_600_000;

fn event(uid: usize, seconds: i64, source: u8) -> Record {
    let (country, asn) =
        [("DE", 3320), ("FR", 3215), ("BR", 28573)][usize::from(source.is_multiple_of(16)) * 2];
    let context = Context {
        tenant: TenantId::default(),
        account: Some(AccountId::new(format!("user{}", source % 5))),
        kind: AccountKind::Human,
        time: EventTime::from_millis(START_MS + seconds * 1_000).unwrap(),
        utc_offset: None,
        activity: Activity::from_ocsf(3002, 1),
        status: if source.is_multiple_of(7) {
            Status::Failure
        } else {
            Status::Success
        },
        strong_factor: false,
        second_factor: None,
        place: OnEarth {
            country: CountryCode::new(country),
            ..OnEarth::default()
        },
        network: Network {
            ip: Some(format!("203.0.{}.7", source % 3).parse().unwrap()),
            asn: Asn::new(asn),
            organisation: None,
            class: NetworkClass::Fixed,
        },
        client: Client {
            os: Some(Text::new("Windows")),
            ..Client::default()
        },
        conduct: None,
    };
    Record {
        uid: EventUid::new(format!("e-{uid}")),
        context,
        learning: Learning::Learn,
    }
}

/// An entry for a record that arrives as the `position`th, two seconds after it happened.
fn entry(record: &Record, position: usize) -> Entry {
    Entry::Event(Box::new(Arrival {
        origin: Origin {
            place: Place {
                position: u64::try_from(position).unwrap(),
                index: 0,
            },
            ingest: IngestTime::from_millis(record.context.time.as_millis() + 2_000).unwrap(),
            source: Text::new("idp"),
            format: Text::new("ocsf"),
            session: None,
            id_is_derived: false,
        },
        record: record.clone(),
        said: habitus_live::Said::default(),
    }))
}

fn settings() -> Settings {
    Settings {
        lateness: Millis::from_minutes(10),
        ..Settings::default()
    }
}

type Told = Vec<(Assessment, Stage)>;

fn run(entries: Vec<Entry>, batch: usize) -> (Told, String) {
    let mut reducer = Reducer::new(settings());
    let mut out = Vec::new();
    for some in entries.chunks(batch) {
        reducer.apply(some.to_vec(), &Sequential, &mut out);
    }
    reducer.apply(vec![Entry::Settle], &Sequential, &mut out);
    (settled(out), reducer.digest().unwrap())
}

fn settled(out: Vec<Output>) -> Told {
    let final_one = |output| match output {
        Output::Verdict {
            assessment, stage, ..
        } if stage != Stage::Provisional => Some((*assessment, stage)),
        _ => None,
    };
    out.into_iter().filter_map(final_one).collect()
}

fn log(sources: &[u8]) -> Vec<Record> {
    let each = |(uid, source): (usize, &u8)| event(uid, i64::try_from(uid).unwrap() * 37, *source);
    sources.iter().enumerate().map(each).collect()
}

/// Moves every event by less than half the lateness.
fn jumble(records: &[Record], moves: &[u8]) -> Vec<Entry> {
    let mut order: Vec<(i64, usize)> = records
        .iter()
        .enumerate()
        .map(|(at, record)| {
            let delay = i64::from(moves[at % moves.len()]) * 1_000;
            (record.context.time.as_millis() + delay, at)
        })
        .collect();
    order.sort_unstable();
    let arrive = |(position, (_, at)): (usize, &(i64, usize))| entry(&records[*at], position);
    order.iter().enumerate().map(arrive).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn order_within_the_lateness_and_batches_change_nothing(
        sources in prop::collection::vec(any::<u8>(), 1..120),
        moves in prop::collection::vec(any::<u8>(), 1..40),
        batch in 1usize..50,
    ) {
        let records = log(&sources);
        let in_order = records.iter().enumerate().map(|(at, record)| entry(record, at)).collect();
        let (expected, digest) = run(in_order, usize::MAX);
        prop_assert!(expected.iter().all(|(_, stage)| *stage == Stage::Settled));
        let (got, other) = run(jumble(&records, &moves), batch);
        prop_assert_eq!(got, expected);
        prop_assert_eq!(other, digest);
    }

    #[test]
    fn a_snapshot_anywhere_continues_the_same(
        sources in prop::collection::vec(any::<u8>(), 2..80),
        moves in prop::collection::vec(any::<u8>(), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let entries = jumble(&log(&sources), &moves);
        let (_, digest) = run(entries.clone(), 7);
        let (before, after) = entries.split_at(cut.index(entries.len()));
        let mut reducer = Reducer::new(settings());
        reducer.apply(before.to_vec(), &Sequential, &mut Vec::new());
        let bytes = reducer.snapshot().unwrap();
        let mut reducer = Reducer::restore(settings(), &bytes, None).unwrap();
        prop_assert_eq!(reducer.snapshot().unwrap(), bytes, "a restored state is the state");
        reducer.apply(after.to_vec(), &Sequential, &mut Vec::new());
        reducer.apply(vec![Entry::Settle], &Sequential, &mut Vec::new());
        prop_assert_eq!(reducer.digest().unwrap(), digest);
    }
}

#[test]
fn times_that_cannot_be_teach_nothing_and_stop_nothing() {
    let honest = log(&[1; 60]);
    let mut entries: Vec<Entry> = honest
        .iter()
        .enumerate()
        .map(|(at, record)| entry(record, at))
        .collect();
    let clean = run(entries.clone(), 8);
    for (uid, seconds) in [(900, 315_360_000), (901, 3_600)] {
        let mut future = event(uid, seconds, 16);
        let arrival = START_MS + 30 * 37_000;
        future.context.time = EventTime::from_millis(START_MS + seconds * 1_000).unwrap();
        let Entry::Event(mut odd) = entry(&future, uid) else {
            unreachable!()
        };
        odd.origin.ingest = IngestTime::from_millis(arrival).unwrap();
        entries.insert(30, Entry::Event(odd));
    }
    let (told, digest) = run(entries, 8);
    assert_eq!(
        told.iter().filter(|(_, stage)| *stage == Stage::Future).count(),
        2
    );
    let honest: Told = told
        .into_iter()
        .filter(|(_, stage)| *stage != Stage::Future)
        .collect();
    assert_eq!((honest, digest), clean, "an event from the future left a trace");
}

#[test]
fn an_event_from_long_ago_is_late_and_moves_nothing_back() {
    let mut reducer = Reducer::new(settings());
    let mut out = Vec::new();
    for (at, record) in log(&[1; 60]).iter().enumerate() {
        reducer.apply(vec![entry(record, at)], &Sequential, &mut out);
    }
    let waiting = reducer.waiting();
    out.clear();
    reducer.apply(
        vec![entry(&event(500, -86_400 * 365 * 50, 3), 500)],
        &Sequential,
        &mut out,
    );
    assert!(
        matches!(
            &out[..],
            [Output::Verdict {
                stage: Stage::Late,
                ..
            }]
        ),
        "{out:?}"
    );
    assert_eq!(reducer.waiting(), waiting);
}

#[test]
fn silence_settles_what_waits_and_a_full_room_settles_the_earliest() {
    let ingest = |seconds: i64| IngestTime::from_millis(START_MS + seconds * 1_000).unwrap();
    let mut reducer = Reducer::new(settings());
    let mut out = Vec::new();
    reducer.apply(vec![entry(&event(1, 0, 1), 0)], &Sequential, &mut out);
    assert!(matches!(
        &out[..],
        [Output::Verdict {
            stage: Stage::Provisional,
            ..
        }]
    ));
    reducer.apply(vec![Entry::Tick(ingest(300))], &Sequential, &mut out);
    assert_eq!(reducer.waiting(), 1);
    reducer.apply(vec![Entry::Tick(ingest(602))], &Sequential, &mut out);
    assert_eq!((reducer.waiting(), settled(out).len()), (0, 1));

    let small = Settings {
        waiting_max: 3,
        ..settings()
    };
    let mut reducer = Reducer::new(small);
    let entries = log(&[1; 10])
        .iter()
        .enumerate()
        .map(|(at, record)| entry(record, at))
        .collect();
    reducer.apply(entries, &Sequential, &mut Vec::new());
    assert_eq!(reducer.waiting(), 3);
}
