//! JSON that is the same data everywhere and does nothing anywhere.
//!
//! JSON may write any character of a string as an escape. Those that act in a terminal, a script element, a log reader with
//! look-ups (`${jndi:`) or a bidirectional editor are written so: every JSON parser reads the original back.

use crate::text;
use serde::Serialize;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// The value on one line.
pub(crate) fn line(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Inert);
    // Our values have string keys and finite numbers, and memory does not fail to be written to.
    if value.serialize(&mut serializer).is_err() {
        out.clear();
    }
    out
}

struct Inert;

impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain_from = 0;
        let mut chars = fragment.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let opens = c == '$' && chars.peek().is_some_and(|(_, next)| *next == '{');
            if opens || matches!(c, '<' | '>' | '&') || text::acts(c) {
                let plain = fragment.get(plain_from..at).unwrap_or_default();
                writer.write_all(plain.as_bytes())?;
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                plain_from = at + c.len_utf8();
            }
        }
        writer.write_all(fragment.get(plain_from..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn text_of(value: &Value) -> String {
        String::from_utf8(line(value)).unwrap()
    }

    #[test]
    fn what_acts_is_an_escape() {
        let hostile = json!({"a</script>": "\u{1b}[2J ${jndi:ldap://x} \u{202e} <!channel> \u{e0041} \u{7f} \u{2028} $5 {}"});
        let written = text_of(&hostile);
        assert!(!written.contains(['<', '>', '&']), "{written}");
        assert!(!written.contains("${"), "{written}");
        assert!(written.contains("$5 {}"), "{written}");
        assert!(!written.chars().any(text::acts), "{written}");
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), hostile);
    }

    proptest! {
        #[test]
        fn every_string_comes_back(key in ".*", value in "\\PC*|.*|(\\$\\{|<|\u{202e}|\u{e0001}|\\n|x)*") {
            let value = json!({key: value});
            let written = text_of(&value);
            prop_assert!(!written.chars().any(text::acts));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
