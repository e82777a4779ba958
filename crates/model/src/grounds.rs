//! What an assessment rests on, in short: enough to weigh the same again with other weights.

use crate::evidence::Family;
use serde::{Deserialize, Serialize};

/// The evidence of one event by family, before weights and limits. About 24 bytes for each family that spoke.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Grounds {
    /// What each family that spoke says, nats by attacker profile (in the order of `AttackerProfile::ALL`), in the order of
    /// [`Family::ALL`].
    pub families: Vec<(Family, [f32; 5])>,
    /// What its total is compared with.
    pub stratum: Stratum,
}

/// What an event's total is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Stratum {
    /// What is done within a visit: many events, hardly independent.
    #[default]
    Within,
    /// Logins and beginnings of visits.
    Visit,
    /// Sessions that go on elsewhere than they were used: who roams does so all day, and hardly anybody with all that is new.
    Moved,
}
