//! Waves that touch many accounts and are nobody's attack: resets of passwords, an authorised test.

use crate::act::{Act, Outcome, Registry};
use crate::agents;
use crate::client::{Browser, Platform};
use crate::deed::Deed;
use crate::label::{Cohort, Label};
use crate::rng::{Rng, fraction, mix};
use crate::tenant::Tenant;
use habitus_model::math;

/// Hours over which a reset wave is worked off.
const WAVE_HOURS: f64 = 10.0;
/// Share of the reset who try their old password first (assumed).
const OLD_PASSWORD: f64 = 0.4;
/// Accounts and passwords that an authorised test tries (assumed).
const TESTED: (usize, usize) = (60, 4);

/// Everything that befalls many at once, from the owners' logins (in order of time) of a world.
pub(crate) fn draw(tenant: &Tenant, registry: &mut Registry, logins: &[Act]) -> Vec<Act> {
    let rng = &mut Rng::new(tenant.config.seed, "noise", 0);
    let mut acts = reset_wave(rng, tenant, logins).unwrap_or_default();
    acts.extend(pentest(rng, tenant, (registry, logins)).unwrap_or_default());
    acts
}

/// Some accounts' passwords are reset by the service itself; at the next login within days many fail once.
fn reset_wave(rng: &mut Rng, tenant: &Tenant, logins: &[Act]) -> Option<Vec<Act>> {
    let params = tenant.activity.as_ref()?;
    let from_ms = tenant.upheavals.reset_wave?;
    let mut acts = Vec::new();
    let mut done = std::collections::BTreeSet::new();
    let start = logins.partition_point(|login| login.ms < from_ms);
    for login in logins
        .get(start..)?
        .iter()
        .take_while(|login| login.ms < from_ms + 72 * 3_600_000)
    {
        let chosen = fraction(mix(u64::from(login.account), 61, 0)) < params.reset_share;
        if login.deed != Deed::Login || !chosen || !done.insert(login.account) {
            continue;
        }
        let ms = from_ms + math::to_i64(rng.unit() * WAVE_HOURS * 3_600_000.0);
        let mut reset = login.again(ms.min(login.ms - 60_000), rng.bits());
        (reset.deed, reset.session, reset.factor) = (Deed::ResetPassword(login.account), None, None);
        reset.label = Label::Legitimate(Cohort::ResetWave);
        acts.push(reset);
        if rng.chance(OLD_PASSWORD) {
            let mut failed = login.again(login.ms - 20_000, rng.bits());
            (failed.outcome, failed.factor, failed.session) = (Outcome::WrongPassword, None, None);
            failed.label = Label::Legitimate(Cohort::ResetWave);
            acts.push(failed);
        }
    }
    Some(acts)
}

/// A firm tries some weak passwords on some accounts within an hour, from its own line and by arrangement.
fn pentest(rng: &mut Rng, tenant: &Tenant, (registry, logins): (&mut Registry, &[Act])) -> Option<Vec<Act>> {
    let (from_ms, line) = tenant.upheavals.pentest?;
    let agent = registry
        .agents
        .intern(agents::write(Platform::Linux, Browser::Firefox, from_ms));
    let (accounts, passwords) = TESTED;
    let mut acts = Vec::new();
    let mut ms = from_ms;
    for _ in 0..passwords {
        for _ in 0..accounts {
            let login = rng.pick(logins)?;
            let mut attempt = login.again(ms, rng.bits());
            attempt.spot = line.at(&tenant.networks, ms)?;
            (attempt.agent, attempt.device_uid) = (agent, None);
            (attempt.deed, attempt.outcome) = (Deed::Login, Outcome::WrongPassword);
            (attempt.factor, attempt.session) = (None, None);
            attempt.label = Label::Legitimate(Cohort::Pentest);
            acts.push(attempt);
            ms += 2_000 + math::to_i64(rng.exponential(12_000.0));
        }
    }
    acts.retain(|act| act.ms < tenant.end_ms);
    Some(acts)
}
