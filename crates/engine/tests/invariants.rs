//! What must hold of the engine whatever it is fed: shards, batches and probes change no verdict, contributions sum,
//! failures teach nothing, and a snapshot is the state.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may stop"
)]

use habitus_engine::{Config, Engine, Executor, Learning, Record, Sequential};
use habitus_model::network::Asn;
use habitus_model::{
    AccountId, AccountKind, Activity, Assessment, Client, Context, Coordinates, CountryCode, DeviceType,
    EventTime, EventUid, Km, Network, NetworkClass, Place, Status, TenantId, Text,
};
use proptest::prelude::*;

/// One generated event, small enough to shrink.
#[derive(Debug, Clone)]
struct Seed {
    account: u8,
    minutes: u16,
    place: u8,
    host: u8,
    client: u8,
    failed: bool,
    probe: bool,
}

const PLACES: [(&str, f64, f64, u32); 5] = [
    ("DE", 52.5, 13.4, 3320),
    ("DE", 48.1, 11.6, 3209),
    ("BR", -23.5, -46.6, 28573),
    ("GH", 5.6, 0.0, 29614),
    ("US", 40.7, -74.0, 701),
];
const CLIENTS: [(&str, &str, DeviceType); 4] = [
    ("Windows", "Chrome", DeviceType::Desktop),
    ("Mac OS X", "Safari", DeviceType::Desktop),
    ("Android", "Chrome Mobile", DeviceType::Mobile),
    ("Linux", "python-requests", DeviceType::Automation),
];

fn context(account: &str, time_ms: i64, (place, host, client): (u8, u8, u8), failed: bool) -> Context {
    let (country, lat, lon, asn) = PLACES[usize::from(place) % PLACES.len()];
    let (os, browser, device) = CLIENTS[usize::from(client) % CLIENTS.len()];
    Context {
        tenant: TenantId::default(),
        account: Some(AccountId::new(account)),
        kind: AccountKind::Human,
        time: EventTime::from_millis(time_ms).unwrap(),
        utc_offset: None,
        activity: Activity::from_ocsf(3002, 1),
        status: if failed { Status::Failure } else { Status::Success },
        failure: None,
        strong_factor: false,
        second_factor: None,
        place: Place {
            country: CountryCode::new(country),
            coordinates: Coordinates::new(lat, lon),
            radius: Some(Km(20.0)),
            ..Place::default()
        },
        network: Network {
            ip: Some(
                format!("203.{asn}.{}.{host}", place % 7, asn = asn % 200)
                    .parse()
                    .unwrap(),
            ),
            asn: Asn::new(asn),
            organisation: None,
            class: NetworkClass::Fixed,
        },
        client: Client {
            device,
            os: Some(Text::new(os)),
            browser: Some(Text::new(browser)),
            browser_version: 120,
            ..Client::default()
        },
        conduct: None,
    }
}

fn record(uid: usize, context: Context, learning: Learning) -> Record {
    Record {
        uid: EventUid::new(Text::from(uid.to_string())),
        context,
        learning,
    }
}

const START_MS: i64 = 1_767_225_600_000;

fn records(seeds: &[Seed]) -> Vec<Record> {
    let mut time = START_MS;
    let mut all = Vec::new();
    for (uid, seed) in seeds.iter().enumerate() {
        time += i64::from(seed.minutes) * 60_000;
        let context = context(
            &format!("user{}", seed.account),
            time,
            (seed.place, seed.host, seed.client),
            seed.failed,
        );
        all.push(record(
            uid,
            context,
            if seed.probe {
                Learning::Probe
            } else {
                Learning::Learn
            },
        ));
    }
    all
}

fn seed() -> impl Strategy<Value = Seed> {
    (
        0u8..6,
        0u16..900,
        0u8..5,
        0u8..4,
        0u8..4,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(account, minutes, place, host, client, failed, probe)| Seed {
            account,
            minutes,
            place,
            host,
            client,
            failed,
            probe,
        })
}

fn run(records: &[Record], config: Config, executor: &dyn Executor) -> (Vec<Assessment>, String) {
    let mut engine = Engine::new(config);
    let mut out = Vec::new();
    engine.handle_batch(records, executor, &mut out);
    (out, engine.digest().unwrap())
}

/// Runs shards on threads, last one first, to show that neither matters.
struct Threads;

