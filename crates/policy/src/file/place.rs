//! Where a byte of a TOML string's value stands in the file: escapes make the two differ.

use std::ops::Range;

/// The place in the file of a part of a string's value. `written` is the place of the string with its quotes.
pub fn inside(text: &str, written: &Range<usize>, part: &Range<usize>) -> Range<usize> {
    let raw = text.get(written.clone()).unwrap_or_default();
    let (start, end) = (offset(raw, part.start), offset(raw, part.end));
    let start = start + folded(raw.get(start..).unwrap_or_default());
    let last = text.len();
    // Of something missing at the end, the closing quote is shown.
    let (start, end) = ((written.start + start).min(last), (written.start + end).min(last));
    start..end.max(start)
}

/// Bytes of the raw string before byte `wanted` of its value.
fn offset(raw: &str, wanted: usize) -> usize {
    let quote = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| raw.starts_with(quote));
    let Some(quote) = quote else {
        return wanted;
    };
    let mut at = quote.len();
    if quote.len() == 3 {
        // A line break right after the opening quotes is no part of the value.
        let rest = raw.get(at..).unwrap_or_default();
        at += ["\r\n", "\n"]
            .into_iter()
            .find(|end| rest.starts_with(end))
            .map_or(0, str::len);
    }
    if quote.starts_with('\'') {
        return at + wanted;
    }
    let mut value = 0;
    while value < wanted {
        let rest = raw.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { break };
        let (length, stands_for) = if first == '\\' {
            escape(rest)
        } else {
            (first.len_utf8(), first.len_utf8())
        };
        at += length;
        value += stands_for;
    }
    at
}

/// Bytes of a folded line break at the start: it stands for nothing.
fn folded(rest: &str) -> usize {
    match (rest.starts_with('\\'), escape(rest)) {
        (true, (length, 0)) => length,
        _ => 0,
    }
}

/// Bytes of an escape at the start, and bytes of what it stands for (TOML 1.1).
fn escape(rest: &str) -> (usize, usize) {
    let hexadecimal = |digits: usize| {
        let code = rest
            .get(2..2 + digits)
            .and_then(|code| u32::from_str_radix(code, 16).ok());
        (
            2 + digits,
            code.and_then(char::from_u32).map_or(1, char::len_utf8),
        )
    };
    match rest.chars().nth(1) {
        Some('x') => hexadecimal(2),
        Some('u') => hexadecimal(4),
        Some('U') => hexadecimal(8),
        Some(' ' | '\t' | '\n' | '\r') => {
            let tail = rest.get(1..).unwrap_or_default();
            (1 + tail.len() - tail.trim_start().len(), 0)
        }
        _ => (2.min(rest.len()), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, part: Range<usize>, shown: &str) {
        let text = format!("when = {written}\n");
        let place = inside(&text, &(7..7 + written.len()), &part);
        assert_eq!(&text[place], shown, "{written}");
    }

    #[test]
    fn escapes_do_not_shift_the_place() {
        check("'abc def'", 4..7, "def");
        check("\"abc def\"", 4..7, "def");
        check("\"a \\\"b\\\" def\"", 6..9, "def");
        check("\"\\u00e9 def\"", 3..6, "def");
        check("'''\nabc def'''", 4..7, "def");
        check("\"\"\"\nabc \\\n   def\"\"\"", 4..7, "def");
    }
}
