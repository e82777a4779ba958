//! What must never turn against its meaning: a strong factor and a known device never raise the total, a factor that failed
//! never lowers it, and an approval after denials excuses nobody. Contributions sum, whatever detectors speak.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may stop"
)]

use habitus_engine::{Config, Engine, Learning, Record};
use habitus_model::{
    AccountId, AccountKind, Activity, Assessment, Client, Conduct, Context, CountryCode, Deed, DeviceType,
    EventTime, EventUid, FailureReason, Grant, Named, Network, NetworkClass, Place, Prompt, PromptKind,
    PromptOutcome, Status, TenantId, Text, network::Asn,
};
use proptest::prelude::*;

const START_MS: i64 = 1_767_225_600_000;
const KINDS: [PromptKind; 4] = [
    PromptKind::Push,
    PromptKind::Code,
    PromptKind::Strong,
    PromptKind::Unknown,
];
const GRANTS: [Option<Grant>; 4] = [
    None,
    Some(Grant::DeviceCode),
    Some(Grant::Key),
    Some(Grant::Legacy),
];

/// One generated event.
#[derive(Debug, Clone)]
struct Seed {
    minutes: u16,
    account: u8,
    place: u8,
    session: u8,
    tool: u8,
    thing: u8,
    prompt: Option<(u8, u8)>,
    strong: bool,
    keyed: bool,
}

fn seed() -> impl Strategy<Value = Seed> {
    let what = (0u8..5, 0u8..4, 0u8..6);
    let proof = (
        prop::option::weighted(0.4, (0u8..4, 0u8..3)),
        prop::bool::weighted(0.3),
        any::<bool>(),
    );
    (0u16..700, 0u8..3, 0u8..4, what, proof).prop_map(
        |(minutes, account, place, (session, tool, thing), proof)| {
            let (prompt, strong, keyed) = proof;
            Seed {
                minutes,
                account,
                place,
                session,
                tool,
                thing,
                prompt,
                strong,
                keyed,
            }
        },
    )
}

fn named(key: u8) -> Named {
    Named {
        key: u64::from(key),
        name: Text::new("thing"),
    }
}

fn conduct(seed: &Seed) -> Conduct {
    let prompt = seed.prompt.map(|(kind, outcome)| Prompt {
        kind: KINDS[usize::from(kind)],
        outcome: [
            PromptOutcome::Sent,
            PromptOutcome::Failed,
            PromptOutcome::Satisfied,
        ][usize::from(outcome)],
    });
    Conduct {
        session: (seed.session > 0).then_some(u64::from(seed.session)),
        credential: (seed.tool == 3).then_some(9),
        tls: Some(u64::from(seed.tool)),
        prompt,
        grant: GRANTS[usize::from(seed.tool)],
        deed: (seed.thing == 5).then_some(Deed::KeyCreated),
        application: Some(named(seed.thing / 2)),
        action: Some(named(seed.thing)),
        ..Conduct::default()
    }
}

fn context(seed: &Seed, ms: i64) -> Context {
    let device = [
        DeviceType::Desktop,
        DeviceType::Mobile,
        DeviceType::Desktop,
        DeviceType::Automation,
    ][usize::from(seed.tool)];
    let failed = matches!(seed.prompt, Some((_, 1)));
    Context {
        tenant: TenantId::default(),
        account: Some(AccountId::new(format!("user{}", seed.account))),
        kind: AccountKind::Unknown,
        time: EventTime::from_millis(ms).unwrap(),
        utc_offset: None,
        activity: Activity::from_ocsf(if seed.thing > 2 { 6003 } else { 3002 }, 1),
        status: if failed { Status::Failure } else { Status::Success },
        failure: failed.then_some(FailureReason::MfaFailed),
        strong_factor: seed.strong && !failed,
        second_factor: Some(seed.prompt.is_some() || seed.strong),
        place: Place {
            country: CountryCode::new(["DE", "DE", "BR", "US"][usize::from(seed.place)]),
            ..Place::default()
        },
        network: Network {
            ip: Some(format!("203.0.{}.{}", seed.place, seed.tool).parse().unwrap()),
            asn: Asn::new(100 + u32::from(seed.place)),
            organisation: None,
            class: NetworkClass::Fixed,
        },
        client: Client {
            device,
            os: Some(Text::new(
                ["Windows", "iOS", "Mac OS X", "Linux"][usize::from(seed.tool)],
            )),
            browser: Some(Text::new("Chrome")),
            key: seed.keyed.then(|| Text::new("device-1")),
            ..Client::default()
        },
        conduct: Some(Box::new(conduct(seed))),
    }
}

