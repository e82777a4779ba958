//! Password spray: one password a day on each account, spread over 200 sources so that none stands out.

use super::stage::{Gear, Stage};
use crate::act::GHOSTS;
use crate::releases::DAY_MS;
use crate::rng::Rng;
use habitus_model::math;

/// Sources of one spray (issue's figure; botnets and residential proxies offer many more).
const SOURCES: usize = 200;
/// Days of one spray.
const DAYS: i64 = 3;
/// Most accounts that are tried each day.
const ACCOUNTS_MAX: usize = 2_500;
/// Share of names that no account has (assumed: lists are old).
const UNKNOWN: f64 = 0.15;
/// Probability that a password is right: some per thousand accounts use the password of the season (assumed).
const RIGHT: f64 = 0.001;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let start = stage.moment(rng, (DAYS + 1) * DAY_MS);
    let place = stage.abroad(rng)?;
    let agent = stage.equipped(rng, place, start).agent;
    let mut sources = Vec::with_capacity(SOURCES);
    for _ in 0..SOURCES {
        let (line, _) = stage.abroad(rng)?;
        sources.push(Gear {
            line,
            agent,
            device_uid: None,
        });
    }
    let people = stage.victims.len().min(ACCOUNTS_MAX);
    for day in 0..DAYS {
        for _ in 0..people {
            let ms = start + day * DAY_MS + math::to_i64(rng.unit() * 0.6 * math::from_i64(DAY_MS));
            let gear = rng.pick(&sources)?.clone();
            if rng.chance(UNKNOWN) {
                let ghost = GHOSTS + u32::try_from(rng.below(100_000)).unwrap_or(0);
                stage.fail(rng, (ghost, ms), &gear);
                continue;
            }
            let (victim, _) = *rng.pick(stage.victims)?;
            if rng.chance(RIGHT) && victim.factor.is_none() {
                stage.log_in(rng, (victim, ms), &gear);
            } else {
                stage.fail(rng, (victim.ix, ms), &gear);
            }
        }
    }
    Some(())
}
