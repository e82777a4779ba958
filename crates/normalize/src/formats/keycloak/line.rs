//! The text Keycloak's logging listener writes: `type="LOGIN", realmId="…", …, username="…"`, quoted since release 22,
//! bare before.

use crate::field;
use habitus_model::Text;

/// Most pairs read of one line: Keycloak writes about 20.
const PAIRS_MAX: usize = 64;

/// Longest key looked for: bounds the work where a hostile value is full of commas.
const KEY_BYTES_MAX: usize = 64;

/// The pairs of a line, first to last; of a key that stands twice the first counts, because what users can choose
/// (names, redirects) comes after what Keycloak knows.
pub(super) struct Pairs(Vec<(Text, Text)>);

impl Pairs {
    /// Reads `key=value` and `key="value"`, separated by a comma and a space. Text before the first pair and broken
    /// pairs are left out. Cost: linear.
    pub(super) fn read(text: &str) -> Self {
        let mut pairs = Vec::new();
        let mut rest = text;
        while pairs.len() < PAIRS_MAX
            && let Some((key, after)) = rest.split_once('=')
        {
            let key = key.rsplit([' ', ',']).next().unwrap_or_default();
            let (value, next) = match after.strip_prefix('"') {
                Some(quoted) => quoted_value(quoted),
                None => bare_value(after),
            };
            if !key.is_empty() {
                pairs.push((Text::new(key), value));
            }
            rest = next;
        }
        Self(pairs)
    }

    /// The value of a key; absent if it is one of the ways in which logs write "nobody".
    pub(super) fn get(&self, key: &str) -> Option<Text> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        field::text(value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }
}

/// Up to the closing quote; a backslash before a quote keeps it.
fn quoted_value(text: &str) -> (Text, &str) {
    let mut value = Text::default();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, text.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

/// Up to a comma and a space that another pair follows: bare values may hold commas.
fn bare_value(text: &str) -> (Text, &str) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|tail| tail.find(", ")) {
        let end = from + at;
        let next = text.get(end + 2..).unwrap_or_default();
        let is_key = next
            .bytes()
            .take(KEY_BYTES_MAX)
            .position(|byte| !(byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)))
            .is_some_and(|at| at > 0 && next.as_bytes().get(at) == Some(&b'='));
        if is_key {
            return (Text::new(text.get(..end).unwrap_or_default()), next);
        }
        from = end + 2;
    }
    (Text::new(text.trim_end()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_values_are_read() {
        let quoted = Pairs::read(r#"x] type="LOGIN", userId="null", username="a \"b\", c""#);
        assert_eq!(quoted.get("type").as_deref(), Some("LOGIN"));
        assert_eq!(quoted.get("userId"), None);
        assert_eq!(quoted.get("username").as_deref(), Some(r#"a "b", c"#));
        let bare = Pairs::read("(t-1) type=LOGIN_ERROR, userId=null, scope=a, b c, username=bob");
        assert_eq!(bare.get("type").as_deref(), Some("LOGIN_ERROR"));
        assert_eq!(bare.get("scope").as_deref(), Some("a, b c"));
        assert_eq!(bare.get("username").as_deref(), Some("bob"));
    }

    #[test]
    fn a_name_cannot_pose_as_a_field() {
        let forged =
            Pairs::read("type=LOGIN_ERROR, ipAddress=192.0.2.1, username=x, type=LOGIN, ipAddress=10.0.0.1");
        assert_eq!(forged.get("type").as_deref(), Some("LOGIN_ERROR"));
        assert_eq!(forged.get("ipAddress").as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn long_hostile_lines_end() {
        let _ = Pairs::read(&format!("type={}", ", ".repeat(200_000)));
        let _ = Pairs::read(&"=".repeat(200_000));
        let _ = Pairs::read(&"a=\"".repeat(100_000));
    }
}
