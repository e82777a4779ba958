//! Whether somebody could have travelled between two events (SCORING 6).
//!
//! Distance is what remains after both accuracy radii; the time is lengthened by a quarter of an hour, for clocks that
//! differ. Compared with every remembered position, before and after, so that a late event meets both neighbours.

use crate::features::positions::Position;
use crate::teleport::{SameClient, TeleportCell};
use habitus_model::geo::combined_radius;
use habitus_model::math::logistic;
use habitus_model::{Km, KmPerHour, NetworkClass};

/// Radii are one standard error or so: two of them cover a location in 95 % of cases (SCORING 6, z = 2).
const RADII: f64 = 2.0;
/// Tolerance of clocks, hours (SCORING 6).
const SLACK_HOURS: f64 = 0.25;
/// Speed at which half of all pairs of places need no explanation, and the softness of that edge, km/h (SCORING 6):
/// airliners cruise at 900.
const SPEED_MIDDLE: f64 = 900.0;
const SPEED_SOFTNESS: f64 = 120.0;

/// A pair of places, and what it would take to be at both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move {
    /// The other place.
    pub from: Position,
    /// Great-circle distance, radii not deducted: what a person reads.
    pub distance: Km,
    /// Hours between, unsigned.
    pub hours: f64,
    /// Speed over the distance that remains after the radii.
    pub speed: KmPerHour,
    /// Probability that no scheduled travel explains it.
    pub impossible: f64,
    /// Cell in which such moves are counted.
    pub cell: TeleportCell,
}

/// The moves between `here` and each remembered position; empty if the place proves nothing.
#[must_use]
pub fn moves(held: &[Position], here: &Position) -> Vec<Move> {
    held.iter().map(|from| between(from, here)).collect()
}

fn between(from: &Position, here: &Position) -> Move {
    let distance = from.at.distance(here.at);
    let remaining = (distance.0 - RADII * combined_radius(from.radius, here.radius).0).max(0.0);
    let hours = here.time.since(from.time).hours().abs();
    let speed = remaining / (hours + SLACK_HOURS).max(SLACK_HOURS);
    let client = match (from.client, from.family) {
        (Some(key), _) if Some(key) == here.client => SameClient::Key,
        (_, Some(family)) if Some(family) == here.family => SameClient::Family,
        _ => SameClient::No,
    };
    let loose = is_loose(from.class) || is_loose(here.class);
    Move {
        from: *from,
        distance,
        hours,
        speed: KmPerHour(speed),
        impossible: logistic((speed - SPEED_MIDDLE) / SPEED_SOFTNESS),
        cell: TeleportCell {
            client,
            loose,
            abroad: false,
        },
    }
}

/// Networks whose place says little about the person's.
fn is_loose(class: NetworkClass) -> bool {
    match class {
        NetworkClass::Mobile | NetworkClass::Hosting | NetworkClass::Relay | NetworkClass::Corporate => true,
        NetworkClass::Unknown | NetworkClass::Fixed | NetworkClass::Private => false,
    }
}

/// Accuracy radius where no table gives one (SCORING 6): fixed 30 km, mobile 250 km, hosting and relays 1,000 km.
#[must_use]
pub fn default_radius(class: NetworkClass) -> Km {
    match class {
        NetworkClass::Mobile => Km(250.0),
        NetworkClass::Hosting | NetworkClass::Relay => Km(1_000.0),
        NetworkClass::Unknown | NetworkClass::Fixed | NetworkClass::Corporate | NetworkClass::Private => {
            Km(30.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{Coordinates, EventTime};

    fn at(lat: f64, lon: f64, hour: i64, radius: f64) -> Position {
        Position {
            at: Coordinates::new(lat, lon).unwrap(),
            radius: Km(radius),
            time: EventTime::from_millis(hour * 3_600_000).unwrap(),
            client: None,
            family: None,
            class: NetworkClass::Fixed,
        }
    }

    #[test]
    fn berlin_to_sao_paulo_in_an_hour_is_impossible_in_a_day_it_is_not() {
        let berlin = at(52.5, 13.4, 100, 20.0);
        assert!(between(&berlin, &at(-23.5, -46.6, 101, 20.0)).impossible > 0.99);
        assert!(between(&berlin, &at(-23.5, -46.6, 124, 20.0)).impossible < 0.05);
    }

    #[test]
    fn wide_radii_prove_nothing() {
        assert!(between(&at(48.0, 2.0, 0, 600.0), &at(52.0, 13.0, 0, 600.0)).impossible < 0.01);
    }

    #[test]
    fn a_late_event_meets_the_place_after_it() {
        let later = at(52.5, 13.4, 100, 20.0);
        assert!(between(&later, &at(-23.5, -46.6, 99, 20.0)).impossible > 0.99);
    }

    #[test]
    fn the_gulf_of_guinea_is_a_place() {
        let zero = at(0.0, 0.0, 0, 10.0);
        assert!(between(&zero, &at(52.5, 13.4, 1, 10.0)).distance.0 > 5_000.0);
    }
}
