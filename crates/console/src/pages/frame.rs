//! What all pages have in common.

use super::visible::Shown;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::time;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use habitus_model::{EventTime, RiskLevel};

/// The top of a page.
#[derive(Debug)]
pub(super) struct Frame {
    pub user: Shown,
    pub csrf: String,
    pub may_triage: bool,
}

/// An instant as pages show it.
#[derive(Debug)]
pub(super) struct When {
    /// For machines and as the title.
    pub exact: String,
    /// How long ago: `3 min`.
    pub ago: String,
}

/// A score as pages show it.
#[derive(Debug)]
pub(super) struct Badge {
    /// Name of the level, which is the class too.
    pub level: &'static str,
    /// Shape of the level: never colour alone.
    pub shape: &'static str,
    /// Whole points.
    pub score: String,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    status: u16,
    title: &'a str,
    detail: &'a str,
}

impl Frame {
    pub(super) fn of(caller: &Caller) -> Self {
        Self {
            user: Shown::new(&caller.principal.name),
            csrf: caller.csrf().unwrap_or_default(),
            may_triage: caller.principal.may(crate::access::Permission::Triage),
        }
    }
}

impl When {
    pub(super) fn of(at: EventTime, now: EventTime) -> Self {
        Self {
            exact: time::text(at),
            ago: ago(now.since(at).0),
        }
    }
}

impl Badge {
    pub(super) fn of(score: f64, level: RiskLevel) -> Self {
        Self {
            level: level.name(),
            shape: match level {
                RiskLevel::Info => "–",
                RiskLevel::Low => "●",
                RiskLevel::Medium => "◆",
                RiskLevel::High => "▲",
                RiskLevel::Critical => "▲▲",
            },
            // Cut and not rounded, so that it never seems to reach a level that it does not.
            score: format!("{:.0}", score.floor()),
        }
    }
}

/// A page from its template.
pub(super) fn page(template: &impl Template) -> Result<Response, Problem> {
    let text = template.render().map_err(|_| Problem::internal())?;
    Ok(Html(text).into_response())
}

/// A refusal as a page.
pub(crate) fn refuse(problem: &Problem) -> Response {
    let template = ErrorPage {
        status: problem.status.as_u16(),
        title: problem.status.canonical_reason().unwrap_or("Error"),
        detail: &problem.detail,
    };
    let mut response = match page(&template) {
        Ok(response) => response,
        Err(problem) => return problem.into_response(),
    };
    *response.status_mut() = problem.status;
    if let Some(seconds) = problem.retry_after {
        let value = http::HeaderValue::from(seconds);
        response.headers_mut().insert(http::header::RETRY_AFTER, value);
    }
    response
}

fn ago(ms: i64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        ..0 => "in the future".to_owned(),
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
