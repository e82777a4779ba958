//! What follows from the rules for one event, before modes and budgets.

use crate::cel::{Condition, Fault, Run, limits};
use crate::facts::Facts;
use crate::network;
use crate::policy::{Policy, Rule, Safe, Step};
use crate::ruling::{Failed, Suppressed, Suppression};
use habitus_model::{AccountId, Disposition, EventTime, Status, Text};

/// What is decided before modes and budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<'p> {
    /// What is decided.
    pub disposition: Disposition,
    /// What decided.
    pub because: Text,
    /// Names of the rules that match, in the order of the file.
    pub rules: Vec<Text>,
    /// Actions that may be done.
    pub wanted: Vec<Wanted<'p>>,
    /// Actions that must not be done, and why.
    pub suppressed: Vec<Suppressed>,
    /// Rules that failed.
    pub errors: Vec<Failed>,
}

/// An action that a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted<'p> {
    /// The rule.
    pub rule: &'p Rule,
    /// The action.
    pub step: &'p Step,
}

impl Policy {
    /// What follows from the rules for an event, without modes and budgets: for the inline answer and for tests.
    #[must_use]
    pub fn decide<'p>(&'p self, facts: &Facts<'_>, now: EventTime) -> Decided<'p> {
        let mut decided = Decided {
            disposition: facts.recommended,
            because: Text::new(facts.because),
            rules: Vec::new(),
            wanted: Vec::new(),
            suppressed: Vec::new(),
            errors: Vec::new(),
        };
        let mut steps = limits::STEPS_PER_EVENT_MAX;
        let mut is_decided = false;
        // Nearly every event lies below what any rule asks for.
        let may_match = facts.score.get() >= self.floor;
        for rule in self.rules.iter().filter(|_| may_match) {
            if !matches(&rule.when, facts, &rule.name, (&mut steps, &mut decided.errors)) {
                continue;
            }
            decided.rules.push(rule.name.clone());
            // Below the rule that decides, rules may tell and nothing else.
            let may_contain = !is_decided;
            let actions = rule
                .actions
                .iter()
                .filter(|step| may_contain || !step.action.contains());
            decided.wanted.extend(actions.map(|step| Wanted { rule, step }));
            if let (false, Some(disposition)) = (is_decided, rule.disposition) {
                decided.disposition = disposition;
                decided.because = Text::from(format!("rule {}", rule.name));
                is_decided = true;
            }
        }
        self.protect(facts, now, &mut decided, &mut steps);
        decided
    }

    /// Takes out what must not be done, whatever rules and thresholds say.
    fn protect(&self, facts: &Facts<'_>, now: EventTime, decided: &mut Decided<'_>, steps: &mut u32) {
        if decided.wanted.is_empty() && decided.disposition == Disposition::Allow {
            return;
        }
        let safe = self
            .safelist
            .iter()
            .find(|entry| holds(entry, facts, now, (steps, &mut decided.errors)));
        if let Some(entry) = safe {
            let why = Suppression::Safelist(entry.name.clone());
            let all = decided
                .wanted
                .drain(..)
                .map(|wanted| wanted.not_done(why.clone()));
            decided.suppressed.extend(all);
            if decided.disposition != Disposition::Allow {
                decided.disposition = Disposition::Allow;
                decided.because = Text::from(format!("safelist {}", entry.name));
            }
            return;
        }
        // INVARIANT: nobody is locked out by what an attacker can cause cheaply, nor whoever must always get in.
        let protection = if self.is_break_glass(facts.context.account.as_ref()) {
            Some((Suppression::BreakGlass, "break-glass account"))
        } else if facts.context.status == Status::Failure {
            Some((Suppression::FailedEvent, "it failed by itself"))
        } else {
            None
        };
        if let Some((_, because)) = &protection
            && !matches!(decided.disposition, Disposition::Allow | Disposition::Review)
        {
            decided.disposition = Disposition::Review;
            decided.because = Text::new(*because);
        }
        let nobody = facts.context.account.is_none().then_some(Suppression::NoAccount);
        if let Some(why) = protection.map(|(why, _)| why).or(nobody) {
            let (containing, telling) = decided
                .wanted
                .drain(..)
                .partition(|wanted| wanted.step.action.contains());
            decided.wanted = telling;
            let containing: Vec<Wanted<'_>> = containing;
            let all = containing.iter().map(|wanted| wanted.not_done(why.clone()));
            decided.suppressed.extend(all);
        }
    }

    fn is_break_glass(&self, account: Option<&AccountId>) -> bool {
        account.is_some_and(|account| self.break_glass.iter().any(|entry| entry.account == *account))
    }
}

impl Wanted<'_> {
    /// The record of an action that is not done.
    pub(crate) fn not_done(&self, why: Suppression) -> Suppressed {
        Suppressed {
            rule: self.rule.name.clone(),
            action: self.step.action,
            responder: self.step.responder.clone(),
            why,
        }
    }
}

/// Whether a condition holds. One that fails does not, and is reported.
fn matches(
    when: &Condition,
    facts: &Facts<'_>,
    name: &Text,
    (steps, errors): (&mut u32, &mut Vec<Failed>),
) -> bool {
    // Below its floor a condition is false, so it need not be asked.
    if facts.score.get() < when.floor() {
        return false;
    }
    let mut run = Run::new(facts, *steps);
    let allowed = run.steps_left();
    let outcome = run.holds(when.code());
    *steps -= (allowed - run.steps_left()).min(*steps);
    outcome.unwrap_or_else(|fault: Fault| {
        errors.push(Failed {
            rule: name.clone(),
            fault: Text::from(fault.to_string()),
        });
        false
    })
}

/// Whether an entry of the safelist holds: all that it gives, and not after its last day.
fn holds(entry: &Safe, facts: &Facts<'_>, now: EventTime, budget: (&mut u32, &mut Vec<Failed>)) -> bool {
    if now >= entry.expires {
        return false;
    }
    let account = facts.context.account.as_ref();
    let by_account = entry.accounts.is_empty()
        || account.is_some_and(|account| entry.accounts.binary_search(account).is_ok());
    let ip = facts.context.network.ip;
    let in_networks = |ip| entry.networks.iter().any(|known| network::holds(known, ip));
    let by_network = entry.networks.is_empty() || ip.is_some_and(in_networks);
    let by_condition = |when: &Condition| matches(when, facts, &entry.name, budget);
    by_account && by_network && entry.when.as_ref().is_none_or(by_condition)
}
