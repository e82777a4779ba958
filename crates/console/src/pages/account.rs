//! `/accounts/{id}`.

use super::finding::Event;
use super::frame::{Badge, Frame, When, page, refuse};
use super::queue::Line;
use super::visible::Shown;
use crate::core::{App, Core};
use crate::extract::Id;
use crate::guard::Caller;
use crate::handlers::record;
use crate::problem::Problem;
use crate::product::Account;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use habitus_model::EventTime;

struct HabitView {
    name: Shown,
    values: Vec<(Shown, String)>,
}

struct SessionView {
    id: Shown,
    first_seen: When,
    last_seen: When,
    score: String,
    count: u64,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    account: Shown,
    kind: Shown,
    badge: Option<Badge>,
    logins: u64,
    maturity: String,
    first_seen: Option<When>,
    last_seen: Option<When>,
    habits: Vec<HabitView>,
    findings: Vec<Line>,
    sessions: Vec<SessionView>,
    events: Vec<Event>,
}

/// `GET /accounts/{id}`.
pub(crate) async fn account(State(app): State<App>, caller: Caller, Id(id): Id) -> Response {
    show(&app, &caller, &id)
        .await
        .unwrap_or_else(|problem| refuse(&problem))
}

async fn show(app: &Core, caller: &Caller, id: &str) -> Result<Response, Problem> {
    let account = app.product.directory.account(&caller.who, id).await?;
    record(app, caller, "account.read", (Some(&account.row.id), None)).await?;
    page(&view(&account, Frame::of(caller), app.now()))
}

fn view(account: &Account, frame: Frame, now: EventTime) -> AccountPage {
    let row = &account.row;
    AccountPage {
        frame,
        account: Shown::new(&row.id),
        kind: Shown::new(&row.kind),
        badge: row
            .risk_score
            .zip(row.risk_level)
            .map(|(score, level)| Badge::of(score, level)),
        logins: row.logins,
        maturity: format!("{:.0} %", account.maturity * 100.0),
        first_seen: account.first_seen.map(|at| When::of(at, now)),
        last_seen: row.last_seen.map(|at| When::of(at, now)),
        habits: account
            .habits
            .iter()
            .map(|habit| HabitView {
                name: Shown::new(&habit.name),
                values: habit
                    .values
                    .iter()
                    .map(|value| (Shown::new(&value.value), format!("{:.0} %", value.share * 100.0)))
                    .collect(),
            })
            .collect(),
        findings: account.findings.iter().map(|row| Line::of(row, now)).collect(),
        sessions: account
            .sessions
            .iter()
            .map(|session| SessionView {
                id: Shown::new(&session.id),
                first_seen: When::of(session.first_seen, now),
                last_seen: When::of(session.last_seen, now),
                score: session
                    .risk_score
                    .map_or_else(|| "–".to_owned(), |score| format!("{:.0}", score.floor())),
                count: session.count,
            })
            .collect(),
        events: account.events.iter().map(|event| Event::of(event, now)).collect(),
    }
}
