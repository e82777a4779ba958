//! A seeded world of accounts and attackers.
//!
//! [`generate`] draws a tenant, its people with their devices, networks, trips and habits, and the takeovers of
//! their accounts. The same [`WorldConfig`] gives the same world, byte for byte, on every machine; every figure
//! that is not fixed by the configuration is drawn per seed from a range that names its source
//! ([`Parameters`]). Takeovers are *probes*: they are to be scored against the state at their time and never
//! learned, so that many can be tried on one history.
//!
//! A world of [`Scope::Activity`] also has what goes on beyond logins (sessions, prompts, requests, directory actions,
//! machines), upheavals that look like attacks and are none, and attacks of several events that stand in the log
//! ([`ScenarioKind`]); [`World::stream`] gives it all in order of time.
//!
//! Legitimate and attacking logins come out of the same machinery: the same devices write the user agents, the
//! same providers hand out the addresses, the same clocks give the time of day. What tells them apart is only whose
//! they are.

mod act;
mod activity_parameters;
mod agents;
mod atlas;
mod attack;
mod bulk;
mod catalogue;
mod client;
mod clock;
mod config;
mod deed;
mod diary;
pub mod formats;
mod graft;
mod label;
mod life;
mod machines;
mod names;
mod network;
mod noise;
mod parameters;
mod people;
mod providers;
mod releases;
mod rng;
mod scenarios;
mod session;
mod spot;
mod tenant;
mod trips;
mod upheaval;
mod wardrobe;
mod whereabouts;
mod world;

pub use activity_parameters::ActivityParameters;
pub use config::{DEVELOPMENT_SEEDS, REPORTING_SEEDS, Regime, Scope, WorldConfig};
pub use graft::{GRAFTED, Graft, graft};
pub use label::{AttackKind, Cohort, Label, Labelled, Planted};
pub use parameters::{AttackParameters, DeviceParameters, NetworkParameters, Parameters, PeopleParameters};
pub use scenarios::ScenarioKind;
pub use world::{World, generate};
