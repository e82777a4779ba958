//! How much of each sort of value an account remembers, and for how long.

use crate::known::Retention;

/// Countries: half-life and floor per SCORING 2.
pub const COUNTRIES: Retention = Retention {
    capacity: 4,
    half_life_days: 120.0,
    floor_recent: 2,
};
/// Autonomous systems.
pub const ASNS: Retention = Retention {
    capacity: 6,
    half_life_days: 120.0,
    floor_recent: 3,
};
/// Prefixes.
pub const PREFIXES: Retention = Retention {
    capacity: 8,
    half_life_days: 120.0,
    floor_recent: 2,
};
/// Addresses.
pub const HOSTS: Retention = Retention {
    capacity: 12,
    half_life_days: 45.0,
    floor_recent: 2,
};
/// Families of clients.
pub const FAMILIES: Retention = Retention {
    capacity: 6,
    half_life_days: 180.0,
    floor_recent: 4,
};
/// Bound clients.
pub const CLIENTS: Retention = Retention {
    capacity: 6,
    half_life_days: 180.0,
    floor_recent: 4,
};
