//! `/findings/{id}`, and what is done there.

use super::bars::{Bar, bars, signed};
use super::frame::{Frame, When, page, refuse};
use super::queue::Line;
use super::visible::Shown;
use crate::core::{App, Core};
use crate::extract::{Id, PageForm, Query, check_length};
use crate::guard::Caller;
use crate::handlers::findings::{NOTE_MAX, note_command};
use crate::handlers::record;
use crate::problem::Problem;
use crate::product::{EventLine, Finding, FindingCommand};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use habitus_model::{EventTime, Text, Verdict};
use serde::Deserialize;

/// What the page shows besides the finding.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct FindingPageQuery {
    /// A verdict whose effect is to be told.
    preview: Option<String>,
}

/// A verdict given by form. The form token was checked before.
#[derive(Debug, Deserialize)]
pub(crate) struct VerdictForm {
    verdict: String,
    note: Option<String>,
    similar: Option<String>,
}

/// A finding given to somebody by form.
#[derive(Debug, Deserialize)]
pub(crate) struct AssignForm {
    assignee: String,
}

/// A note by form.
#[derive(Debug, Deserialize)]
pub(crate) struct NoteForm {
    text: String,
}

struct Choice {
    name: &'static str,
    caption: &'static str,
    effect: &'static str,
}

/// An event as a line.
pub(super) struct Event {
    pub when: When,
    pub score: String,
    pub text: Shown,
    pub facts: Vec<(Shown, Shown)>,
}

struct Said {
    author: Shown,
    when: When,
    text: Shown,
}

#[derive(Template)]
#[template(path = "finding.html")]
struct FindingPage {
    frame: Frame,
    line: Line,
    account_id: Option<String>,
    first_seen: When,
    sentence: Shown,
    key: Vec<(Shown, Shown)>,
    bars: Vec<Bar>,
    log_odds: String,
    confidence: String,
    model: Shown,
    blind: Vec<(Shown, Shown)>,
    choices: Vec<Choice>,
    preview: Option<(&'static str, Shown)>,
    events: Vec<Event>,
    notes: Vec<Said>,
    history: Vec<Said>,
    similar: Vec<Line>,
}

/// A verdict in analysts' words.
pub(super) fn caption(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::TruePositive => "True positive",
        Verdict::Benign => "Benign, expected",
        Verdict::FalsePositive => "False positive",
        Verdict::BadData => "Bad data",
        Verdict::Unsure => "Not sure",
        Verdict::Test => "Test",
        Verdict::Duplicate => "Duplicate",
    }
}

const fn effect(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::TruePositive => "an attack; its events stay out of the habit",
        Verdict::Benign => "unusual and expected; the habit is not widened",
        Verdict::FalsePositive => "normal; its events enter the habit",
        Verdict::BadData => "the data is wrong; nothing is learned, the source is to be mended",
        Verdict::Unsure => "more must be known; it stays open",
        Verdict::Test => "a test or red team; nothing is learned",
        Verdict::Duplicate => "another finding tells the same",
    }
}

/// `GET /findings/{id}`.
pub(crate) async fn finding(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query(query): Query<FindingPageQuery>,
) -> Response {
    let shown = show(&app, &caller, (&id, query.preview.as_deref())).await;
    shown.unwrap_or_else(|problem| refuse(&problem))
}

/// `POST /findings/{id}/verdict`.
pub(crate) async fn verdict(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    PageForm(form): PageForm<VerdictForm>,
) -> Response {
    let note = form.note.filter(|note| !note.trim().is_empty());
    let checked = check_length("note", note.as_ref(), NOTE_MAX).and_then(|()| {
        Verdict::from_name(&form.verdict).ok_or_else(|| Problem::invalid("verdict", "is not a verdict"))
    });
    let command = checked.map(|verdict| FindingCommand::Verdict {
        verdict,
        signal: None,
        note,
        expected_days: None,
        similar: form.similar.is_some(),
        dry_run: false,
    });
    carry_out(&app, &caller, (&id, command)).await
}

/// `POST /findings/{id}/assign`.
pub(crate) async fn assign(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    PageForm(form): PageForm<AssignForm>,
) -> Response {
    let name = form.assignee.trim();
    let assignee = (!name.is_empty()).then(|| Text::new(name));
    carry_out(&app, &caller, (&id, Ok(FindingCommand::Assign { assignee }))).await
}

