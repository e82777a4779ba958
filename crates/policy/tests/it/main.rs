//! The policy crate from outside.

mod events;
mod same_as_cel;
