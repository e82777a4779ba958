//! `/v1/findings`.

use super::record;
use crate::core::{App, Core};
use crate::extract::{Command, Id, OptionalCommand, Query, check_length, check_limit};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{Finding, FindingCommand, FindingRow, FindingsQuery, Outcome, Page};
use axum::Json;
use axum::extract::State;
use habitus_model::{Text, Verdict};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Longest note, characters.
pub(crate) const NOTE_MAX: usize = 4_000;
/// Longest time that anything can be expected for, days.
const EXPECTED_DAYS_MAX: u16 = 90;
/// Longest name of a user or signal, characters.
const NAME_MAX: usize = 64;

/// A verdict.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerdictCommand {
    /// The verdict.
    #[schema(schema_with = crate::product::verdict_schema)]
    verdict: Verdict,
    /// The contribution that decided; absent if not said.
    #[schema(max_length = 64)]
    signal: Option<String>,
    /// Why, in words.
    #[schema(max_length = 4000)]
    note: Option<String>,
    /// For how many days the same is expected again; with `benign` and `test` only.
    #[schema(minimum = 1, maximum = 90)]
    #[serde(default, deserialize_with = "crate::extract::whole")]
    expected_days: Option<u16>,
    /// Whether similar open findings get the same verdict.
    #[serde(default)]
    similar: bool,
}

/// How a verdict is given.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerdictQuery {
    /// Only tell what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// To whom a finding is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignCommand {
    /// Name of a user; `null` for nobody.
    #[schema(max_length = 64)]
    assignee: Option<String>,
}

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteCommand {
    /// What it says.
    #[schema(min_length = 1, max_length = 4000, pattern = "\\S")]
    text: String,
}

/// A command that takes nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmptyCommand {}

/// Findings in the order of the queue.
#[utoipa::path(get, path = "/v1/findings", operation_id = "listFindings", tag = "findings", params(FindingsQuery),
    responses((status = 200, description = "One page.", body = Page<FindingRow>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<FindingsQuery>,
) -> Result<Json<Page<FindingRow>>, Problem> {
    check_query(&query)?;
    Ok(Json(app.product.desk.findings(&caller.who, &query).await?))
}

/// One finding with all that is known of it. That it was read is in the audit.
#[utoipa::path(get, path = "/v1/findings/{id}", operation_id = "getFinding", tag = "findings",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 200, description = "The finding.", body = Finding)))]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Finding>, Problem> {
    let finding = app.product.desk.finding(&caller.who, &id).await?;
    record(&app, &caller, "finding.read", (Some(&finding.row.id), None)).await?;
    Ok(Json(finding))
}

/// Gives a verdict, or tells what it would change.
#[utoipa::path(post, path = "/v1/findings/{id}/verdict", operation_id = "giveVerdict", tag = "findings",
    params(("id" = String, Path, description = "The finding."), VerdictQuery), request_body = VerdictCommand,
    responses((status = 200, description = "What changed, or would.", body = Outcome)))]
pub(crate) async fn verdict(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query(query): Query<VerdictQuery>,
    Command(command): Command<VerdictCommand>,
) -> Result<Json<Outcome>, Problem> {
    check_length("note", command.note.as_ref(), NOTE_MAX)?;
    check_length("signal", command.signal.as_ref(), NAME_MAX)?;
    if command
        .expected_days
        .is_some_and(|days| !(1..=EXPECTED_DAYS_MAX).contains(&days))
    {
        return Err(Problem::invalid("expected_days", "is not between 1 and 90"));
    }
    let command = FindingCommand::Verdict {
        verdict: command.verdict,
        signal: command.signal.map(Text::new),
        note: command.note,
        expected_days: command.expected_days,
        similar: command.similar,
        dry_run: query.dry_run,
    };
    carry_out(&app, &caller, &id, command).await
}

/// Gives a finding to somebody.
#[utoipa::path(post, path = "/v1/findings/{id}/assign", operation_id = "assignFinding", tag = "findings",
    params(("id" = String, Path, description = "The finding.")), request_body = AssignCommand,
    responses((status = 200, description = "Given.", body = Outcome)))]
pub(crate) async fn assign(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Command(command): Command<AssignCommand>,
) -> Result<Json<Outcome>, Problem> {
    check_length("assignee", command.assignee.as_ref(), NAME_MAX)?;
    let assignee = command.assignee.filter(|name| !name.is_empty()).map(Text::new);
    carry_out(&app, &caller, &id, FindingCommand::Assign { assignee }).await
}

/// Adds a note.
#[utoipa::path(post, path = "/v1/findings/{id}/notes", operation_id = "addNote", tag = "findings",
    params(("id" = String, Path, description = "The finding.")), request_body = NoteCommand,
    responses((status = 200, description = "Added.", body = Outcome)))]
pub(crate) async fn note(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Command(command): Command<NoteCommand>,
) -> Result<Json<Outcome>, Problem> {
    carry_out(&app, &caller, &id, note_command(command.text)?).await
}

/// Takes the last verdict back, with all that it taught and closed.
#[utoipa::path(post, path = "/v1/findings/{id}/undo", operation_id = "undoVerdict", tag = "findings",
    params(("id" = String, Path, description = "The finding.")), request_body = Option<EmptyCommand>,
    responses((status = 200, description = "Taken back.", body = Outcome)))]
pub(crate) async fn undo(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    OptionalCommand(EmptyCommand {}): OptionalCommand<EmptyCommand>,
) -> Result<Json<Outcome>, Problem> {
    carry_out(&app, &caller, &id, FindingCommand::Undo).await
}

/// Opens a closed finding again; its verdict stays in the history.
#[utoipa::path(post, path = "/v1/findings/{id}/reopen", operation_id = "reopenFinding", tag = "findings",
    params(("id" = String, Path, description = "The finding.")), request_body = Option<EmptyCommand>,
    responses((status = 200, description = "Open again.", body = Outcome)))]
pub(crate) async fn reopen(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    OptionalCommand(EmptyCommand {}): OptionalCommand<EmptyCommand>,
) -> Result<Json<Outcome>, Problem> {
    carry_out(&app, &caller, &id, FindingCommand::Reopen).await
}

/// A note, if it says anything and not too much.
pub(crate) fn note_command(text: String) -> Result<FindingCommand, Problem> {
    check_length("text", Some(&text), NOTE_MAX)?;
    if text.trim().is_empty() {
        return Err(Problem::invalid("text", "is empty"));
    }
    Ok(FindingCommand::Note { text })
}

async fn carry_out(
    app: &Core,
    caller: &Caller,
    id: &str,
    command: FindingCommand,
) -> Result<Json<Outcome>, Problem> {
    Ok(Json(app.product.desk.command(&caller.who, id, command).await?))
}

fn check_query(query: &FindingsQuery) -> Result<(), Problem> {
    check_limit(query.limit)?;
    check_length("account", query.account.as_ref(), 512)?;
    check_length("assignee", query.assignee.as_ref(), 128)?;
    check_length("cursor", query.cursor.as_ref(), 512)?;
    match query.min_score {
        // Written so that a number that is none is refused too.
        Some(score) if !(0.0..=100.0).contains(&score) => {
            Err(Problem::invalid("min_score", "is not between 0 and 100"))
        }
        _ => Ok(()),
    }
}
