//! What an assessment rests on, in short: enough to weigh the same again with other weights.

use crate::evidence::Family;
use serde::{Deserialize, Serialize};

/// The evidence of one event by family, before weights and limits. About 24 bytes for each family that spoke.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Grounds {
    /// What each family that spoke says, nats by attacker profile (in the order of `AttackerProfile::ALL`), in the order of
    /// [`Family::ALL`].
    pub families: Vec<(Family, [f32; 5])>,
    /// Whether its total stands among those of logins and beginnings of visits, rather than of what is done within them.
    pub is_visit: bool,
}
