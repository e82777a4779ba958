//! The file as a whole.

use super::reader::{Reader, Table};
use super::{FILE_BYTES_MAX, PARTS_MAX, rules, safelists, tests};
use crate::budgets::Limits;
use crate::cel::Condition;
use crate::lint;
use crate::policy::{Policy, Surroundings, parted, sorted};
use crate::problem::Problem;
use habitus_model::hash::content_digest;
use habitus_model::math::{from_u64, to_u32};
use habitus_model::{Mode, Text};
use std::ops::Range;
use toml::de::DeTable;

/// What reading needs beside the tables.
pub struct Source<'a> {
    /// The file.
    pub text: &'a str,
    /// What the policy is checked against.
    pub surroundings: &'a Surroundings<'a>,
}

impl Source<'_> {
    /// Reads a condition that stands at `span`.
    pub fn condition(&self, (text, span): (&str, &Range<usize>), reader: &mut Reader) -> Option<Condition> {
        match Condition::parse(text) {
            Ok(condition) => Some(condition),
            Err(wrong) => {
                let place = super::place::inside(self.text, span, &wrong.span);
                let problem = Problem::error(Some(place), wrong.message).label(wrong.label);
                reader.push(Problem {
                    help: wrong.help,
                    ..problem
                });
                None
            }
        }
    }
}

/// Reads and checks a file.
///
/// # Errors
/// Everything that is wrong.
pub fn read(text: &str, surroundings: &Surroundings<'_>) -> Result<Policy, Vec<Problem>> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the policy has more than {FILE_BYTES_MAX} bytes");
        return Err(vec![Problem::error(None, message)]);
    }
    let document = DeTable::parse(text).map_err(|error| {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        vec![Problem::error(error.span(), message)]
    })?;
    let source = Source { text, surroundings };
    let mut reader = Reader::default();
    let top = Table {
        table: document.get_ref(),
        span: 0..0,
        name: "the policy",
    };
    let policy = policy(&source, &top, &mut reader);
    let (errors, warnings) = parted(reader.problems);
    if errors.is_empty() {
        Ok(Policy { warnings, ..policy })
    } else {
        let all = errors.into_iter().chain(warnings).collect();
        Err(sorted(all))
    }
}

fn policy(source: &Source<'_>, top: &Table<'_>, reader: &mut Reader) -> Policy {
    reader.only(
        top,
        &["mode", "rule", "safelist", "break_glass", "budgets", "test"],
    );
    let modes = [Mode::Observe, Mode::Recommend, Mode::Enforce].map(|mode| (mode.name(), mode));
    let mode = reader
        .word(top, "mode", &modes)
        .map_or(Mode::Observe, |(mode, _)| mode);
    let placed = rules::read(source, top, reader);
    let safelist = safelists::safelist(source, top, reader);
    let break_glass = safelists::break_glass(top, reader);
    let limits = budgets(top, reader);
    let tests = tests::read(top, reader);
    parts(placed.iter().map(|rule| &rule.rule.when), reader);
    lint::rules(&placed, reader);
    let rules: Vec<_> = placed.into_iter().map(|placed| placed.rule).collect();
    let floor = rules
        .iter()
        .map(|rule| rule.when.floor())
        .fold(f64::INFINITY, f64::min);
    Policy {
        mode,
        rules,
        safelist,
        break_glass,
        limits,
        tests,
        version: Text::new(
            content_digest(source.text.as_bytes())
                .get(..12)
                .unwrap_or_default(),
        ),
        floor,
        warnings: Vec::new(),
    }
}

/// All conditions together are bounded too.
fn parts<'c>(conditions: impl Iterator<Item = &'c Condition>, reader: &mut Reader) {
    let parts: usize = conditions.map(Condition::parts).sum();
    if parts > PARTS_MAX {
        let message = format!("the conditions have more than {PARTS_MAX} parts together");
        reader.push(Problem::error(None, message).help("join rules, or ask lists with `in`"));
    }
}

fn budgets(top: &Table<'_>, reader: &mut Reader) -> Limits {
    let mut limits = Limits::default();
    let Some(table) = reader.table(top, "budgets", "[budgets]") else {
        return limits;
    };
    reader.only(
        &table,
        &[
            "actions_per_hour",
            "actions_per_account_per_hour",
            "contained_share_per_10_minutes",
        ],
    );
    let most = from_u64(u64::from(Limits::ACTIONS_PER_HOUR_MAX));
    if let Some(number) = count(&table, "actions_per_hour", most, reader) {
        limits.actions_per_hour = number;
    }
    if let Some(number) = count(&table, "actions_per_account_per_hour", most, reader) {
        limits.actions_per_account_per_hour = number;
    }
    if let Some((share, span)) = reader.number(&table, "contained_share_per_10_minutes") {
        if (0.0..=1.0).contains(&share) {
            limits.contained_share = share;
        } else {
            reader.error(
                &span,
                "`contained_share_per_10_minutes` is between 0 and 1: 0.01 is 1 %",
            );
        }
    }
    limits
}

fn count(table: &Table<'_>, key: &str, most: f64, reader: &mut Reader) -> Option<u32> {
    let (number, span) = reader.number(table, key)?;
    // Whole numbers survive the way there and back.
    let whole = to_u32(number);
    if f64::from(whole).to_bits() == number.to_bits() && (0.0..=most).contains(&number) {
        return Some(whole);
    }
    reader.error(&span, format!("`{key}` is a whole number between 0 and {most}"));
    None
}
