//! One spelling for the names of operating systems and browsers.
//!
//! Sources that parse user agents themselves write what they found in their own way (`MacOs`, `Windows 10`,
//! `Edge 126.0.0`, `CHROME`). The same computer must look the same whether the event carries a user agent or a parsed
//! name, so both end in uap-core's spelling.

use habitus_model::Text;

/// Longest name kept, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Spelling in lower case, uap-core's name.
#[rustfmt::skip]
static OS_NAMES: [(&str, &str); 19] = [
    ("android", "Android"), ("chrome os", "Chrome OS"), ("chromeos", "Chrome OS"), ("darwin", "Mac OS X"),
    ("ios", "iOS"), ("ipad os", "iOS"), ("ipados", "iOS"), ("iphone os", "iOS"), ("linux", "Linux"),
    ("mac", "Mac OS X"), ("mac os", "Mac OS X"), ("mac os x", "Mac OS X"), ("macintosh", "Mac OS X"),
    ("macos", "Mac OS X"), ("mac osx", "Mac OS X"), ("osx", "Mac OS X"), ("ubuntu", "Ubuntu"), ("win", "Windows"),
    ("windows", "Windows"),
];

/// As above.
#[rustfmt::skip]
static BROWSER_NAMES: [(&str, &str); 18] = [
    ("chrome", "Chrome"), ("chrome mobile", "Chrome Mobile"), ("chromium", "Chromium"), ("edge", "Edge"),
    ("edge chromium", "Edge"), ("firefox", "Firefox"), ("google chrome", "Chrome"), ("ie", "IE"),
    ("internet explorer", "IE"), ("microsoft edge", "Edge"), ("mobile safari", "Mobile Safari"),
    ("mozilla firefox", "Firefox"), ("opera", "Opera"), ("powershell", "PowerShell"), ("rich client", "Rich Client"),
    ("safari", "Safari"), ("samsung internet", "Samsung Internet"), ("yandex browser", "Yandex Browser"),
];

/// Operating system family and packed version of a parsed name such as `Windows 10` or `Ios 17.5`.
pub(super) fn os(text: &str) -> Option<(Text, u32)> {
    let (family, version) = split(text)?;
    Some((canonical(family, &OS_NAMES), packed(version)))
}

/// Browser family and major version of a parsed name such as `Edge 126.0.0`.
pub(super) fn browser(text: &str) -> Option<(Text, u32)> {
    let (family, version) = split(text)?;
    Some((canonical(family, &BROWSER_NAMES), major(version)))
}

/// Packs `17.5.1` as major and minor in 16 bits each. 0: no number.
pub(super) fn packed(version: &str) -> u32 {
    let mut parts = version.split(['.', '_']);
    pack(parts.next(), parts.next())
}

/// Packs two numbers written as text; larger ones saturate, because versions grow and never wrap.
pub(super) fn pack(major: Option<&str>, minor: Option<&str>) -> u32 {
    let half = |part: Option<&str>| part.map_or(0, number).min(u32::from(u16::MAX));
    half(major) << 16 | half(minor)
}

/// The leading number of `126.0.0`. 0: no number.
pub(super) fn major(version: &str) -> u32 {
    number(version.split(['.', '_']).next().unwrap_or_default())
}

/// A name no longer than we keep, cut at a character's end.
pub(super) fn short(text: &str) -> Text {
    Text::new(cut(text, NAME_BYTES_MAX))
}

/// The first `bytes` bytes of a text, less what would cut a character in two.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// Digits at the beginning. Saturates, so that a version of a hundred digits is merely large.
fn number(text: &str) -> u32 {
    let digits = text.bytes().map_while(|byte| char::from(byte).to_digit(10));
    digits.fold(0_u32, |sum, digit| sum.saturating_mul(10).saturating_add(digit))
}

/// Splits the version off: everything from the first word that begins with a digit.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = cut(habitus_model::account::named(text)?, 4 * NAME_BYTES_MAX);
    let is_version = |word: &str| {
        word.trim_start_matches('v')
            .starts_with(|c: char| c.is_ascii_digit())
    };
    let mut at = 0;
    for word in text.split(' ') {
        if at > 0 && is_version(word) {
            let (family, version) = text.split_at_checked(at)?;
            return Some((family.trim_end(), version.trim().trim_start_matches('v')));
        }
        at += word.len() + 1;
    }
    // `Chrome/126.0` is seen too.
    Some(text.split_once('/').unwrap_or((text, "")))
}

fn canonical(family: &str, names: &[(&str, &'static str)]) -> Text {
    let known = names
        .iter()
        .find(|(spelling, _)| family.eq_ignore_ascii_case(spelling));
    known.map_or_else(|| short(family), |(_, name)| Text::const_new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_names_meet_those_of_user_agents() {
        for (text, family, version) in [
            ("Windows 10", "Windows", 10 << 16),
            ("Windows10", "Windows10", 0),
            ("MacOs", "Mac OS X", 0),
            ("Mac OS X", "Mac OS X", 0),
            ("macOS 14.5", "Mac OS X", 14 << 16 | 5),
            ("Ios 17.5.1", "iOS", 17 << 16 | 5),
            ("Android 13", "Android", 13 << 16),
            ("Haiku R1", "Haiku R1", 0),
        ] {
            assert_eq!(os(text), Some((Text::new(family), version)), "{text}");
        }
        for (text, family, version) in [
            ("Edge 126.0.0", "Edge", 126),
            ("CHROME", "Chrome", 0),
            ("Chrome/126.0", "Chrome", 126),
            ("Mobile Safari 17.5", "Mobile Safari", 17),
        ] {
            assert_eq!(browser(text), Some((Text::new(family), version)), "{text}");
        }
        for nothing in ["", "-", "null", "Not Available"] {
            assert_eq!((os(nothing), browser(nothing)), (None, None), "{nothing}");
        }
    }

    #[test]
    fn versions_order_and_saturate() {
        assert!(packed("10.9") < packed("10.10") && packed("10.15") < packed("11"));
        assert_eq!(packed("99999999999999999999.1"), 65_535 << 16 | 1);
        assert_eq!(major("XP"), 0);
    }

    #[test]
    fn cuts_keep_characters_whole() {
        assert_eq!(cut("aéé", 2), "a");
        assert_eq!(cut("aéé", 3), "aé");
        assert_eq!(cut("", 3), "");
    }
}
