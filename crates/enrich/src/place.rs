//! Places: what the event says of where it came from, completed from the tables where they do not contradict it.

use crate::country::{centre_of, code_of};
use habitus_model::account::named;
use habitus_model::{Coordinates, CountryCode, Endpoint, Km, Place, Text};

/// The country that the event states, if it is one.
pub(crate) fn country_of(src: &Endpoint) -> Option<CountryCode> {
    src.country.as_deref().and_then(code_of)
}

/// The place of an event. `known` is what the tables say of its address, `stated_country` what [`country_of`] says.
///
/// The source saw the client and its own database was current at that moment, so its word comes first. Tables
/// complete it as long as they speak of the same country and city; a point of Lyon is not put under the name Paris.
/// Where only the country is known, its centre stands in, with a radius that covers it.
pub(crate) fn of(src: &Endpoint, stated_country: Option<CountryCode>, known: &Place) -> Place {
    let city = stated(src.city.as_ref());
    let same_country = stated_country.is_none() || stated_country == known.country;
    let same_city = match (&city, &known.city) {
        (Some(stated), Some(known)) => stated.eq_ignore_ascii_case(known),
        (Some(_), None) => false,
        (None, _) => true,
    };
    let completes = same_country && same_city && src.coordinates.is_none();
    let (region, known_city, known_point) = if completes {
        (
            known.region.clone(),
            known.city.clone(),
            known.coordinates.zip(Some(known.radius)),
        )
    } else {
        (None, None, None)
    };

    let country = stated_country.or(known.country);
    let stated_point = src.coordinates.zip(Some(src.radius));
    let centre = || {
        country
            .and_then(centre_of)
            .map(|(point, radius)| (point, Some(radius)))
    };
    let point: Option<(Coordinates, Option<Km>)> = stated_point.or(known_point).or_else(centre);
    Place {
        country,
        region: stated(src.region.as_ref()).or(region),
        city: city.or(known_city),
        coordinates: point.map(|(at, _)| at),
        radius: point.and_then(|(_, radius)| radius),
    }
}

fn stated(text: Option<&Text>) -> Option<Text> {
    text.and_then(|text| named(text)).map(Text::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(src: &Endpoint, known: &Place) -> Place {
        super::of(src, country_of(src), known)
    }

    fn at(lat: f64, lon: f64) -> Option<Coordinates> {
        Coordinates::new(lat, lon)
    }

    fn lyon() -> Place {
        Place {
            country: CountryCode::new("FR"),
            region: Some(Text::new("Auvergne-Rhône-Alpes")),
            city: Some(Text::new("Lyon")),
            coordinates: at(45.75, 4.85),
            radius: Some(Km(20.0)),
        }
    }

    fn src(country: &str, city: &str) -> Endpoint {
        Endpoint {
            country: Some(Text::new(country)),
            city: Some(Text::new(city)),
            ..Endpoint::default()
        }
    }

    #[test]
    fn tables_fill_what_the_event_leaves_open() {
        assert_eq!(of(&Endpoint::default(), &lyon()), lyon());
        assert_eq!(of(&src("France", "-"), &lyon()), lyon());
        assert_eq!(of(&src("fr", "LYON"), &lyon()).coordinates, lyon().coordinates);
    }

    #[test]
    fn tables_do_not_contradict_the_event() {
        let place = of(&src("France", "Paris"), &lyon());
        assert_eq!(place.label(), "Paris, FR");
        assert_eq!(place.region, None);
        let centre = centre_of(CountryCode::new("FR").unwrap()).unwrap();
        assert_eq!(
            (place.coordinates, place.radius),
            (Some(centre.0), Some(centre.1))
        );

        let place = of(&src("Brazil", ""), &lyon());
        assert_eq!(place.label(), "BR");
        assert!(place.radius.unwrap().0 > 1_000.0);
    }

    #[test]
    fn zero_degrees_are_a_place() {
        let src = Endpoint {
            coordinates: at(0.0, 0.0),
            radius: Some(Km(5.0)),
            ..Endpoint::default()
        };
        let place = of(&src, &lyon());
        assert_eq!((place.coordinates, place.radius), (at(0.0, 0.0), Some(Km(5.0))));
        assert_eq!(place.country, CountryCode::new("FR"));
        assert_eq!(place.city, None, "the tables' city belongs to the tables' point");
    }

    #[test]
    fn a_point_without_radius_keeps_it_unknown() {
        let src = Endpoint {
            coordinates: at(51.5, 0.0),
            ..Endpoint::default()
        };
        assert_eq!(of(&src, &Place::default()).radius, None);
    }

    #[test]
    fn nothing_known_stays_unknown() {
        assert!(of(&Endpoint::default(), &Place::default()).is_unknown());
        assert!(of(&src("Atlantis", "null"), &Place::default()).is_unknown());
    }
}
