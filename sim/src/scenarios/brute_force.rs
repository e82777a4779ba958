//! Brute force: many passwords on one account, from one to three sources.

use super::stage::Stage;
use crate::rng::Rng;
use habitus_model::math;

/// Probability that one is right in the end (assumed).
const SUCCEEDS: f64 = 0.3;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let start = stage.moment(rng, 3 * 3_600_000);
    let victim = stage.victim(rng, start)?;
    let place = stage.abroad(rng)?;
    let first = stage.scripted(rng, place, start);
    let mut sources = vec![first];
    for _ in 0..rng.below(3) {
        let (line, _) = stage.abroad(rng)?;
        let agent = sources.first()?.agent;
        sources.push(super::stage::Gear {
            line,
            agent,
            device_uid: None,
        });
    }
    let tries = 30 + rng.below(150);
    let gap = rng.log_normal(4_000.0, 1.0);
    let mut ms = start;
    for _ in 0..tries {
        let gear = rng.pick(&sources)?.clone();
        stage.fail(rng, (victim.ix, ms), &gear)?;
        ms += 300 + math::to_i64(rng.exponential(gap));
    }
    if rng.chance(SUCCEEDS) {
        let gear = sources.first()?.clone();
        let session = stage.log_in(rng, (victim, ms + 5_000), &gear)?;
        stage.look_around(rng, (victim.ix, ms + 6_000), &gear, (session, 5))?;
    }
    Some(())
}
