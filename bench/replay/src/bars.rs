//! Figures beside their limits, as pages of the documentation show them.

use std::fmt::Write as _;

/// Which side of its limit a figure should be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The limit or more.
    AtLeast,
    /// The limit or less.
    AtMost,
}

/// A figure and its limit, in one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What is measured, with its unit.
    pub name: String,
    /// What was measured.
    pub measured: f64,
    /// Which side is good.
    pub side: Side,
    /// The limit.
    pub limit: f64,
}

impl Bar {
    /// A figure that should be the limit or more.
    #[must_use]
    pub fn at_least(name: &str, measured: f64, limit: f64) -> Self {
        Self {
            name: name.to_owned(),
            measured,
            side: Side::AtLeast,
            limit,
        }
    }

    /// A figure that should be the limit or less.
    #[must_use]
    pub fn at_most(name: &str, measured: f64, limit: f64) -> Self {
        Self {
            side: Side::AtMost,
            ..Self::at_least(name, measured, limit)
        }
    }

    /// Whether the figure keeps to its limit; one that is not a number does not.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self.side {
            Side::AtLeast => self.measured >= self.limit,
            Side::AtMost => self.measured <= self.limit,
        }
    }
}

/// The figures as a table of Markdown.
#[must_use]
pub fn table(bars: &[Bar]) -> String {
    let mut out = String::from("| limit | measured | | limit | |\n|---|---:|---|---:|---|\n");
    for bar in bars {
        let side = match bar.side {
            Side::AtLeast => "at least",
            Side::AtMost => "at most",
        };
        let word = if bar.holds() { "holds" } else { "missed" };
        // Writing to memory does not fail.
        let _ = writeln!(
            out,
            "| {} | {:.2} | {side} | {} | {word} |",
            bar.name, bar.measured, bar.limit
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_on_one_side_or_the_other_and_what_is_none_is_missed() {
        assert!(Bar::at_least("a", 5.0, 5.0).holds() && !Bar::at_least("a", 4.9, 5.0).holds());
        assert!(Bar::at_most("a", 5.0, 5.0).holds() && !Bar::at_most("a", 5.1, 5.0).holds());
        assert!(!Bar::at_least("a", f64::NAN, 5.0).holds() && !Bar::at_most("a", f64::NAN, 5.0).holds());
        let shown = table(&[Bar::at_least("speed", 4.126, 5.0), Bar::at_most("cost", 1.0, 3.0)]);
        assert!(
            shown.contains("| speed | 4.13 | at least | 5 | missed |"),
            "{shown}"
        );
        assert!(shown.contains("| cost | 1.00 | at most | 3 | holds |"), "{shown}");
    }
}
