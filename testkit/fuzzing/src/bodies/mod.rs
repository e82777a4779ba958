//! One file per crate that takes bytes from outside.

pub mod enrich;
pub mod normalize;
pub mod sources;
