//! What can be measured.

use habitus_model::{Context, Event};

/// One login as scorers see it: without its label.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// What the log says.
    pub event: &'a Event,
    /// The same, enriched.
    pub context: &'a Context,
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

    /// Scores a login, then learns it: for scorers whose one step does both.
    fn observe(&mut self, login: Login<'_>) -> f64 {
        let score = self.score(login);
        self.learn(login);
        score
    }
}
