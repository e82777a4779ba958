//! A slow spray: a few sources, some tries an hour, another account each time, for two weeks or more.

use super::stage::{Gear, Stage};
use crate::releases::DAY_MS;
use crate::rng::Rng;
use habitus_model::math;

/// Most tries of one spray.
const TRIES_MAX: u32 = 1_500;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let days = 14 + i64::try_from(rng.below(7)).ok()?;
    let start = stage.moment(rng, days * DAY_MS);
    let place = stage.abroad(rng)?;
    let first = stage.equipped(rng, place, start);
    let mut sources = vec![first.clone()];
    for _ in 0..rng.below(3) {
        // More addresses of the same provider.
        let (provider, country) = (first.line.provider, place.1);
        let line = crate::attack::line_of(rng, stage.tenant, provider, country)?;
        sources.push(Gear {
            line,
            ..first.clone()
        });
    }
    let gap = rng.between(8.0, 25.0) * 60_000.0;
    let mut ms = start;
    for _ in 0..TRIES_MAX {
        if ms >= start + days * DAY_MS {
            break;
        }
        let gear = rng.pick(&sources)?.clone();
        let (victim, _) = *rng.pick(stage.victims)?;
        stage.fail(rng, (victim.ix, ms), &gear);
        ms += 60_000 + math::to_i64(rng.exponential(gap));
    }
    Some(())
}
