//! A takeover campaign: several victims within days, one provider, one client.

use super::stage::{Gear, Stage};
use crate::releases::DAY_MS;
use crate::rng::Rng;
use habitus_model::math;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let span = rng.between(0.3, 4.0) * math::from_i64(DAY_MS);
    let start = stage.moment(rng, 5 * DAY_MS);
    // Half of the campaigns sit in the victims' country (SCORING 3: country-aware).
    let (line, country) = if rng.chance(0.5) {
        stage.abroad(rng)?
    } else {
        let victim = stage.victim(rng, start)?;
        (
            crate::attack::other_provider(rng, stage.tenant, victim, start)?,
            victim.country,
        )
    };
    let first = stage.equipped(rng, (line, country), start);
    let victims = 5 + rng.below(8);
    let mut moments: Vec<i64> = (0..victims)
        .map(|_| start + math::to_i64(rng.unit() * span))
        .collect();
    moments.sort_unstable();
    for ms in moments {
        let victim = stage.victim(rng, ms)?;
        // Each time another address of the provider, or the same one again.
        let line = if rng.chance(0.5) {
            first.line
        } else {
            crate::attack::line_of(rng, stage.tenant, first.line.provider, country)?
        };
        let gear = Gear {
            line,
            ..first.clone()
        };
        let session = stage.log_in(rng, (victim, ms), &gear)?;
        stage.look_around(rng, (victim.ix, ms), &gear, (session, 4));
    }
    Some(())
}
