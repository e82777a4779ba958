//! A session or token is replayed: same id, other network, other or imitated client, no device key.

use super::stage::{Nearness, Stage};
use crate::rng::Rng;
use habitus_model::math;

/// Most minutes from the login to the theft's first use (assumed: infostealers and phishing proxies deliver at once).
const MINUTES_MAX: f64 = 90.0;
/// Probability that the owner's user agent is imitated (assumed; kits do so more and more).
const IMITATED: f64 = 0.5;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let login = stage.login(rng)?.clone();
    let session = login.session?;
    let victim = stage.person(login.account)?;
    let ms = login.ms + 60_000 + math::to_i64(rng.between(0.0, MINUTES_MAX) * 60_000.0);
    let near = Stage::nearness(rng);
    let mut gear = stage.gear(rng, (victim, ms), near)?;
    if near == Nearness::SameProvider || rng.chance(IMITATED) {
        gear.agent = login.agent;
    }
    let steps = 12 + rng.below(9);
    stage.look_around(rng, (login.account, ms), &gear, (session, steps))
}
