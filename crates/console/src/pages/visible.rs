//! Text from logs, made harmless to look at. Templates escape HTML; this shows what would otherwise not be seen.

use std::fmt::{self, Write as _};

/// Longest text that is shown, characters. The whole of it is in the API.
const LONGEST: usize = 300;

/// Text in which every character can be seen: control, bidirectional and zero-width characters stand as `⟨U+202E⟩`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shown(String);

impl Shown {
    pub(super) fn new(text: &str) -> Self {
        let mut shown = String::with_capacity(text.len());
        for c in text.chars().take(LONGEST) {
            if hides(c) {
                // Writing to memory does not fail.
                let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
            } else {
                shown.push(c);
            }
        }
        if text.chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        Self(shown)
    }

    /// Text that may be absent; absence is a dash.
    pub(super) fn or_dash(text: Option<&str>) -> Self {
        text.map_or_else(|| Self("–".to_owned()), Self::new)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Controls, format characters, separators of lines, variation selectors, tags and private use: nothing of them can be
/// seen as what it is (Unicode 17, general categories Cc, Cf, Zl, Zp, Co).
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides() {
        for (text, shown) in [
            ("bob", "bob"),
            ("a\u{202e}b", "a⟨U+202E⟩b"),
            ("a\nb\0", "a⟨U+000A⟩b⟨U+0000⟩"),
            ("zero\u{200b}width", "zero⟨U+200B⟩width"),
            ("\u{1b}[31m", "⟨U+001B⟩[31m"),
            ("tag\u{e0041}", "tag⟨U+E0041⟩"),
            ("Ærøskøbing 東京 🙂", "Ærøskøbing 東京 🙂"),
        ] {
            assert_eq!(Shown::new(text).to_string(), shown);
        }
        assert_eq!(
            Shown::new(&"x".repeat(400)).to_string().chars().count(),
            LONGEST + 1
        );
    }
}
