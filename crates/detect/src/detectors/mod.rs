//! The list of detectors. Adding one: a file here, a line in each list below, fixtures in `fixtures/detectors/<id>/`, which
//! `crates/engine/tests/detectors.rs` reads.

use crate::detector::Detector;

mod aftermath;
mod burst;
mod clock;
mod device;
mod factor;
mod gap;
mod grant;
mod joint;
mod machine;
mod motion;
mod network;
mod prompts;
mod recovery;
mod resource;
mod sequence;
mod session;
mod stranger;
mod volume;

/// Every detector, in alphabetical order. The order is that of explanations of equal weight, and nothing else.
pub const ALL: &[&dyn Detector] = &[
    &aftermath::Aftermath,
    &burst::Bursting,
    &clock::Clock,
    &device::Device,
    &factor::Factor,
    &gap::Gap,
    &grant::Grant,
    &joint::Joint,
    &machine::Machine,
    &motion::Motion,
    &network::Network,
    &prompts::Prompts,
    &recovery::Recovery,
    &resource::Resource,
    &sequence::Sequence,
    &session::Session,
    &stranger::Stranger,
    &volume::Volume,
];
