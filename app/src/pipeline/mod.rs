//! The way of an event through the stages, twice over the data.
//!
//! 1. [`intake`]: read, frame, normalise and enrich on all threads; put what scoring needs aside, in order of time.
//! 2. [`ordered`], [`scoring`]: take it up in order, score and learn; clerks in the shards write the verdicts.
//!
//! Memory is bounded: by the sorter's limit in the first pass, by what the engine remembers in the second.

pub mod executor;
pub mod intake;
pub mod ordered;
pub mod plan;
pub mod scoring;
pub mod spare;
pub mod stored;
pub mod tally;

pub use ordered::Ordered;
pub use plan::Plan;
pub use scoring::Scorer;
pub use stored::Item;
pub use tally::Tally;
