//! An account that nobody has used for weeks: a leaver's that stayed open, or somebody's on leave.

use super::stage::{Nearness, Stage};
use crate::releases::DAY_MS;
use crate::rng::Rng;

/// Silence that counts, days.
const SILENT_DAYS: i64 = 20;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let ms = stage.moment(rng, DAY_MS);
    let silent = |account: u32| {
        let until = stage.logins.partition_point(|login| login.ms < ms);
        let from = stage
            .logins
            .partition_point(|login| login.ms < ms - SILENT_DAYS * DAY_MS);
        let recent = stage.logins.get(from..until).unwrap_or_default();
        recent.iter().all(|login| login.account != account)
    };
    let (victim, _) = (0..400).find_map(|_| {
        let (person, first) = *rng.pick(stage.victims)?;
        (first < ms && silent(person.ix)).then_some((person, first))
    })?;
    let near = if rng.chance(0.5) {
        Nearness::Foreign
    } else {
        Nearness::SameCountry
    };
    let gear = stage.gear(rng, (victim, ms), near)?;
    let session = stage.log_in(rng, (victim, ms), &gear)?;
    stage.look_around(rng, (victim.ix, ms), &gear, (session, 10))
}
