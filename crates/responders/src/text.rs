//! Text from logs in places where people and machines read it.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character acts instead of showing itself: control characters (line breaks, ANSI escapes, NUL), bidirectional
/// controls (Boucher and Anderson 2021, "Trojan Source"), invisible and tag characters, line and paragraph separators,
/// and noncharacters. U+200C and U+200D stay, because Persian and Indic names need them.
pub(crate) const fn acts(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// The text on one line, with each character that acts written as `\u{…}`. Borrowed when there is none, the usual case.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            push_escaped(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// The character as `\u{…}`.
pub(crate) fn push_escaped(out: &mut String, c: char) {
    // Writing into a string cannot fail.
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
}

/// The first `chars_max` characters, the last of them an ellipsis if something was cut.
pub(crate) fn clip(text: &str, chars_max: usize) -> Cow<'_, str> {
    if text.chars().nth(chars_max).is_none() {
        return Cow::Borrowed(text);
    }
    let mut cut: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    cut.push('…');
    Cow::Owned(cut)
}

/// Bytes in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_becomes_visible_and_the_rest_stays() {
        assert_eq!(visible("jane.doe"), "jane.doe");
        assert!(matches!(visible("Zoë 李"), Cow::Borrowed(_)));
        assert_eq!(visible("a\r\nb\u{1b}[31m\0"), "a\\u{d}\\u{a}b\\u{1b}[31m\\u{0}");
        assert_eq!(visible("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
    }

    #[test]
    fn clipping_counts_characters() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äö…");
        assert_eq!(clip("x", 0), "…");
    }
}
