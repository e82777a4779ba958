//! An office moves, a VPN is rolled out, a location database is updated; and what only looks like it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use habitus_engine::changes::{ChangeKind, News};
use habitus_engine::{Config, Engine, Learning, Record, Sequential};
use habitus_model::network::Asn;
use habitus_model::{
    AccountId, AccountKind, Activity, Assessment, Client, Conduct, Context, CountryCode, Deed, DeviceType,
    EventTime, EventUid, Network, NetworkClass, Place, Status, TenantId, Text,
};

const START_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;
const ACCOUNTS: u8 = 60;

/// A login of an account: from its own line, with its own client.
fn login(account: u8, ms: i64) -> Context {
    Context {
        tenant: TenantId::default(),
        account: Some(AccountId::new(format!("user{account}"))),
        kind: AccountKind::Human,
        time: EventTime::from_millis(START_MS + ms).unwrap(),
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
        network: network(format!("198.18.{account}.9"), 3_320 + u32::from(account % 5)),
        client: client(match account % 3 {
            0 => "Chrome",
            1 => "Firefox",
            _ => "Edge",
        }),
        conduct: None,
    }
}

fn network(ip: String, asn: u32) -> Network {
    Network {
        ip: Some(ip.parse().unwrap()),
        asn: Asn::new(asn),
        organisation: None,
        class: NetworkClass::Fixed,
    }
}

fn client(browser: &str) -> Client {
    Client {
        device: DeviceType::Desktop,
        os: Some(Text::new("Windows")),
        browser: Some(Text::new(browser)),
        ..Client::default()
    }
}

/// The same from where nobody was before.
fn elsewhere(account: u8, ms: i64) -> Context {
    Context {
        network: network(format!("203.0.113.{account}"), 64_500),
        ..login(account, ms)
    }
}

fn at(day: i64, account: u8) -> i64 {
    day * DAY_MS + i64::from(account) * 300_000
}

/// Forty days at home; now and then somebody is on another's line, so that new networks are nothing unheard of.
fn home() -> Vec<Context> {
    let visits = (0..40).flat_map(|day| (0..ACCOUNTS).map(move |account| (day, account)));
    let visits = visits.map(|(day, account)| {
        let own = login(account, at(day, account));
        if (day * 7 + i64::from(account)) % 41 == 0 {
            let host = login((account + 1) % ACCOUNTS, 0).network;
            return Context { network: host, ..own };
        }
        own
    });
    visits.collect()
}

fn record(context: Context, learning: Learning) -> Record {
    let uid = format!("{:?} {}", context.account, context.time.as_millis());
    Record {
        uid: EventUid::new(Text::from(uid)),
        context,
        learning,
    }
}

struct Life(Engine);

impl Life {
    fn lived() -> Self {
        let mut life = Self(Engine::new(Config::default()));
        for context in home() {
            life.meet(context);
        }
        life
    }

    fn meet(&mut self, context: Context) -> Assessment {
        self.0.handle(&record(context, Learning::Learn))
    }

    fn changes(&self, day: i64) -> Vec<ChangeKind> {
        let now = EventTime::from_millis(START_MS + day * DAY_MS).unwrap();
        let standing = self.0.standing(&TenantId::default(), now);
        standing.changes.iter().map(|change| change.kind).collect()
    }
}

fn relief(assessment: &Assessment) -> Option<f64> {
    let mut lines = assessment.contributions.iter();
    lines
        .find(|line| line.signal.0 == "tenant_change")
        .map(|line| line.nats.0)
}

fn is_flagged(assessment: &Assessment) -> bool {
    assessment.score.get() >= 40.0
}

#[test]
fn an_office_that_moves_floods_nobody_once_it_is_recognised() {
    let mut life = Life::lived();
    let all: Vec<Assessment> = (0..ACCOUNTS)
        .map(|account| life.meet(elsewhere(account, at(40, account))))
        .collect();
    let (first, later) = all.split_at(16);
    assert!(
        first.iter().take(15).all(|one| relief(one).is_none()),
        "nobody is excused by less than sixteen"
    );
    assert!(later.iter().all(|one| relief(one).is_some_and(|nats| nats < 0.0)));
    let flagged = later.iter().filter(|one| is_flagged(one)).count();
    assert_eq!(flagged, 0, "of those who came later");
    assert!(first.iter().any(is_flagged), "they would have been");
    for one in &all {
        let sum: f64 = one.contributions.iter().map(|line| line.nats.0).sum();
        assert!((sum - one.log_odds.0).abs() < 1e-6);
    }
    assert!(life.changes(41).contains(&ChangeKind::Prefix));
    let news = life.0.take_news();
    assert!(
        news.iter()
            .any(|(_, news)| matches!(news, News::Changed(change) if change.value == "203.0.113.0/24"))
    );
    assert!(life.changes(60).is_empty(), "it is over");
}

