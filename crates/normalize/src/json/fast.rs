//! The short way to a tree, for the JSON that exporters write.
//!
//! One pass over the bytes. Whatever is unusual (a broken token, a number beyond 15 digits or with an exponent, a limit, a
//! key given twice, half a surrogate pair) is left to `serde_json`, which reads the record from its start and says what
//! is wrong with it. So there is one definition of what a record means: where this gives a tree, it is the same tree.

use super::Json;
use super::name::{self, Name, has_duplicate};
use crate::limits::Limits;
use std::borrow::Cow;

/// Deeper records are left to `serde_json`, which has a limit of 128 of its own.
const DEPTH_MAX: usize = 64;
/// Digits that an `f64` holds exactly, so that one division rounds correctly; `serde_json` divides alike.
const DIGITS_MAX: usize = 15;
/// Room for a whole record's members at the top, and for those of an ordinary inner object.
const TOP_MEMBERS: usize = 32;
const INNER_MEMBERS: usize = 6;

const POWERS_OF_TEN: [f64; DIGITS_MAX + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// The tree of a record; absent if the slow way has to look at it.
pub(super) fn parse<'a>(text: &'a str, limits: &Limits) -> Option<Json<'a>> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        values_left: limits.values_max,
        keys_max: limits.object_keys_max,
    };
    let (first, at) = reader.token(0)?;
    let (value, at) = reader.value((first, at), limits.depth_max.min(DEPTH_MAX), TOP_MEMBERS)?;
    reader.token(at).is_none().then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    values_left: usize,
    keys_max: usize,
}

// Places in the record go in and out of these functions, so that they stay in registers.
impl<'a> Reader<'a> {
    /// The byte at `at` or the next one that is no white space, and where it is; absent at the end.
    #[inline(always)]
    fn token(&self, at: usize) -> Option<(u8, usize)> {
        match *self.bytes.get(at)? {
            byte if byte > b' ' => Some((byte, at)),
            _ => self.token_behind_space(at),
        }
    }

    #[cold]
    fn token_behind_space(&self, mut at: usize) -> Option<(u8, usize)> {
        while let b' ' | b'\n' | b'\t' | b'\r' = *self.bytes.get(at)? {
            at += 1;
        }
        Some((*self.bytes.get(at)?, at))
    }

    /// Where what follows `wanted` begins, if that is the next token.
    #[inline(always)]
    fn behind(&self, at: usize, wanted: u8) -> Option<usize> {
        let (byte, at) = self.token(at)?;
        (byte == wanted).then_some(at + 1)
    }

    /// The value that begins with `first`, and where it ends.
    #[inline(always)]
    fn value(
        &mut self,
        (first, at): (u8, usize),
        depth_left: usize,
        room: usize,
    ) -> Option<(Json<'a>, usize)> {
        self.values_left = self.values_left.checked_sub(1)?;
        match first {
            b'"' => {
                let (text, end) = self.string(at + 1)?;
                Some((Json::String(text), end))
            }
            b'{' => self.object(at + 1, depth_left.checked_sub(1)?, room),
            b'[' => self.array(at + 1, depth_left.checked_sub(1)?),
            b't' => self.literal(at, "true", Json::Bool(true)),
            b'f' => self.literal(at, "false", Json::Bool(false)),
            b'n' => self.literal(at, "null", Json::Null),
            _ => self.number(at),
        }
    }

    fn object(&mut self, at: usize, depth_left: usize, room: usize) -> Option<(Json<'a>, usize)> {
        let (mut first, mut at) = self.token(at)?;
        if first == b'}' {
            return Some((Json::Object(Vec::new()), at + 1));
        }
        let mut members = Vec::with_capacity(room);
        loop {
            if first != b'"' || members.len() >= self.keys_max {
                return None;
            }
            let (name, end) = self.name(at + 1)?;
            let begin = self.token(self.behind(end, b':')?)?;
            let (value, end) = self.value(begin, depth_left, INNER_MEMBERS)?;
            members.push((name, value));
            let (next, end) = self.token(end)?;
            match next {
                b',' => (first, at) = self.token(end + 1)?,
                b'}' if has_duplicate(&members) => return None,
                b'}' => return Some((Json::Object(members), end + 1)),
                _ => return None,
            }
        }
    }

    fn array(&mut self, at: usize, depth_left: usize) -> Option<(Json<'a>, usize)> {
        let mut items = Vec::new();
        let mut begin = self.token(at)?;
        if begin.0 == b']' {
            return Some((Json::Array(items), begin.1 + 1));
        }
        loop {
            let (value, end) = self.value(begin, depth_left, INNER_MEMBERS)?;
            items.push(value);
            let (next, end) = self.token(end)?;
            match next {
                b',' => begin = self.token(end + 1)?,
                b']' => return Some((Json::Array(items), end + 1)),
                _ => return None,
            }
        }
    }

