//! Trips: where a person is when not at home.

use crate::atlas::{self, COUNTRIES, CountryIx};
use crate::network::Networks;
use crate::providers::Kind;
use crate::releases::DAY_MS;
use crate::rng::Rng;
use crate::spot::Line;
use crate::tenant::Tenant;
use habitus_model::{Coordinates, math};

/// A stay away from home.
#[derive(Debug, Clone)]
pub(crate) struct Trip {
    pub from_ms: i64,
    pub to_ms: i64,
    pub country: CountryIx,
    /// The hotel's or hosts' line.
    pub hotel: Line,
    /// A card of a local carrier; `None`: the phone roams.
    pub local_phone: Option<Line>,
}

/// A person's trips within the period, in order of their beginning.
pub(crate) fn draw(rng: &mut Rng, tenant: &Tenant, home: (CountryIx, usize)) -> Vec<Trip> {
    let people = &tenant.params.people;
    // Travel is unequal: half of the residents of the EU make no trip abroad in a year (Eurostat 2022).
    let keen = rng.log_normal(0.6, 1.0).min(8.0);
    let abroad = rng.poisson(people.trips_abroad_per_year * tenant.years() * keen);
    let inland = rng.poisson(people.trips_inland_per_year * tenant.years() * keen);
    let mut trips = Vec::new();
    for nth in 0..abroad + inland {
        let place = if nth < abroad {
            destination(rng, home.0)
        } else {
            Some((home.0, rng.below(atlas::country(home.0).cities.len())))
        };
        trips.extend(place.and_then(|place| stay(rng, tenant, place, nth < abroad)));
    }
    trips.sort_by_key(|trip| trip.from_ms);
    trips
}

/// A country to visit: arrivals, and half as many at each 1,500 km (gravity models of tourism decay likewise).
fn destination(rng: &mut Rng, home: CountryIx) -> Option<(CountryIx, usize)> {
    let pull = |ix: &CountryIx| {
        let km = distance_km(home, *ix);
        atlas::country(*ix).visits * math::exp2(-km / 1_500.0)
    };
    let abroad = (0..COUNTRIES.len()).filter(|ix| *ix != home);
    let country = rng.weighted(abroad, pull)?;
    Some((country, rng.below(atlas::country(country).cities.len())))
}

fn distance_km(a: CountryIx, b: CountryIx) -> f64 {
    let point = |ix| {
        let city = atlas::country(ix).cities.first()?;
        Coordinates::new(city.lat, city.lon)
    };
    match (point(a), point(b)) {
        (Some(a), Some(b)) => a.distance(b).0,
        _ => 5_000.0,
    }
}

fn stay(rng: &mut Rng, tenant: &Tenant, place: (CountryIx, usize), abroad: bool) -> Option<Trip> {
    let networks: &Networks = &tenant.networks;
    let params = &tenant.params.networks;
    let days = i64::from(tenant.config.days.max(1));
    let first = i64::try_from(rng.below(usize::try_from(days).unwrap_or(1))).unwrap_or(0);
    let nights = math::to_i64(
        rng.log_normal(if abroad { 5.0 } else { 2.5 }, 0.7)
            .clamp(1.0, 45.0),
    );
    let from_ms = tenant.start_ms + first * DAY_MS + math::to_i64(rng.between(4.0, 20.0) * 3_600_000.0);
    let provider = networks.pick(rng, place.0, &[Kind::Fixed])?;
    let local = abroad && !rng.chance(params.roams_home_share);
    let local_phone = Line::phone(rng, networks, params, place).filter(|_| local);
    Some(Trip {
        from_ms,
        to_ms: from_ms + nights * DAY_MS,
        country: place.0,
        hotel: Line::fixed(rng, networks, provider, place)?,
        local_phone,
    })
}
