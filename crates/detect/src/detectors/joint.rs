//! ND: network and client at once (SCORING 1).
//!
//! For owners the two depend on each other: a new address with the old device is routine, both new at once is a new
//! phone on a trip. The network and device detectors add as if they were independent; this one corrects the sum by what
//! the population shows. Attackers choose the two independently.

use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal};

/// Joint novelty.
pub struct Joint;

/// The correction moves evidence by at most so many nats.
const LIFT_NATS_MAX: f64 = 2.5;
/// Corrections smaller than this are not worth a line.
const WORTH_SAYING_NATS: f64 = 0.01;

impl Detector for Joint {
    fn id(&self) -> DetectorId {
        DetectorId("joint")
    }

    fn family(&self) -> Family {
        Family::Joint
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let (Some(network), Some(device)) = (view.seen.network_novelty, view.seen.device) else {
            return Opinion::Abstain(if view.has_history() {
                Blind::NoClient
            } else {
                Blind::ThinHistory
            });
        };
        let new_device = device.seen.is_new();
        let lift = view
            .population
            .joint_lift(view.seen.bucket.size, network, new_device);
        let nats = -lift.clamp(-LIFT_NATS_MAX, LIFT_NATS_MAX);
        if nats.abs() < WORTH_SAYING_NATS {
            return Opinion::Evidence(Vec::new());
        }
        let per_profile: PerProfile = [nats, nats, nats, nats, 0.0];
        let text = match (new_device, lift > 0.0) {
            (true, true) => "a new client goes with such a network {0} times as often as by chance",
            (true, false) => "a new client goes with such a network only {0} times as often as by chance",
            (false, true) => "the usual client goes with such a network {0} times as often as by chance",
            (false, false) => {
                "the usual client goes with such a network only {0} times as often as by chance"
            }
        };
        let times = || times_as_often(habitus_model::math::exp(lift));
        let reason = view.because(text, || vec![Fact::Name(times())]);
        Opinion::Evidence(vec![Evidence {
            family: Family::Joint,
            signal: Signal("network_with_client"),
            nats: per_profile,
            reason,
        }])
    }
}

/// A factor with as many digits as it takes not to read as never.
fn times_as_often(factor: f64) -> habitus_model::Text {
    habitus_model::Text::from(match factor {
        f if f >= 10.0 => format!("{f:.0}"),
        f if f >= 0.1 => format!("{f:.1}"),
        f => format!("{:.2}", f.max(0.01)),
    })
}
