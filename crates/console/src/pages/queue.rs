//! `/`: the queue of findings.

use super::frame::{Badge, Frame, When, page, refuse};
use super::visible::Shown;
use crate::core::{App, Core};
use crate::extract::Query;
use crate::guard::Caller;
use crate::handlers::bulk::greeting;
use crate::problem::Problem;
use crate::product::{Changes, FindingRow, FindingState, FindingsQuery};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use habitus_model::EventTime;
use serde::Deserialize;

/// Rows of a page.
const ROWS: u16 = 100;

/// What the queue shows.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct QueueQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Closed findings instead of open ones.
    closed: Option<String>,
}

/// A finding in a table.
#[derive(Debug)]
pub(super) struct Line {
    pub id: String,
    pub badge: Badge,
    pub account: Shown,
    pub kind: Shown,
    pub title: Shown,
    pub count: u64,
    pub last_seen: When,
    pub state: &'static str,
    pub assignee: Shown,
    pub verdict: &'static str,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    frame: Frame,
    lines: Vec<Line>,
    total: Option<u64>,
    next: Option<String>,
    closed: bool,
    alarm: Option<When>,
    changes: Vec<Changed>,
}

/// A change of the tenant.
#[derive(Debug)]
struct Changed {
    since: When,
    text: Shown,
}

impl Line {
    pub(super) fn of(row: &FindingRow, now: EventTime) -> Self {
        Self {
            id: row.id.clone(),
            badge: Badge::of(row.risk_score, row.risk_level),
            account: Shown::or_dash(row.account.as_deref()),
            kind: Shown::new(row.kind.as_deref().unwrap_or_default()),
            title: Shown::new(&row.title),
            count: row.count,
            last_seen: When::of(row.last_seen, now),
            state: match row.state {
                FindingState::New => "new",
                FindingState::InProgress => "in progress",
                FindingState::Closed => "closed",
            },
            assignee: Shown::or_dash(row.assignee.as_deref()),
            verdict: row.verdict.map_or("", super::finding::caption),
        }
    }
}

/// The queue for people; for shippers, which come with a token, Elasticsearch's greeting.
pub(crate) async fn root(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<QueueQuery>,
) -> Response {
    if !caller.is_user() {
        return greeting();
    }
    queue(&app, &caller, query)
        .await
        .unwrap_or_else(|problem| refuse(&problem))
}

async fn queue(app: &Core, caller: &Caller, query: QueueQuery) -> Result<Response, Problem> {
    let closed = query.closed.is_some();
    let mut wanted = FindingsQuery {
        cursor: query.cursor,
        limit: Some(ROWS),
        ..FindingsQuery::default()
    };
    if closed {
        wanted.state = Some(FindingState::Closed);
    }
    let found = app.product.desk.findings(&caller.who, &wanted).await?;
    let Changes { alarm, changes } = app.product.sources.changes(&caller.who).await?;
    let now = app.now();
    let open = |row: &&FindingRow| closed || row.state != FindingState::Closed;
    page(&QueuePage {
        frame: Frame::of(caller),
        lines: found
            .items
            .iter()
            .filter(open)
            .map(|row| Line::of(row, now))
            .collect(),
        total: found.total,
        next: found.next,
        closed,
        alarm: alarm.map(|alarm| When::of(alarm.since, now)),
        changes: changes
            .iter()
            .map(|change| Changed {
                since: When::of(change.since, now),
                text: Shown::new(&change.text()),
            })
            .collect(),
    })
}