impl Executor for Threads {
    fn run(
        &self,
        shards: &mut [habitus_engine::Shard],
        work: &(dyn Fn(usize, &mut habitus_engine::Shard) + Sync),
    ) {
        std::thread::scope(|scope| {
            for (index, shard) in shards.iter_mut().enumerate().rev() {
                scope.spawn(move || work(index, shard));
            }
        });
    }
}

fn long_log(n: usize) -> Vec<Record> {
    let seeds: Vec<Seed> = (0..n)
        .map(|i| {
            let mix = i.wrapping_mul(2_654_435_761) >> 7;
            Seed {
                account: u8::try_from(mix % 97).unwrap(),
                minutes: 3,
                place: u8::try_from(if mix % 53 == 0 { mix % 5 } else { (mix % 97) % 2 }).unwrap(),
                host: u8::try_from(mix % 3).unwrap(),
                client: u8::try_from(if mix % 31 == 0 { mix % 4 } else { (mix % 97) % 3 }).unwrap(),
                failed: mix % 41 == 0,
                probe: mix % 67 == 0,
            }
        })
        .collect();
    records(&seeds)
}

#[test]
fn shards_and_threads_and_who_is_packed_change_no_verdict_and_no_state() {
    let log = long_log(20_000);
    let (expected, digest) = run(&log, Config::default(), &Sequential);
    for (shards, at_hand_max) in [(2, 1_000), (3, 30), (7, 0)] {
        let config = Config {
            shards,
            at_hand_max,
            ..Config::default()
        };
        let (got, other) = run(&log, config, &Threads);
        assert!(got == expected, "verdicts differ with {shards} shards");
        assert_eq!(other, digest, "state differs with {shards} shards");
    }
}

#[test]
fn a_snapshot_is_the_state() {
    let log = long_log(9_001);
    let (first, second) = log.split_at(5_003);
    let (expected, digest) = run(&log, Config::default(), &Sequential);
    let mut engine = Engine::new(Config::default());
    let mut out = Vec::new();
    engine.handle_batch(first, &Sequential, &mut out);
    let mut restored = Engine::restore(
        Config {
            shards: 3,
            ..Config::default()
        },
        &engine.snapshot().unwrap(),
    )
    .unwrap();
    let next = &second[0];
    assert_eq!(
        restored.assess(next),
        engine.assess(next),
        "its account is packed"
    );
    restored.handle_batch(second, &Sequential, &mut out);
    assert!(out == expected);
    assert_eq!(restored.digest().unwrap(), digest);
    assert!(Engine::restore(Config::default(), b"nonsense").is_err());
}

#[test]
fn failures_create_no_profile_and_teach_nothing() {
    let mut engine = Engine::new(Config::default());
    for i in 0..500 {
        let c = context(&format!("guess{i}"), START_MS + i * 1_000, (2, 1, 3), true);
        engine.handle(&record(0, c, Learning::Learn));
    }
    assert_eq!(engine.accounts(), 0);
    assert_eq!(engine.position(), 500);
    // A newcomer is judged as by an engine that never saw the guesses.
    let newcomer = record(
        0,
        context("real", START_MS + 600_000_000, (2, 1, 3), false),
        Learning::Learn,
    );
    let mut fresh = Engine::new(Config::default());
    assert_eq!(engine.handle(&newcomer), fresh.handle(&newcomer));
}

#[test]
fn a_foreign_takeover_scores_high_and_says_why() {
    let mut engine = Engine::new(Config::default());
    for day in 0..60 {
        for account in 0..20 {
            let time = START_MS + day * 86_400_000 + account * 600_000;
            let c = context(
                &format!("user{account}"),
                time,
                (0, u8::try_from(account).unwrap(), 0),
                false,
            );
            engine.handle(&record(0, c, Learning::Learn));
        }
    }
    // One cause only: the client is the usual one.
    let attack = context("user3", START_MS + 60 * 86_400_000 + 3_600_000, (2, 9, 0), false);
    let assessment = engine.assess(&record(0, attack, Learning::Probe));
    assert!(assessment.score.get() >= 60.0, "{assessment:?}");
    let top = assessment.contributions.first().unwrap();
    assert_eq!(top.signal.0, "new_country");
    assert_eq!(
        top.reason.to_string(),
        "first visit from BR: 0 of 60 in 60 days; 0 of 20 colleagues ever"
    );
    let usual = context("user3", START_MS + 60 * 86_400_000 + 1_800_000, (0, 3, 0), false);
    let usual = engine.assess(&record(0, usual, Learning::Probe));
    assert!(usual.score.get() < 20.0, "{usual:?}");
    assert!(
        usual.contributions.iter().any(|c| c.nats.0 < -0.5),
        "the owner is exonerated by name"
    );
}

