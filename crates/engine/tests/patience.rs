//! What an attacker must not gain by patience: a prompt before the login, quiet days, a second request in a stolen session.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use habitus_engine::{Config, Engine, Learning, Record};
use habitus_model::network::Asn;
use habitus_model::{
    AccountId, AccountKind, Activity, Assessment, Client, Conduct, Context, CountryCode, DeviceType,
    EventTime, EventUid, Network, NetworkClass, Place, Prompt, PromptKind, PromptOutcome, Status, TenantId,
    Text,
};

const START_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;
const LOGON: (u32, u32) = (3002, 1);
const PREAUTH: (u32, u32) = (3002, 6);
const READ: (u32, u32) = (6003, 2);

/// Who comes from where: the owner from home, everybody else from abroad with a client of his own.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Owner,
    Stranger,
}

struct Life {
    engine: Engine,
    kind: AccountKind,
    uid: usize,
}

impl Life {
    /// After sixty days of owners' logins.
    fn lived(kind: AccountKind) -> Self {
        Self::gated(kind, Config::default().quarantine_from)
    }

    /// The same where quarantine begins at another score.
    fn gated(kind: AccountKind, quarantine_from: f64) -> Self {
        let mut life = Self {
            engine: Engine::new(Config {
                quarantine_from,
                ..Config::default()
            }),
            kind,
            uid: 0,
        };
        for day in 0..60 {
            for account in 0..12_u8 {
                let ms = START_MS + day * DAY_MS + i64::from(account) * 60_000;
                let login = life.context((account, ms), Who::Owner, LOGON);
                life.learn(login);
            }
        }
        life
    }

    fn context(&self, (account, ms): (u8, i64), who: Who, (class, activity): (u32, u32)) -> Context {
        let stranger = who == Who::Stranger;
        Context {
            tenant: TenantId::default(),
            account: Some(AccountId::new(format!("user{account}"))),
            kind: self.kind,
            time: EventTime::from_millis(ms).unwrap(),
            utc_offset: None,
            activity: Activity::from_ocsf(class, activity),
            status: Status::Success,
            failure: None,
            strong_factor: false,
            second_factor: None,
            place: Place {
                country: CountryCode::new(if stranger { "BR" } else { "DE" }),
                ..Place::default()
            },
            network: Network {
                ip: Some(
                    format!("203.0.{}.9", if stranger { 113 } else { account })
                        .parse()
                        .unwrap(),
                ),
                asn: Asn::new(if stranger { 28_573 } else { 3_320 }),
                organisation: None,
                class: NetworkClass::Fixed,
            },
            client: Client {
                device: DeviceType::Desktop,
                os: Some(Text::new(if stranger { "Linux" } else { "Windows" })),
                browser: Some(Text::new(if stranger { "Firefox" } else { "Chrome" })),
                ..Client::default()
            },
            conduct: None,
        }
    }

    fn learn(&mut self, context: Context) -> Assessment {
        self.uid += 1;
        self.engine.handle(&Record {
            uid: EventUid::new(Text::from(self.uid.to_string())),
            context,
            learning: Learning::Learn,
        })
    }

    /// A stranger's login on a day after the owners' sixty.
    fn intrude(&mut self, day: i64) -> Assessment {
        let login = self.context((0, START_MS + (60 + day) * DAY_MS), Who::Stranger, LOGON);
        self.learn(login)
    }
}

fn says(assessment: &Assessment, signal: &str) -> bool {
    let mut lines = assessment.contributions.iter();
    lines.any(|line| line.signal.0 == signal && line.nats.0 > 0.5)
}

#[test]
fn ten_quiet_days_do_not_make_a_network_known() {
    let mut life = Life::lived(AccountKind::Human);
    assert!(
        life.intrude(0).score.get() >= 40.0,
        "what is tested is what was flagged"
    );
    for day in 1..10 {
        life.intrude(day);
    }
    let last = life.intrude(10);
    assert!(
        says(&last, "unvouched_network") && says(&last, "untrusted_client"),
        "{last:?}"
    );
    // Who stays is taken in at last, flagged or not.
    for day in 11..31 {
        life.intrude(day);
    }
    assert!(!says(&life.intrude(31), "untrusted_country"));
}

#[test]
fn what_came_quietly_every_day_stays_a_stranger_until_a_code_vouches() {
    // Nothing is suspicious enough to wait in quarantine: every value counts as known from its first day on.
    let mut life = Life::gated(AccountKind::Human, 101.0);
    let mut last = life.intrude(0);
    for day in 1..=10 {
        let owner = life.context((0, START_MS + (60 + day) * DAY_MS - 3_600_000), Who::Owner, LOGON);
        assert!(
            !says(&life.learn(owner), "unvouched_network"),
            "the owner is at home"
        );
        last = life.intrude(day);
    }
    assert!(says(&last, "unvouched_network"), "{last:?}");
    let excuses = |signal: &str| last.contributions.iter().any(|line| line.signal.0 == signal);
    assert!(!excuses("known_country") && !excuses("known_address"), "{last:?}");
    let mut proven = life.context((0, START_MS + 71 * DAY_MS), Who::Stranger, LOGON);
    proven.second_factor = Some(true);
    proven.conduct = Some(Box::new(Conduct {
        prompt: Some(Prompt {
            kind: PromptKind::Code,
            outcome: PromptOutcome::Satisfied,
        }),
        ..Conduct::default()
    }));
    life.learn(proven);
    assert!(!says(&life.intrude(12), "unvouched_network"));
}

