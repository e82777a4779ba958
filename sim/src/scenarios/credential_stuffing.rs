//! Credential stuffing: leaked names and passwords, most of them nobody's here, tried within hours.

use super::stage::{Gear, Stage};
use crate::act::GHOSTS;
use crate::rng::Rng;
use habitus_model::math;

/// Share of names that no account has (assumed: lists come from other services).
const UNKNOWN: f64 = 0.7;
/// Share of known names whose password is right (0.1 to 2 % are reported).
const RIGHT: f64 = 0.02;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let hours = rng.between(0.5, 4.0);
    let start = stage.moment(rng, 6 * 3_600_000);
    let place = stage.abroad(rng)?;
    let first = stage.scripted(rng, place, start);
    let mut sources = Vec::new();
    for _ in 0..20 + rng.below(60) {
        let (line, _) = stage.abroad(rng)?;
        sources.push(Gear {
            line,
            ..first.clone()
        });
    }
    for _ in 0..600 + rng.below(900) {
        let ms = start + math::to_i64(rng.unit() * hours * 3_600_000.0);
        let gear = rng.pick(&sources)?.clone();
        if rng.chance(UNKNOWN) {
            let ghost = GHOSTS + u32::try_from(rng.below(1_000_000)).unwrap_or(0);
            stage.fail(rng, (ghost, ms), &gear);
            continue;
        }
        let (victim, first_ms) = *rng.pick(stage.victims)?;
        if rng.chance(RIGHT) && victim.factor.is_none() && first_ms < ms {
            let session = stage.log_in(rng, (victim, ms), &gear)?;
            stage.look_around(rng, (victim.ix, ms), &gear, (session, 3));
        } else {
            stage.fail(rng, (victim.ix, ms), &gear);
        }
    }
    Some(())
}