#[test]
fn a_campaign_is_never_taken_for_a_change() {
    let mut life = Life::lived();
    for account in 0..ACCOUNTS {
        let attack = Context {
            client: client("Opera"),
            ..elsewhere(account, at(40, account))
        };
        let said = life.meet(attack);
        assert!(relief(&said).is_none());
        assert!(
            account < 3 || is_flagged(&said),
            "victim {account}: {:?}",
            said.score
        );
    }
    assert!(life.changes(41).is_empty());
}

#[test]
fn a_campaign_that_relays_the_owners_clients_from_abroad_is_none_either() {
    let mut life = Life::lived();
    for account in 0..ACCOUNTS {
        let own = elsewhere(account, at(40, account));
        let attack = Context {
            place: Place {
                country: CountryCode::new("BR"),
                ..Place::default()
            },
            network: Network {
                class: NetworkClass::Hosting,
                ..own.network.clone()
            },
            ..own
        };
        assert!(relief(&life.meet(attack)).is_none(), "victim {account}");
    }
    assert!(life.changes(41).is_empty());
}

#[test]
fn ten_accounts_with_the_owners_clients_change_nothing() {
    let mut life = Life::lived();
    for hour in 0..100_i64 {
        let account = u8::try_from(hour % 10).unwrap();
        let said = life.meet(elsewhere(account, 40 * DAY_MS + hour * 3_600_000));
        assert!(relief(&said).is_none());
    }
    assert!(life.changes(44).is_empty());
}

#[test]
fn in_a_change_unknown_clients_failures_and_the_privileged_are_judged_as_ever() {
    let mut life = Life::lived();
    for account in 0..40 {
        life.meet(elsewhere(account, at(40, account)));
    }
    let ask = |context: Context| life.0.assess(&record(context, Learning::Probe));
    let mover = elsewhere(50, at(40, 50));
    assert!(relief(&ask(mover.clone())).is_some());
    let stranger = Context {
        client: client("Opera"),
        ..mover.clone()
    };
    assert!(relief(&ask(stranger)).is_none());
    let failure = Context {
        status: Status::Failure,
        ..mover.clone()
    };
    assert!(relief(&ask(failure)).is_none());
    let administrator = Context {
        kind: AccountKind::Privileged,
        ..mover.clone()
    };
    assert!(relief(&ask(administrator)).is_none());
    let deed = Context {
        activity: Activity::from_ocsf(3001, 1),
        ..mover
    };
    assert!(relief(&ask(deed)).is_none());
}

/// Whether a grant of privileges minutes after a move is held against how somebody came in, once the tables have taken the move in.
fn is_doubted(life: &mut Life, account: u8) -> bool {
    let ms = at(40, account);
    life.meet(elsewhere(account, ms));
    for second in 0..300 {
        life.meet(login(account.wrapping_add(1) % 7, ms + 1_000 * second));
    }
    let deed = Conduct {
        deed: Some(Deed::PrivilegeGranted),
        ..Conduct::default()
    };
    let said = life.meet(Context {
        activity: Activity::from_ocsf(3005, 1),
        conduct: Some(Box::new(deed)),
        ..elsewhere(account, ms + 600_000)
    });
    let mut lines = said.contributions.iter();
    lines.any(|line| line.signal.0 == "sensitive_aftermath")
}

#[test]
fn who_is_excused_as_a_mover_is_not_doubted_within_the_hour() {
    let mut life = Life::lived();
    assert!(is_doubted(&mut life, 0), "before anybody can know of the move");
    for account in 1..40 {
        life.meet(elsewhere(account, at(40, account)));
    }
    assert!(!is_doubted(&mut life, 50));
}

#[test]
fn an_update_of_location_data_excuses_those_whose_lines_it_moved() {
    let mut life = Life::lived();
    let moved = |account: u8| Context {
        place: Place {
            country: CountryCode::new("NL"),
            ..Place::default()
        },
        ..login(account, at(40, account))
    };
    let all: Vec<Assessment> = (0..ACCOUNTS).map(|account| life.meet(moved(account))).collect();
    assert!(all.iter().skip(16).all(|one| relief(one).is_some()));
    assert!(life.changes(41).contains(&ChangeKind::Locations));
}

#[test]
fn shards_batches_and_snapshots_decide_nothing() {
    let mut records: Vec<Record> = home()
        .into_iter()
        .map(|context| record(context, Learning::Learn))
        .collect();
    records.extend((0..ACCOUNTS).map(|account| record(elsewhere(account, at(40, account)), Learning::Learn)));
    let run = |shards: usize, batch: usize| {
        let config = Config {
            shards,
            ..Config::default()
        };
        let mut engine = Engine::new(config.clone());
        let mut said = Vec::new();
        for some in records.chunks(batch) {
            engine.handle_batch(some, &Sequential, &mut said);
            engine = Engine::restore(config.clone(), &engine.snapshot().unwrap()).unwrap();
        }
        (said, engine.digest().unwrap())
    };
    let (said, digest) = run(1, 2_430);
    assert!(said.iter().any(|one| relief(one).is_some()));
    for (shards, batch) in [(1, 311), (4, 2_460), (3, 500)] {
        let (other, other_digest) = run(shards, batch);
        assert!(
            said == other && digest == other_digest,
            "{shards} shards, batches of {batch}"
        );
    }
}
