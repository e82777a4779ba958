//! A workflow that is not the machine's own takes its role: same pool of runners, same tool, another identity.

use super::stage::Stage;
use crate::catalogue::Class;
use crate::deed::{Deed, Verb};
use crate::machines::{Credential, Trade};
use crate::rng::Rng;
use habitus_model::{Text, math};

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let start = stage.moment(rng, 2 * 3_600_000);
    let machines = stage.machines;
    let machine = (0..50).find_map(|_| {
        rng.pick(machines)
            .filter(|machine| machine.trade == Trade::Runner)
    })?;
    let credential = u32::try_from(stage.registry.credentials.len()).ok()?;
    let workflow = if rng.chance(0.5) {
        format!(
            "repo:example/tools-{}:workflow:test.yml@refs/heads/main",
            rng.below(90)
        )
    } else {
        format!(
            "repo:example/service-{}:workflow:ci.yml@refs/pull/{}/merge",
            rng.below(90),
            rng.below(900)
        )
    };
    stage.registry.credentials.push(Credential {
        method: "workload_identity",
        uid: Text::new(workflow),
        issuer: Some(Text::const_new("https://token.actions.example.com")),
    });
    let line = machine.line(rng, start)?;
    let gear = stage.holding(line, machine.tool(start).to_owned());
    let mut ms = start;
    for _ in 0..3 + rng.below(8) {
        let resource = stage.registry.catalogue.pick(rng, Class::Sensitive, None)?;
        stage.act(
            rng,
            (machine.account, ms),
            &gear,
            Deed::Call(credential, resource, Verb::Read),
        )?;
        ms += 500 + math::to_i64(rng.exponential(8_000.0));
    }
    Some(())
}