#[test]
fn a_known_address_does_not_excuse_impossible_travel_for_ever() {
    let mut engine = Engine::new(Config::default());
    // Ghana is known to the account, and long ago; Berlin is where it was half an hour ago, with another client.
    let mut time = START_MS;
    for _ in 0..4 {
        engine.handle(&record(
            0,
            context("ama", time, (3, 1, 1), false),
            Learning::Learn,
        ));
        time += 86_400_000;
    }
    for _ in 0..40 {
        time += 86_400_000;
        engine.handle(&record(
            0,
            context("ama", time, (0, 1, 0), false),
            Learning::Learn,
        ));
    }
    let from_ghana = |after_ms: i64| {
        let c = context("ama", time + after_ms, (3, 1, 1), false);
        engine.assess(&record(0, c, Learning::Probe))
    };
    let (at_once, in_three_days) = (from_ghana(1_800_000), from_ghana(3 * 86_400_000));
    let travel = |a: &Assessment| {
        a.contributions
            .iter()
            .any(|c| c.signal.0 == "impossible_travel" && c.nats.0 > 0.0)
    };
    assert!(
        travel(&at_once) && !travel(&in_three_days),
        "{:#?}",
        at_once.contributions
    );
    let accuser = at_once
        .contributions
        .iter()
        .filter(|c| c.family.is_some())
        .max_by(|a, b| a.nats.0.total_cmp(&b.nats.0));
    assert_eq!(
        accuser.map(|c| c.signal.0),
        Some("impossible_travel"),
        "it is what speaks loudest against"
    );
}

