//! How many tests passed and failed, read from what the test runners print.

use std::ops::AddAssign;

/// Tests run, as the last line of `cargo xtask test` states them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Counts {
    /// Reads the closing line of one test binary (`test result: ok. 3 passed; 1 failed; …`) or of a nextest run
    /// (`Summary [ 0.1s] 4 tests run: 3 passed (1 slow), 1 failed, 0 skipped`); `None` for any other line.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        let plain = without_colours(line);
        // A failed test's own output, which nextest shows indented, may hold a closing line too: it does not count.
        let tail = if let Some(tail) = plain.strip_prefix("test result:") {
            tail
        } else {
            let summary = plain.trim_start().strip_prefix("Summary [")?;
            summary.split_once("run:")?.1
        };
        Some(Self {
            passed: number_before(tail, "passed"),
            failed: number_before(tail, "failed") + number_before(tail, "timed"),
        })
    }
}

/// The number in front of `word`, 0 when the word is absent: the runners leave out what did not happen.
fn number_before(text: &str, word: &str) -> u64 {
    let mut previous = "";
    for token in text.split([' ', ';', ',', '(', ')']).filter(|t| !t.is_empty()) {
        if token == word {
            return previous.parse().unwrap_or(0);
        }
        previous = token;
    }
    0
}

/// The line without terminal colour sequences (`ESC [ … m`).
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, tail)| tail);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(u64, u64)>) {
        let expected = expected.map(|(passed, failed)| Counts { passed, failed });
        assert_eq!(Counts::of_line(line), expected, "{line}");
    }

    #[test]
    fn closing_lines_are_read_and_nothing_else() {
        check(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            Some((12, 0)),
        );
        check("test result: FAILED. 3 passed; 2 failed; 0 ignored", Some((3, 2)));
        check(
            "\u{1b}[1mtest result: \u{1b}[32mok\u{1b}[0m. 7 passed; 0 failed",
            Some((7, 0)),
        );
        check(
            "     Summary [   0.120s] 41 tests run: 40 passed (1 slow, 2 leaky), 1 failed, 3 skipped",
            Some((40, 1)),
        );
        check(
            "     Summary [   9.001s] 2/5 tests run: 1 passed, 1 timed out, 0 skipped",
            Some((1, 1)),
        );
        check("    test result: FAILED. 0 passed; 1 failed; 0 ignored", None);
        check("test counts::tests::x ... ok", None);
        check("3 passed, 4 failed", None);
    }
}
