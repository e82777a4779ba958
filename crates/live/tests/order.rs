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

#[path = "order/changes.rs"]
mod changes;
#[path = "order/clocks.rs"]
mod clocks;
#[path = "order/past.rs"]
mod past;

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
        failure: None,
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

/// What was told of one tenant, in its order.
fn of(told: &Told, tenant: &str) -> Told {
    let ours = told
        .iter()
        .filter(|(assessment, _)| assessment.tenant == TenantId::new(tenant));
    ours.cloned().collect()
}

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// Records of several tenants side by side; `sources` says of each event whose it is and by which source.
fn shared_log(sources: &[u8]) -> Vec<Record> {
    let mut records = log(sources);
    for (record, source) in records.iter_mut().zip(sources) {
        record.context.tenant = TenantId::new(TENANTS[usize::from(source / 16) % TENANTS.len()]);
    }
    records
}

/// Makes an entry come from one of three sources.
fn by_sources(mut entries: Vec<Entry>) -> Vec<Entry> {
    for entry in &mut entries {
        if let Entry::Event(arrival) = entry {
            let number = arrival.record.uid.as_str().len() % 3;
            arrival.origin.source = Text::from(format!("source-{number}"));
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tenants_and_sources_side_by_side_change_nothing_for_each_other(
        sources in prop::collection::vec(any::<u8>(), 1..120),
        moves in prop::collection::vec(any::<u8>(), 1..40),
        batch in 1usize..50,
        cut in any::<prop::sample::Index>(),
    ) {
        let records = shared_log(&sources);
        let in_order = records.iter().enumerate().map(|(at, record)| entry(record, at)).collect();
        let (expected, digest) = run(by_sources(in_order), usize::MAX);
        let jumbled = by_sources(jumble(&records, &moves));
        let (got, other) = run(jumbled.clone(), batch);
        prop_assert_eq!(other, digest.clone());
        for tenant in TENANTS {
            prop_assert_eq!(of(&got, tenant), of(&expected, tenant));
            // Each tenant by itself is judged as it is among others.
            let alone: Vec<Record> = records.iter().filter(|r| r.context.tenant == TenantId::new(tenant)).cloned().collect();
            let alone = alone.iter().enumerate().map(|(at, record)| entry(record, at)).collect();
            prop_assert_eq!(of(&expected, tenant), run(by_sources(alone), 7).0);
        }
        let (before, after) = jumbled.split_at(cut.index(jumbled.len()));
        let mut reducer = Reducer::new(settings());
        reducer.apply(before.to_vec(), &Sequential, &mut Vec::new());
        let bytes = reducer.snapshot().unwrap();
        let mut reducer = Reducer::restore(settings(), &bytes, None).unwrap();
        prop_assert_eq!(reducer.snapshot().unwrap(), bytes, "a restored state is the state");
        reducer.apply(after.to_vec(), &Sequential, &mut Vec::new());
        reducer.apply(vec![Entry::Settle], &Sequential, &mut Vec::new());
        prop_assert_eq!(reducer.digest().unwrap(), digest);
    }

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

/// An event of a tenant and source, so many seconds after the start, that arrives when it is said to.
fn arrives(uid: usize, (tenant, source): (&str, &str), seconds: i64, arrival: i64) -> Entry {
    let mut record = event(uid, seconds, 1);
    record.context.tenant = TenantId::new(tenant);
    let Entry::Event(mut entry) = entry(&record, uid) else {
        unreachable!()
    };
    entry.origin.source = Text::new(source);
    entry.origin.ingest = IngestTime::from_millis(START_MS + arrival * 1_000).unwrap();
    Entry::Event(entry)
}

fn late(told: &Told) -> usize {
    told.iter().filter(|(_, stage)| *stage == Stage::Late).count()
}

#[test]
fn who_loads_a_past_beside_one_that_lives_is_late_for_nobody() {
    let month = 30 * 86_400;
    let entries: Vec<Entry> = (0..400)
        .flat_map(|n| {
            let (uid, second) = (usize::try_from(n).unwrap(), n * 30);
            [
                arrives(uid, ("lives", "idp"), month + second, month + second + 1),
                arrives(
                    1_000 + uid,
                    ("loads", "archive"),
                    second * 180,
                    month + second + 1,
                ),
            ]
        })
        .collect();
    for batch in [1, 64, 800] {
        let (told, _) = run(entries.clone(), batch);
        assert_eq!((told.len(), late(&told)), (800, 0), "in batches of {batch}");
    }
    // In one tenant a past that is loaded beside what lives is late, and holds nothing back.
    let mut reducer = Reducer::new(settings());
    for entry in entries.iter().take(100).cloned() {
        let Entry::Event(mut arrival) = entry else {
            unreachable!()
        };
        arrival.record.context.tenant = TenantId::new("one");
        reducer.apply(vec![Entry::Event(arrival)], &Sequential, &mut Vec::new());
    }
    assert_eq!(
        reducer.waiting(),
        21,
        "ten minutes of an event every thirty seconds"
    );
}

#[test]
fn a_source_that_is_polled_holds_its_tenant_for_minutes_and_no_longer() {
    let quick = Settings {
        lateness: Millis::from_minutes(2),
        ..Settings::default()
    };
    let mut reducer = Reducer::new(quick);
    let mut out = Vec::new();
    // One source is pushed; the other comes five minutes later, in order of its own.
    for n in 0..120 {
        let (uid, second) = (usize::try_from(n).unwrap(), n * 30);
        reducer.apply(
            vec![arrives(uid, ("one", "pushed"), second, second + 1)],
            &Sequential,
            &mut out,
        );
        if second >= 300 {
            let polled = arrives(1_000 + uid, ("one", "polled"), second - 300, second + 1);
            reducer.apply(vec![polled], &Sequential, &mut out);
        }
    }
    let told = settled(std::mem::take(&mut out));
    // Until it is known how far behind it is, it is late.
    assert!((1..=12).contains(&late(&told)), "{}", late(&told));
    let waiting = reducer.waiting();
    assert!(
        (14..=24).contains(&waiting),
        "{waiting} wait for the slower source"
    );
    // When it falls silent, the others wait for it no longer than the lateness.
    for n in 120..126 {
        let uid = usize::try_from(n).unwrap();
        let pushed = arrives(uid, ("one", "pushed"), n * 30, n * 30 + 1);
        reducer.apply(vec![pushed], &Sequential, &mut out);
    }
    assert_eq!(reducer.waiting(), 5);
    // One whose clock is an hour behind holds nobody, whatever it sends.
    for n in 126..140 {
        let uid = usize::try_from(n).unwrap();
        let both = vec![
            arrives(uid, ("one", "pushed"), n * 30, n * 30 + 1),
            arrives(2_000 + uid, ("one", "behind"), n * 30 - 3_600, n * 30 + 1),
        ];
        reducer.apply(both, &Sequential, &mut out);
    }
    assert_eq!(reducer.waiting(), 5);
}

#[test]
fn tenants_beyond_the_limit_share_a_time_and_lose_nothing() {
    let mut reducer = Reducer::new(Settings::default());
    let mut out = Vec::new();
    for n in 0..1_100_usize {
        let tenant = format!("tenant-{n}");
        let second = i64::try_from(n).unwrap();
        reducer.apply(
            vec![arrives(n, (&tenant, "idp"), second, second + 1)],
            &Sequential,
            &mut out,
        );
    }
    let bytes = reducer.snapshot().unwrap();
    let mut reducer = Reducer::restore(Settings::default(), &bytes, None).unwrap();
    assert_eq!(reducer.snapshot().unwrap(), bytes);
    reducer.apply(vec![Entry::Settle], &Sequential, &mut out);
    assert_eq!(settled(out).len(), 1_100);
    assert_eq!(reducer.waiting(), 0);
}

#[test]
fn a_full_room_takes_from_the_tenant_that_fills_it() {
    let small = Settings {
        waiting_max: 50,
        ..settings()
    };
    let mut reducer = Reducer::new(small);
    let mut out = Vec::new();
    reducer.apply(vec![arrives(1, ("quiet", "idp"), 0, 1)], &Sequential, &mut out);
    for n in 0..300 {
        let uid = 100 + usize::try_from(n).unwrap();
        reducer.apply(
            vec![arrives(uid, ("loud", "idp"), n, n + 1)],
            &Sequential,
            &mut out,
        );
    }
    let told = settled(out);
    assert_eq!((reducer.waiting(), told.len()), (50, 251));
    assert!(
        of(&told, "quiet").is_empty(),
        "its event still waits for its turn"
    );
}
