//! Pages, made on the server. They read and work without scripts; one small module adds live updates and previews.

mod account;
mod bars;
mod finding;
mod frame;
mod models;
mod queue;
mod sign_in;
mod visible;

pub(crate) use account::account;
pub(crate) use finding::{assign, finding, note, undo, verdict};
pub(crate) use frame::refuse;
pub(crate) use models::{models, promote, roll_back};
pub(crate) use queue::root;
pub(crate) use sign_in::{sign_in, sign_in_form, sign_out};

use axum::response::{IntoResponse as _, Response};
use http::header;

/// Style and script change with the program only; an hour is short enough after an upgrade.
const CACHE: (http::HeaderName, &str) = (header::CACHE_CONTROL, "private, max-age=3600");

/// `GET /assets/console.css`.
pub(crate) async fn style() -> Response {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind, CACHE], include_bytes!("../assets/console.css").as_slice()).into_response()
}

/// `GET /assets/console.js`.
pub(crate) async fn script() -> Response {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind, CACHE], include_bytes!("../assets/console.js").as_slice()).into_response()
}

/// `GET /assets/icon.svg`.
pub(crate) async fn icon() -> Response {
    let kind = (header::CONTENT_TYPE, "image/svg+xml");
    ([kind, CACHE], include_bytes!("../assets/icon.svg").as_slice()).into_response()
}
