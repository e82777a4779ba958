//! What is remembered of an account, and of the population it belongs to.
//!
//! Bounded memory per account, lazy forgetting, and no verdicts: this crate says what is known, `detect` says what it
//! means. Unknown is never 0: a feature that has seen too little answers [`Reading::Cold`].

pub mod account;
pub mod adjudication;
pub mod aftermath_habits;
pub mod attempts;
pub mod belief;
pub mod bucket;
pub mod campaigns;
pub mod circles;
mod class_mix;
pub mod conduct;
pub mod edge_habits;
pub mod features;
pub mod footprint;
pub mod habits;
pub mod hazard;
pub mod joint;
pub mod journey;
pub mod keys;
pub mod known;
pub mod memory;
pub mod notices;
pub mod observation;
pub mod popularity;
pub mod population;
pub mod prompt_habits;
pub mod recall;
pub mod recovery;
pub mod reputation;
pub mod retentions;
mod room;
pub mod second_factor;
pub mod sequence_habits;
pub mod session_habits;
pub mod stranger_habits;
pub mod teleport;
pub mod told;
pub mod version;
pub mod version_mix;
pub mod visit;
pub mod volume_habits;
mod vouch;
mod warm;

pub use account::Profile;
pub use adjudication::Adjudication;
pub use keys::Keys;
pub use observation::Observation;
pub use population::Population;
pub use recall::Recall;

/// What a feature knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading<T> {
    /// Too little history: how much was seen, and how much is needed.
    Cold {
        /// Observations so far.
        seen: f64,
        /// Observations needed.
        needed: f64,
    },
    /// A value with enough behind it.
    Known(T),
}