fn record(uid: usize, context: Context, learning: Learning) -> Record {
    Record {
        uid: EventUid::new(Text::from(uid.to_string())),
        context,
        learning,
    }
}

/// An engine after a history, and the moment after it.
fn after(seeds: &[Seed]) -> (Engine, i64) {
    let mut engine = Engine::new(Config::default());
    let mut ms = START_MS;
    for (uid, seed) in seeds.iter().enumerate() {
        ms += i64::from(seed.minutes) * 60_000;
        let assessment = engine.handle(&record(uid, context(seed, ms), Learning::Learn));
        assert_sums(&assessment);
    }
    (engine, ms + 60_000)
}

fn assert_sums(assessment: &Assessment) {
    let sum: f64 = assessment.contributions.iter().map(|line| line.nats.0).sum();
    assert!((sum - assessment.log_odds.0).abs() < 1e-6, "{assessment:?}");
}

fn total(engine: &Engine, context: Context) -> f64 {
    let assessment = engine.assess(&record(0, context, Learning::Probe));
    assert_sums(&assessment);
    assessment.log_odds.0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_strong_factor_never_raises(seeds in prop::collection::vec(seed(), 0..60), last in seed()) {
        let (engine, ms) = after(&seeds);
        let mut plain = context(&last, ms);
        plain.status = Status::Success;
        plain.second_factor = Some(true);
        plain.strong_factor = false;
        let strong = Context { strong_factor: true, ..plain.clone() };
        prop_assert!(total(&engine, strong) <= total(&engine, plain) + 1e-9);
    }

    #[test]
    fn a_known_device_never_raises(seeds in prop::collection::vec(seed(), 0..60), last in seed()) {
        let (engine, ms) = after(&seeds);
        let mut unknown = context(&last, ms);
        unknown.client.key = None;
        let mut known = unknown.clone();
        known.client.key = Some(Text::new("device-1"));
        let had_it = seeds.iter().any(|seed| seed.account == last.account && seed.keyed && !matches!(seed.prompt, Some((_, 1))));
        if had_it {
            let assessment = engine.assess(&record(0, known.clone(), Learning::Probe));
            // What waits in quarantine is not known.
            let waits = assessment.contributions.iter().any(|line| line.signal.0.ends_with("_device_key") && line.signal.0 != "known_device_key");
            if !waits {
                prop_assert!(total(&engine, known) <= total(&engine, unknown) + 1e-9);
            }
        }
    }

    #[test]
    fn a_factor_that_failed_never_lowers(seeds in prop::collection::vec(seed(), 0..60), last in seed(), kind in 0u8..4) {
        let (engine, ms) = after(&seeds);
        let mut failed = context(&Seed { prompt: Some((kind, 1)), ..last }, ms);
        failed.status = Status::Failure;
        let mut silent = failed.clone();
        if let Some(conduct) = &mut silent.conduct {
            conduct.prompt = None;
        }
        prop_assert!(total(&engine, failed) >= total(&engine, silent) - 1e-9);
    }

    #[test]
    fn an_approval_after_denials_excuses_nobody(seeds in prop::collection::vec(seed(), 0..40), last in seed(), denials in 2usize..6) {
        let (mut engine, mut ms) = after(&seeds);
        let denied = Seed { prompt: Some((0, 1)), ..last.clone() };
        for uid in 0..denials {
            engine.handle(&record(1_000 + uid, context(&denied, ms), Learning::Learn));
            ms += 60_000;
        }
        let approved = context(&Seed { prompt: Some((0, 2)), ..last }, ms);
        let mut silent = approved.clone();
        if let Some(conduct) = &mut silent.conduct {
            conduct.prompt = None;
        }
        prop_assert!(total(&engine, approved) >= total(&engine, silent) - 1e-9);
    }

    #[test]
    fn an_answered_prompt_never_raises(seeds in prop::collection::vec(seed(), 0..40), last in seed(), kind in 0u8..4) {
        let (engine, ms) = after(&seeds);
        let mut answered = context(&Seed { prompt: Some((kind, 2)), ..last }, ms);
        answered.activity = Activity::from_ocsf(3002, 6);
        let mut silent = answered.clone();
        if let Some(conduct) = &mut silent.conduct {
            conduct.prompt = None;
        }
        // Failures before it are another matter.
        let said = engine.assess(&record(0, answered.clone(), Learning::Probe));
        if !said.contributions.iter().any(|line| line.signal.0 == "approved_after_denials") {
            prop_assert!(total(&engine, answered) <= total(&engine, silent) + 1e-9);
        }
    }
}
