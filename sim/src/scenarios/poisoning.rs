//! Poisoning: a login a day and nothing else, for ten days, and on the eleventh the attacker makes use of it
//! (RELIABILITY 6.1).

use super::stage::{Nearness, Stage};
use crate::releases::DAY_MS;
use crate::rng::Rng;
use habitus_model::math;

/// Quiet days.
const DAYS: i64 = 10;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let start = stage.moment(rng, (DAYS + 1) * DAY_MS);
    let victim = stage.victim(rng, start)?;
    let near = if rng.chance(0.5) {
        Nearness::Foreign
    } else {
        Nearness::SameCountry
    };
    let gear = stage.gear(rng, (victim, start), near)?;
    for day in 0..=DAYS {
        let ms = start + day * DAY_MS + math::to_i64(rng.between(-1.0, 1.0) * 3_600_000.0);
        let session = rng.bits();
        // Without the second factor: a password and a service that does not ask.
        let login = stage.act(rng, (victim.ix, ms), &gear, crate::deed::Deed::Login)?;
        login.session = Some(session);
        if day == DAYS {
            stage.look_around(rng, (victim.ix, ms), &gear, (session, 8))?;
        }
    }
    Some(())
}
