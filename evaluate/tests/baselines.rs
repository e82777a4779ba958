//! Baselines on histories small enough to compute by hand.

use habitus_evaluate::Login;
use habitus_evaluate::Scorer;
use habitus_evaluate::baselines::{
    Freeman, HalfSpaceTrees, IsolationForest, PaperStyle, SiemRules, UnseenValues, VolumeRule,
};
use habitus_model::activity::AuthenticationActivity;
use habitus_model::{
    AccountId, AccountKind, Activity, Asn, Client, Context, Coordinates, CountryCode, DeviceType, Event,
    EventTime, EventUid, Network, Place, SourceName, Status, TenantId, Text,
};

/// One login: account, address, autonomous system, country, user agent (which stands for browser and system too).
struct Row(&'static str, &'static str, u32, &'static str, &'static str);

const HOUR_MS: i64 = 3_600_000;

fn login(row: &Row, hours: i64, point: Option<(f64, f64)>) -> (Event, Context) {
    let Row(account, ip, asn, country, agent) = *row;
    let time = EventTime::from_millis(1_736_121_600_000 + hours * HOUR_MS);
    let activity = Activity::Authentication(AuthenticationActivity::Logon);
    let mut event = Event::new(
        EventUid::new("1"),
        time.unwrap_or_else(|| unreachable!("within the years")),
        SourceName::new("test"),
        activity,
        "logon",
    );
    event.client.user_agent = Some(Text::new(agent));
    event.status = Status::Success;
    let context = Context {
        tenant: TenantId::default(),
        account: Some(AccountId::new(account)),
        kind: AccountKind::Human,
        time: event.time,
        utc_offset: None,
        activity,
        status: Status::Success,
        failure: None,
        strong_factor: false,
        second_factor: None,
        place: Place {
            country: CountryCode::new(country),
            coordinates: point.and_then(|(lat, lon)| Coordinates::new(lat, lon)),
            ..Place::default()
        },
        network: Network {
            ip: ip.parse().ok(),
            asn: Asn::new(asn),
            ..Network::default()
        },
        client: Client {
            browser: Some(Text::new(agent)),
            os: Some(Text::new(agent)),
            device: DeviceType::Desktop,
            ..Client::default()
        },
        conduct: None,
    };
    (event, context)
}

fn taught(scorer: &mut dyn Scorer, rows: &[Row]) {
    for row in rows {
        let (event, context) = login(row, 0, None);
        scorer.learn(Login {
            event: &event,
            context: &context,
        });
    }
}

fn score(scorer: &mut dyn Scorer, row: &Row) -> f64 {
    let (event, context) = login(row, 1, None);
    scorer.score(Login {
        event: &event,
        context: &context,
    })
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{a} is not {b}");
}

/// Two accounts, four logins. Alice: two from one address. Bob: one from Alice's provider, one from abroad.
const HISTORY: [Row; 4] = [
    Row("alice", "203.0.113.1", 10, "NO", "A"),
    Row("alice", "203.0.113.1", 10, "NO", "A"),
    Row("bob", "203.0.113.2", 10, "NO", "B"),
    Row("bob", "198.51.100.1", 20, "SE", "B"),
];

const U: [f64; 4] = [
    0.538_665_384_055_135_9,
    0.268_045_149_862_566_6,
    0.188_182_951_001_095_36,
    0.005_106_515_081_202_152_5,
];

#[test]
fn the_published_model_on_a_known_login() {
    let mut freeman = Freeman::default();
    taught(&mut freeman, &HISTORY);
    // Address: seen 2 of 4; 2 systems and 2 countries make M = 5; within its own history M = 3.
    let address = 2.0 / (2.0 + 3.0) * (2.0 / (4.0 + 5.0));
    let network = 0.6 * address + 0.3 * 3.0 / 4.0 + 0.1 * 3.0 / 4.0;
    // User agent: 2 of 4; 2 browsers, 2 systems, 1 type make M = 6; within M = 4.
    let agent = 2.0 / (2.0 + 4.0) * (2.0 / (4.0 + 6.0));
    let client = U[0] * agent + U[1] * 0.5 + U[2] * 0.5 + U[3];
    // Alice has half of the logins and is one of two users: the last factor is 1.
    close(score(&mut freeman, &HISTORY[0]), network * client);
}

#[test]
fn the_published_model_makes_what_it_never_saw_four_times_rarer() {
    let mut freeman = Freeman::default();
    taught(&mut freeman, &HISTORY);
    // Nothing of the network was seen from Alice; the client is hers.
    let agent = 2.0 / 6.0 * (2.0 / 10.0);
    let client = U[0] * agent + U[1] * 0.5 + U[2] * 0.5 + U[3];
    let abroad = Row("alice", "192.0.2.1", 30, "BR", "A");
    close(score(&mut freeman, &abroad), 4.0 * client);
    // A user's first login is not scored.
    let stranger = Row("carol", "192.0.2.1", 30, "BR", "A");
    assert_eq!(score(&mut freeman, &stranger), f64::NEG_INFINITY);
}

#[test]
fn seldom_users_are_riskier() {
    let mut freeman = Freeman::default();
    taught(&mut freeman, &HISTORY);
    taught(&mut freeman, &[Row("carol", "203.0.113.1", 10, "NO", "A")]);
    // Carol has one of five logins and is one of three users: (1/3) / (1/5).
    let address = 3.0 / 6.0 * (3.0 / (5.0 + 5.0));
    let network = 0.6 * address + 0.3 * 4.0 / 5.0 + 0.1 * 4.0 / 5.0;
    let agent = 3.0 / 7.0 * (3.0 / (5.0 + 6.0));
    let client = U[0] * agent + U[1] * 0.6 + U[2] * 0.6 + U[3];
    let carol = Row("carol", "203.0.113.1", 10, "NO", "A");
    close(score(&mut freeman, &carol), network * client * 5.0 / 3.0);
}

