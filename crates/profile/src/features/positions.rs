//! The last three distinct places of an account, for motion (SCORING 6). 3 × 48 bytes.
//!
//! Distinct: farther apart than both radii together. An event that arrives late is placed among them by its own time,
//! so that it can be compared with the place before it and the place after it.

use crate::keys::Keys;
use crate::room;
use habitus_model::geo::combined_radius;
use habitus_model::{Context, Coordinates, EventTime, Km, NetworkClass};
use serde::{Deserialize, Serialize};

/// Most positions kept.
pub const POSITIONS_MAX: usize = 3;

/// Where an account was, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Point.
    pub at: Coordinates,
    /// Accuracy radius.
    pub radius: Km,
    /// When it was last there.
    pub time: EventTime,
    /// Fingerprint of the client's key, if it showed one.
    pub client: Option<u64>,
    /// Fingerprint of the client's family.
    pub family: Option<u64>,
    /// Class of the network.
    pub class: NetworkClass,
}

/// The positions, latest last.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Positions {
    held: Vec<Position>,
}

impl Positions {
    /// The positions, in order of time.
    #[must_use]
    pub fn all(&self) -> &[Position] {
        &self.held
    }

    /// Learns a position: refreshes the one it is at, or takes the place of the oldest.
    pub fn learn(&mut self, position: Position) {
        match self.held.iter().position(|held| same_place(held, &position)) {
            Some(index) => {
                let held = self.held.remove(index);
                self.insert(if held.time > position.time { held } else { position });
            }
            None => {
                self.insert(position);
                if self.held.len() > POSITIONS_MAX {
                    self.held.remove(0);
                }
            }
        }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.held.capacity() * std::mem::size_of::<Position>()
    }

    fn insert(&mut self, position: Position) {
        let at = self.held.partition_point(|held| held.time <= position.time);
        room::for_one_more(&mut self.held);
        self.held.insert(at, position);
    }
}

fn same_place(a: &Position, b: &Position) -> bool {
    a.at.distance(b.at).0 <= combined_radius(a.radius, b.radius).0.max(20.0)
}

/// Position of an event, if its place can be compared with others.
#[must_use]
pub fn position(context: &Context, keys: &Keys) -> Option<Position> {
    let at = context.place.coordinates?;
    let class = context.network.class;
    let radius = context
        .place
        .radius
        .unwrap_or_else(|| super::motion::default_radius(class));
    Some(Position {
        at,
        radius,
        time: context.time,
        client: keys.client,
        family: keys.family,
        class,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(lat: f64, minutes: i64) -> Position {
        Position {
            at: Coordinates::new(lat, 0.0).unwrap(),
            radius: Km(10.0),
            time: EventTime::from_millis(minutes * 60_000).unwrap(),
            client: None,
            family: None,
            class: NetworkClass::Fixed,
        }
    }

    #[test]
    fn distinct_places_are_kept_in_order_of_time() {
        let mut positions = Positions::default();
        for (lat, minute) in [(0.0, 10), (10.0, 20), (10.01, 30), (20.0, 5), (30.0, 40)] {
            positions.learn(position(lat, minute));
        }
        let lats: Vec<f64> = positions.all().iter().map(|p| p.at.lat()).collect();
        assert_eq!(
            lats,
            [0.0, 10.01, 30.0],
            "the late one was the oldest and made room"
        );
    }
}
