//! Countries and cities: where people live, travel to and are attacked from.
//!
//! Weights are coarse. `homes` follows the numbers of internet users (ITU, millions, compressed by a square root so
//! that small countries get their tenants too); `visits` follows international arrivals (UN Tourism 2023, millions);
//! `attacks` follows the sources of attack traffic that large providers publish (and is flattened, so that no
//! country of the list is without); `ios` is the share of iOS among phones (StatCounter 2024). Offsets are standard
//! time: daylight saving is not modelled.

/// A city: name, degrees north, degrees east.
#[derive(Debug)]
pub(crate) struct City {
    pub name: &'static str,
    pub lat: f64,
    pub lon: f64,
}

/// A country of the atlas.
#[derive(Debug)]
pub(crate) struct Country {
    pub code: &'static str,
    /// Minutes east of UTC of most of its people.
    pub offset_minutes: i64,
    pub homes: f64,
    pub visits: f64,
    pub attacks: f64,
    pub ios: f64,
    pub cities: &'static [City],
}

/// Position of a country in [`COUNTRIES`].
pub(crate) type CountryIx = usize;

/// The country at a position; the first one beyond the end, which no position drawn from the atlas reaches.
pub(crate) fn country(ix: CountryIx) -> &'static Country {
    COUNTRIES.get(ix).unwrap_or(&FALLBACK)
}

/// Position of a country by its code.
pub(crate) fn by_code(code: &str) -> Option<CountryIx> {
    COUNTRIES.iter().position(|country| country.code == code)
}

const fn city(name: &'static str, lat: f64, lon: f64) -> City {
    City { name, lat, lon }
}

/// Code, UTC offset in minutes, `[homes, visits, attacks, iOS share]`, cities.
const fn land(code: &'static str, offset: i64, weights: [f64; 4], cities: &'static [City]) -> Country {
    let [homes, visits, attacks, ios] = weights;
    Country {
        code,
        offset_minutes: offset,
        homes,
        visits,
        attacks,
        ios,
        cities,
    }
}

static FALLBACK: Country = land("NO", 60, [1.0, 1.0, 0.0, 0.6], &[city("Oslo", 59.91, 10.75)]);

