//! What holds for every policy and every event.

use crate::events::{Happening, at, happening};
use habitus_model::{Action, Disposition, Mode, Status};
use habitus_policy::{Budgets, Policy, Ruling, Suppression};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;

const CONDITIONS: [&str; 8] = [
    "true",
    "score >= 40",
    "score >= 60 && status == \"success\"",
    "level in [\"high\", \"critical\"]",
    "network.blocked",
    "network.country == \"RU\" || \"new_country\" in signals",
    "account.id != null && account.id.startsWith(\"svc\")",
    "1 / (time.hour - 3) > 0",
];

/// Any policy that parses, with a break-glass account.
fn policy() -> impl Strategy<Value = String> {
    let action = prop::sample::select(vec!["notify", "challenge", "block", "revoke"]);
    let disposition = prop::option::of(prop::sample::select(vec![
        "allow",
        "challenge",
        "review",
        "deny",
        "revoke",
    ]));
    let rule = (
        0..CONDITIONS.len(),
        disposition,
        prop::collection::btree_set(action, 1..4),
        any::<bool>(),
    );
    let mode = prop::sample::select(vec!["observe", "recommend", "enforce", "enforce"]);
    let budgets = (0_u32..12, 0_u32..5, prop::sample::select(vec![0.0, 0.01, 0.5]));
    (mode, prop::collection::vec(rule, 0..6), budgets, any::<bool>()).prop_map(
        |(mode, rules, (hour, account, share), safe)| {
            let mut text = format!("mode = \"{mode}\"\n");
            for (at, (when, disposition, actions, approval)) in rules.into_iter().enumerate() {
                let _ = writeln!(
                    text,
                    "[[rule]]\nname = \"r{at}\"\nwhen = '''{}'''",
                    CONDITIONS[when]
                );
                if let Some(disposition) = disposition {
                    let _ = writeln!(text, "disposition = \"{disposition}\"");
                }
                let actions: Vec<String> = actions
                    .into_iter()
                    .map(|action| format!("{{ action = \"{action}\", responder = \"soc\" }}"))
                    .collect();
                let _ = writeln!(
                    text,
                    "actions = [{}]\nrequire_approval = {approval}",
                    actions.join(", ")
                );
            }
            if safe {
                text.push_str(
                    "[[safelist]]\nname = \"s\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2030-01-01\n",
                );
                text.push_str("accounts = [\"bob@example.com\"]\nnetworks = [\"10.0.0.0/8\"]\n");
            }
            text.push_str(
                "[[break_glass]]\naccount = \"Emergency@Example.com\"\nowner = \"o\"\nreason = \"r\"\n",
            );
            let _ = writeln!(
                text,
                "[budgets]\nactions_per_hour = {hour}\nactions_per_account_per_hour = {account}\n\
                 contained_share_per_10_minutes = {share:.2}"
            );
            text
        },
    )
}

/// Two rules may contradict each other by chance; such a policy is refused, and another is drawn.
fn parsed() -> impl Strategy<Value = Policy> {
    policy().prop_filter_map("the rules contradict each other", |text| {
        match Policy::parse(&text) {
            Ok(policy) => Some(policy),
            Err(problems) => {
                assert!(
                    problems.iter().any(|problem| problem.label == "a conflict"),
                    "{problems:?}\n{text}"
                );
                None
            }
        }
    })
}

/// An event some seconds after the one before, now and then late.
fn course() -> impl Strategy<Value = Vec<(Happening, i64)>> {
    let seconds = prop_oneof![8 => 0_i64..400, 1 => -2_000_i64..0, 1 => 1_000_i64..5_000];
    prop::collection::vec((happening(), seconds), 1..60)
}

struct Done {
    at: i64,
    account: Option<String>,
    contains: bool,
    held: bool,
}

fn note(done: &mut Vec<Done>, happening: &Happening, at: i64, ruling: &Ruling) {
    let account = happening.context.account.as_ref().map(ToString::to_string);
    let orders = ruling.orders.iter().map(|order| (order, false));
    let held = ruling.held.iter().map(|held| (&held.order, true));
    done.extend(orders.chain(held).map(|(order, held)| Done {
        at,
        account: account.clone(),
        contains: order.action.contains(),
        held,
    }));
}