/// `POST /findings/{id}/notes`.
pub(crate) async fn note(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    PageForm(form): PageForm<NoteForm>,
) -> Response {
    carry_out(&app, &caller, (&id, note_command(form.text))).await
}

/// `POST /findings/{id}/undo`.
pub(crate) async fn undo(State(app): State<App>, caller: Caller, Id(id): Id) -> Response {
    carry_out(&app, &caller, (&id, Ok(FindingCommand::Undo))).await
}

async fn carry_out(
    app: &Core,
    caller: &Caller,
    (id, command): (&str, Result<FindingCommand, Problem>),
) -> Response {
    let done = match command {
        Ok(command) => app
            .product
            .desk
            .command(&caller.who, id, command)
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(outcome) => Redirect::to(&format!("/findings/{}", segment(&outcome.finding.id))).into_response(),
        Err(problem) => refuse(&problem),
    }
}

async fn show(app: &Core, caller: &Caller, (id, preview): (&str, Option<&str>)) -> Result<Response, Problem> {
    let finding = app.product.desk.finding(&caller.who, id).await?;
    record(app, caller, "finding.read", (Some(&finding.row.id), None)).await?;
    let frame = Frame::of(caller);
    let preview = match preview.and_then(Verdict::from_name) {
        Some(verdict) if frame.may_triage => effect_of(app, caller, (id, verdict)).await?,
        _ => None,
    };
    page(&view(&finding, (frame, preview), app.now()))
}

async fn effect_of(
    app: &Core,
    caller: &Caller,
    (id, verdict): (&str, Verdict),
) -> Result<Option<(&'static str, Shown)>, Problem> {
    let command = FindingCommand::Verdict {
        verdict,
        signal: None,
        note: None,
        expected_days: None,
        similar: false,
        dry_run: true,
    };
    let outcome = app.product.desk.command(&caller.who, id, command).await?;
    Ok(outcome
        .effect
        .map(|effect| (caption(verdict), Shown::new(&effect.text))))
}

fn view(
    finding: &Finding,
    (frame, preview): (Frame, Option<(&'static str, Shown)>),
    now: EventTime,
) -> FindingPage {
    let assessment = &finding.assessment;
    let said = |author: Option<&str>, at: EventTime, text: &str| Said {
        author: Shown::new(author.unwrap_or("habitus")),
        when: When::of(at, now),
        text: Shown::new(text),
    };
    FindingPage {
        frame,
        line: Line::of(&finding.row, now),
        account_id: finding.row.account.clone(),
        first_seen: When::of(finding.row.first_seen, now),
        sentence: Shown::new(&finding.sentence),
        key: finding
            .key
            .iter()
            .map(|at| (Shown::new(&at.label), Shown::new(&at.value)))
            .collect(),
        bars: bars(&assessment.contributions),
        log_odds: assessment.log_odds.map_or_else(|| "–".to_owned(), signed),
        confidence: assessment
            .confidence
            .map_or_else(|| "–".to_owned(), |c| format!("{:.0} %", c * 100.0)),
        model: Shown::or_dash(assessment.model.as_deref()),
        blind: assessment
            .blind
            .iter()
            .map(|line| (Shown::new(&line.family), Shown::new(&line.why.replace('_', " "))))
            .collect(),
        choices: Verdict::ALL
            .into_iter()
            .map(|verdict| Choice {
                name: verdict.name(),
                caption: caption(verdict),
                effect: effect(verdict),
            })
            .collect(),
        preview,
        events: finding.events.iter().map(|event| Event::of(event, now)).collect(),
        notes: finding
            .notes
            .iter()
            .map(|note| said(Some(&note.author), note.time, &note.text))
            .collect(),
        history: finding
            .history
            .iter()
            .map(|change| said(change.author.as_deref(), change.time, &change.text))
            .collect(),
        similar: finding.similar.iter().map(|row| Line::of(row, now)).collect(),
    }
}

impl Event {
    pub(super) fn of(event: &EventLine, now: EventTime) -> Self {
        Self {
            when: When::of(event.time, now),
            score: event
                .risk_score
                .map_or_else(|| "–".to_owned(), |score| format!("{:.0}", score.floor())),
            text: Shown::new(&event.text),
            facts: event
                .facts
                .iter()
                .map(|fact| (Shown::new(&fact.label), Shown::new(&fact.value)))
                .collect(),
        }
    }
}

/// An id as one segment of a path.
fn segment(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
