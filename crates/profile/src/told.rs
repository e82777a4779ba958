//! What one event tells the population beyond its visit: sessions, prompts, edges, machines.

use crate::aftermath_habits::Followed;
use crate::edge_habits::EdgeTrial;
use crate::features::edges::EdgeLevel;
use crate::features::machine::Keeps;
use crate::prompt_habits::BoutEnded;
use crate::recovery::RecoveryCell;
use crate::sequence_habits::StepTold;
use crate::session_habits::SessionTrial;
use crate::volume_habits::VolumeTold;
use habitus_model::{Deed, Grant};
use serde::{Deserialize, Serialize};

/// What an event tells; absent fields tell nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Told {
    /// Of its session.
    pub session: Option<SessionTrial>,
    /// Of the bout of prompts it ended.
    pub bout: Option<BoutEnded>,
    /// Of what it used.
    pub edges: [Option<EdgeTrial>; EdgeLevel::COUNT],
    /// Of what it did after what.
    pub step: Option<StepTold>,
    /// A way in that is new to its account.
    pub grant: Option<Grant>,
    /// Of a machine's visit: what was new.
    pub machine: Option<[Option<bool>; Keeps::COUNT]>,
    /// A visit after a change of factor or password: where it is counted, and the change.
    pub recovery: Option<(RecoveryCell, Deed)>,
    /// What attackers come for, done by somebody who was let in.
    pub followed: Option<Followed>,
    /// Windows of volumes that ended.
    pub volumes: Vec<VolumeTold>,
}

impl Told {
    /// Whether it tells nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
