//! What can be measured.

use habitus_model::evidence::Family;
use habitus_model::{Context, Event};

/// One login as scorers see it: without its label.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// What the log says.
    pub event: &'a Event,
    /// The same, enriched.
    pub context: &'a Context,
}

/// What a scorer that explains itself says of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// The calibrated score, 0 to 100.
    pub score: f64,
    /// The family of the reason that an event is called after; absent if nothing speaks for an attack.
    pub lead: Option<Family>,
}

/// Something that ranks logins by how much they look like a takeover.
pub trait Scorer {
    /// Its name in reports.
    fn name(&self) -> &str;

    /// The risk of a login given what was learned so far; higher is riskier, the scale is the scorer's own. Learns
    /// nothing. Not a number counts against the scorer: highest for an owner, lowest for an attacker.
    fn score(&mut self, login: Login<'_>) -> f64;

    /// Takes a login into the history. Failed ones are passed too: whether they teach is the scorer's choice.
    fn learn(&mut self, login: Login<'_>);

    /// What it says of the event that it scored or observed last; nothing if it does not explain itself.
    fn said(&self) -> Option<Said> {
        None
    }

    /// Scores a login, then learns it: for scorers whose one step does both.
    fn observe(&mut self, login: Login<'_>) -> f64 {
        let score = self.score(login);
        self.learn(login);
        score
    }
}
