//! From evidence to a score: fusion, calibration, confidence; whether scores keep their promise, and what labels teach fusion.

pub mod calibration;
pub mod confidence;
pub mod drift;
pub mod fusion;
mod sums;
pub mod supervised;

pub use calibration::Calibration;
pub use confidence::confidence;
pub use drift::Drift;
pub use fusion::{Fused, Prepared, Weighed, Weights, fuse, weigh};
pub use sums::{Opened, Sums};

/// Points of the score per nat of log-odds while the tail is that of a likelihood ratio, `20 / ln 10`: how contributions
/// are shown beside the score. `P(ratio ≥ e^s | owner) ≤ e^-s` (Markov), so a nat is worth at most this much.
pub const POINTS_PER_NAT: f64 = 8.685_889_638_065_035;
