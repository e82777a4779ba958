//! The report as one page that needs nothing else: no script, no font, no picture from elsewhere.

use super::page::{self, Bar, Card, Figure, Refused, Row};
use super::{Account, FINDINGS_MAX, count};
use crate::failure::{Failure, Trouble};
use askama::Template;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    subtitle: String,
    figures: Vec<Figure>,
    bars: Vec<Bar>,
    first_day: String,
    last_day: String,
    cards: Vec<Card>,
    not_shown: String,
    accounts: Vec<Row>,
    rejections: Vec<Refused>,
    rejected: String,
    notes: Vec<String>,
}

/// The page. Every text of the log is escaped by the template.
///
/// # Errors
/// None that a log can cause.
pub fn page(account: &Account<'_>) -> Result<String, Failure> {
    let days = &account.summary.days;
    let day = |end: Option<(&i64, &crate::summary::Day)>| {
        end.map_or_else(String::new, |(day, _)| super::numbers::day(*day))
    };
    let shown = u64::try_from(account.worst.len()).unwrap_or(u64::MAX);
    let hidden = account.findings.saturating_sub(shown);
    let page = Page {
        subtitle: page::subtitle(account),
        figures: page::figures(account),
        bars: page::days(account),
        first_day: day(days.first_key_value()),
        last_day: day(days.last_key_value()),
        cards: page::cards(account),
        not_shown: match hidden {
            0 => String::new(),
            hidden => format!(
                "The {FINDINGS_MAX} highest are shown; {} more are in the file that --findings writes.",
                count(hidden)
            ),
        },
        accounts: page::accounts(account),
        rejections: page::rejections(account),
        rejected: count(account.tally.rejections.total()),
        notes: page::notes(account),
    };
    page.render()
        .map_err(|error| Failure::new(Trouble::Bug, format!("the report cannot be written: {error}")))
}