/// Counts again, in the plainest way, what happened in the windows that end here.
fn within_budget(policy: &Policy, done: &[Done], accounts: u64) {
    let limits = policy.limits();
    let now = done.last().map_or(0, |done| done.at);
    let hour: Vec<&Done> = done.iter().filter(|done| done.at > now - 3_600_000).collect();
    let issued = hour.iter().filter(|done| !done.held).count();
    assert!(
        issued <= limits.actions_per_hour as usize,
        "{issued} orders in an hour"
    );
    assert!(hour.len() - issued <= limits.actions_per_hour as usize);
    let names: BTreeSet<&String> = hour.iter().filter_map(|done| done.account.as_ref()).collect();
    for name in names {
        let count = hour
            .iter()
            .filter(|done| done.account.as_ref() == Some(name))
            .count();
        assert!(
            count <= limits.actions_per_account_per_hour as usize,
            "{count} actions about one account"
        );
    }
    let contained = hour
        .iter()
        .filter(|done| done.contains && !done.held && done.at > now - 600_000);
    let contained: BTreeSet<&Option<String>> = contained.map(|done| &done.account).collect();
    let most = ((accounts as f64 * limits.contained_share).floor() as usize).max(1);
    assert!(
        contained.len() <= most,
        "{} accounts contained in ten minutes",
        contained.len()
    );
}

/// Whether budgets were asked: only then do their windows move.
fn spends(ruling: &Ruling) -> bool {
    let refused =
        |why: &Suppression| matches!(why, Suppression::ActionsPerAccount | Suppression::ActionsPerHour);
    let refused = ruling.suppressed.iter().any(|one| refused(&one.why));
    refused || !ruling.orders.is_empty() || !ruling.held.is_empty()
}

fn protected(happening: &Happening, ruling: &Ruling) {
    let orders = ruling
        .orders
        .iter()
        .chain(ruling.held.iter().map(|held| &held.order));
    let contains = orders.clone().any(|order| order.action.contains());
    let refuses = !matches!(ruling.disposition, Disposition::Allow | Disposition::Review);
    let account = happening.context.account.as_ref().map(|id| id.as_str());
    if account == Some("emergency@example.com") {
        assert!(
            !contains && !refuses,
            "a break-glass account is contained: {ruling:?}"
        );
    }
    if happening.context.status == Status::Failure {
        assert!(!contains && !refuses, "a failure contains its victim: {ruling:?}");
    }
    if account.is_none() {
        assert!(!contains, "nobody is contained: {ruling:?}");
    }
    if ruling.mode == Mode::Observe {
        assert!(
            ruling.orders.is_empty() && ruling.held.is_empty(),
            "observe acts: {ruling:?}"
        );
    }
    if ruling.mode == Mode::Recommend {
        assert!(
            ruling.orders.iter().all(|order| order.action == Action::Notify),
            "recommend contains: {ruling:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn budgets_hold_and_the_protected_are_never_contained(
        policy in parsed(), course in course(), accounts in 0_u64..1_000
    ) {
        let (mut budgets, mut now, mut latest) = (Budgets::default(), 1_767_000_000_000_i64, 0);
        let mut done = Vec::new();
        for (happening, seconds) in &course {
            now += seconds * 1_000;
            let lists = happening.lists();
            let facts = happening.facts(&lists);
            // Equal state and input give equal rulings and equal state, also after it was written and read.
            let bytes = postcard::to_stdvec(&budgets).unwrap();
            let mut again: Budgets = postcard::from_bytes(&bytes).unwrap();
            let ruling = policy.rule(&facts, &mut budgets, at(now), accounts);
            prop_assert_eq!(&policy.rule(&facts, &mut again, at(now), accounts), &ruling);
            prop_assert_eq!(&again, &budgets);
            let bytes = postcard::to_stdvec(&ruling).unwrap();
            prop_assert_eq!(&postcard::from_bytes::<Ruling>(&bytes).unwrap(), &ruling);
            protected(happening, &ruling);
            if spends(&ruling) {
                latest = now.max(latest);
            }
            note(&mut done, happening, latest, &ruling);
            within_budget(&policy, &done, accounts);
            prop_assert_eq!(ruling.orders.is_empty() || budgets.done(&happening.context.tenant) > 0, true);
        }
    }

    #[test]
    fn what_lies_below_the_floor_matches_nothing(policy in parsed(), happening in happening()) {
        let lists = happening.lists();
        let facts = happening.facts(&lists);
        let decided = policy.decide(&facts, at(0));
        if happening.score < policy.floor() {
            prop_assert!(decided.rules.is_empty() && decided.errors.is_empty());
        }
    }
}
