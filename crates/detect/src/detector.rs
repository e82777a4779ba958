//! What a detector must do.

use habitus_model::{Context, DetectorId, Fact, Family, Opinion, Reason};
use habitus_profile::attempts::Bursts;
use habitus_profile::recall::Sighting;
use habitus_profile::{Population, Profile};

/// Everything a detector may look at. Nothing in it changes while it looks.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The event.
    pub context: &'a Context,
    /// The event held against the account's history.
    pub seen: &'a Sighting,
    /// The account's profile; absent for an account never seen.
    pub profile: Option<&'a Profile>,
    /// Its population.
    pub population: &'a Population,
    /// What the attempts of its source say, and those on its account; absent where nothing stands out.
    pub bursts: Option<&'a Bursts>,
    /// Whether somebody will read the reasons.
    pub words: Words,
}

/// Whether reasons are wanted. Nats never depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Reasons with their facts.
    Wanted,
    /// Reasons without facts: nobody will read them, and gathering facts costs more than weighing them.
    Spared,
}

/// One detector: one file in `detectors/`, one line in its list, fixtures in `fixtures/detectors/<id>/`.
pub trait Detector: Sync {
    /// The name that files, metrics, configuration and documentation use; snake case.
    fn id(&self) -> DetectorId;

    /// Family of its evidence.
    fn family(&self) -> Family;

    /// Looks at one event. Never fails: what it cannot tell, it abstains from, and says why.
    fn assess(&self, view: &View<'_>) -> Opinion;
}

impl View<'_> {
    /// Whether the account has a history to compare with.
    #[must_use]
    pub fn has_history(&self) -> bool {
        self.seen.visits > 0.0
    }

    /// A sentence with the facts that fill its holes, gathered only where somebody will read it.
    #[must_use]
    pub fn because(&self, template: &'static str, facts: impl FnOnce() -> Vec<Fact>) -> Reason {
        let facts = match self.words {
            Words::Wanted => facts(),
            Words::Spared => Vec::new(),
        };
        Reason::new(template, facts)
    }
}
