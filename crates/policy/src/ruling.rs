//! What follows from a policy for one event.

use crate::budgets::{Budgets, Spending};
use crate::cel::{Condition, Fault, Run, limits};
use crate::facts::{Facts, Signals};
use crate::network;
use crate::policy::{Policy, Rule, Safe, Step};
use habitus_model::hash::content_digest;
use habitus_model::{AccountId, Disposition, EventTime, Mode, Notice, Order, Status, Text};
use serde::{Deserialize, Serialize};

/// What a policy rules about one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    /// What is decided; in observe mode, what is recommended.
    pub disposition: Disposition,
    /// What decided: `rule NAME`, `safelist NAME`, `break-glass account`, or the threshold.
    pub because: Text,
    /// The mode in which it was ruled.
    pub mode: Mode,
    /// Version of the policy.
    pub policy: Text,
    /// Names of the rules that match, in the order of the file.
    pub rules: Vec<Text>,
    /// What is to be carried out.
    pub orders: Vec<Order>,
    /// What waits for a person's approval.
    pub held: Vec<Held>,
    /// What is not done, and why.
    pub suppressed: Vec<Suppressed>,
    /// Rules that could not be evaluated; they were skipped.
    pub errors: Vec<Failed>,
}

/// An order that waits for a person's approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The order, as it would be carried out.
    pub order: Order,
    /// Why it waits.
    pub why: Hold,
}

/// Why an order waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// The mode is `recommend`, in which people contain.
    Recommend,
    /// The rule asks for it.
    RequireApproval,
    /// More would be contained in ten minutes than the budget allows: the mass-action guard.
    ContainedShare,
    /// More would be done in an hour than the budget allows.
    ActionsPerHour,
}

/// An action that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The rule that asked for it.
    pub rule: Text,
    /// What was asked for.
    pub action: habitus_model::Action,
    /// By whom.
    pub responder: Text,
    /// Why it is not done.
    pub why: Suppression,
}

/// Why an action is not done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// The mode is `observe`: it would be done otherwise.
    Observe,
    /// An entry of the safelist holds.
    Safelist(Text),
    /// The account is a break-glass account.
    BreakGlass,
    /// What was tried failed: containment for failures acts on the source, never on the victim.
    FailedEvent,
    /// Nobody is named who could be contained.
    NoAccount,
    /// The account has had its actions of this hour.
    ActionsPerAccount,
    /// The hour's actions are used up.
    ActionsPerHour,
}

/// A rule or an entry of the safelist that could not be evaluated for an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Its name.
    pub rule: Text,
    /// Why; names no value.
    pub fault: Text,
}

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

/// Most sentences of a notice.
const REASONS_MAX: usize = 10;

