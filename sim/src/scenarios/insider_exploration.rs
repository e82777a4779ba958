//! An owner, on the own device and network, opens sensitive things of other departments.

use super::stage::Stage;
use crate::catalogue::Class;
use crate::deed::{Deed, Verb};
use crate::label::Label;
use crate::rng::Rng;
use habitus_model::math;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let login = stage.login(rng)?.clone();
    let habits = stage.habits(login.account);
    let mut targets = stage.registry.catalogue.all(Class::Sensitive);
    targets.extend(stage.registry.catalogue.all(Class::Database));
    targets.retain(|resource| !habits.knows(*resource));
    let count = (6 + rng.below(10)).min(targets.len());
    let mut ms = login.ms + 300_000;
    for _ in 0..count {
        let at = rng.below(targets.len());
        let resource = *targets.get(at)?;
        targets.swap_remove(at);
        ms += 30_000 + math::to_i64(rng.exponential(400_000.0));
        let mut act = login.again(ms, rng.bits());
        act.factor = None;
        act.deed = Deed::Request(resource, if rng.chance(0.5) { Verb::Read } else { Verb::List });
        act.label = Label::Scenario(stage.planted);
        if ms < stage.tenant.end_ms {
            stage.acts.push(act);
        }
    }
    Some(())
}