#[rustfmt::skip]
pub(crate) static COUNTRIES: &[Country] = &[
    land("NO", 60, [2.3, 6.0, 0.4, 0.65], &[city("Oslo", 59.91, 10.75), city("Bergen", 60.39, 5.32), city("Trondheim", 63.43, 10.40), city("Stavanger", 58.97, 5.73)]),
    land("SE", 60, [3.2, 7.5, 0.8, 0.60], &[city("Stockholm", 59.33, 18.07), city("Gothenburg", 57.71, 11.97), city("Malmö", 55.61, 13.00)]),
    land("DK", 60, [2.4, 12.0, 0.4, 0.67], &[city("Copenhagen", 55.68, 12.57), city("Aarhus", 56.16, 10.20), city("Odense", 55.40, 10.39)]),
    land("FI", 120, [2.3, 3.5, 0.5, 0.36], &[city("Helsinki", 60.17, 24.94), city("Tampere", 61.50, 23.76), city("Oulu", 65.01, 25.47)]),
    land("DE", 60, [8.8, 35.0, 3.5, 0.38], &[city("Berlin", 52.52, 13.40), city("Hamburg", 53.55, 9.99), city("Munich", 48.14, 11.58), city("Frankfurt am Main", 50.11, 8.68), city("Cologne", 50.94, 6.96)]),
    land("NL", 60, [4.1, 20.0, 3.5, 0.42], &[city("Amsterdam", 52.37, 4.90), city("Rotterdam", 51.92, 4.48), city("Eindhoven", 51.44, 5.48)]),
    land("BE", 60, [3.3, 9.0, 0.5, 0.45], &[city("Brussels", 50.85, 4.35), city("Antwerp", 51.22, 4.40), city("Ghent", 51.05, 3.72)]),
    land("FR", 60, [7.7, 100.0, 2.5, 0.37], &[city("Paris", 48.86, 2.35), city("Lyon", 45.76, 4.84), city("Marseille", 43.30, 5.37), city("Toulouse", 43.60, 1.44)]),
    land("GB", 0, [8.1, 37.0, 2.5, 0.52], &[city("London", 51.51, -0.13), city("Manchester", 53.48, -2.24), city("Birmingham", 52.48, -1.90), city("Glasgow", 55.86, -4.25)]),
    land("IE", 0, [2.2, 10.0, 0.5, 0.52], &[city("Dublin", 53.35, -6.26), city("Cork", 51.90, -8.47)]),
    land("ES", 60, [6.7, 85.0, 1.0, 0.25], &[city("Madrid", 40.42, -3.70), city("Barcelona", 41.39, 2.17), city("Valencia", 39.47, -0.38), city("Málaga", 36.72, -4.42)]),
    land("PT", 0, [3.0, 18.0, 0.4, 0.30], &[city("Lisbon", 38.72, -9.14), city("Porto", 41.15, -8.61)]),
    land("IT", 60, [7.1, 57.0, 1.2, 0.30], &[city("Rome", 41.90, 12.50), city("Milan", 45.46, 9.19), city("Naples", 40.85, 14.27), city("Turin", 45.07, 7.69)]),
    land("CH", 60, [2.9, 9.0, 0.4, 0.56], &[city("Zurich", 47.38, 8.54), city("Geneva", 46.20, 6.15), city("Bern", 46.95, 7.45)]),
    land("AT", 60, [2.9, 30.0, 0.4, 0.38], &[city("Vienna", 48.21, 16.37), city("Graz", 47.07, 15.44), city("Linz", 48.31, 14.29)]),
    land("PL", 60, [5.8, 19.0, 1.2, 0.10], &[city("Warsaw", 52.23, 21.01), city("Kraków", 50.06, 19.94), city("Gdańsk", 54.35, 18.65)]),
    land("CZ", 60, [3.1, 10.0, 0.6, 0.25], &[city("Prague", 50.08, 14.44), city("Brno", 49.20, 16.61)]),
    land("RO", 120, [4.1, 6.0, 1.3, 0.18], &[city("Bucharest", 44.43, 26.10), city("Cluj-Napoca", 46.77, 23.59)]),
    land("UA", 120, [5.5, 2.0, 1.8, 0.22], &[city("Kyiv", 50.45, 30.52), city("Lviv", 49.84, 24.03)]),
    land("RU", 180, [4.0, 6.0, 5.5, 0.28], &[city("Moscow", 55.76, 37.62), city("Saint Petersburg", 59.93, 30.34), city("Novosibirsk", 55.03, 82.92)]),
    land("TR", 180, [7.0, 55.0, 1.8, 0.17], &[city("Istanbul", 41.01, 28.98), city("Ankara", 39.93, 32.86), city("Antalya", 36.90, 30.71)]),
    land("GR", 120, [2.9, 33.0, 0.5, 0.20], &[city("Athens", 37.98, 23.73), city("Thessaloniki", 40.64, 22.94)]),
    land("HU", 60, [2.9, 12.0, 0.5, 0.25], &[city("Budapest", 47.50, 19.04), city("Debrecen", 47.53, 21.64)]),
    land("BG", 120, [2.3, 9.0, 1.0, 0.17], &[city("Sofia", 42.70, 23.32), city("Plovdiv", 42.14, 24.75)]),
    land("US", -360, [17.0, 67.0, 9.0, 0.57], &[city("New York", 40.71, -74.01), city("Chicago", 41.88, -87.63), city("Dallas", 32.78, -96.80), city("Los Angeles", 34.05, -118.24), city("Atlanta", 33.75, -84.39), city("Seattle", 47.61, -122.33)]),
    land("CA", -300, [6.0, 18.0, 1.2, 0.60], &[city("Toronto", 43.65, -79.38), city("Montreal", 45.50, -73.57), city("Vancouver", 49.28, -123.12)]),
    land("MX", -360, [9.8, 42.0, 1.2, 0.25], &[city("Mexico City", 19.43, -99.13), city("Guadalajara", 20.67, -103.35), city("Cancún", 21.16, -86.85)]),
    land("BR", -180, [13.0, 6.0, 4.5, 0.18], &[city("São Paulo", -23.55, -46.63), city("Rio de Janeiro", -22.91, -43.17), city("Fortaleza", -3.73, -38.53)]),
    land("AR", -180, [6.3, 7.0, 1.2, 0.12], &[city("Buenos Aires", -34.60, -58.38), city("Córdoba", -31.42, -64.18)]),
    land("CO", -300, [6.0, 5.0, 1.2, 0.15], &[city("Bogotá", 4.71, -74.07), city("Medellín", 6.24, -75.58)]),
    land("IN", 330, [14.0, 9.0, 6.0, 0.04], &[city("Mumbai", 19.08, 72.88), city("Delhi", 28.61, 77.21), city("Bengaluru", 12.97, 77.59), city("Chennai", 13.08, 80.27)]),
    land("PK", 300, [5.0, 1.5, 2.0, 0.05], &[city("Karachi", 24.86, 67.01), city("Lahore", 31.55, 74.34)]),
    land("BD", 360, [5.0, 0.6, 1.5, 0.05], &[city("Dhaka", 23.81, 90.41), city("Chattogram", 22.36, 91.78)]),
    land("CN", 480, [6.0, 35.0, 6.5, 0.22], &[city("Beijing", 39.90, 116.41), city("Shanghai", 31.23, 121.47), city("Guangzhou", 23.13, 113.26)]),
    land("HK", 480, [2.6, 17.0, 2.5, 0.45], &[city("Hong Kong", 22.32, 114.17)]),
    land("JP", 540, [10.0, 25.0, 1.2, 0.62], &[city("Tokyo", 35.68, 139.69), city("Osaka", 34.69, 135.50), city("Fukuoka", 33.59, 130.40)]),
    land("KR", 540, [7.0, 11.0, 1.5, 0.28], &[city("Seoul", 37.57, 126.98), city("Busan", 35.18, 129.08)]),
    land("TW", 480, [4.6, 6.5, 1.2, 0.52], &[city("Taipei", 25.03, 121.57), city("Kaohsiung", 22.63, 120.30)]),
    land("SG", 480, [2.3, 13.0, 2.5, 0.38], &[city("Singapore", 1.35, 103.82)]),
    land("ID", 420, [12.0, 11.0, 4.0, 0.11], &[city("Jakarta", -6.21, 106.85), city("Surabaya", -7.26, 112.75), city("Denpasar", -8.67, 115.21)]),
    land("VN", 420, [8.0, 12.0, 4.5, 0.30], &[city("Hanoi", 21.03, 105.85), city("Ho Chi Minh City", 10.82, 106.63)]),
    land("TH", 420, [7.0, 28.0, 1.8, 0.30], &[city("Bangkok", 13.76, 100.50), city("Phuket", 7.88, 98.39)]),
    land("PH", 480, [8.0, 5.0, 1.8, 0.15], &[city("Manila", 14.60, 120.98), city("Cebu City", 10.32, 123.89)]),
    land("MY", 480, [5.4, 20.0, 1.0, 0.25], &[city("Kuala Lumpur", 3.15, 101.69), city("Penang", 5.41, 100.33)]),
    land("AU", 600, [4.8, 7.0, 0.8, 0.58], &[city("Sydney", -33.87, 151.21), city("Melbourne", -37.81, 144.96), city("Brisbane", -27.47, 153.03)]),
    land("NZ", 720, [2.2, 3.0, 0.2, 0.50], &[city("Auckland", -36.85, 174.76), city("Wellington", -41.29, 174.78)]),
    land("ZA", 120, [6.3, 8.5, 1.5, 0.16], &[city("Johannesburg", -26.20, 28.05), city("Cape Town", -33.92, 18.42)]),
    land("NG", 60, [8.0, 1.2, 5.0, 0.10], &[city("Lagos", 6.52, 3.38), city("Abuja", 9.06, 7.49)]),
    land("KE", 180, [4.0, 2.0, 1.2, 0.06], &[city("Nairobi", -1.29, 36.82), city("Mombasa", -4.04, 39.67)]),
    land("EG", 120, [8.0, 15.0, 1.5, 0.15], &[city("Cairo", 30.04, 31.24), city("Alexandria", 31.20, 29.92)]),
    land("MA", 60, [5.3, 14.0, 1.2, 0.15], &[city("Casablanca", 33.57, -7.59), city("Marrakesh", 31.63, -7.99)]),
    land("IL", 120, [2.7, 3.0, 0.6, 0.30], &[city("Tel Aviv", 32.09, 34.78), city("Jerusalem", 31.77, 35.21)]),
    land("AE", 240, [3.0, 22.0, 0.8, 0.35], &[city("Dubai", 25.20, 55.27), city("Abu Dhabi", 24.45, 54.38)]),
    land("SA", 180, [5.5, 27.0, 0.8, 0.38], &[city("Riyadh", 24.71, 46.68), city("Jeddah", 21.49, 39.19)]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{Coordinates, CountryCode};

    #[test]
    fn every_country_is_a_country_and_every_city_a_place() {
        assert!(COUNTRIES.len() >= 40);
        for (ix, land) in COUNTRIES.iter().enumerate() {
            assert!(CountryCode::new(land.code).is_some(), "{}", land.code);
            assert_eq!(by_code(land.code), Some(ix), "{} twice", land.code);
            assert!(!land.cities.is_empty());
            for city in land.cities {
                assert!(Coordinates::new(city.lat, city.lon).is_some(), "{}", city.name);
            }
        }
    }
}
