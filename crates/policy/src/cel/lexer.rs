//! A condition's text as words.

use super::syntax::{Span, Wrong};

/// One word of a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// A name or a keyword.
    Name(String),
    /// A whole number, without sign.
    Int(String),
    /// A number with a point or an exponent, without sign.
    Double(f64),
    /// Text, unescaped.
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Operators and brackets, longer ones first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")", "[", "]",
    "{", "}", ",", ".",
];

/// Splits a condition into words with their places. O(bytes).
pub fn words(text: &str) -> Result<Vec<(Word, Span)>, Wrong> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let skipped = blank(rest);
        if skipped > 0 {
            at += skipped;
            continue;
        }
        let (word, length) = word(rest, at)?;
        found.push((word, at..at + length));
        at += length;
    }
    Ok(found)
}

/// Bytes of white space or of one remark at the start.
fn blank(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len()
}

fn word(rest: &str, at: usize) -> Result<(Word, usize), Wrong> {
    let first = rest.chars().next().unwrap_or(' ');
    if let Some((raw, quoted)) = quoted(rest) {
        return text(rest, (raw, quoted), at);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        return Ok((
            Word::Name(rest.get(..length).unwrap_or_default().to_owned()),
            length,
        ));
    }
    let digit_follows = || rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
    if first.is_ascii_digit() || (first == '.' && digit_follows()) {
        return number(rest, at);
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
    sign.map(|sign| (Word::Sign(sign), sign.len())).ok_or_else(|| {
        let wrong = Wrong::new(
            &(at..at + first.len_utf8()),
            "a character that conditions do not know",
        );
        match first {
            '=' => wrong.label("did you mean `==`?"),
            '&' => wrong.label("did you mean `&&`?"),
            '|' => wrong.label("did you mean `||`?"),
            _ => wrong.label("not known"),
        }
    })
}

fn number(rest: &str, at: usize) -> Result<(Word, usize), Wrong> {
    let digits = |from: usize| {
        let rest = rest.get(from..).unwrap_or_default();
        rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
    };
    let mut length = digits(0);
    let starts = |from: usize, with: &[char]| rest.get(from..).is_some_and(|rest| rest.starts_with(with));
    let mut is_double = false;
    if starts(length, &['.']) && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
        is_double = true;
    }
    if starts(length, &['e', 'E']) {
        let sign = usize::from(starts(length + 1, &['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
            is_double = true;
        }
    }
    if starts(length, &['u', 'U', 'x', 'X']) {
        let wrong = Wrong::new(
            &(at..at + length + 1),
            "numbers are written in decimal, without a suffix",
        );
        return Err(wrong.label("such as `60` or `0.5`"));
    }
    let digits = rest.get(..length).unwrap_or_default();
    if !is_double {
        return Ok((Word::Int(digits.to_owned()), length));
    }
    let number = digits.parse::<f64>().ok().filter(|number| number.is_finite());
    let number = number.ok_or_else(|| Wrong::new(&(at..at + length), "a number out of range"))?;
    Ok((Word::Double(number), length))
}

/// Whether text starts here: raw or not, and its quotes.
fn quoted(rest: &str) -> Option<(bool, &'static str)> {
    let (raw, rest) = match rest.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    quotes
        .into_iter()
        .find(|quote| rest.starts_with(quote))
        .map(|quote| (raw, quote))
}

fn text(rest: &str, (raw, quote): (bool, &str), at: usize) -> Result<(Word, usize), Wrong> {
    let start = usize::from(raw) + quote.len();
    let open = Wrong::new(&(at..at + start), "text that does not end").label("opened here");
    let mut out = String::new();
    let mut here = start;
    loop {
        let left = rest.get(here..).unwrap_or_default();
        if left.starts_with(quote) {
            return Ok((Word::Text(out), here + quote.len()));
        }
        let Some(c) = left.chars().next() else {
            return Err(open);
        };
        if c == '\\' && !raw {
            let (c, length) = escape(left).ok_or_else(|| {
                let span = at + here..at + here + left.chars().take(2).map(char::len_utf8).sum::<usize>();
                Wrong::new(&span, "an escape that is not known")
                    .help("write `\\\\` for a backslash, or r\"…\"")
            })?;
            out.push(c);
            here += length;
        } else if quote.len() == 1 && c == '\n' {
            return Err(open);
        } else {
            out.push(c);
            here += c.len_utf8();
        }
    }
}

/// The character that an escape stands for, and the escape's length in bytes (cel-spec, "String and bytes values").
fn escape(rest: &str) -> Option<(char, usize)> {
    let kind = rest.chars().nth(1)?;
    let hexadecimal = |digits: usize| {
        let code = rest.get(2..2 + digits)?;
        let plain = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(code, 16).ok().filter(|_| plain)?;
        char::from_u32(code).map(|c| (c, 2 + digits))
    };
    match kind {
        '\\' | '"' | '\'' | '`' | '?' => Some((kind, 2)),
        'n' => Some(('\n', 2)),
        'r' => Some(('\r', 2)),
        't' => Some(('\t', 2)),
        'a' => Some(('\u{7}', 2)),
        'b' => Some(('\u{8}', 2)),
        'f' => Some(('\u{c}', 2)),
        'v' => Some(('\u{b}', 2)),
        'x' | 'X' => hexadecimal(2),
        'u' => hexadecimal(4),
        'U' => hexadecimal(8),
        _ => None,
    }
}
