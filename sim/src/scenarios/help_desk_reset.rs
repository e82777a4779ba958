//! A help desk removes the victim's factors and sets a password; the attacker logs in and adds a factor (MGM 2023).

use super::stage::{Gear, Stage};
use crate::deed::Deed;
use crate::people::Factor;
use crate::rng::Rng;
use crate::session;
use habitus_model::math;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    // Somebody with the right to do so, from an own login: the deceived act as ever.
    let desk = (0..2_000).find_map(|_| {
        let login = stage.login(rng)?;
        session::is_admin(stage.tenant, login.account).then(|| login.clone())
    })?;
    let reset = desk.ms + 60_000 + math::to_i64(rng.exponential(600_000.0));
    let victim = stage.victim(rng, desk.ms)?.ix;
    let (victim, _) = *stage.victims.iter().find(|(person, _)| person.ix == victim)?;
    for (nth, deed) in [Deed::ResetPassword(victim.ix), Deed::ResetFactors(victim.ix)]
        .into_iter()
        .enumerate()
    {
        let ms = reset + i64::try_from(nth).ok()? * 20_000;
        let mut act = desk.again(ms, rng.bits());
        act.factor = None;
        act.deed = deed;
        act.label = crate::label::Label::Scenario(stage.planted);
        stage.acts.push(act);
    }
    let ms = reset + 120_000 + math::to_i64(rng.exponential(900_000.0));
    let near = Stage::nearness(rng);
    let gear: Gear = stage.gear(rng, (victim, ms), near)?;
    let session = rng.bits();
    stage.act(rng, (victim.ix, ms), &gear, Deed::Login)?.session = Some(session);
    let enrol = stage.act(rng, (victim.ix, ms + 45_000), &gear, Deed::Enrol(Factor::Otp))?;
    enrol.session = Some(session);
    stage.look_around(rng, (victim.ix, ms + 60_000), &gear, (session, 8))
}
