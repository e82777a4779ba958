//! From what is decided to orders: modes, approvals and budgets.

use crate::budgets::{Budgets, Spending};
use crate::decide::Wanted;
use crate::facts::{Facts, Signals};
use crate::policy::{Policy, Rule, Step};
use crate::ruling::{Held, Hold, Ruling, Suppression};
use habitus_model::hash::content_digest;
use habitus_model::{Disposition, EventTime, Mode, Notice, Order, Text};

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
                .map(|wanted| wanted.not_done(Suppression::Observe));
            ruling.suppressed.extend(observed);
            return ruling;
        }
        let mut spending = budgets.at(facts.tenant, now, (self.limits, known_accounts));
        for wanted in &decided.wanted {
            self.spend(wanted, (facts, now), &mut spending, &mut ruling);
        }
        ruling
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
                .push(wanted.not_done(Suppression::ActionsPerAccount));
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
                .push(wanted.not_done(Suppression::ActionsPerHour));
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