impl Policy {
    /// Rules about an event, and spends budgets for what is ordered or held. `now` is the event's time, held within
    /// the clock's bounds by the caller; `known_accounts` are those of the event's tenant.
    ///
    /// An event below [`Policy::floor`] costs no evaluation.
    pub fn rule(
        &self,
        facts: &Facts<'_>,
        budgets: &mut Budgets,
        now: EventTime,
        known_accounts: u64,
    ) -> Ruling {
        let decided = self.decide(facts, now);
        let mut ruling = Ruling {
            disposition: decided.disposition,
            because: decided.because,
            mode: self.mode,
            policy: self.version.clone(),
            rules: decided.rules,
            orders: Vec::new(),
            held: Vec::new(),
            suppressed: decided.suppressed,
            errors: decided.errors,
        };
        if decided.wanted.is_empty() {
            return ruling;
        }
        if self.mode == Mode::Observe {
            let observed = decided
                .wanted
                .iter()
                .map(|wanted| not_done(wanted, Suppression::Observe));
            ruling.suppressed.extend(observed);
            return ruling;
        }
        let mut spending = budgets.at(facts.tenant, now, (self.limits, known_accounts));
        for wanted in &decided.wanted {
            self.spend(wanted, (facts, now), &mut spending, &mut ruling);
        }
        ruling
    }

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
        for rule in &self.rules {
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
                .map(|wanted| not_done(&wanted, why.clone()));
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
            let all = containing.iter().map(|wanted| not_done(wanted, why.clone()));
            decided.suppressed.extend(all);
        }
    }

    fn is_break_glass(&self, account: Option<&AccountId>) -> bool {
        account.is_some_and(|account| self.break_glass.iter().any(|entry| entry.account == *account))
    }

    /// Orders, holds or suppresses one action.
    fn spend(
        &self,
        wanted: &Wanted<'_>,
        (facts, now): (&Facts<'_>, EventTime),
        spending: &mut Spending<'_>,
        ruling: &mut Ruling,
    ) {
        let account = facts.context.account.as_ref();
        let contains = wanted.step.action.contains();
        if !spending.has_for(account) {
            ruling
                .suppressed
                .push(not_done(wanted, Suppression::ActionsPerAccount));
            return;
        }
        let hold = if !contains {
            None
        } else if self.mode == Mode::Recommend {
            Some(Hold::Recommend)
        } else if wanted.rule.require_approval {
            Some(Hold::RequireApproval)
        } else if account.is_some_and(|account| !spending.may_contain(account)) {
            Some(Hold::ContainedShare)
        } else if !spending.has_hour() {
            Some(Hold::ActionsPerHour)
        } else {
            None
        };
        let enough = match hold {
            Some(_) => spending.may_hold(),
            None => spending.has_hour(),
        };
        if !enough {
            ruling
                .suppressed
                .push(not_done(wanted, Suppression::ActionsPerHour));
            return;
        }
        let order = self.order(wanted, (facts, now), ruling.disposition);
        match hold {
            Some(why) => {
                spending.hold(account);
                ruling.held.push(Held { order, why });
            }
            None => {
                spending.spend(account, wanted.step.action);
                ruling.orders.push(order);
            }
        }
    }

    fn order(
        &self,
        Wanted { rule, step }: &Wanted<'_>,
        (facts, now): (&Facts<'_>, EventTime),
        disposition: Disposition,
    ) -> Order {
        let reasons = reasons(facts.signals);
        let level = crate::variables::level(facts.level);
        let title = match reasons.first() {
            Some(reason) => format!("{level} risk: {reason}"),
            None => format!("{level} risk by rule {}", rule.name),
        };
        Order {
            id: order_id(facts, rule, step),
            responder: step.responder.clone(),
            action: step.action,
            made: now,
            expires: now.plus(step.expires_after),
            notice: Notice {
                finding: facts.finding.map(Text::new),
                event: facts.uid.clone(),
                tenant: facts.tenant.clone(),
                account: facts.context.account.clone(),
                time: facts.context.time,
                score: facts.score,
                level: facts.level,
                disposition,
                title,
                reasons,
                rule: rule.name.clone(),
                policy: self.version.clone(),
            },
        }
    }
}

/// The same decision gives the same id. Each part is preceded by its length, so that no two decisions share a text.
fn order_id(facts: &Facts<'_>, rule: &Rule, step: &Step) -> Text {
    let parts = [
        facts.tenant.as_str(),
        facts.uid.as_str(),
        rule.name.as_str(),
        step.action.name(),
        step.responder.as_str(),
    ];
    let text: String = parts
        .iter()
        .map(|part| format!("{}:{part}", part.len()))
        .collect();
    Text::from(content_digest(text.as_bytes()))
}

fn not_done(wanted: &Wanted<'_>, why: Suppression) -> Suppressed {
    Suppressed {
        rule: wanted.rule.name.clone(),
        action: wanted.step.action,
        responder: wanted.step.responder.clone(),
        why,
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

/// What speaks against the owner, strongest first.
fn reasons(signals: Signals<'_>) -> Vec<String> {
    match signals {
        Signals::Explained(lines) => {
            let mut against: Vec<_> = lines
                .iter()
                .filter(|line| line.family.is_some() && line.nats.0 > 0.0)
                .collect();
            against.sort_by(|a, b| b.nats.0.total_cmp(&a.nats.0));
            let strongest = against.into_iter().take(REASONS_MAX);
            strongest.map(|line| line.reason.to_string()).collect()
        }
        Signals::Named(signals, _) => {
            let against = signals.iter().filter(|(_, nats)| *nats > 0.0).take(REASONS_MAX);
            against.map(|(name, _)| name.to_string()).collect()
        }
    }
}
