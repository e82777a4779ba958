//! `[[safelist]]` and `[[break_glass]]` of the file.

use super::dates;
use super::reader::{Reader, Table};
use super::rules::Names;
use super::top::Source;
use super::{BREAK_GLASS_MAX, SAFELIST_MAX, SAFELIST_VALUES_MAX};
use crate::network;
use crate::policy::{BreakGlass, Safe};
use crate::problem::Problem;
use habitus_model::{AccountId, EventTime, Text};
use ipnet::IpNet;
use toml::de::DeValue;

/// Every entry of the safelist that can be read.
pub fn safelist(source: &Source<'_>, top: &Table<'_>, reader: &mut Reader) -> Vec<Safe> {
    let tables = reader.tables(top, "safelist", "[[safelist]]");
    if let Some(beyond) = tables.get(SAFELIST_MAX) {
        reader.error(
            &beyond.span,
            format!("more than {SAFELIST_MAX} entries in the safelist"),
        );
    }
    let mut names = Names::default();
    let mut entries = Vec::new();
    let mut values = 0;
    for table in tables.iter().take(SAFELIST_MAX) {
        reader.only(
            table,
            &[
                "name", "owner", "reason", "expires", "accounts", "networks", "when",
            ],
        );
        let name = names.read(table, reader);
        let owner = reader.needed_text(table, "owner");
        let reason = reader.needed_text(table, "reason");
        let expires = expires(source, table, reader);
        let accounts = accounts(table, reader);
        let networks = networks(table, reader);
        values += accounts.len() + networks.len();
        if values > SAFELIST_VALUES_MAX {
            let message = format!("the safelist has more than {SAFELIST_VALUES_MAX} accounts and networks");
            reader.error(&table.span, message);
            break;
        }
        let when = reader.text(table, "when");
        let condition = when
            .as_ref()
            .and_then(|(text, span)| source.condition((text, span), reader));
        if !["accounts", "networks", "when"]
            .iter()
            .any(|key| table.table.contains_key(*key))
        {
            let problem = Problem::error(Some(table.span.clone()), "the entry would hold for everything");
            reader.push(
                problem.help("give `accounts`, `networks` or `when`; what is given must hold together"),
            );
        }
        let (Some((name, _)), Some((owner, _)), Some((reason, _)), Some(expires)) =
            (name, owner, reason, expires)
        else {
            continue;
        };
        entries.push(Safe {
            name: Text::new(name),
            owner: Text::new(owner),
            reason: Text::new(reason),
            expires,
            accounts,
            networks,
            when: condition,
        });
    }
    entries
}

/// Every break-glass account that can be read.
pub fn break_glass(top: &Table<'_>, reader: &mut Reader) -> Vec<BreakGlass> {
    let tables = reader.tables(top, "break_glass", "[[break_glass]]");
    if let Some(beyond) = tables.get(BREAK_GLASS_MAX) {
        reader.error(
            &beyond.span,
            format!("more than {BREAK_GLASS_MAX} break-glass accounts"),
        );
    }
    let mut entries = Vec::new();
    for table in tables.iter().take(BREAK_GLASS_MAX) {
        reader.only(table, &["account", "owner", "reason"]);
        let account = reader.needed_text(table, "account");
        let owner = reader.needed_text(table, "owner");
        let reason = reader.needed_text(table, "reason");
        if let (Some((account, _)), Some((owner, _)), Some((reason, _))) = (account, owner, reason) {
            entries.push(BreakGlass {
                account: account_id(account),
                owner: Text::new(owner),
                reason: Text::new(reason),
            });
        }
    }
    entries
}

/// Accounts are known in lower case (`User::account_id`).
fn account_id(account: &str) -> AccountId {
    AccountId::new(Text::new(account.trim().to_lowercase()))
}

fn expires(source: &Source<'_>, table: &Table<'_>, reader: &mut Reader) -> Option<EventTime> {
    let Some(value) = table.table.get("expires") else {
        reader.missing(table, "expires");
        return None;
    };
    let date = match value.get_ref() {
        DeValue::Datetime(stamp) if stamp.time.is_none() => stamp.date,
        _ => None,
    };
    let Some(end) = date.and_then(dates::end_of_day) else {
        let problem = Problem::error(Some(value.span()), "`expires` is a date");
        reader.push(
            problem.help("write it without quotes, such as `expires = 2027-03-31`: the last day it holds"),
        );
        return None;
    };
    if source.surroundings.now.is_some_and(|now| now >= end) {
        let problem = Problem::warning(Some(value.span()), "this entry has expired and no longer holds");
        reader.push(
            problem
                .label("in the past")
                .help("take it out, or ask its owner for a new date"),
        );
    }
    Some(end)
}

fn accounts(table: &Table<'_>, reader: &mut Reader) -> Vec<AccountId> {
    let written = reader.texts(table, "accounts");
    not_empty(table, written.len(), "accounts", reader);
    let mut accounts = Vec::new();
    for (account, span) in written {
        if account.trim().is_empty() || account.contains('*') {
            let problem = Problem::error(Some(span), "an account is written in full");
            reader.push(problem.help("for a pattern, use `when`, such as `account.id.endsWith(…)`"));
        } else {
            accounts.push(account_id(account));
        }
    }
    accounts.sort_unstable();
    accounts
}

fn networks(table: &Table<'_>, reader: &mut Reader) -> Vec<IpNet> {
    let written = reader.texts(table, "networks");
    not_empty(table, written.len(), "networks", reader);
    let mut networks = Vec::new();
    for (text, span) in written {
        match network::parse(text) {
            Ok(network) => networks.push(network),
            Err(help) => reader.push(Problem::error(Some(span), "this is no network").help(help)),
        }
    }
    networks
}

/// A list that is given holds someone: an empty one would hold for all, which nobody means.
fn not_empty(table: &Table<'_>, count: usize, key: &str, reader: &mut Reader) {
    if let (0, Some(value)) = (count, table.table.get(key)) {
        let problem = Problem::error(Some(value.span()), format!("`{key}` is empty"));
        reader.push(problem.help("an entry with an empty list would hold for everybody: leave the key out"));
    }
}
