//! Conditions: a subset of the Common Expression Language (CEL, github.com/google/cel-spec), checked before there is
//! an event and evaluated in a bounded number of steps.
//!
//! What is in the subset means what CEL says; `tests/same_as_cel.rs` holds it against the `cel` crate. Left out are
//! bytes, unsigned numbers, maps and messages that one writes, times, regular expressions and user functions.
//! Every variable has a type and may or may not be null, so type errors and unguarded unknowns are found at load.

mod bounds;
mod calls;
mod check;
mod code;
mod compare;
mod guards;
mod lexer;
pub mod limits;
mod parser;
mod syntax;
mod value;

pub use bounds::{Interval, conjuncts, floor, score_interval};
pub use code::{Code, Fault, Run};
pub use syntax::Wrong;
pub use value::{Type, Value};

use habitus_model::Text;

/// A checked condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    text: Text,
    code: Code,
    floor: f64,
    parts: usize,
}

impl Condition {
    /// Reads and checks a condition. O(bytes).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        let (node, parts) = parser::parse(text)?;
        let code = check::check(&node)?;
        let floor = floor(&code);
        let text = Text::new(text);
        Ok(Self {
            text,
            code,
            floor,
            parts,
        })
    }

    /// The condition as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The checked code.
    pub(crate) const fn code(&self) -> &Code {
        &self.code
    }

    /// Values, operators and calls in it, as written.
    #[must_use]
    pub const fn parts(&self) -> usize {
        self.parts
    }

    /// Lowest score at which it may hold; above 100 if it never does.
    #[must_use]
    pub const fn floor(&self) -> f64 {
        self.floor
    }
}
