//! The policy file: TOML whose every value knows its place.

mod dates;
mod place;
mod reader;
mod rules;
mod safelists;
mod tests;
mod top;

pub use reader::Reader;
pub use rules::Placed;
pub use top::read;

/// Largest policy file, bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Most rules in a file.
pub const RULES_MAX: usize = 500;
/// Most parts of all conditions together: evaluating each once stays within the steps of one event.
pub const PARTS_MAX: usize = 50_000;
/// Most actions of one rule.
pub const ACTIONS_PER_RULE_MAX: usize = 16;
/// Most entries of the safelist.
pub const SAFELIST_MAX: usize = 500;
/// Most accounts and networks in the whole safelist: some ten microseconds for an event that something is done about.
pub const SAFELIST_VALUES_MAX: usize = 10_000;
/// Most break-glass accounts: more would be a hole, not an emergency exit.
pub const BREAK_GLASS_MAX: usize = 100;
/// Most tests in a file.
pub const TESTS_MAX: usize = 1_000;
/// Longest name of a rule, entry or responder, bytes.
pub const NAME_BYTES_MAX: usize = 64;
