//! M: how fast between places (SCORING 6), done right.
//!
//! Accuracy radii are deducted; the event must be reachable from the place before it and from the place after it (late
//! events meet both); the same client at both ends means that the egress moved and not the person; a place where this
//! very client was lately is reachable again, because the last place may be the wrong one. How often honest visits jump
//! is learned per tenant, so that VPN users are no alarm. A known address excuses nothing by itself.

use crate::attacker::{out_of_reach, scaled};
use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal, Text};
use habitus_profile::Population;
use habitus_profile::features::motion::Move;
use habitus_profile::teleport::SameClient;

/// Motion between places.
pub struct Motion;

/// What is left of the evidence where this client was lately where it is now: the place between may be the wrong one.
const RETURNING: f64 = 0.5;
/// Places older than this say nothing of today's, hours: every place on Earth can be reached.
const HOURS_MAX: f64 = 36.0;
const WORTH_SAYING_NATS: f64 = 0.02;

impl Detector for Motion {
    fn id(&self) -> DetectorId {
        DetectorId("motion")
    }

    fn family(&self) -> Family {
        Family::Motion
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let seen = view.seen;
        if seen.position.is_none() {
            return Opinion::Abstain(Blind::NoPlace);
        }
        if !view.has_history() {
            return Opinion::Abstain(Blind::ThinHistory);
        }
        let Some(hardest) = hardest(view) else {
            return Opinion::Evidence(Vec::new());
        };
        let mut nats = against(hardest, view.population);
        if is_returning_client(view, hardest) {
            nats = scaled(nats, RETURNING);
        }
        if nats.iter().all(|nats| nats.abs() < WORTH_SAYING_NATS) {
            return Opinion::Evidence(Vec::new());
        }
        Opinion::Evidence(vec![line(view, hardest, nats)])
    }
}

/// Of the places next in time before and after the event, the one harder to reach.
fn hardest<'a>(view: &View<'a>) -> Option<&'a Move> {
    let time = view.context.time;
    let near = |m: &&Move| m.hours <= HOURS_MAX;
    let before = view
        .seen
        .moves
        .iter()
        .rev()
        .find(|m| m.from.time <= time)
        .filter(near);
    let after = view.seen.moves.iter().find(|m| m.from.time > time).filter(near);
    match (before, after) {
        (Some(a), Some(b)) => Some(if a.impossible >= b.impossible { a } else { b }),
        (one, other) => one.or(other),
    }
}

/// This very client was lately where the event is now, whatever place came in between.
fn is_returning_client(view: &View<'_>, hardest: &Move) -> bool {
    let here =
        |m: &&Move| m.speed.0 <= 0.0 && m.cell.client != SameClient::No && m.from.time != hardest.from.time;
    view.seen.moves.iter().any(|m| here(&m))
}

fn against(m: &Move, population: &Population) -> PerProfile {
    let q = m.impossible;
    let mix = |p: f64| ln((p * q + (1.0 - p) * (1.0 - q)).max(1e-6));
    let owner = mix(population.teleport(m.cell));
    out_of_reach(m.hours).map(|p| if p.is_nan() { 0.0 } else { mix(p) - owner })
}

fn line(view: &View<'_>, m: &Move, nats: PerProfile) -> Evidence {
    let facts = || {
        vec![
            Fact::Name(Text::from(view.context.place.label())),
            Fact::Km(m.distance.0),
            Fact::Hours(m.hours),
            Fact::KmPerHour(m.speed.0),
        ]
    };
    let (signal, text) = match (m.impossible > 0.5, m.cell.client == SameClient::Key) {
        (true, false) => (
            "impossible_travel",
            "{0} is {1} from where this account was {2} before: {3}, faster than people travel",
        ),
        (true, true) => (
            "egress_moved",
            "{0} is {1} from where this very device was {2} before: its egress moved rather than the person",
        ),
        (false, _) => (
            "reachable",
            "{0} can be reached from where this account was {2} before, {1} away",
        ),
    };
    Evidence {
        family: Family::Motion,
        signal: Signal(signal),
        nats,
        reason: view.because(text, facts),
    }
}
