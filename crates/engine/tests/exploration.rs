//! Who goes through what is not theirs stands out by the fifth thing, each of which is unremarkable alone; who audits,
//! joins, or is on call does not. And whatever is used: shards and snapshots change no verdict.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may stop"
)]

use habitus_engine::{Config, Engine, Learning, Record};
use habitus_model::{
    AccountId, AccountKind, Activity, Assessment, Client, Conduct, Context, CountryCode, DeviceType,
    EventTime, EventUid, Named, Network, Place, Status, TenantId, Text,
};

const START_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;
const DEPARTMENTS: u64 = 6;
const PEOPLE: u64 = 60;
const DAYS: i64 = 30;

fn named(text: String) -> Named {
    Named {
        key: habitus_model::hash::symbol(text.as_bytes()),
        name: Text::new(text),
    }
}

/// An account reads a thing at a time.
fn reads(account: &str, ms: i64, thing: &str) -> Record {
    let context = Context {
        tenant: TenantId::default(),
        account: Some(AccountId::new(account)),
        kind: AccountKind::Human,
        time: EventTime::from_millis(ms).unwrap(),
        utc_offset: None,
        activity: Activity::from_ocsf(6003, 2),
        status: Status::Success,
        failure: None,
        strong_factor: false,
        second_factor: None,
        place: Place {
            country: CountryCode::new("DE"),
            ..Place::default()
        },
        network: Network {
            ip: Some("192.0.2.7".parse().unwrap()),
            ..Network::default()
        },
        client: Client {
            device: DeviceType::Desktop,
            os: Some(Text::new("Windows")),
            browser: Some(Text::new("Chrome")),
            browser_version: 120,
            ..Client::default()
        },
        conduct: Some(Box::new(Conduct {
            action: Some(named("read".to_owned())),
            resource: Some(named(thing.to_owned())),
            ..Conduct::default()
        })),
    };
    Record {
        uid: EventUid::new(Text::from(format!("{account}-{ms}-{thing}"))),
        context,
        learning: Learning::Learn,
    }
}

/// A number that looks random and is not.
fn luck(a: u64, b: u64, below: u64) -> u64 {
    (habitus_model::hash::symbol(format!("{a} {b}").as_bytes()) >> 20) % below
}

fn own(department: u64, nth: u64) -> String {
    format!("d{}-{nth}", department % DEPARTMENTS)
}

/// What somebody reads for the nth time on a day.
fn habit(person: u64, day: u64, nth: u64) -> String {
    let luck = luck(person, day * 100 + nth, 100);
    match luck {
        0..=69 => own(person, (person / DEPARTMENTS + luck) % 5),
        70..=97 => format!("common-{}", luck % 3),
        _ => own(person, luck % 12),
    }
}

fn day_of(person: u64, day: i64) -> impl Iterator<Item = Record> {
    let name = match person {
        1 => "auditor".to_owned(),
        2 => "on-call".to_owned(),
        3 => "explorer".to_owned(),
        _ => format!("p{person}"),
    };
    let at = u64::try_from(day).unwrap();
    let begin = START_MS + day * DAY_MS + i64::try_from(person).unwrap() * 60_000;
    let usual = (0..6).map(move |nth| habit(person, at, nth));
    let more = (0..3).filter_map(move |nth| match person {
        1 => Some(own(luck(at, nth, DEPARTMENTS), 20 + at * 3 + nth)),
        2 if at % 4 == 0 => Some(own(luck(at, nth, DEPARTMENTS), luck(nth, at, 5))),
        _ => None,
    });
    (0..)
        .zip(usual.chain(more))
        .map(move |(nth, thing)| reads(&name, begin + nth * 3_000_000, &thing))
}

/// A month of everybody's work, in order of time.
fn month() -> Vec<Record> {
    let mut all: Vec<Record> = (0..DAYS)
        .flat_map(|day| (0..PEOPLE).flat_map(move |person| day_of(person, day)))
        .collect();
    all.sort_by_key(|record| record.context.time);
    all
}

/// What the engine says of each of these, after everybody's month.
fn after_a_month(engine: &mut Engine, account: &str, things: &[String]) -> Vec<Assessment> {
    let begin = START_MS + DAYS * DAY_MS;
    let times = (1_i64..).map(|nth| begin + nth * 400_000);
    times
        .zip(things)
        .map(|(ms, thing)| engine.handle(&reads(account, ms, thing)))
        .collect()
}

