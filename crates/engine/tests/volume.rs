//! Much at once stands out as it unfolds, by one finding's worth of events that agree; who always does much does not. And on
//! a real log, counted independently.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on may stop, and says so if it did not begin"
)]

use habitus_engine::{Config, Engine, Learning, Record};
use habitus_enrich::{Enricher, Tables};
use habitus_model::evidence::Family;
use habitus_model::{
    AccountId, AccountKind, Activity, Assessment, Client, Conduct, Context, EventTime, EventUid, Named,
    Network, Place, Status, TenantId, Text,
};
use habitus_normalize::{FormatChoice, Normalizer, Options};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const START_MS: i64 = 1_767_225_600_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// An account does something to a thing that it knows, or a source counts several in one.
fn does(account: &str, ms: i64, (activity, count): (u32, Option<u32>)) -> Record {
    let named = |text: &str| Named {
        key: habitus_model::hash::symbol(text.as_bytes()),
        name: Text::new(text),
    };
    let context = Context {
        tenant: TenantId::default(),
        account: Some(AccountId::new(account)),
        kind: AccountKind::Human,
        time: EventTime::from_millis(ms).unwrap(),
        utc_offset: None,
        activity: Activity::from_ocsf(6003, activity),
        status: Status::Success,
        failure: None,
        strong_factor: false,
        second_factor: None,
        place: Place::default(),
        network: Network {
            ip: Some("192.0.2.7".parse().unwrap()),
            ..Network::default()
        },
        client: Client::default(),
        conduct: Some(Box::new(Conduct {
            action: Some(named("open")),
            resource: Some(named("reports")),
            count,
            ..Conduct::default()
        })),
    };
    Record {
        uid: EventUid::new(format!("{account}-{ms}")),
        context,
        learning: Learning::Learn,
    }
}

/// What a volume says of an event before it is weighed, nats; 0 if nothing.
fn volume(said: &Assessment) -> f64 {
    let lines = said.contributions.iter();
    let own = lines.filter(|line| line.family == Some(Family::Volume));
    let weighed: f64 = own.map(|line| line.nats.0).sum();
    weighed / Config::default().weights.of(Family::Volume)
}

/// Forty days of ten accounts: nine open some things a day, one a hundred.
fn company() -> Engine {
    let mut engine = Engine::new(Config::default());
    for day in 0..40 {
        for account in 0..10_i64 {
            let count = if account == 9 {
                100
            } else {
                3 + (day + account) % 4
            };
            let from = START_MS + day * DAY_MS + (480 + account) * MINUTE_MS;
            for nth in 0..count {
                let ms = from + nth * 40 * MINUTE_MS / count;
                engine.handle(&does(&format!("a{account}"), ms, (2, None)));
            }
        }
    }
    engine
}

#[test]
fn a_mass_download_is_told_as_it_unfolds_and_ends_with_its_window() {
    let mut engine = company();
    let from = START_MS + 40 * DAY_MS + 480 * MINUTE_MS;
    let mut before = 0.0;
    for nth in 0..300_i64 {
        let said = engine.handle(&does("a1", from + nth * 8_000, (2, None)));
        let nats = volume(&said);
        // The profile that leads may change; what the volume says of each grows.
        assert!(nats >= before - 0.5, "{nth}: {nats} after {before}");
        let sum: f64 = said.contributions.iter().map(|line| line.nats.0).sum();
        assert!((sum - said.log_odds.0).abs() < 1e-6, "{nth}");
        before = nats;
    }
    assert!(before > 6.0, "{before}");
    let tomorrow = engine.handle(&does("a1", from + DAY_MS, (2, None)));
    assert!(volume(&tomorrow) == 0.0, "{}", volume(&tomorrow));
}

#[test]
fn who_always_does_much_is_left_alone_and_one_call_may_be_many() {
    let mut engine = company();
    let from = START_MS + 40 * DAY_MS + 480 * MINUTE_MS;
    for nth in 0..105_i64 {
        let said = engine.handle(&does("a9", from + nth * 20_000, (2, None)));
        assert!(volume(&said) < 1.5, "{nth}: {}", volume(&said));
    }
    let one = engine.handle(&does("a2", from, (1, None)));
    let fifty = engine.handle(&does("a3", from, (1, Some(50))));
    assert!(volume(&one) == 0.0 && volume(&fifty) > 1.0, "{}", volume(&fifty));
}

#[test]
fn failures_show_and_teach_nothing() {
    let mut engine = company();
    let from = START_MS + 40 * DAY_MS + 480 * MINUTE_MS;
    for nth in 0..300_i64 {
        let mut refused = does("a1", from + nth * 8_000, (2, None));
        refused.context.status = Status::Failure;
        engine.handle(&refused);
    }
    let after = engine.handle(&does("a1", from + 3_000_000, (2, None)));
    assert!(volume(&after) == 0.0, "{}", volume(&after));
}

/// The folder of reference data; says so where it is absent.
fn reference(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HABITUS_REFERENCE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let file = root.join(path);
    let found = file.exists();
    if !found {
        eprintln!("skipped: no {path} in the reference data; set HABITUS_REFERENCE_DATA");
    }
    found.then_some(file)
}

/// Four months of a small tenant's unified audit log with an intruder in it, and Microsoft's own service that configures 150
/// things at a time.
#[test]
fn in_a_real_audit_log_bursts_are_told_and_a_service_that_always_does_150_is_not() {
    let Some(file) = reference("attack_logs/o365_invictus/unified_audit_log.ndjson") else {
        return;
    };
    let normalizer = Normalizer::new(FormatChoice::Auto, Options::default());
    let mut events = Vec::new();
    for (line, number) in std::fs::read_to_string(file).unwrap().lines().zip(1..) {
        let _ = normalizer.normalize(line.as_bytes(), number, &mut events);
    }
    events.sort_by(|a, b| (a.time, &a.uid).cmp(&(b.time, &b.uid)));
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let mut engine = Engine::new(Config::default());
    // By account: volumes of clock hours, the latest last, and the most that was said in it.
    let mut hours: BTreeMap<String, Vec<(i64, u32, f64)>> = BTreeMap::new();
    for event in &events {
        let said = engine.handle(&Record {
            uid: event.uid.clone(),
            context: enricher.context(event),
            learning: Learning::Learn,
        });
        let Some(account) = event.account_id().filter(|_| !event.activity.is_authentication()) else {
            continue;
        };
        let hour = event.time.as_millis().div_euclid(3_600_000);
        let own = hours.entry(account.to_string()).or_default();
        if own.last().is_none_or(|last| last.0 != hour) {
            own.push((hour, 0, 0.0));
        }
        let last = own.last_mut().unwrap();
        last.1 += event.count.unwrap_or(1);
        last.2 = last.2.max(volume(&said));
    }
    let (mut bursts, mut told, mut usual) = (0, 0, 0);
    for own in hours.values() {
        for (nth, (_, count, nats)) in own.iter().enumerate().filter(|(nth, _)| *nth >= 10) {
            let greatest = own[..nth].iter().map(|(_, count, _)| *count).max().unwrap();
            if *count >= 30 && *count >= 2 * greatest {
                bursts += 1;
                told += u32::from(*nats > 1.0);
            }
            let often = own[..nth].iter().filter(|(_, before, _)| before >= count).count();
            if *count >= 100 && often >= 10 {
                usual += 1;
                assert!(*nats < 2.0, "{count} for the {often}th time: {nats}");
            }
        }
    }
    assert!(bursts >= 3 && told == bursts, "{told} of {bursts}");
    assert!(usual >= 20, "{usual}");
}
