//! Places on Earth.

use crate::Text;
use crate::units::Km;
use serde::{Deserialize, Serialize};
use std::fmt;

/// ISO 3166-1 alpha-2 country code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CountryCode([u8; 2]);

/// A point on Earth in degrees. 0.0 is as good a longitude as any other (Greenwich), and a latitude (the equator).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coordinates {
    lat: f64,
    lon: f64,
}

/// Where an address is, as far as it is known. Every field may be unknown; none is then 0 or empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Country.
    pub country: Option<CountryCode>,
    /// First-level subdivision, as the source names it.
    pub region: Option<Text>,
    /// City, as the source names it.
    pub city: Option<Text>,
    /// Point, if known; a country's centroid carries a radius to match.
    pub coordinates: Option<Coordinates>,
    /// Accuracy radius around the point.
    pub radius: Option<Km>,
}

/// Mean Earth radius, IUGG.
const EARTH_RADIUS_KM: f64 = 6_371.008_8;

impl CountryCode {
    /// From two ASCII letters of any case; `None` for anything else, and for the placeholders `XX` and `ZZ`.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let &[a, b] = code.trim().as_bytes() else {
            return None;
        };
        let code = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
        let letters = code.iter().all(u8::is_ascii_uppercase);
        if letters && code != *b"XX" && code != *b"ZZ" {
            Some(Self(code))
        } else {
            None
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: only ASCII letters get in, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Coordinates {
    /// From degrees north (-90 to 90) and east (-180 to 180); `None` outside or not finite.
    #[must_use]
    pub fn new(lat: f64, lon: f64) -> Option<Self> {
        let valid = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
        if valid { Some(Self { lat, lon }) } else { None }
    }

    /// Degrees north.
    #[must_use]
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// Degrees east.
    #[must_use]
    pub const fn lon(self) -> f64 {
        self.lon
    }

    /// Great-circle distance (haversine on the mean sphere; within 0.6 % of the ellipsoid).
    #[must_use]
    pub fn distance(self, other: Coordinates) -> Km {
        // What follows gives exactly this, too, and most events come from where the last one came from.
        if self == other {
            return Km(0.0);
        }
        let (lat1, lat2) = (self.lat.to_radians(), other.lat.to_radians());
        let half_lat = libm::sin((lat2 - lat1) / 2.0);
        let half_lon = libm::sin((other.lon - self.lon).to_radians() / 2.0);
        let h = half_lat * half_lat + libm::cos(lat1) * libm::cos(lat2) * half_lon * half_lon;
        Km(2.0 * EARTH_RADIUS_KM * libm::asin(math_sqrt(h.clamp(0.0, 1.0))))
    }
}

fn math_sqrt(x: f64) -> f64 {
    // IEEE 754 requires square roots to be correctly rounded, so the standard one is the same everywhere.
    x.sqrt()
}

impl Place {
    /// Whether nothing at all is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.country.is_none() && self.city.is_none() && self.region.is_none() && self.coordinates.is_none()
    }

    /// `Paris, FR`, `FR`, or `an unknown place`.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.city, self.country) {
            (Some(city), Some(country)) => [city, ", ", country.as_str()].concat(),
            (Some(city), None) => city.to_string(),
            (None, Some(country)) => country.to_string(),
            (None, None) => "an unknown place".to_owned(),
        }
    }
}

/// Square of a radius in km², for sums under a root; kept here so that units stay in one place.
#[must_use]
pub fn combined_radius(a: Km, b: Km) -> Km {
    Km(math_sqrt(a.0 * a.0 + b.0 * b.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_degrees_is_a_place() {
        assert!(Coordinates::new(0.0, 0.0).is_some());
        let greenwich = Coordinates::new(51.48, 0.0).unwrap();
        let paris = Coordinates::new(48.86, 2.35).unwrap();
        let km = greenwich.distance(paris).0;
        assert!((330.0..345.0).contains(&km), "{km}");
    }

    #[test]
    fn impossible_degrees_are_refused() {
        assert!(Coordinates::new(91.0, 0.0).is_none());
        assert!(Coordinates::new(f64::NAN, 0.0).is_none());
    }

    #[test]
    fn country_codes_are_two_letters() {
        assert_eq!(CountryCode::new("de").unwrap().to_string(), "DE");
        for bad in ["", "D", "DEU", "D1", "XX", "zz", "é"] {
            assert!(CountryCode::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_antimeridian_is_no_wall() {
        let fiji = Coordinates::new(-17.7, 179.9).unwrap();
        let samoa = Coordinates::new(-17.7, -179.9).unwrap();
        assert!(fiji.distance(samoa).0 < 30.0);
    }
}
