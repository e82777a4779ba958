//! Push fatigue: the attacker has the password and sends prompts until the victim gives in (Uber 2022).

use super::stage::Stage;
use crate::act::Outcome;
use crate::deed::{Answer, Deed};
use crate::people::{Factor, Person};
use crate::rng::Rng;
use habitus_model::math;

/// Probability that the victim approves one in the end (assumed; about 1 % approve the first at once).
const GIVES_IN: f64 = 0.3;
/// Probability that an unwanted prompt is denied and not just left alone (assumed).
const DENIED: f64 = 0.5;

pub(super) fn play(rng: &mut Rng, stage: &mut Stage<'_>) -> Option<()> {
    let start = stage.moment(rng, 2 * 3_600_000);
    let pushed = |person: &&Person| person.factor == Some(Factor::Push);
    let victim = (0..100).find_map(|_| stage.victim(rng, start).filter(pushed))?;
    let near = Stage::nearness(rng);
    let gear = stage.gear(rng, (victim, start), near)?;
    let prompts = 5 + rng.below(16);
    let gap = rng.log_normal(100_000.0, 0.7);
    // One attempt at logging in after another: the session to be stays the same until one succeeds.
    let session = rng.bits();
    let mut ms = start;
    for _ in 0..prompts {
        let answer = if rng.chance(DENIED) {
            Answer::Denied
        } else {
            Answer::Ignored
        };
        let prompt = stage.act(rng, (victim.ix, ms), &gear, Deed::Prompt(answer))?;
        (prompt.factor, prompt.session) = (Some(Factor::Push), Some(session));
        prompt.outcome = Outcome::NoFactor;
        ms += 15_000 + math::to_i64(rng.exponential(gap));
    }
    if rng.chance(GIVES_IN) {
        let prompt = stage.act(rng, (victim.ix, ms), &gear, Deed::Prompt(Answer::Approved))?;
        (prompt.factor, prompt.session) = (Some(Factor::Push), Some(session));
        let login = stage.act(rng, (victim.ix, ms + 3_000), &gear, Deed::Login)?;
        (login.factor, login.session) = (Some(Factor::Push), Some(session));
        stage.look_around(rng, (victim.ix, ms + 5_000), &gear, (session, 6))?;
    }
    Some(())
}
