//! From host to host: logins over the network to hosts that the account never used, minutes apart (LANL's red team;
//! Ho et al., "Hopper", USENIX Security 2021).

use super::stage::Stage;
use crate::catalogue::Class;
use crate::deed::Deed;
use crate::label::Label;
use crate::rng::Rng;
use habitus_model::math;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let login = stage.login(rng)?.clone();
    let habits = stage.habits(login.account);
    let mut hosts = stage.registry.catalogue.all(Class::Host);
    hosts.retain(|host| !habits.knows(*host));
    let count = (4 + rng.below(10)).min(hosts.len());
    let mut ms = login.ms + 600_000;
    for _ in 0..count {
        let at = rng.below(hosts.len());
        let host = *hosts.get(at)?;
        hosts.swap_remove(at);
        ms += 20_000 + math::to_i64(rng.exponential(240_000.0));
        let mut act = login.again(ms, rng.bits());
        act.factor = None;
        act.deed = Deed::Host(host);
        act.label = Label::Scenario(stage.planted);
        if ms < stage.tenant.end_ms {
            stage.acts.push(act);
        }
    }
    Some(())
}
