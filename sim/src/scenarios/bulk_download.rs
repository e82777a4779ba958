//! Many things are fetched quickly: by an owner who is about to leave, on the own device, or by somebody who has the account.

use super::stage::{Gear, Stage};
use crate::act::Act;
use crate::catalogue::{Class, Habits};
use crate::deed::{Deed, Verb};
use crate::label::Label;
use crate::rng::Rng;
use habitus_model::math;

/// Probability that it is not the owner (assumed; CERT counts insiders and stolen accounts apart and gives no share).
const TAKEN: f64 = 0.4;
/// Things that are fetched (Microsoft's rule for mass downloads begins at fifty; ten times that is assumed), and mean seconds
/// between two: by hand and by a tool (assumed).
const THINGS: (f64, f64) = (60.0, 600.0);
const SECONDS: (f64, f64) = (1.0, 20.0);
/// Share of what the account is used to; the rest is the department's (assumed).
const OWN: f64 = 0.7;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let login = stage.login(rng)?.clone();
    let habits = stage.habits(login.account);
    let mut ms = login.ms + 300_000;
    let gear = if rng.chance(TAKEN) {
        let victim = stage.person(login.account)?;
        let near = Stage::nearness(rng);
        let gear = stage.gear(rng, (victim, ms), near)?;
        let session = stage.log_in(rng, (victim, ms), &gear)?;
        Some((gear, session))
    } else {
        None
    };
    let (fewest, most) = THINGS;
    let count = fewest * math::exp(rng.unit() * math::ln(most / fewest));
    let pause = rng.between(SECONDS.0, SECONDS.1) * 1_000.0;
    for _ in 0..math::to_u32(count) {
        ms += 200 + math::to_i64(rng.exponential(pause));
        let deed = Deed::Request(thing(rng, stage, &habits)?, Verb::Read);
        fetch(rng, stage, (&login, gear.as_ref()), (ms, deed))?;
    }
    Some(())
}

fn thing(rng: &mut Rng, stage: &Stage<'_>, habits: &Habits) -> Option<u32> {
    let own = habits.usual(rng);
    if rng.chance(OWN) && own.is_some() {
        return own;
    }
    let catalogue = &stage.registry.catalogue;
    let repository = catalogue.pick(rng, Class::Repository, Some(habits.department));
    repository.or_else(|| catalogue.pick(rng, Class::Application, None))
}

fn fetch(
    rng: &mut Rng,
    stage: &mut Stage<'_>,
    (login, gear): (&Act, Option<&(Gear, u64)>),
    (ms, deed): (i64, Deed),
) -> Option<()> {
    if let Some((gear, session)) = gear {
        stage.act(rng, (login.account, ms), gear, deed)?.session = Some(*session);
        return Some(());
    }
    let mut act = login.again(ms, rng.bits());
    (act.factor, act.deed) = (None, deed);
    act.label = Label::Scenario(stage.planted);
    if ms < stage.tenant.end_ms {
        stage.acts.push(act);
    }
    Some(())
}
