//! Readers of what was sent, written from the formats' rules and not from the code under test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Written down again from the rule, for comparison: what acts, and how it is shown.
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xad | 0x61c | 0x180e | 0x200b | 0x200e..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f)
        || matches!(u32::from(c), 0xfeff | 0xfff9..=0xfffb | 0xfffe..=0xffff | 0xe0000..=0xe007f)
}

pub fn visible(text: &str) -> String {
    text.chars()
        .map(|c| {
            if acts(c) {
                format!("\\u{{{:x}}}", u32::from(c))
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// Every text of a JSON value.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(object) => object
            .iter()
            .flat_map(|(k, v)| [vec![k.clone()], texts(v)].concat())
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// CEF read back: seven header fields and the extension.
pub fn read_cef(line: &str) -> (Vec<String>, Vec<(String, String)>) {
    let mut header = vec![String::new()];
    let mut chars = line.strip_prefix("CEF:").unwrap().chars();
    while header.len() < 8 {
        match chars.next().unwrap() {
            '\\' => header.last_mut().unwrap().push(chars.next().unwrap()),
            '|' => header.push(String::new()),
            c => header.last_mut().unwrap().push(c),
        }
    }
    header.pop();
    // A key follows a space and ends with an equals sign that is not escaped.
    let rest: Vec<char> = chars.collect();
    let mut starts = Vec::new();
    for (at, c) in rest.iter().enumerate() {
        let escapes = rest[..at].iter().rev().take_while(|c| **c == '\\').count();
        if *c == '=' && escapes % 2 == 0 {
            let key = rest[..at]
                .iter()
                .rposition(|c| *c == ' ')
                .map_or(0, |space| space + 1);
            starts.push((key, at));
        }
    }
    let mut pairs = Vec::new();
    for (number, (key, equals)) in starts.iter().enumerate() {
        let end = starts.get(number + 1).map_or(rest.len(), |(next, _)| next - 1);
        pairs.push((
            rest[*key..*equals].iter().collect(),
            unescape_cef(&rest[equals + 1..end]),
        ));
    }
    (header, pairs)
}

fn unescape_cef(value: &[char]) -> String {
    let mut out = String::new();
    let mut chars = value.iter();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next().unwrap() {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                c => out.push(*c),
            },
            c => out.push(*c),
        }
    }
    out
}

/// Words of RFC 2047 in the subject.
pub fn decode_subject(raw: &str) -> String {
    let mut out = String::new();
    let mut rest = raw;
    let mut after_word = false;
    while let Some(start) = rest.find("=?utf-8?b?") {
        let between = &rest[..start];
        // Space between two encoded words is none.
        if !(after_word && between.trim().is_empty()) {
            out.push_str(between);
        }
        let end = rest[start + 10..].find("?=").unwrap() + start + 10;
        out.push_str(std::str::from_utf8(&STANDARD.decode(&rest[start + 10..end]).unwrap()).unwrap());
        rest = &rest[end + 2..];
        after_word = true;
    }
    out.push_str(rest);
    out
}

pub fn decode_body(encoding: &str, body: &str) -> String {
    match encoding {
        "base64" => String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap(),
        "quoted-printable" => {
            let joined = body.replace("=\r\n", "");
            let mut bytes = Vec::new();
            let mut rest = joined.bytes();
            while let Some(byte) = rest.next() {
                if byte == b'=' {
                    let hex = [rest.next().unwrap(), rest.next().unwrap()];
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
                } else {
                    bytes.push(byte);
                }
            }
            String::from_utf8(bytes).unwrap()
        }
        "7bit" | "8bit" => body.to_owned(),
        other => panic!("{other}"),
    }
}
