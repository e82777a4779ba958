//! A seeded world of accounts and attackers.
//!
//! [`generate`] draws a tenant, its people with their devices, networks, trips and habits, and the takeovers of
//! their accounts. The same [`WorldConfig`] gives the same world, byte for byte, on every machine; every figure
//! that is not fixed by the configuration is drawn per seed from a range that names its source
//! ([`Parameters`]). Takeovers are *probes*: they are to be scored against the state at their time and never
//! learned, so that many can be tried on one history.
//!
//! Legitimate and attacking logins come out of the same machinery: the same devices write the user agents, the
//! same providers hand out the addresses, the same clocks give the time of day. What tells them apart is only whose
//! they are.

mod agents;
mod atlas;
mod attack;
mod client;
mod clock;
mod config;
mod label;
mod life;
mod login;
mod names;
mod network;
mod parameters;
mod people;
mod providers;
mod releases;
mod rng;
mod spot;
mod tenant;
mod trips;
mod wardrobe;
mod whereabouts;
mod world;

pub use config::{DEVELOPMENT_SEEDS, REPORTING_SEEDS, Regime, WorldConfig};
pub use label::{AttackKind, Cohort, Label, Labelled};
pub use parameters::{AttackParameters, DeviceParameters, NetworkParameters, Parameters, PeopleParameters};
pub use world::{World, generate};
