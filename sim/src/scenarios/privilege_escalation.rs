//! Somebody without administrative rights gives powerful roles, keys and consents to the own account, in the own
//! session or, half of the time, in one that was taken over.

use super::stage::Stage;
use crate::deed::Deed;
use crate::label::Label;
use crate::rng::Rng;
use crate::session;
use habitus_model::math;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let login = (0..200).find_map(|_| {
        let login = stage.login(rng)?;
        (!session::is_admin(stage.tenant, login.account)).then(|| login.clone())
    })?;
    let victim = stage.person(login.account)?;
    let application = stage
        .registry
        .catalogue
        .pick(rng, crate::catalogue::Class::Application, None)?;
    let mut deeds = vec![
        Deed::Grant(login.account, 5),
        Deed::NewKey(login.account),
        Deed::Grant(login.account, 4),
        Deed::Consent(application),
    ];
    deeds.truncate(2 + rng.below(3));
    let mut ms = login.ms + 240_000;
    let near = Stage::nearness(rng);
    let taken = rng.chance(0.5);
    let gear = if taken {
        Some(stage.gear(rng, (victim, ms), near)?)
    } else {
        None
    };
    let session = match &gear {
        Some(gear) => Some(stage.log_in(rng, (victim, ms), gear)?),
        None => login.session,
    };
    for deed in deeds {
        ms += 20_000 + math::to_i64(rng.exponential(120_000.0));
        match &gear {
            Some(gear) => stage.act(rng, (login.account, ms), gear, deed)?.session = session,
            None if ms < stage.tenant.end_ms => {
                let mut act = login.again(ms, rng.bits());
                act.factor = None;
                act.deed = deed;
                act.label = Label::Scenario(stage.planted);
                stage.acts.push(act);
            }
            None => {}
        }
    }
    Some(())
}
