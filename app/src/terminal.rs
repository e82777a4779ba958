//! Talk to the person at the terminal: colours, notes, progress, errors. Everything here goes to standard error.

use crate::cli::Color;
use crate::failure::{Failure, Trouble};
use anstream::ColorChoice;
use habitus_sources::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Bold red, as SGR; `anstream` takes it out where no colours are wanted.
pub const RED: &str = "\x1b[1;31m";
/// Yellow.
pub const YELLOW: &str = "\x1b[33m";
/// Green.
pub const GREEN: &str = "\x1b[32m";
/// Bold.
pub const BOLD: &str = "\x1b[1m";
/// Faint.
pub const FAINT: &str = "\x1b[2m";
/// Back to normal.
pub const RESET: &str = "\x1b[0m";

/// Where talk goes, or does not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// To standard error.
    On,
    /// Nowhere: `--quiet`.
    Off,
}

impl Talk {
    /// By the flag `--quiet`.
    pub fn unless(quiet: bool) -> Self {
        if quiet { Talk::Off } else { Talk::On }
    }

    /// One line.
    pub fn line(self, text: impl Display) {
        if self == Talk::On {
            // Nobody can be told that standard error is closed.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// A note, marked as one.
    pub fn note(self, text: impl Display) {
        self.line(format_args!("{YELLOW}note:{RESET} {text}"));
    }

    /// A bar over `total` bytes that reading moves on; it shows only on a terminal. The total is absent for pipes.
    pub fn progress(self, what: &'static str, total: Option<u64>) -> Bar {
        let visible = self == Talk::On && std::io::stderr().is_terminal();
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = match total {
            Some(total) => ProgressBar::with_draw_target(Some(total), target),
            None => ProgressBar::with_draw_target(None, target),
        };
        Bar { bar, visible }.styled(what, total.is_some())
    }
}

/// A progress bar.
pub struct Bar {
    bar: ProgressBar,
    visible: bool,
}

impl Bar {
    fn styled(self, what: &'static str, bounded: bool) -> Self {
        if !self.visible {
            return self;
        }
        let template = if bounded {
            "{msg:9} {wide_bar} {percent:>3} %  {per_sec}  {eta} left"
        } else {
            "{msg:9} {spinner} {human_pos}  {per_sec}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_message(what);
        self.bar.enable_steady_tick(Duration::from_millis(100));
        self
    }

    /// Moves to a position in bytes.
    pub fn at(&self, progress: &Progress) {
        self.to(progress.bytes());
    }

    /// Moves to a position.
    pub fn to(&self, position: u64) {
        if self.visible {
            self.bar.set_position(position);
        }
    }

    /// Removes the bar.
    pub fn done(self) {
        self.bar.finish_and_clear();
    }
}

/// Sets when colours are used, for both streams.
pub fn set_color(color: Color) {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Prints what ended a command, and what to do about it.
pub fn report(failure: &Failure) {
    if failure.trouble() == Trouble::Pipe {
        return;
    }
    let text = failure.to_string();
    if !text.is_empty() {
        Talk::On.line(format_args!("{RED}error:{RESET} {text}"));
    }
    if let Some(help) = failure.advice() {
        Talk::On.line(format_args!("{BOLD}help:{RESET} {help}"));
    }
}

/// Makes a panic a request for a report: where it happened, and nothing of what was being read, which may hold
/// personal data.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let version = env!("CARGO_PKG_VERSION");
        Talk::On.line(format_args!(
            "{RED}bug:{RESET} habitus {version} came to a state it should not come to, at {place}\n\
             {BOLD}help:{RESET} please report this line with the command you ran; the log itself is not needed, \
             and may hold personal data",
        ));
    }));
}

/// Text from outside, made harmless for a terminal: control and bidirectional characters would forge lines.
pub fn harmless(text: &str) -> String {
    const LONGEST_CHARS: usize = 120;
    let forging = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    let mut out: String = text
        .chars()
        .take(LONGEST_CHARS)
        .map(|c| if forging(c) { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LONGEST_CHARS).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_forge_lines() {
        assert_eq!(
            harmless("a\u{1b}[31m\nb\u{202e}"),
            "a\u{fffd}[31m\u{fffd}b\u{fffd}"
        );
        assert_eq!(harmless(&"x".repeat(500)).chars().count(), 121);
    }
}