    #[inline(always)]
    fn literal(&self, at: usize, word: &str, value: Json<'a>) -> Option<(Json<'a>, usize)> {
        let is_it = self.bytes.get(at..)?.starts_with(word.as_bytes());
        is_it.then_some((value, at + word.len()))
    }

    /// A member's name, and where the quote behind it ends.
    #[inline(always)]
    fn name(&self, start: usize) -> Option<(Name<'a>, usize)> {
        let (text, end) = self.string(start)?;
        let Cow::Borrowed(_) = text else {
            return Some((Name::new(text), end));
        };
        let length = text.len();
        // There is room for eight bytes behind most names: the value.
        let mark = match self.bytes.get(start..).and_then(<[u8]>::first_chunk::<8>) {
            Some(word) if length < 8 => {
                let bits = u32::try_from(8 * length).unwrap_or(0);
                name::of_few(u64::from_le_bytes(*word) & !(u64::MAX << bits), length)
            }
            _ => name::mark(text.as_bytes()),
        };
        Some((Name::marked(text, mark), end))
    }

    /// What stands from `start` up to the closing quote, and where that ends.
    #[inline(always)]
    fn string(&self, start: usize) -> Option<(Cow<'a, str>, usize)> {
        let end = plain_end(self.bytes, start)?;
        if self.bytes.get(end) != Some(&b'"') {
            let (text, end) = self.escaped(start, end)?;
            return Some((Cow::Owned(text), end));
        }
        Some((Cow::Borrowed(self.text.get(start..end)?), end + 1))
    }

    /// The same where it holds escapes; the first one is at `at`.
    #[cold]
    fn escaped(&self, start: usize, mut at: usize) -> Option<(String, usize)> {
        let mut whole = String::from(self.text.get(start..at)?);
        loop {
            match *self.bytes.get(at)? {
                b'"' => return Some((whole, at + 1)),
                b'\\' => {
                    let (character, end) = self.character(at + 1)?;
                    whole.push(character);
                    at = end;
                }
                _ => return None,
            }
            let end = plain_end(self.bytes, at)?;
            whole.push_str(self.text.get(at..end)?);
            at = end;
        }
    }

    /// What an escape means, from behind its backslash, and where it ends.
    fn character(&self, at: usize) -> Option<(char, usize)> {
        let kind = *self.bytes.get(at)?;
        let meant = match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(at + 1),
            _ => return None,
        };
        Some((meant, at + 1))
    }

    fn code_point(&self, at: usize) -> Option<(char, usize)> {
        let unit = self.unit(at)?;
        let at = at + 4;
        if !(0xd800..0xe000).contains(&unit) {
            return Some((char::from_u32(unit)?, at));
        }
        let low = self.bytes.get(at..at + 2)? == b"\\u";
        let second = self.unit(at + 2)?.checked_sub(0xdc00)?;
        if !low || unit >= 0xdc00 || second >= 0x400 {
            return None;
        }
        let whole = char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + second)?;
        Some((whole, at + 6))
    }

    /// Four hexadecimal digits.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |unit, digit| {
            Some((unit << 4) | char::from(*digit).to_digit(16)?)
        })
    }

    /// An integer or a number with a fraction, of few enough digits.
    #[inline(always)]
    fn number(&self, at: usize) -> Option<(Json<'a>, usize)> {
        let negative = self.bytes.get(at) == Some(&b'-');
        let start = at + usize::from(negative);
        let (whole, mut end) = self.digits(start, 0);
        let places = end - start;
        if places == 0 || (places > 1 && self.bytes.get(start) == Some(&b'0')) {
            return None;
        }
        let mut number = whole;
        let mut decimals = 0;
        let fraction = self.bytes.get(end) == Some(&b'.');
        if fraction {
            let first = end + 1;
            (number, end) = self.digits(first, whole);
            decimals = end - first;
        }
        let ends = matches!(
            self.bytes.get(end),
            None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r')
        );
        if !ends || places + decimals > DIGITS_MAX || (fraction && decimals == 0) {
            return None;
        }
        if fraction {
            let size = habitus_model::math::from_i64(number) / POWERS_OF_TEN.get(decimals)?;
            return Some((Json::Float(if negative { -size } else { size }), end));
        }
        // `-0` is no integer.
        match (negative, number) {
            (true, 0) => None,
            (true, _) => Some((Json::Integer(-number), end)),
            (false, _) => Some((Json::Integer(number), end)),
        }
    }

    /// Goes over digits, appended to `number`; what overflows is too long anyway.
    #[inline(always)]
    fn digits(&self, mut at: usize, mut number: i64) -> (i64, usize) {
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(at) {
            number = number.wrapping_mul(10).wrapping_add(i64::from(*digit - b'0'));
            at += 1;
        }
        (number, at)
    }
}

