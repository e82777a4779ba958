//! The short way to a tree, for the JSON that exporters write.
//!
//! One pass over the bytes. Whatever is unusual (a broken token, a number beyond 15 digits or with an exponent, a limit, a
//! key given twice, half a surrogate pair) is left to `serde_json`, which reads the record from its start and says what
//! is wrong with it. So there is one definition of what a record means: where this gives a tree, it is the same tree.

use super::{Json, has_duplicate};
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
        at: 0,
        values_left: limits.values_max,
        keys_max: limits.object_keys_max,
    };
    let value = reader.value(limits.depth_max.min(DEPTH_MAX), TOP_MEMBERS)?;
    (reader.token().is_none()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    values_left: usize,
    keys_max: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is no white space, not taken; absent at the end.
    fn token(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.token()? == wanted).then(|| self.at += 1)
    }

    fn value(&mut self, depth_left: usize, room: usize) -> Option<Json<'a>> {
        self.values_left = self.values_left.checked_sub(1)?;
        match self.token()? {
            b'"' => {
                self.at += 1;
                self.string().map(Json::String)
            }
            b'{' => {
                self.at += 1;
                self.object(depth_left.checked_sub(1)?, room)
            }
            b'[' => {
                self.at += 1;
                self.array(depth_left.checked_sub(1)?)
            }
            b't' => self.literal("true", Json::Bool(true)),
            b'f' => self.literal("false", Json::Bool(false)),
            b'n' => self.literal("null", Json::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth_left: usize, room: usize) -> Option<Json<'a>> {
        if self.token()? == b'}' {
            self.at += 1;
            return Some(Json::Object(Vec::new()));
        }
        let mut members = Vec::with_capacity(room);
        loop {
            if members.len() >= self.keys_max {
                return None;
            }
            self.take(b'"')?;
            let key = self.string()?;
            self.take(b':')?;
            members.push((key, self.value(depth_left, INNER_MEMBERS)?));
            let next = self.token()?;
            self.at += 1;
            match next {
                b',' => {}
                b'}' if may_repeat(&members) && has_duplicate(&members) => return None,
                b'}' => return Some(Json::Object(members)),
                _ => return None,
            }
        }
    }

    fn array(&mut self, depth_left: usize) -> Option<Json<'a>> {
        let mut items = Vec::new();
        if self.token()? == b']' {
            self.at += 1;
            return Some(Json::Array(items));
        }
        loop {
            items.push(self.value(depth_left, INNER_MEMBERS)?);
            let next = self.token()?;
            self.at += 1;
            match next {
                b',' => {}
                b']' => return Some(Json::Array(items)),
                _ => return None,
            }
        }
    }

    fn literal(&mut self, word: &str, value: Json<'a>) -> Option<Json<'a>> {
        let rest = self.bytes.get(self.at..)?;
        if !rest.starts_with(word.as_bytes()) {
            return None;
        }
        self.at += word.len();
        Some(value)
    }

    /// What stands before the closing quote, which is taken.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        self.at = plain_end(self.bytes, start)?;
        if self.bytes.get(self.at) != Some(&b'"') {
            return self.escaped(start).map(Cow::Owned);
        }
        let text = self.text.get(start..self.at)?;
        self.at += 1;
        Some(Cow::Borrowed(text))
    }

    /// The same where it holds escapes; the first one is here.
    #[cold]
    fn escaped(&mut self, start: usize) -> Option<String> {
        let mut whole = String::from(self.text.get(start..self.at)?);
        loop {
            match *self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(whole);
                }
                b'\\' => {
                    let kind = *self.bytes.get(self.at + 1)?;
                    self.at += 2;
                    whole.push(self.character(kind)?);
                }
                _ => return None,
            }
            let end = plain_end(self.bytes, self.at)?;
            whole.push_str(self.text.get(self.at..end)?);
            self.at = end;
        }
    }

    fn character(&mut self, kind: u8) -> Option<char> {
        Some(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                if !(0xd800..0xe000).contains(&unit) {
                    return char::from_u32(unit);
                }
                let low = self.bytes.get(self.at..self.at + 2)? == b"\\u";
                self.at += 2;
                let second = self.unit()?.checked_sub(0xdc00)?;
                if !low || unit >= 0xdc00 || second >= 0x400 {
                    return None;
                }
                char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + second)?
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, digit| {
            Some((unit << 4) | char::from(*digit).to_digit(16)?)
        })
    }

    /// An integer or a number with a fraction, of few enough digits.
    fn number(&mut self) -> Option<Json<'a>> {
        let negative = self.bytes.get(self.at) == Some(&b'-');
        self.at += usize::from(negative);
        let start = self.at;
        let whole = self.digits(0);
        let places = self.at - start;
        if places == 0 || (places > 1 && self.bytes.get(start) == Some(&b'0')) {
            return None;
        }
        let mut number = whole;
        let mut decimals = 0;
        let fraction = self.bytes.get(self.at) == Some(&b'.');
        if fraction {
            self.at += 1;
            let first = self.at;
            number = self.digits(whole);
            decimals = self.at - first;
        }
        let ends = matches!(
            self.bytes.get(self.at),
            None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r')
        );
        if !ends || places + decimals > DIGITS_MAX || (fraction && decimals == 0) {
            return None;
        }
        if fraction {
            let size = habitus_model::math::from_i64(number) / POWERS_OF_TEN.get(decimals)?;
            return Some(Json::Float(if negative { -size } else { size }));
        }
        // `-0` is no integer.
        match (negative, number) {
            (true, 0) => None,
            (true, _) => Some(Json::Integer(-number)),
            (false, _) => Some(Json::Integer(number)),
        }
    }

    /// Goes over digits, appended to `number`; what overflows is too long anyway.
    fn digits(&mut self, mut number: i64) -> i64 {
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            number = number.wrapping_mul(10).wrapping_add(i64::from(*digit - b'0'));
            self.at += 1;
        }
        number
    }
}

/// Where the next quote, backslash or control character stands, from `at` on; eight bytes at a time.
fn plain_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    // The top bit of the first byte that is below `n`, or equal to `n`, is set, and none before it.
    let below = |word: u64, n: u8| word.wrapping_sub(ONES * u64::from(n)) & !word & TOPS;
    let equal = |word: u64, n: u8| below(word ^ (ONES * u64::from(n)), 1);
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let found = below(word, b' ') | equal(word, b'"') | equal(word, b'\\');
        if found != 0 {
            return Some(at + usize::try_from(found.trailing_zeros() / 8).ok()?);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let ends = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    rest.iter().position(ends).map(|n| at + n)
}

/// Keys compared as numbers made of their ends and length: a pass of the vector unit. Equal keys have equal numbers.
fn may_repeat(members: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    let mut marks = [0; TOP_MEMBERS];
    if members.len() > TOP_MEMBERS {
        return true;
    }
    for (mark, (key, _)) in marks.iter_mut().zip(members) {
        *mark = mark_of(key.as_bytes());
    }
    let mut rest = marks.get(..members.len()).unwrap_or_default();
    while let Some((mark, later)) = rest.split_first() {
        if later.iter().fold(false, |any, other| any | (other == mark)) {
            return true;
        }
        rest = later;
    }
    false
}

fn mark_of(key: &[u8]) -> u64 {
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX) << 56;
    match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29) ^ length
        }
        _ => key
            .iter()
            .fold(length, |mark, byte| mark.rotate_left(8) ^ u64::from(*byte)),
    }
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
