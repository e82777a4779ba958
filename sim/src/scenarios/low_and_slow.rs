//! Low and slow: once a day from one home line in the victim's country, with a client that is popular there, a look at
//! one or two things.

use super::stage::{Nearness, Stage};
use crate::releases::DAY_MS;
use crate::rng::Rng;
use habitus_model::math;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let days = 10 + i64::try_from(rng.below(6)).ok()?;
    let start = stage.moment(rng, days * DAY_MS);
    let victim = stage.victim(rng, start)?;
    let gear = stage.gear(rng, (victim, start), Nearness::SameCountry)?;
    for day in 0..days {
        let ms = start + day * DAY_MS + math::to_i64(rng.between(-2.0, 2.0) * 3_600_000.0);
        let session = stage.log_in(rng, (victim, ms), &gear)?;
        let steps = 1 + rng.below(2);
        stage.look_around(rng, (victim.ix, ms), &gear, (session, steps))?;
    }
    Some(())
}
