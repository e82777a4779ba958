//! The policy crate from outside.

mod docs;
mod events;
mod fixtures;
mod hostile;
mod promises;
mod rulings;
mod same_as_cel;
