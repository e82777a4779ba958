//! What the accounts of one tenant show of sessions, prompts, resources and machines.

use crate::aftermath_habits::AftermathHabits;
use crate::edge_habits::EdgeHabits;
use crate::features::machine::MachineHabits;
use crate::observation::Observation;
use crate::prompt_habits::PromptHabits;
use crate::recovery::{RecoveryCell, RecoveryHabits};
use crate::sequence_habits::SequenceHabits;
use crate::session_habits::SessionHabits;
use crate::stranger_habits::StrangerHabits;
use crate::told::Told;
use crate::volume_habits::VolumeHabits;
use habitus_model::Grant;
use serde::{Deserialize, Serialize};

/// Weight of [`GRANT_PRIOR`], visits.
const GRANT_WEIGHT: f64 = 500.0;
/// Probability that a visit brings a way in that is new to its account. Assumed.
const GRANT_PRIOR: f64 = 0.002;

/// The tables.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Habits {
    sessions: SessionHabits,
    prompts: PromptHabits,
    edges: EdgeHabits,
    sequences: SequenceHabits,
    machines: MachineHabits,
    recovery: RecoveryHabits,
    aftermath: AftermathHabits,
    strangers: StrangerHabits,
    volumes: VolumeHabits,
    grants: [f64; Grant::COUNT],
    visits: f64,
}

impl Habits {
    /// Of sessions.
    #[must_use]
    pub fn sessions(&self) -> &SessionHabits {
        &self.sessions
    }

    /// Of prompts for second factors.
    #[must_use]
    pub fn prompts(&self) -> &PromptHabits {
        &self.prompts
    }

    /// Of applications, actions and resources.
    #[must_use]
    pub fn edges(&self) -> &EdgeHabits {
        &self.edges
    }

    /// Of what is done after what.
    #[must_use]
    pub fn sequences(&self) -> &SequenceHabits {
        &self.sequences
    }

    /// Of machines.
    #[must_use]
    pub fn machines(&self) -> &MachineHabits {
        &self.machines
    }

    /// Of visits after a change of factor or password.
    #[must_use]
    pub fn recovery(&self) -> &RecoveryHabits {
        &self.recovery
    }

    /// Of what follows an entrance that stood out.
    #[must_use]
    pub fn aftermath(&self) -> &AftermathHabits {
        &self.aftermath
    }

    /// Of networks that nothing vouches for.
    #[must_use]
    pub fn strangers(&self) -> &StrangerHabits {
        &self.strangers
    }

    /// Of how much is done within an hour and a day.
    #[must_use]
    pub fn volumes(&self) -> &VolumeHabits {
        &self.volumes
    }

    /// Probability that a visit brings this way in for the first time of its account, in `(0, 1)`.
    #[must_use]
    pub fn grant(&self, grant: Grant) -> f64 {
        let new = self.grants.get(grant.index()).copied().unwrap_or(0.0);
        (new + GRANT_WEIGHT * GRANT_PRIOR) / (self.visits + GRANT_WEIGHT)
    }

    /// Counts a visit.
    pub fn visited(&mut self, seen: &Observation) {
        self.visits += 1.0;
        if let Some(cell) = seen.stranger {
            self.strangers.learn(cell);
        }
        if let Some((network, new_client)) = seen.joint {
            self.recovery.visited(RecoveryCell::of(Some(network), new_client));
        }
    }

    /// Takes in what one event told.
    pub fn learn(&mut self, told: &Told) {
        if let Some(trial) = &told.session {
            self.sessions.learn(trial);
        }
        if let Some(bout) = told.bout {
            self.prompts.learn(bout);
        }
        for trial in told.edges.iter().flatten() {
            self.edges.learn(trial);
        }
        if let Some(step) = &told.step {
            self.sequences.learn(step);
        }
        if let Some(new) = &told.machine {
            self.machines.learn(new);
        }
        if let Some((cell, deed)) = told.recovery {
            self.recovery.changed(cell, deed);
        }
        if let Some(followed) = told.followed {
            self.aftermath.learn(followed);
        }
        for window in &told.volumes {
            self.volumes.learn(window);
        }
        if let Some(count) = told.grant.and_then(|grant| self.grants.get_mut(grant.index())) {
            *count += 1.0;
        }
    }

    /// Forgets: all by one factor, type counts by a slower one.
    pub fn scale(&mut self, fast: f64, slow: f64) {
        self.sessions.scale(fast);
        self.prompts.scale(fast);
        self.edges.scale(fast, slow);
        self.sequences.scale(fast);
        self.machines.scale(fast);
        self.recovery.scale(fast);
        self.aftermath.scale(fast);
        self.strangers.scale(fast);
        self.volumes.scale(fast);
        self.visits *= fast;
        for count in &mut self.grants {
            *count *= fast;
        }
    }
}
