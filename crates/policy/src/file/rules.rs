//! `[[rule]]` of the file.

use super::reader::{At, Reader, Table};
use super::top::Source;
use super::{ACTIONS_PER_RULE_MAX, NAME_BYTES_MAX, RULES_MAX};
use crate::nearest::nearest;
use crate::policy::{Rule, Step};
use crate::problem::Problem;
use habitus_model::{Action, Disposition, Millis, Text};
use std::collections::BTreeMap;
use std::ops::Range;

/// A rule with the places that messages point at.
pub struct Placed {
    /// The rule.
    pub rule: Rule,
    /// Where its condition stands.
    pub when: Range<usize>,
    /// Where its disposition stands.
    pub disposition: Option<Range<usize>>,
}

const DISPOSITIONS: [(&str, Disposition); 5] = [
    ("allow", Disposition::Allow),
    ("challenge", Disposition::Challenge),
    ("review", Disposition::Review),
    ("deny", Disposition::Deny),
    ("revoke", Disposition::Revoke),
];
const ACTIONS: [(&str, Action); 4] = [
    ("notify", Action::Notify),
    ("challenge", Action::Challenge),
    ("block", Action::Block),
    ("revoke", Action::Revoke),
];

/// For how long a notification is news: a day.
const NOTIFY_EXPIRES: Millis = Millis::from_hours(24);
/// For how long containment is still right: after an hour the attacker has done what he came for (FIELD.md's hosted
/// peers revoke within minutes), and the account may be its owner's again.
const CONTAIN_EXPIRES: Millis = Millis::from_hours(1);
const EXPIRES_MIN: Millis = Millis::from_minutes(1);
const EXPIRES_MAX: Millis = Millis::from_hours(30 * 24);

/// Every rule that can be read.
pub fn read(source: &Source<'_>, top: &Table<'_>, reader: &mut Reader) -> Vec<Placed> {
    let tables = reader.tables(top, "rule", "[[rule]]");
    if let Some(beyond) = tables.get(RULES_MAX) {
        reader.error(&beyond.span, format!("more than {RULES_MAX} rules"));
    }
    let mut names = Names::default();
    let mut rules = Vec::new();
    for table in tables.iter().take(RULES_MAX) {
        reader.only(
            table,
            &["name", "when", "disposition", "actions", "require_approval"],
        );
        let name = names.read(table, reader);
        let when = reader.needed_text(table, "when");
        let disposition = reader.word(table, "disposition", &DISPOSITIONS);
        let actions = actions(source, table, reader);
        let require_approval = reader.flag(table, "require_approval");
        let condition = when
            .as_ref()
            .and_then(|(text, span)| source.condition((text, span), reader));
        let (Some((name, name_span)), Some(condition), Some((_, when))) = (name, condition, when) else {
            continue;
        };
        let has_actions = table.table.contains_key("actions");
        if !has_actions && disposition.is_none() {
            reader.error(
                &name_span,
                format!("the rule `{name}` has no `disposition` and no `actions`"),
            );
        }
        rules.push(Placed {
            rule: Rule {
                name: Text::new(name),
                when: condition,
                disposition: disposition.as_ref().map(|(disposition, _)| *disposition),
                actions,
                require_approval,
            },
            when,
            disposition: disposition.map(|(_, span)| span),
        });
    }
    rules
}

/// Names of one kind of table: each is there, is plain, and is there once.
#[derive(Debug, Default)]
pub struct Names {
    seen: BTreeMap<String, Range<usize>>,
}

impl Names {
    /// The name of a table.
    pub fn read<'t>(&mut self, table: &Table<'t>, reader: &mut Reader) -> Option<At<&'t str>> {
        let (name, span) = reader.needed_text(table, "name")?;
        if !is_plain(name) {
            let message = format!("a name has up to {NAME_BYTES_MAX} letters, digits, `-`, `_` and `.`");
            reader.error(&span, message);
            return None;
        }
        if self.seen.insert(name.to_owned(), span.clone()).is_some() {
            reader.error(&span, format!("another {} is named `{name}`", table.name));
            return None;
        }
        Some((name, span))
    }
}

/// Names go into ids, metrics and logs.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain)
}

fn actions(source: &Source<'_>, rule: &Table<'_>, reader: &mut Reader) -> Vec<Step> {
    let tables = reader.tables(rule, "actions", "an action");
    if let Some(beyond) = tables.get(ACTIONS_PER_RULE_MAX) {
        reader.error(
            &beyond.span,
            format!("more than {ACTIONS_PER_RULE_MAX} actions in one rule"),
        );
    }
    let mut steps: Vec<Step> = Vec::new();
    for table in tables.iter().take(ACTIONS_PER_RULE_MAX) {
        reader.only(table, &["action", "responder", "expires_after"]);
        if !table.table.contains_key("action") {
            reader.missing(table, "action");
        }
        let action = reader.word(table, "action", &ACTIONS);
        let responder = reader.needed_text(table, "responder");
        let expires_after = expires_after(table, reader);
        let (Some((action, _)), Some((responder, span))) = (action, responder) else {
            continue;
        };
        known_responder(source, (responder, &span), reader);
        if steps
            .iter()
            .any(|step| step.action == action && step.responder == responder)
        {
            let message = format!("the rule orders `{}` by `{responder}` twice", action.name());
            reader.error(&table.span, message);
            continue;
        }
        let default = if action.contains() {
            CONTAIN_EXPIRES
        } else {
            NOTIFY_EXPIRES
        };
        steps.push(Step {
            action,
            responder: Text::new(responder),
            expires_after: expires_after.unwrap_or(default),
        });
    }
    steps
}

fn known_responder(source: &Source<'_>, (name, span): (&str, &Range<usize>), reader: &mut Reader) {
    let Some(known) = source.surroundings.responders else {
        return;
    };
    if known.contains(&name) {
        return;
    }
    let problem = Problem::error(Some(span.clone()), format!("no responder is named `{name}`"));
    let problem = match nearest(name, known) {
        _ if source.surroundings.exporters.contains(&name) => {
            problem.label("an exporter: it sends findings and carries out no orders")
        }
        Some(meant) => problem.label(format!("did you mean `{meant}`?")),
        None => problem.label("not configured"),
    };
    reader.push(if known.is_empty() {
        problem.help("no responder is configured yet: see docs/policy.md")
    } else {
        problem.help(format!("configured: {}", known.join(", ")))
    });
}

fn expires_after(table: &Table<'_>, reader: &mut Reader) -> Option<Millis> {
    let (text, span) = reader.text(table, "expires_after")?;
    let span_of_time = duration(text).filter(|span| (EXPIRES_MIN..=EXPIRES_MAX).contains(span));
    if span_of_time.is_none() {
        let problem = Problem::error(Some(span), "`expires_after` is a time between 1m and 30d");
        reader.push(problem.help("write a whole number with `m`, `h` or `d`, such as \"90m\" or \"24h\""));
    }
    span_of_time
}

fn duration(text: &str) -> Option<Millis> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 1_440,
        _ => return None,
    };
    // At most six digits, so that nothing overflows.
    let plain = !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|_| plain)?;
    Some(Millis::from_minutes(number * minutes))
}