#[test]
fn a_profile_stays_small_however_wild_its_life() {
    let mut engine = Engine::new(Config::default());
    for i in 0..30_000u32 {
        let mut c = context("nomad", START_MS + i64::from(i) * 3_600_000, (0, 0, 0), false);
        c.network.ip = Some(std::net::Ipv6Addr::from(u128::from(i) << 70 | 0x2001 << 112).into());
        c.network.asn = Asn::new(1 + i % 50_000);
        c.client.browser = Some(Text::from(format!("Browser {i}")));
        engine.handle(&record(0, c, Learning::Learn));
    }
    assert!(
        engine.profile_bytes() <= 3_072,
        "{} bytes",
        engine.profile_bytes()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn contributions_sum_to_log_odds(seeds in prop::collection::vec(seed(), 1..120)) {
        for assessment in run(&records(&seeds), Config::default(), &Sequential).0 {
            let sum: f64 = assessment.contributions.iter().map(|c| c.nats.0).sum();
            prop_assert!((sum - assessment.log_odds.0).abs() < 1e-6);
            prop_assert!((0.0..=100.0).contains(&assessment.score.get()));
        }
    }

    #[test]
    fn probes_change_nothing(seeds in prop::collection::vec(seed(), 1..150)) {
        let all = records(&seeds);
        let without: Vec<Record> = all.iter().filter(|r| r.learning == Learning::Learn).cloned().collect();
        let (with, with_digest) = run(&all, Config::default(), &Sequential);
        let (plain, plain_digest) = run(&without, Config::default(), &Sequential);
        let learned: Vec<&Assessment> =
            with.iter().zip(&all).filter(|(_, r)| r.learning == Learning::Learn).map(|(a, _)| a).collect();
        prop_assert_eq!(learned, plain.iter().collect::<Vec<_>>());
        prop_assert_eq!(with_digest, plain_digest);
    }
}

/// Long enough that an epoch has a hundred positions, and ending where one begins.
const PAST: usize = 2_048;

fn engine_with_a_past() -> Engine {
    let mut engine = Engine::new(Config::default());
    for at in 0..PAST {
        let place = u8::from(at % 97 == 0);
        let account = format!("user{}", at % 6);
        let time = START_MS + i64::try_from(at).unwrap() * 3_600_000;
        let context = context(&account, time, (place, 1, 0), at % 41 == 0);
        engine.handle(&record(at, context, Learning::Learn));
    }
    engine
}

fn later(count: usize) -> Vec<Record> {
    let start = START_MS + i64::try_from(PAST).unwrap() * 3_600_000;
    let each = |at: usize| {
        let time = start + i64::try_from(at).unwrap() * 400_000;
        let place = u8::try_from(at % 4).unwrap();
        record(
            PAST + at,
            context(&format!("user{}", at % 3), time, (place, 2, place), at % 5 == 4),
            Learning::Learn,
        )
    };
    (0..count).map(each).collect()
}

#[test]
fn within_an_epoch_judging_ahead_is_judging_in_turn() {
    let mut engine = engine_with_a_past();
    let mut ahead = habitus_engine::Ahead::default();
    let waiting = later(100);
    let before = engine.digest().unwrap();
    let early: Vec<Assessment> = waiting.iter().map(|r| engine.look_ahead(&mut ahead, r)).collect();
    assert_eq!(
        engine.digest().unwrap(),
        before,
        "looking ahead changed the state"
    );
    for (record, early) in waiting.iter().zip(early) {
        assert_eq!(engine.handle(record), early);
        engine.caught_up(&mut ahead, record);
    }
    for record in &waiting {
        assert_eq!(
            engine.assess_ahead(&ahead, record),
            engine.assess(record),
            "copies outlived their events"
        );
    }
}

#[test]
fn what_waits_counts_when_asked() {
    let engine = engine_with_a_past();
    let mut ahead = habitus_engine::Ahead::default();
    let odd = later(4).pop().unwrap();
    let first = engine.assess_ahead(&ahead, &odd);
    for minute in 1..6 {
        let mut again = odd.clone();
        again.context.time = again
            .context
            .time
            .plus(habitus_model::Millis::from_minutes(60 * minute));
        again.context.strong_factor = true;
        engine.look_ahead(&mut ahead, &again);
    }
    let mut last = odd;
    last.context.time = last.context.time.plus(habitus_model::Millis::from_minutes(600));
    assert!(engine.assess_ahead(&ahead, &last).log_odds.0 < first.log_odds.0 - 1.0);
}

#[test]
fn a_verdict_for_the_owner_lowers_the_next_score_and_one_against_does_not() {
    use habitus_profile::Adjudication;
    let odd = later(4).pop().unwrap();
    let again = |engine: &Engine| {
        let mut next = odd.clone();
        next.context.time = next.context.time.plus(habitus_model::Millis::from_minutes(300));
        engine.assess(&next).log_odds.0
    };
    let judged = |said: Option<Adjudication>| {
        let mut engine = engine_with_a_past();
        let score = engine.handle(&odd).score;
        assert!(score.get() >= 40.0, "it stands out: {score:?}");
        if let Some(said) = said {
            assert!(engine.adjudicate(&mut habitus_engine::Ahead::default(), &odd.context, said));
        }
        again(&engine)
    };
    let (none, owner, attacker) = (
        judged(None),
        judged(Some(Adjudication::Owner)),
        judged(Some(Adjudication::Attacker)),
    );
    assert!(owner < none - 1.0, "{owner} {none}");
    assert!(attacker >= none, "{attacker} {none}");
}

/// What a picture costs who goes on is counted, not timed: pieces of accounts that are shared, and pieces that are copied.
#[test]
fn a_picture_of_many_accounts_copies_none_and_each_event_after_it_one_piece_at_most() {
    const ACCOUNTS: usize = 10_000;
    let login = |uid: usize, account: usize, minutes: i64| {
        let time = START_MS + minutes * 60_000;
        record(
            uid,
            context(&format!("user{account}"), time, (0, 0, 0), false),
            Learning::Learn,
        )
    };
    let past: Vec<Record> = (0..ACCOUNTS).map(|n| login(n, n, 0)).collect();
    let mut engine = Engine::new(Config::default());
    engine.handle_batch(&past, &Sequential, &mut Vec::new());
    let bytes = engine.snapshot().unwrap();
    let picture = engine.picture();
    let pieces = picture.shared_pieces();
    assert!(
        (ACCOUNTS / 64..=ACCOUNTS / 64 + 2).contains(&pieces),
        "{pieces} pieces"
    );
    // As many as the server judges under one lock, far apart from each other.
    let events: Vec<Record> = (0..64).map(|n| login(ACCOUNTS + n, n * 151, 60)).collect();
    engine.handle_batch(&events, &Sequential, &mut Vec::new());
    assert_eq!(picture.shared_pieces(), pieces - 64);
    assert_eq!(picture.bytes().unwrap(), bytes);
    let mut again = Engine::restore(Config::default(), &bytes).unwrap();
    again.handle_batch(&events, &Sequential, &mut Vec::new());
    assert_eq!(again.digest().unwrap(), engine.digest().unwrap());
}
