//! The attacks that can be planted into any log, each a few lines on what the log has.

use super::{Kit, Soil};
use crate::rng::Rng;
use crate::scenarios::ScenarioKind;
use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::event::FactorType;
use habitus_model::{AccountKind, Activity, Event, FailureReason, Status, Text, math};

/// Plays one attack of a kind; `None` where the log has nothing for it.
pub(super) fn play(rng: &mut Rng, soil: &mut Soil<'_>, kind: ScenarioKind) -> Option<()> {
    match kind {
        ScenarioKind::SessionTheft => session_theft(rng, soil),
        ScenarioKind::PushFatigue => push_fatigue(rng, soil),
        ScenarioKind::BruteForce => brute_force(rng, soil),
        ScenarioKind::PasswordSpray => spray(rng, soil),
        ScenarioKind::TakeoverCampaign => campaign(rng, soil),
        ScenarioKind::ServiceKeyLeak => key_leak(rng, soil),
        ScenarioKind::InsiderExploration => exploration(rng, soil),
        ScenarioKind::LowAndSlow => daily(rng, soil, 12),
        ScenarioKind::Poisoning => daily(rng, soil, 11),
        _ => None,
    }
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn some_seconds(rng: &mut Rng, mean: f64) -> i64 {
    1_000 + math::to_i64(rng.exponential(mean * 1_000.0))
}

/// Half of the time from a country that the log does not know.
fn somewhere(rng: &mut Rng, soil: &Soil<'_>, like: &Event, ms: i64) -> Option<Kit> {
    let near = rng.chance(0.5).then_some(like);
    soil.kit(rng, near, ms)
}

/// A session of the log goes on elsewhere: its last events once more.
fn session_theft(rng: &mut Rng, soil: &mut Soil<'_>) -> Option<()> {
    let (open, _) = soil.span()?;
    let own = soil.own();
    let held = |event: &&Event| event.session.is_some() && event.status == Status::Success;
    let like = (0..200).find_map(|_| {
        rng.pick(own)
            .filter(held)
            .filter(|event| event.time.as_millis() >= open)
    })?;
    let mut ms = like.time.as_millis() + some_seconds(rng, 900.0);
    let kit = somewhere(rng, soil, like, ms)?;
    for _ in 0..12 {
        soil.plant(rng, (like, ms), Some(&kit))?;
        ms += some_seconds(rng, 30.0);
    }
    Some(())
}

fn push_fatigue(rng: &mut Rng, soil: &mut Soil<'_>) -> Option<()> {
    let like = soil.login(rng)?;
    let mut ms = soil.moment(rng, 2 * HOUR_MS)?;
    let kit = somewhere(rng, soil, like, ms)?;
    let session = Text::new(format!("{:016x}", rng.bits()));
    for _ in 0..5 + rng.below(12) {
        let prompt = soil.plant(rng, (like, ms), Some(&kit))?;
        prompt.activity = Activity::Authentication(Auth::Preauth);
        prompt.action = Text::const_new("mfa_prompt");
        prompt.auth.factors = vec![FactorType::Push];
        prompt.auth.is_mfa = Some(false);
        (prompt.status, prompt.failure) = (Status::Failure, Some(FailureReason::MfaFailed));
        prompt.session = Some(session.clone());
        ms += 15_000 + some_seconds(rng, 60.0);
    }
    Some(())
}

fn fail(rng: &mut Rng, soil: &mut Soil<'_>, (like, ms): (&Event, i64), kit: &Kit) -> Option<()> {
    let attempt = soil.plant(rng, (like, ms), Some(kit))?;
    (attempt.status, attempt.failure) = (Status::Failure, Some(FailureReason::InvalidCredentials));
    (attempt.session, attempt.auth.is_mfa) = (None, None);
    attempt.auth.factors = vec![FactorType::Password];
    Some(())
}

fn brute_force(rng: &mut Rng, soil: &mut Soil<'_>) -> Option<()> {
    let like = soil.login(rng)?;
    let mut ms = soil.moment(rng, 2 * HOUR_MS)?;
    let kit = somewhere(rng, soil, like, ms)?;
    for _ in 0..40 + rng.below(100) {
        fail(rng, soil, (like, ms), &kit)?;
        ms += some_seconds(rng, 4.0);
    }
    Some(())
}

/// One try on each account within hours, from as many sources as a tenth of them.
fn spray(rng: &mut Rng, soil: &mut Soil<'_>) -> Option<()> {
    let start = soil.moment(rng, 8 * HOUR_MS)?;
    let accounts: Vec<usize> = soil
        .by_account
        .values()
        .filter_map(|own| own.first().copied())
        .take(5_000)
        .collect();
    let kits: Vec<Kit> = (0..accounts.len() / 10 + 1)
        .filter_map(|_| soil.kit(rng, None, start))
        .collect();
    for at in accounts {
        let ms = start + math::to_i64(rng.unit() * 6.0 * math::from_i64(HOUR_MS));
        let kit = rng.pick(&kits)?.clone();
        let like = soil.at(at)?;
        fail(rng, soil, (like, ms), &kit)?;
    }
    Some(())
}

/// Five to ten victims within two days, all with one kit.
fn campaign(rng: &mut Rng, soil: &mut Soil<'_>) -> Option<()> {
    let start = soil.moment(rng, 2 * DAY_MS)?;
    let first = soil.login(rng)?;
    let kit = somewhere(rng, soil, first, start)?;
    for _ in 0..5 + rng.below(6) {
        let like = soil.login(rng)?;
        let ms = start + math::to_i64(rng.unit() * 1.9 * math::from_i64(DAY_MS));
        let login = soil.plant(rng, (like, ms), Some(&kit))?;
        login.session = like.session.as_ref().map(|_| Text::new(format!("{ms:016x}")));
    }
    Some(())
}

/// A machine's credential from elsewhere.
fn key_leak(rng: &mut Rng, soil: &mut Soil<'_>) -> Option<()> {
    let (open, _) = soil.span()?;
    let own = soil.own();
    let machine = |event: &&Event| {
        let kind = event.account.kind == AccountKind::Service || event.auth.credential_uid.is_some();
        kind && event.status == Status::Success && event.time.as_millis() >= open
    };
    let like = (0..500).find_map(|_| rng.pick(own).filter(machine))?;
    let mut ms = soil.moment(rng, HOUR_MS)?;
    let kit = somewhere(rng, soil, like, ms)?;
    for _ in 0..10 + rng.below(20) {
        soil.plant(rng, (like, ms), Some(&kit))?;
        ms += some_seconds(rng, 10.0);
    }
    Some(())
}

/// An owner opens what others use, one after the other.
fn exploration(rng: &mut Rng, soil: &mut Soil<'_>) -> Option<()> {
    let like = soil.login(rng)?;
    let account = like.account_id();
    let own = soil.own();
    let foreign = |event: &&Event| !event.resources.is_empty() && event.account_id() != account;
    let mut ms = like.time.as_millis() + 300_000;
    for _ in 0..6 + rng.below(8) {
        let theirs = (0..200).find_map(|_| rng.pick(own).filter(foreign))?;
        let opened = soil.plant(rng, (like, ms), None)?;
        (opened.activity, opened.action) = (theirs.activity, theirs.action.clone());
        opened.resources.clone_from(&theirs.resources);
        opened.service.clone_from(&theirs.service);
        opened.auth.factors.clear();
        ms += some_seconds(rng, 300.0);
    }
    Some(())
}

/// One login a day from the owner's country, with the same kit.
fn daily(rng: &mut Rng, soil: &mut Soil<'_>, days: i64) -> Option<()> {
    let like = soil.login(rng)?;
    let start = soil.moment(rng, days * DAY_MS)?;
    let kit = soil.kit(rng, Some(like), start)?;
    let (_, last) = soil.span()?;
    for day in 0..days {
        let ms = start + day * DAY_MS + math::to_i64(rng.between(0.0, 3.0) * math::from_i64(HOUR_MS));
        if ms > last {
            break;
        }
        let login = soil.plant(rng, (like, ms), Some(&kit))?;
        login.session = like.session.as_ref().map(|_| Text::new(format!("{ms:016x}")));
    }
    Some(())
}
