//! The nouns of habitus: ids, units, time, events, contexts, evidence and assessments.
//!
//! Everything may use this crate; it uses no other crate of the workspace. It does no I/O, reads no clock and
//! draws no randomness.

pub mod account;
pub mod activity;
pub mod assessment;
pub mod conduct;
pub mod context;
pub mod event;
pub mod evidence;
pub mod geo;
pub mod grounds;
pub mod hash;
pub mod id;
pub mod lead;
pub mod math;
pub mod network;
mod ocsf_enum;
pub mod order;
pub mod packed;
pub mod rejection;
pub mod sentence;
pub mod shelves;
pub mod time;
pub mod units;
pub mod verdict;

pub use account::{AccountKind, User};
pub use activity::Activity;
pub use assessment::{Assessment, Blind, Contribution, Decision, Disposition};
pub use conduct::{Conduct, Deed, Grant, Named, Prompt, PromptKind, PromptOutcome};
pub use context::{Client, Context, DeviceType};
pub use event::{AuthFacts, ClientFacts, Endpoint, Event, FailureReason, Resource, Status, TimeQuality};
pub use evidence::{AttackerProfile, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal};
pub use geo::{Coordinates, CountryCode, Place};
pub use grounds::{Grounds, Stratum};
pub use id::{AccountId, EventUid, SourceName, TenantId};
pub use network::{Asn, Network, NetworkClass, Prefix};
pub use order::{Action, Mode, Notice, Order};
pub use rejection::{Rejection, RejectionKind};
pub use shelves::Shelves;
pub use time::{Decayed, EventTime, IngestTime, Millis, Minutes, UtcOffset};
pub use units::{Confidence, Km, KmPerHour, Nats, Probability, RiskLevel, RiskScore};
pub use verdict::Verdict;

/// A short owned string: inline up to 24 bytes, so that most names of an event cost no allocation.
pub type Text = compact_str::CompactString;
