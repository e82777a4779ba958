//! Countries: from the many ways in which logs write them to a code, a centre and a radius.

mod table;

use habitus_model::{Coordinates, CountryCode, Km};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use table::{ALIASES, COUNTRIES, Row};

/// Longest country name looked up, in bytes; ISO's longest English name has 56.
const NAME_BYTES_MAX: usize = 80;

/// Names, three-letter codes and aliases in lower case. A constant, worked out once: it depends on nothing.
static NAMES: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let rows = COUNTRIES.iter();
    let names = rows.flat_map(|row| [(row.2.to_lowercase(), row.0), (row.1.to_lowercase(), row.0)]);
    let aliases = ALIASES.iter().map(|(alias, code)| ((*alias).to_owned(), *code));
    names.chain(aliases).collect()
});

/// The country a log means by `text`: an ISO 3166-1 code of two or three letters, or an English name, of any case.
/// Unknown names, and codes that stand for no country (`EU`, `AP`, `A1`, `T1`), are `None`. O(log n) of 564 names.
#[must_use]
pub fn code_of(text: &str) -> Option<CountryCode> {
    let text = text.trim();
    if text.len() > NAME_BYTES_MAX {
        return None;
    }
    if let Some(code) = CountryCode::new(text)
        && row(code).is_some()
    {
        return Some(code);
    }
    NAMES
        .get(&text.to_lowercase())
        .and_then(|code| CountryCode::new(code))
}

/// Centre of a country and the radius that holds nearly everybody in it; approximate. `None` for a code that ISO 3166
/// does not list.
#[must_use]
pub fn centre_of(country: CountryCode) -> Option<(Coordinates, Km)> {
    let &(_, _, _, lat, lon, radius) = row(country)?;
    Some((Coordinates::new(lat, lon)?, Km(radius)))
}

/// English name of a country; `None` for a code that ISO 3166 does not list.
#[must_use]
pub fn name_of(country: CountryCode) -> Option<&'static str> {
    row(country).map(|row| row.2)
}

fn row(country: CountryCode) -> Option<&'static Row> {
    let at = PLACES.get(place_of(country.as_str())?)?;
    COUNTRIES.get(usize::from((*at)?))
}

/// The row of each pair of letters. A constant, worked out once: asked twice for every event.
static PLACES: LazyLock<Vec<Option<u8>>> = LazyLock::new(|| {
    let mut places = vec![None; 26 * 26];
    for (at, row) in (0_u8..).zip(&COUNTRIES) {
        if let Some(place) = place_of(row.0).and_then(|place| places.get_mut(place)) {
            *place = Some(at);
        }
    }
    places
});

/// The number of a pair of capital letters.
fn place_of(code: &str) -> Option<usize> {
    let letter = |byte: u8| byte.checked_sub(b'A').filter(|at| *at < 26).map(usize::from);
    match code.as_bytes() {
        [first, second] => Some(letter(*first)? * 26 + letter(*second)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<String> {
        code_of(text).map(|code| code.to_string())
    }

    #[test]
    fn the_table_is_sorted_and_sound() {
        for pair in COUNTRIES.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
        }
        for row in &COUNTRIES {
            let country = CountryCode::new(row.0).unwrap();
            let (_, radius) = centre_of(country).unwrap_or_else(|| panic!("{country} lies nowhere"));
            assert!((5.0..=4000.0).contains(&radius.0), "{country}");
            assert_eq!(code(row.1).as_deref(), Some(row.0));
            assert_eq!(code(row.2).as_deref(), Some(row.0));
        }
        for (alias, target) in &ALIASES {
            assert_eq!(*alias, alias.to_lowercase());
            assert!(row(CountryCode::new(target).unwrap()).is_some(), "{alias}");
        }
    }

    #[test]
    fn logs_write_countries_in_many_ways() {
        for (text, want) in [
            ("us", "US"),
            (" DE ", "DE"),
            ("DEU", "DE"),
            ("United States", "US"),
            ("UNITED KINGDOM", "GB"),
            ("UK", "GB"),
            ("Russian Federation", "RU"),
            ("Türkiye", "TR"),
            ("CÔTE D'IVOIRE", "CI"),
            ("XK", "XK"),
        ] {
            assert_eq!(code(text).as_deref(), Some(want), "{text}");
        }
        for text in [
            "",
            "-",
            "EU",
            "AP",
            "A1",
            "T1",
            "XX",
            "ZZ",
            "Atlantis",
            "unknown",
            &"x".repeat(500),
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn circles_hold_the_cities_people_live_in() {
        for (country, lat, lon) in [
            ("US", 47.6, -122.3),
            ("US", 25.8, -80.2),
            ("CA", 49.3, -123.1),
            ("CA", 44.6, -63.6),
            ("RU", 59.9, 30.3),
            ("RU", 56.0, 92.9),
            ("BR", -30.0, -51.2),
            ("AU", -33.9, 151.2),
            ("IN", 13.1, 80.3),
            ("CN", 31.2, 121.5),
            ("CL", -33.4, -70.7),
            ("ID", -6.2, 106.8),
            ("JP", 43.1, 141.4),
            ("NO", 59.9, 10.8),
            ("ES", 36.7, -4.4),
            ("GB", 57.1, -2.1),
            ("DE", 47.6, 9.5),
            ("ZA", -33.9, 18.4),
        ] {
            let (centre, radius) = centre_of(CountryCode::new(country).unwrap()).unwrap();
            let city = Coordinates::new(lat, lon).unwrap();
            let off = centre.distance(city).0;
            assert!(
                off <= radius.0,
                "{country}: {off} km from the centre, radius {}",
                radius.0
            );
        }
    }
}