#[test]
fn a_device_that_is_known_at_home_vouches_for_where_it_goes() {
    let mut life = Life::gated(AccountKind::Human, 101.0);
    for day in 0..8 {
        life.intrude(day);
    }
    // The same client at the owner's own network: it was the owner's new computer on a journey.
    let mut home = life.context((0, START_MS + 68 * DAY_MS), Who::Stranger, LOGON);
    let owner = life.context((0, START_MS + 68 * DAY_MS), Who::Owner, LOGON);
    (home.place, home.network) = (owner.place, owner.network);
    life.learn(home);
    assert!(!says(&life.intrude(9), "unvouched_network"));
}

#[test]
fn a_privileged_account_waits_for_a_strong_factor_for_ever() {
    let mut life = Life::lived(AccountKind::Privileged);
    for day in 0..90 {
        life.intrude(day);
    }
    // In a tenant of one account such visits are what owners do by now, so that the line hardly accuses; nothing excuses either.
    let has = |said: &Assessment, signal: &str| said.contributions.iter().any(|line| line.signal.0 == signal);
    let last = life.intrude(90);
    assert!(has(&last, "unvouched_network"), "{last:?}");
    assert!(
        !has(&last, "known_country") && !has(&last, "known_address"),
        "{last:?}"
    );
    let mut proven = life.context((0, START_MS + 151 * DAY_MS), Who::Stranger, LOGON);
    proven.strong_factor = true;
    life.learn(proven);
    let proven = life.intrude(92);
    assert!(!has(&proven, "unvouched_network"), "{proven:?}");
}

/// See the test that follows.
const GATE: f64 = 75.0;

#[test]
fn a_tap_vouches_for_nothing_and_a_code_does() {
    for (kind, waits) in [(PromptKind::Push, true), (PromptKind::Code, false)] {
        // Only what is not flagged itself can vouch: the gate is where the first login is flagged and a proven one is not.
        let mut life = Life::gated(AccountKind::Human, GATE);
        let first = life.intrude(0);
        assert!(first.score.get() >= GATE, "{}", first.score.get());
        let mut passed = life.context((0, START_MS + 61 * DAY_MS), Who::Stranger, LOGON);
        passed.second_factor = Some(true);
        passed.conduct = Some(Box::new(Conduct {
            prompt: Some(Prompt {
                kind,
                outcome: PromptOutcome::Satisfied,
            }),
            ..Conduct::default()
        }));
        let said = life.learn(passed);
        assert!(said.score.get() < GATE, "{kind:?}: {}", said.score.get());
        let next = life.intrude(2);
        assert_eq!(says(&next, "untrusted_country"), waits, "{kind:?}: {next:?}");
    }
}

#[test]
fn a_prompt_that_is_answered_makes_its_login_no_less_new() {
    let mut life = Life::lived(AccountKind::Human);
    let at = START_MS + 60 * DAY_MS;
    let mut prompt = life.context((0, at), Who::Stranger, PREAUTH);
    prompt.second_factor = Some(true);
    prompt.conduct = Some(Box::new(Conduct {
        prompt: Some(Prompt {
            kind: PromptKind::Push,
            outcome: PromptOutcome::Satisfied,
        }),
        ..Conduct::default()
    }));
    let prompted = life.learn(prompt);
    assert!(
        prompted
            .contributions
            .iter()
            .any(|line| line.signal.0 == "prompt_answered" && line.nats.0 < 0.0)
    );
    let login = life.context((0, at + 4_000), Who::Stranger, LOGON);
    let login = life.learn(login);
    assert!(says(&login, "new_country"), "{login:?}");
}

#[test]
fn a_stolen_session_is_as_new_at_its_second_request() {
    let mut life = Life::lived(AccountKind::Human);
    let at = START_MS + 60 * DAY_MS;
    let within = |mut context: Context| {
        context.conduct = Some(Box::new(Conduct {
            session: Some(7),
            ..Conduct::default()
        }));
        context
    };
    let login = within(life.context((0, at), Who::Owner, LOGON));
    life.learn(login);
    for minute in [5, 6, 7] {
        let used = within(life.context((0, at + minute * 60_000), Who::Stranger, READ));
        let used = life.learn(used);
        assert!(
            says(&used, "new_country") && says(&used, "session_moved"),
            "{minute}: {used:?}"
        );
    }
    let owner = within(life.context((0, at + 8 * 60_000), Who::Owner, READ));
    let owner = life.learn(owner);
    assert!(
        !says(&owner, "two_places_at_once") && !says(&owner, "session_other_client"),
        "{owner:?}"
    );
    let turns = within(life.context((0, at + 9 * 60_000), Who::Stranger, READ));
    assert!(says(&life.learn(turns), "two_places_at_once"));
}
