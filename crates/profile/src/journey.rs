//! How far away the countries are that people bring: neighbours mostly, as gravity models of travel have it.
//!
//! Estimates, per kind of network, the distribution over five bands of the distance between a country new to its account
//! and the nearest place where the account was. Exits of VPNs and servers lie anywhere, so they have a row of their own.
//! Fails for accounts on an island far from everything, until their population has shown some dozens of journeys.

use habitus_model::{Km, NetworkClass};
use serde::{Deserialize, Serialize};

/// Distance of a new country, in one of five bands, and whether the network tells where its user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// The network is hosting, a VPN or a relay: its user may be anywhere.
    pub loose: bool,
    band: u8,
}

/// Number of bands: up to 700, 1,500, 3,000, 6,000 km, and farther.
const BANDS: usize = 5;
const UPPER_KM: [f64; BANDS - 1] = [700.0, 1_500.0, 3_000.0, 6_000.0];
/// Shares of bands before a population has shown its own. Eurostat (tour_dem_tttot, 2022): three of four trips of EU
/// residents abroad stay in Europe, half of them in a neighbouring country; exits of VPNs: assumed even over the world.
const PRIOR: [[f64; BANDS]; 2] = [[0.28, 0.30, 0.20, 0.09, 0.13], WORLD];
/// Shares of bands among people of the world, seen from one of its countries: 6 in 10 live farther than 6,000 km away.
/// Assumed.
pub const WORLD: [f64; BANDS] = [0.07, 0.09, 0.12, 0.17, 0.55];
/// Weight of [`PRIOR`], journeys.
const PRIOR_WEIGHT: f64 = 20.0;

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Journeys {
    counts: [[f64; BANDS]; 2],
}

impl Journey {
    /// The journey over a distance, to a network of a class.
    #[must_use]
    pub fn of(distance: Km, class: NetworkClass) -> Self {
        let below = UPPER_KM.iter().filter(|upper| distance.0 >= **upper).count();
        Self {
            loose: class.is_rented(),
            band: u8::try_from(below).unwrap_or(u8::MAX),
        }
    }

    fn of_row(self, row: &[f64; BANDS]) -> f64 {
        row.get(usize::from(self.band)).copied().unwrap_or(0.0)
    }

    /// Share of the world's people in this band, in `(0, 1)`.
    #[must_use]
    pub fn world(self) -> f64 {
        self.of_row(&WORLD)
    }
}

impl Journeys {
    /// Probability that a country new to its account lies in this band, in `(0, 1)`.
    #[must_use]
    pub fn share(&self, journey: Journey) -> f64 {
        let row = self
            .counts
            .get(usize::from(journey.loose))
            .copied()
            .unwrap_or_default();
        let prior = PRIOR.get(usize::from(journey.loose)).copied().unwrap_or(WORLD);
        let total: f64 = row.iter().sum();
        (journey.of_row(&row) + PRIOR_WEIGHT * journey.of_row(&prior)) / (total + PRIOR_WEIGHT)
    }

    /// Counts one journey.
    pub fn learn(&mut self, journey: Journey) {
        let row = self.counts.get_mut(usize::from(journey.loose));
        if let Some(count) = row.and_then(|row| row.get_mut(usize::from(journey.band))) {
            *count += 1.0;
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for count in self.counts.iter_mut().flatten() {
            *count *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journeys_become_what_the_population_shows() {
        let far = Journey::of(Km(9_000.0), NetworkClass::Fixed);
        let near = Journey::of(Km(300.0), NetworkClass::Fixed);
        let mut journeys = Journeys::default();
        assert!(journeys.share(near) > near.world() && journeys.share(far) < far.world());
        for _ in 0..200 {
            journeys.learn(far);
        }
        assert!(journeys.share(far) > 0.8);
        let exit = Journey::of(Km(9_000.0), NetworkClass::Relay);
        assert!(
            (journeys.share(exit) - exit.world()).abs() < 1e-9,
            "VPNs are counted apart"
        );
    }
}
