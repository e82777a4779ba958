//! `/models`: champion and challenger.

use super::frame::{Frame, When, page, refuse};
use super::visible::Shown;
use crate::access::Permission;
use crate::core::{App, Core};
use crate::extract::Id;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{ModelCommand, ModelComparison, ModelRow, Models};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use habitus_model::EventTime;

struct ModelView {
    id: Shown,
    from: Shown,
    made: Option<When>,
}

struct Challenger {
    view: ModelView,
    /// What it has other than the champion: name, the champion's, its own.
    moves: Vec<(Shown, String, String)>,
}

struct Compared {
    events: u64,
    /// Name, and counts from 40, 60 and 80.
    rows: Vec<(&'static str, Vec<u64>)>,
    held_out: u64,
    standard: u64,
    /// What speaks against promoting it.
    hindrances: Vec<Shown>,
}

struct Step {
    when: When,
    text: Shown,
}

#[derive(Template)]
#[template(path = "models.html")]
struct ModelsPage {
    frame: Frame,
    may_change: bool,
    labels: String,
    champion: ModelView,
    challenger: Option<Challenger>,
    former: Option<ModelView>,
    compared: Option<Compared>,
    history: Vec<Step>,
}

/// `GET /models`.
pub(crate) async fn models(State(app): State<App>, caller: Caller) -> Response {
    show(&app, &caller)
        .await
        .unwrap_or_else(|problem| refuse(&problem))
}

/// `POST /models/{id}/promote`.
pub(crate) async fn promote(State(app): State<App>, caller: Caller, Id(id): Id) -> Response {
    carry_out(&app, &caller, ModelCommand::Promote(id)).await
}

/// `POST /models/rollback`.
pub(crate) async fn roll_back(State(app): State<App>, caller: Caller) -> Response {
    carry_out(&app, &caller, ModelCommand::Rollback).await
}

async fn carry_out(app: &Core, caller: &Caller, command: ModelCommand) -> Response {
    match app.product.models.command(&caller.who, command).await {
        Ok(_) => Redirect::to("/models").into_response(),
        Err(refusal) => refuse(&Problem::from(refusal)),
    }
}

async fn show(app: &Core, caller: &Caller) -> Result<Response, Problem> {
    let models = app.product.models.models(&caller.who).await?;
    let may_change = caller.principal.may(Permission::Admin);
    page(&view(&models, (Frame::of(caller), may_change), app.now()))
}

fn view(models: &Models, (frame, may_change): (Frame, bool), now: EventTime) -> ModelsPage {
    ModelsPage {
        frame,
        may_change,
        labels: models.labels.to_string(),
        champion: model(&models.champion, now),
        challenger: models.challenger.as_ref().map(|challenger| Challenger {
            view: model(challenger, now),
            moves: moves(&models.champion, challenger),
        }),
        former: models.former.as_ref().map(|former| model(former, now)),
        compared: models.comparison.as_ref().map(compared),
        history: models
            .history
            .iter()
            .rev()
            .map(|step| {
                let what = step.what.text();
                let by = step.by.as_deref().unwrap_or("habitus");
                Step {
                    when: When::of(step.at, now),
                    text: Shown::new(&format!("{by}: model {} {what}", step.id)),
                }
            })
            .collect(),
    }
}

fn model(row: &ModelRow, now: EventTime) -> ModelView {
    ModelView {
        id: Shown::new(&row.id),
        from: Shown::new(&row.origin_text()),
        made: row.made.map(|at| When::of(at, now)),
    }
}

fn moves(champion: &ModelRow, challenger: &ModelRow) -> Vec<(Shown, String, String)> {
    let moves = challenger.moves_from(champion);
    moves
        .map(|moved| {
            let name = Shown::new(&format!("{} of {}", moved.what, moved.name.replace('_', " ")));
            (
                name,
                format!("{:.2}", moved.before),
                format!("{:.2}", moved.after),
            )
        })
        .collect()
}

fn compared(found: &ModelComparison) -> Compared {
    Compared {
        events: found.events,
        rows: vec![
            ("flagged by the champion", found.champion_flags.clone()),
            ("flagged by the challenger", found.challenger_flags.clone()),
            ("labelled attacks, champion", found.champion.attacks.clone()),
            ("labelled attacks, challenger", found.challenger.attacks.clone()),
            ("standard attacks, champion", found.champion_standard.clone()),
            ("standard attacks, challenger", found.challenger_standard.clone()),
        ],
        held_out: found.held_out_attacks,
        standard: found.standard_attacks,
        hindrances: found.hindrances.iter().map(|one| Shown::new(one)).collect(),
    }
}