/// Where the next quote, backslash or control character stands, from `at` on: names and most values end within eight or
/// sixteen bytes, the longest are gone over sixteen at a time.
#[inline(always)]
fn plain_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        if let Some(within) = end_within(*chunk) {
            return Some(at + within);
        }
        at += 8;
        while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
            if chunk.iter().fold(false, |any, byte| any | ends(*byte)) {
                break;
            }
            at += 16;
        }
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| ends(*byte)).map(|n| at + n)
}

#[inline]
fn ends(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

/// Where among eight bytes the first is that ends a plain text.
#[inline(always)]
fn end_within(chunk: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    // The top bit of the first byte that is below `n`, or equal to `n`, is set, and none before it.
    let below = |word: u64, n: u8| word.wrapping_sub(ONES * u64::from(n)) & !word & TOPS;
    let equal = |word: u64, n: u8| below(word ^ (ONES * u64::from(n)), 1);
    let word = u64::from_le_bytes(chunk);
    let found = below(word, b' ') | equal(word, b'"') | equal(word, b'\\');
    (found != 0).then(|| usize::try_from(found.trailing_zeros() / 8).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::slow;
    use proptest::prelude::*;

    /// JSON and what is nearly JSON.
    fn text() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("fals".to_owned()),
            "-?[0-9]{1,20}",
            "-?[0-9]{0,9}\\.[0-9]{0,12}",
            "-?[0-9]{1,3}(\\.[0-9]{1,3})?[eE][-+]?[0-9]{1,3}",
            "\"[ -~é\u{7f}]{0,24}\"",
            "\"([a-z ]{0,9}|\\\\[\"\\\\/bfnrtux]|\\\\u[0-9a-fA-F]{4}|\\\\ud8[0-9]{2}\\\\udc[0-9]{2}|\u{1f}){0,5}\"",
        ];
        scalar.prop_recursive(5, 64, 8, |inner| {
            let key = "\"[a-c]{0,2}(_id|_identity)?\"";
            let white = "[ \n\t\r]{0,2}";
            prop_oneof![
                proptest::collection::vec((white, inner.clone()), 0..6).prop_map(|items| {
                    let items: Vec<String> = items.into_iter().map(|(w, v)| format!("{w}{v}{w}")).collect();
                    format!("[{}]", items.join(","))
                }),
                proptest::collection::vec((key, white, inner), 0..30).prop_map(|members| {
                    let members: Vec<String> = members
                        .into_iter()
                        .map(|(k, w, v)| format!("{w}{k}{w}:{w}{v}"))
                        .collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    fn same(text: &str, limits: &Limits) -> bool {
        let Some(fast) = parse(text, limits) else {
            return false;
        };
        // As text, so that -0.0 is not 0.0.
        let slow = slow(text, limits).unwrap();
        assert_eq!(format!("{fast:?}"), format!("{slow:?}"), "{text}");
        true
    }

    #[test]
    fn ordinary_records_go_the_short_way() {
        for text in [
            r#"{"time":1739203989210,"user":{"name":"a","x":[]},"lat":22.4102,"long":-114.292,"radius":1.0,"b":true}"#,
            "{\"a\":\"tab\\t quote\\\" \\u00e9 \\ud83d\\ude00 end\"}",
            " [ 1 , { } , null , false , -5 , -0.0 ] ",
        ] {
            assert!(same(text, &Limits::default()), "{text}");
        }
    }

    #[test]
    fn the_unusual_goes_the_long_way() {
        let keys: Vec<String> = (0..40).map(|i| format!("\"k{}\":0", i % 39)).collect();
        for text in [
            r#"{"a":1,"a":2}"#,
            &format!("{{{}}}", keys.join(",")),
            "1e5",
            "12345678901234567890",
            "0.1234567890123456",
            "01",
            "1.",
            "-",
            "-0",
            "\"\\ud800\"",
            "\"\\ud800x\"",
            "\"\\udc00\\ud800\"",
            "\"\u{1}\"",
            "\"\\x\"",
            "[1",
            "[1]]",
            "{\"a\" 1}",
            "",
            "nul",
        ] {
            assert_eq!(parse(text, &Limits::default()), None, "{text}");
        }
        let limits = Limits {
            depth_max: 2,
            object_keys_max: 2,
            values_max: 4,
            ..Limits::default()
        };
        for (text, passes) in [
            ("[[1]]", true),
            ("[[[]]]", false),
            ("{\"a\":1,\"b\":2}", true),
            ("{\"a\":1,\"b\":2,\"c\":3}", false),
            ("[1,2,3]", true),
            ("[1,2,3,4]", false),
        ] {
            assert_eq!(same(text, &limits), passes, "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_give_one_tree(text in text()) {
            same(&text, &Limits::default());
        }

        #[test]
        fn cut_off_records_are_never_read(text in text(), at in any::<prop::sample::Index>()) {
            let at = at.index(text.len() + 1);
            if let Some(cut) = text.get(..at) {
                same(cut, &Limits::default());
            }
        }
    }
}
