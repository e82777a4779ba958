//! A machine's key makes many resources within minutes, to mine with: from elsewhere with the finder's tool, or from the
//! machine's own place, which was broken into.

use super::stage::Stage;
use crate::catalogue::Class;
use crate::deed::{Deed, Verb};
use crate::machines::Trade;
use crate::rng::Rng;
use habitus_model::math;

/// Probability that it comes from the machine's own place with its own tool (assumed).
const OWN_PLACE: f64 = 0.4;
/// Resources that are made (Microsoft, 2023: "large amounts of compute"; the number is assumed), and mean seconds between two:
/// a script does it (Google, Threat Horizons 1, 2021: miners ran within 22 seconds in 58 % of cases).
const RESOURCES: (f64, f64) = (20.0, 300.0);
const SECONDS: (f64, f64) = (0.5, 8.0);

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let start = stage.moment(rng, 2 * 3_600_000);
    let machines = stage.machines;
    let machine = (0..50).find_map(|_| {
        rng.pick(machines)
            .filter(|machine| machine.trade != Trade::Runner)
    })?;
    let gear = if rng.chance(OWN_PLACE) {
        let line = machine.line(rng, start)?;
        stage.holding(line, machine.tool(start).to_owned())
    } else {
        let place = stage.abroad(rng)?;
        stage.scripted(rng, place, start)
    };
    let (fewest, most) = RESOURCES;
    let count = fewest * math::exp(rng.unit() * math::ln(most / fewest));
    let pause = rng.between(SECONDS.0, SECONDS.1) * 1_000.0;
    let within = stage.registry.catalogue.pick(rng, Class::Application, None)?;
    let deed = Deed::Call(machine.credential, within, Verb::Create);
    let mut ms = start;
    for _ in 0..math::to_u32(count) {
        stage.act(rng, (machine.account, ms), &gear, deed)?;
        ms += 200 + math::to_i64(rng.exponential(pause));
    }
    Some(())
}
