//! Detectors: each compares how likely an observation is for the account's owner and for five sorts of attacker.
//!
//! Evidence has a sign: it may speak for the owner. One file per detector in [`detectors`].

pub mod attacker;
pub mod belief;
pub mod detector;
pub mod detectors;
pub mod novelty;
pub mod reputation;
pub mod together;

pub use detector::{Detector, View, Words};