#[test]
fn backing_off_uses_the_finest_level_seen() {
    let mut paper = PaperStyle::default();
    taught(&mut paper, &HISTORY);
    // A new address of Alice's provider, which Bob has: the system is the finest level she has shown.
    let row = Row("alice", "203.0.113.2", 10, "NO", "A");
    // Among everybody: the address is 1 of 4, with M = 1 + 2 + 2.
    let global = 1.0 / 9.0;
    // p(address | system 10) = 1 / (3 + M), M = 1 + 1 system + 1 country; p(system | Alice) = 2 / (2 + 1 + 1).
    let local = (1.0 / 6.0) * (2.0 / 4.0);
    // The user agent is known: everybody 2 / (4 + 6), Alice 2 / (2 + 1 + 3).
    let client = (2.0 / 10.0) / (2.0 / 6.0);
    close(score(&mut paper, &row), global / local * client);
}

#[test]
fn backing_off_to_nothing_grows_with_the_history() {
    let mut paper = PaperStyle::default();
    taught(&mut paper, &HISTORY);
    let row = Row("alice", "192.0.2.1", 30, "BR", "A");
    // Everybody never saw it either: the ratio is 1 / p(unseen | Alice) = 2 + (1 + 1 + 1).
    let client = (2.0 / 10.0) / (2.0 / 6.0);
    close(score(&mut paper, &row), 5.0 * client);
}

#[test]
fn unseen_values_add_up() {
    let mut simple = UnseenValues::default();
    taught(&mut simple, &HISTORY);
    close(score(&mut simple, &HISTORY[0]), 0.1 / 2.0);
    let nothing_known = Row("alice", "192.0.2.1", 30, "BR", "C");
    close(score(&mut simple, &nothing_known), 6.5 + 0.05);
    let neighbour = Row("alice", "203.0.113.9", 10, "NO", "A");
    close(score(&mut simple, &neighbour), 0.5 + 0.05);
}

#[test]
fn rules_fire_for_new_countries_and_impossible_travel() {
    let oslo = Some((59.91, 10.75));
    let home = Row("alice", "203.0.113.1", 10, "NO", "A");
    let mut rules = SiemRules::default();
    let mut at = |row: &Row, hours: i64, point, learn: bool| {
        let (event, context) = login(row, hours, point);
        let login = Login {
            event: &event,
            context: &context,
        };
        let score = rules.score(login);
        if learn {
            rules.learn(login);
        }
        score
    };
    at(&home, 0, oslo, true);
    close(at(&home, 1, oslo, false), 0.1);
    // Bergen is 305 km away: never impossible. Tromsø at 1,150 km in an hour is.
    close(at(&home, 1, Some((60.39, 5.32)), false), 0.1);
    close(at(&home, 1, Some((69.65, 18.96)), false), 1.1);
    close(at(&home, 2, Some((69.65, 18.96)), false), 0.1);
    let brazil = Row("alice", "192.0.2.1", 30, "BR", "A");
    close(at(&brazil, 1, Some((-23.55, -46.63)), false), 2.1);
    close(at(&brazil, 100, Some((-23.55, -46.63)), false), 1.1);
    // After ten days of silence even the own country is new to the look-back.
    close(at(&home, 241, oslo, false), 1.1);
}

#[test]
fn the_volume_rule_counts_deeds_of_a_kind_within_the_hour_and_no_logins() {
    let row = Row("alice", "203.0.113.1", 10, "NO", "A");
    let mut rule = VolumeRule::default();
    let mut at = |activity: u32, hours: i64| {
        let (mut event, mut context) = login(&row, hours, None);
        event.activity = Activity::from_ocsf(6003, activity);
        context.activity = event.activity;
        rule.observe(Login {
            event: &event,
            context: &context,
        })
    };
    let reads: Vec<f64> = (0..3).map(|_| at(2, 0)).collect();
    assert_eq!((reads, at(4, 0), at(2, 2)), (vec![0.0, 1.0, 2.0], 0.0, 0.0));
    let mut rule = VolumeRule::default();
    taught(&mut rule, &[Row("alice", "203.0.113.1", 10, "NO", "A")]);
    close(score(&mut rule, &row), 0.0);
}

/// General detectors of anomalies: after many like logins, one that is unlike them stands out.
#[test]
fn forests_find_a_login_unlike_the_others() {
    let usual = |account| Row(account, "192.0.2.1", 64_500, "NO", "Firefox");
    let strange = Row("anna", "198.51.100.9", 64_511, "BR", "curl");
    let mut isolation = IsolationForest::default();
    let mut half_spaces = HalfSpaceTrees::default();
    let both: [&mut dyn Scorer; 2] = [&mut isolation, &mut half_spaces];
    for scorer in both {
        assert_eq!(score(scorer, &strange), f64::NEG_INFINITY, "nothing is known yet");
        for round in 0..400 {
            let rows: [&'static str; 4] = ["anna", "ben", "carla", "david"];
            // Some change their client now and then, so that features vary at all.
            let row = if round % 23 == 0 {
                Row(rows[round % 4], "192.0.2.7", 64_500, "NO", "Chrome")
            } else {
                usual(rows[round % 4])
            };
            taught(scorer, &[row]);
        }
        let (odd, normal) = (score(scorer, &strange), score(scorer, &usual("anna")));
        assert!(odd > normal, "{}: {odd} {normal}", scorer.name());
    }
}