fn experienced() -> Vec<u8> {
    let mut engine = Engine::new(Config::default());
    for record in month() {
        engine.handle(&record);
    }
    engine.snapshot().unwrap()
}

fn last_of(bytes: &[u8], account: &str, things: &[String]) -> Assessment {
    let mut engine = Engine::restore(Config::default(), bytes).unwrap();
    after_a_month(&mut engine, account, things).pop().unwrap()
}

#[test]
fn an_explorer_stands_out_and_who_has_reasons_does_not() {
    let bytes = experienced();
    let explored: Vec<String> = (1..6).map(|nth| own(3 + nth, nth)).collect();
    let explorer = last_of(&bytes, "explorer", &explored);
    assert!(
        explorer.score.get() >= 60.0,
        "{:.1} {:#?}",
        explorer.score.get(),
        explorer.contributions
    );
    let told = explorer
        .contributions
        .iter()
        .find(|line| line.signal.0 == "exploration");
    let told = told.unwrap().reason.to_string();
    assert!(told.starts_with("about 4 other things were new"), "{told}");
    let audited: Vec<String> = (0..5).map(|nth| own(nth, 200 + nth)).collect();
    let taken_up: Vec<String> = (0..5).map(|nth| own(8, nth)).collect();
    let at_night: Vec<String> = (0..5)
        .map(|nth| own(luck(28, nth % 3, DEPARTMENTS), luck(nth % 3, 28, 5)))
        .collect();
    for (account, things) in [("auditor", audited), ("joiner", taken_up), ("on-call", at_night)] {
        let honest = last_of(&bytes, account, &things);
        assert!(
            honest.score.get() < 60.0,
            "{account}: {:.1} {:#?}",
            honest.score.get(),
            honest.contributions
        );
        assert!(honest.log_odds.0 < explorer.log_odds.0 - 3.0, "{account}");
    }
}

#[test]
fn what_is_usual_within_the_department_says_less_than_what_is_not() {
    let bytes = experienced();
    let evidence = |thing: String| {
        let all = last_of(&bytes, "explorer", &[thing]).contributions;
        let line = all.into_iter().find(|line| line.signal.0 == "new_resource");
        line.map_or(0.0, |line| line.nats.0)
    };
    let mut colleagues = (0..12)
        .map(|nth| evidence(own(3, nth)))
        .filter(|nats| *nats != 0.0);
    let strangers = evidence(own(4, 1));
    assert!(colleagues.all(|nats| nats < strangers), "{strangers}");
}

#[test]
fn what_was_gathered_fades() {
    let bytes = experienced();
    let mut engine = Engine::restore(Config::default(), &bytes).unwrap();
    let explored: Vec<String> = (1..5).map(|nth| own(3 + nth, nth)).collect();
    after_a_month(&mut engine, "explorer", &explored);
    let nats = |days: i64| {
        let probe = Record {
            learning: Learning::Probe,
            ..reads("explorer", START_MS + (DAYS + days) * DAY_MS + 3_000_000, "d1-3")
        };
        let lines = engine.assess(&probe).contributions;
        let line = lines.iter().find(|line| line.signal.0 == "exploration");
        line.map_or(0.0, |line| line.nats.0)
    };
    let (same_day, next_season) = (nats(0), nats(90));
    assert!(same_day > 4.0 && next_season < 0.1, "{same_day} {next_season}");
}

#[test]
fn shards_and_snapshots_change_no_verdict_of_what_is_used() {
    let records = month();
    let all = |shards: usize| {
        let mut engine = Engine::new(Config {
            shards,
            ..Config::default()
        });
        let said: Vec<Assessment> = records.iter().map(|record| engine.handle(record)).collect();
        (said, engine.digest().unwrap())
    };
    let (one, three) = (all(1), all(3));
    assert_eq!(one.1, three.1);
    assert!(one.0 == three.0);
    let (first, second) = records.split_at(records.len() / 2);
    let mut engine = Engine::new(Config::default());
    first.iter().for_each(|record| drop(engine.handle(record)));
    let mut again = Engine::restore(Config::default(), &engine.snapshot().unwrap()).unwrap();
    let rest: Vec<Assessment> = second.iter().map(|record| again.handle(record)).collect();
    assert!(rest == one.0[first.len()..]);
}
