//! A machine's secret or key is used from elsewhere, with the finder's tool.

use super::stage::Stage;
use crate::catalogue::Class;
use crate::deed::{Deed, Verb};
use crate::machines::Trade;
use crate::rng::Rng;
use habitus_model::math;

/// Probability that the finder's tool is the machine's own (assumed: the same kit in the next version or the same).
const SAME_TOOL: f64 = 0.25;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let start = stage.moment(rng, 2 * 3_600_000);
    let machines = stage.machines;
    let machine = (0..50).find_map(|_| {
        rng.pick(machines)
            .filter(|machine| machine.trade != Trade::Runner)
    })?;
    let place = stage.abroad(rng)?;
    let mut gear = stage.scripted(rng, place, start);
    if rng.chance(SAME_TOOL) {
        gear = stage.holding(gear.line, machine.tool(start).to_owned());
    }
    let mut ms = start;
    for _ in 0..10 + rng.below(30) {
        let class = if rng.chance(0.6) {
            Class::Sensitive
        } else {
            Class::Database
        };
        let resource = stage.registry.catalogue.pick(rng, class, None)?;
        let verb = if rng.chance(0.5) { Verb::List } else { Verb::Read };
        stage.act(
            rng,
            (machine.account, ms),
            &gear,
            Deed::Call(machine.credential, resource, verb),
        )?;
        ms += 500 + math::to_i64(rng.exponential(15_000.0));
    }
    Some(())
}
