//! What a verdict on one account says of others that meet the same network.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use habitus_engine::models::{Lesson, Opinion};
use habitus_engine::{Config, Engine, Learning, Record};
use habitus_model::network::Asn;
use habitus_model::{
    AccountId, AccountKind, Activity, Assessment, Client, Context, CountryCode, DeviceType, EventTime,
    EventUid, IngestTime, Network, NetworkClass, Place, Status, TenantId, Text, Verdict,
};

const START_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;

struct Life {
    engine: Engine,
    uid: usize,
}

impl Life {
    /// After sixty days of owners' logins from home.
    fn lived() -> Self {
        let mut life = Self {
            engine: Engine::new(Config::default()),
            uid: 0,
        };
        for day in 0..60 {
            for account in 0..12 {
                let context = context(account, day, None);
                life.uid += 1;
                life.engine.handle(&Record {
                    uid: EventUid::new(Text::from(life.uid.to_string())),
                    context,
                    learning: Learning::Learn,
                });
            }
        }
        life
    }

    /// How a login from this prefix of a hosting provider would be judged.
    fn ask(&self, account: u8, day: i64, prefix: u8) -> Assessment {
        self.engine.assess(&Record {
            uid: EventUid::new("asked"),
            context: context(account, day, Some(prefix)),
            learning: Learning::Probe,
        })
    }

    /// A verdict on a login of user 0 from this prefix, on day 60; nothing takes the one before back.
    fn say(&mut self, prefix: u8, (before, after): (Option<Verdict>, Option<Verdict>)) {
        let context = context(0, 60, Some(prefix));
        let assessment = self.ask(0, 60, prefix);
        let at = IngestTime::from_millis(START_MS + 61 * DAY_MS).unwrap();
        let opinion = |verdict| Opinion {
            verdict,
            by: Text::new("ana"),
            at,
        };
        let lesson = Lesson {
            finding: Text::new("f"),
            before: before.map(opinion),
            after: after.map(opinion),
            context: &context,
            kind: AccountKind::Human,
            score: assessment.score,
            grounds: assessment.grounds.as_ref().unwrap(),
        };
        assert!(self.engine.label(&lesson, at));
    }
}

fn context(account: u8, day: i64, rented: Option<u8>) -> Context {
    let ip = match rented {
        Some(prefix) => format!("198.51.{prefix}.{}", 10 + account),
        None => format!("203.0.{account}.9"),
    };
    Context {
        tenant: TenantId::default(),
        account: Some(AccountId::new(format!("user{account}"))),
        kind: AccountKind::Human,
        time: EventTime::from_millis(START_MS + day * DAY_MS + i64::from(account) * 60_000).unwrap(),
        utc_offset: None,
        activity: Activity::from_ocsf(3002, 1),
        status: Status::Success,
        failure: None,
        strong_factor: false,
        second_factor: None,
        place: Place {
            country: CountryCode::new("DE"),
            ..Place::default()
        },
        network: Network {
            ip: Some(ip.parse().unwrap()),
            asn: Asn::new(if rented.is_some() { 24_940 } else { 3_320 }),
            organisation: None,
            class: if rented.is_some() {
                NetworkClass::Hosting
            } else {
                NetworkClass::Fixed
            },
        },
        client: Client {
            device: DeviceType::Desktop,
            os: Some(Text::new("Windows")),
            browser: Some(Text::new("Chrome")),
            ..Client::default()
        },
        conduct: None,
    }
}

fn said(assessment: &Assessment) -> Option<f64> {
    let lines = &assessment.contributions;
    let line = lines.iter().find(|line| line.signal.0 == "network_reputation");
    line.map(|line| line.nats.0)
}

#[test]
fn a_confirmed_takeover_accuses_others_on_the_same_network_within_bounds_and_for_a_time() {
    let mut life = Life::lived();
    let before = life.ask(1, 61, 7).log_odds.0;
    assert_eq!(said(&life.ask(1, 61, 7)), None);
    life.say(7, (None, Some(Verdict::TruePositive)));
    let after = life.ask(1, 61, 7);
    let nats = said(&after).unwrap();
    assert!((0.5..=2.5).contains(&nats), "{nats}");
    assert!(after.log_odds.0 > before + 0.5);
    let sum: f64 = after.contributions.iter().map(|line| line.nats.0).sum();
    assert!((sum - after.log_odds.0).abs() < 1e-6);
    // The same provider's other addresses are suspected less, the account itself has learned already, home says nothing.
    assert!(said(&life.ask(1, 61, 8)).is_some_and(|other| other > 0.0 && other < nats));
    assert_eq!(said(&life.ask(0, 61, 7)), None);
    let home = life.engine.assess(&Record {
        uid: EventUid::new("home"),
        context: context(1, 61, None),
        learning: Learning::Probe,
    });
    assert_eq!(said(&home), None);
    assert!(said(&life.ask(1, 91, 7)).unwrap() < nats);
    assert_eq!(said(&life.ask(1, 152, 7)), None);
}

#[test]
fn a_false_alarm_excuses_others_by_half_a_nat_at_most() {
    let mut life = Life::lived();
    life.say(7, (None, Some(Verdict::FalsePositive)));
    let nats = said(&life.ask(1, 61, 7)).unwrap();
    assert!((-0.5..0.0).contains(&nats), "{nats}");
}

#[test]
fn a_verdict_that_is_taken_back_accuses_nobody_and_a_snapshot_keeps_the_others() {
    let mut life = Life::lived();
    life.say(7, (None, Some(Verdict::TruePositive)));
    let bytes = life.engine.snapshot().unwrap();
    let restored = Life {
        engine: Engine::restore(Config::default(), &bytes).unwrap(),
        uid: 0,
    };
    assert_eq!(said(&restored.ask(1, 61, 7)), said(&life.ask(1, 61, 7)));
    life.say(7, (Some(Verdict::TruePositive), None));
    assert_eq!(said(&life.ask(1, 61, 7)), None);
}
