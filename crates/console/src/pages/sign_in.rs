//! Signing in and out.

use super::frame::{page, refuse};
use crate::access::{AccessError, SignIn};
use crate::address::Client;
use crate::cookie;
use crate::core::{App, Core};
use crate::extract::{PageForm, Query};
use crate::guard::Caller;
use crate::handlers::record;
use crate::problem::Problem;
use crate::product::AuditNote;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use habitus_model::Text;
use http::{Extensions, Method, StatusCode, header};
use serde::Deserialize;

/// A one-time link.
#[derive(Default, Deserialize)]
pub(crate) struct LinkQuery {
    link: Option<String>,
}

/// Name and password.
#[derive(Deserialize)]
pub(crate) struct SignInForm {
    name: String,
    password: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage;

/// `GET /sign-in`: the form, or the use of a one-time link.
pub(crate) async fn sign_in_form(
    State(app): State<App>,
    method: Method,
    Query(query): Query<LinkQuery>,
    extensions: Extensions,
) -> Response {
    // Programs that look ahead at links ask for the head only, and must not use them up.
    let Some(link) = query.link.filter(|_| method == Method::GET) else {
        return form(None, StatusCode::OK);
    };
    let client = Client::of_extensions(&extensions);
    let (address, now) = (client.address, app.now());
    let redeemed = app
        .access_result(move |access| access.redeem(&link, address, now))
        .await;
    finish(&app, &client, redeemed, None).await
}

/// `POST /sign-in`.
pub(crate) async fn sign_in(
    State(app): State<App>,
    extensions: Extensions,
    PageForm(form): PageForm<SignInForm>,
) -> Response {
    let client = Client::of_extensions(&extensions);
    let (address, now) = (client.address, app.now());
    let Ok(_check) = app.checks.acquire().await else {
        return refuse(&Problem::internal());
    };
    let name = form.name.clone();
    let signed = app
        .access_result(move |access| access.sign_in(&form.name, &form.password, (address, now)))
        .await;
    finish(&app, &client, signed, Some(&name)).await
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(State(app): State<App>, caller: Caller) -> Response {
    if let Some(session) = caller.session.clone() {
        let ended = app.with_access(move |access| access.end_session(&session)).await;
        if let Err(problem) = ended {
            return refuse(&problem);
        }
    }
    // The session is over either way.
    let _ = record(&app, &caller, "session.end", (None, None)).await;
    let mut response = Redirect::to("/sign-in").into_response();
    if let Some(value) = cookie::clear(app.settings.https) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

async fn finish(
    app: &Core,
    client: &Client,
    signed: Result<SignIn, AccessError>,
    name: Option<&str>,
) -> Response {
    match signed {
        Ok(signed) => begin(app, client, signed).await,
        Err(AccessError::Denied) => {
            // A password typed into the field of the name must not enter the audit: names of users only.
            let known = name.filter(|name| app.access.users().iter().any(|user| user.name == *name));
            note(app, client, ("session.fail", known.map(Text::new))).await;
            let text = if name.is_some() {
                "Name or password is wrong."
            } else {
                "This link is no good any more. Links work once, for a quarter of an hour."
            };
            form(Some(text), StatusCode::UNAUTHORIZED)
        }
        Err(error) => refuse(&error.into()),
    }
}

async fn begin(app: &Core, client: &Client, signed: SignIn) -> Response {
    if !note(app, client, ("session.create", Some(signed.user.clone()))).await {
        // INVARIANT: no session without an entry in the audit.
        let session = signed.session.clone();
        let _ = app.with_access(move |access| access.end_session(&session)).await;
        return refuse(&Problem::overloaded("storage_full", 10));
    }
    // Not a redirect: a strict cookie would not be sent after one that another site's link began.
    let mut response = page(&SignedInPage).unwrap_or_else(|problem| refuse(&problem));
    if let Some(value) = cookie::set(&signed.session, app.settings.https) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

async fn note(app: &Core, client: &Client, (action, user): (&'static str, Option<Text>)) -> bool {
    let note = AuditNote {
        tenant: None,
        actor: user,
        address: Some(client.address),
        request: Some(client.request.clone()),
        action,
        object: None,
        detail: None,
    };
    app.product.audit.record(note).await.is_ok()
}

fn form(error: Option<&str>, status: StatusCode) -> Response {
    let mut response = page(&SignInPage { error }).unwrap_or_else(|problem| refuse(&problem));
    *response.status_mut() = status;
    response
}
