//! Every route, with what it asks of who comes. The router is built from this table and from nothing else, so that no
//! route can be without a rule; `openapi.json` and the test of authorisation are made from it too.

use crate::access::Permission::{Act, Admin, Assess, Audit, Ingest, Metrics, Read, Triage};
use crate::core::App;
use crate::guard::{Need, Rule, guard};
use crate::handlers::{
    accounts, actions, assess, audit, authorize, bulk, events, findings, hec, me, models, operations,
    sources, stream, tokens, users,
};
use crate::pages;
use crate::problem::Problem;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use http::{Method, StatusCode};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::routes;

/// Whose manners a route has: how it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// Problem documents. Documented in `openapi.json`.
    Api,
    /// Pages: whoever is nobody is led to the sign-in.
    Page,
    /// Splunk's collector.
    Hec,
    /// Elasticsearch's bulk interface.
    Bulk,
    /// The root: a page for browsers, Elasticsearch's greeting for shippers.
    Root,
    /// gRPC.
    Grpc,
}

/// One route.
pub(crate) struct Row {
    pub method: Method,
    pub path: String,
    pub need: Need,
    pub face: Face,
    /// What `openapi.json` says; there for [`Face::Api`] only.
    pub operation: Option<Operation>,
    pub schemas: Vec<(String, RefOr<Schema>)>,
    pub router: MethodRouter<App>,
}

const SOMEBODY: Need = Need::Somebody;
const NOBODY: Need = Need::Nobody;

/// The table.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = api_rows();
    rows.extend(shipper_rows());
    rows.extend(page_rows());
    rows
}

fn api_rows() -> Vec<Row> {
    vec![
        api(Need::May(Ingest), routes!(events::ingest)),
        api(Need::May(Assess), routes!(assess::assess)),
        api(Need::May(Assess), routes!(authorize::ask)),
        api(Need::May(Assess), routes!(authorize::ask_by_post)),
        api(Need::May(Read), routes!(findings::list)),
        api(Need::May(Read), routes!(findings::one)),
        api(Need::May(Triage), routes!(findings::verdict)),
        api(Need::May(Triage), routes!(findings::assign)),
        api(Need::May(Triage), routes!(findings::note)),
        api(Need::May(Triage), routes!(findings::undo)),
        api(Need::May(Triage), routes!(findings::reopen)),
        api(Need::May(Read), routes!(accounts::list)),
        api(Need::May(Read), routes!(accounts::one)),
        api(Need::May(Read), routes!(accounts::session)),
        api(Need::May(Read), routes!(stream::stream)),
        api(Need::May(Read), routes!(sources::list)),
        api(Need::May(Read), routes!(sources::changes)),
        api(Need::May(Read), routes!(actions::list)),
        api(Need::May(Act), routes!(actions::approve)),
        api(Need::May(Act), routes!(actions::decline)),
        api(Need::May(Act), routes!(actions::retry)),
        api(Need::May(Read), routes!(models::list)),
        api(Need::May(Admin), routes!(models::propose)),
        api(Need::May(Admin), routes!(models::promote)),
        api(Need::May(Admin), routes!(models::roll_back)),
        api(Need::May(Audit), routes!(audit::list)),
        api(Need::May(Admin), routes!(tokens::list)),
        api(Need::May(Admin), routes!(tokens::create)),
        api(Need::May(Admin), routes!(tokens::revoke)),
        api(Need::May(Admin), routes!(users::list)),
        api(Need::May(Admin), routes!(users::create)),
        api(Need::May(Admin), routes!(users::change)),
        api(Need::May(Admin), routes!(users::remove)),
        api(Need::May(Admin), routes!(users::link)),
        api(SOMEBODY, routes!(me::me)),
        api(SOMEBODY, routes!(me::set_password)),
        api(SOMEBODY, routes!(operations::openapi)),
        api(Need::May(Metrics), routes!(operations::metrics)),
        api(NOBODY, routes!(operations::livez)),
        api(NOBODY, routes!(operations::readyz)),
    ]
}

fn shipper_rows() -> Vec<Row> {
    let hec = |path, handler| row(Method::POST, path, (Need::May(Ingest), Face::Hec), handler);
    let bulk = |method, path, handler| row(method, path, (Need::May(Ingest), Face::Bulk), handler);
    vec![
        hec("/services/collector", post(hec::event)),
        hec("/services/collector/event", post(hec::event)),
        hec("/services/collector/event/1.0", post(hec::event)),
        hec("/services/collector/raw", post(hec::raw)),
        hec("/services/collector/raw/1.0", post(hec::raw)),
        hec("/services/collector/ack", post(hec::ack)),
        row(
            Method::GET,
            "/services/collector/health",
            (NOBODY, Face::Hec),
            get(hec::health),
        ),
        row(
            Method::GET,
            "/services/collector/health/1.0",
            (NOBODY, Face::Hec),
            get(hec::health),
        ),
        bulk(Method::POST, "/_bulk", post(bulk::bulk)),
        bulk(Method::POST, "/{index}/_bulk", post(bulk::bulk_of_index)),
        bulk(Method::GET, "/_license", get(bulk::license)),
        bulk(Method::GET, "/_cluster/health", get(bulk::cluster_health)),
        row(
            Method::POST,
            "/envoy.service.auth.v3.Authorization/Check",
            (Need::May(Assess), Face::Grpc),
            post(crate::ext_authz::check),
        ),
    ]
}

fn page_rows() -> Vec<Row> {
    let read = (Need::May(Read), Face::Page);
    let triage = (Need::May(Triage), Face::Page);
    let admin = (Need::May(Admin), Face::Page);
    let open = (NOBODY, Face::Page);
    vec![
        row(Method::GET, "/", (SOMEBODY, Face::Root), get(pages::root)),
        row(Method::GET, "/findings/{id}", read, get(pages::finding)),
        row(
            Method::POST,
            "/findings/{id}/verdict",
            triage,
            post(pages::verdict),
        ),
        row(Method::POST, "/findings/{id}/assign", triage, post(pages::assign)),
        row(Method::POST, "/findings/{id}/notes", triage, post(pages::note)),
        row(Method::POST, "/findings/{id}/undo", triage, post(pages::undo)),
        row(Method::GET, "/accounts/{id}", read, get(pages::account)),
        row(Method::GET, "/models", read, get(pages::models)),
        row(Method::POST, "/models/{id}/promote", admin, post(pages::promote)),
        row(Method::POST, "/models/rollback", admin, post(pages::roll_back)),
        row(Method::GET, "/sign-in", open, get(pages::sign_in_form)),
        row(Method::POST, "/sign-in", open, post(pages::sign_in)),
        row(
            Method::POST,
            "/sign-out",
            (SOMEBODY, Face::Page),
            post(pages::sign_out),
        ),
        row(Method::GET, "/assets/console.css", open, get(pages::style)),
        row(Method::GET, "/assets/console.js", open, get(pages::script)),
        row(Method::GET, "/assets/icon.svg", open, get(pages::icon)),
    ]
}

/// The router of the whole table.
pub(crate) fn router(rows: Vec<Row>, app: &App) -> Router {
    let mut router = Router::new();
    for (number, row) in rows.into_iter().enumerate() {
        let rule = Rule {
            app: app.clone(),
            need: row.need,
            face: row.face,
            row: number,
        };
        router = router.route(&row.path, row.router.route_layer(from_fn_with_state(rule, guard)));
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_route)
        .with_state(app.clone())
}

impl Face {
    /// Refuses in the manner of the face.
    pub(crate) fn refuse(self, problem: Problem, https: bool) -> Response {
        match self {
            Face::Api => problem.into_response(),
            Face::Page | Face::Root if problem.status == StatusCode::UNAUTHORIZED => {
                let mut response = Redirect::to("/sign-in").into_response();
                if let Some(cookie) = crate::cookie::clear(https) {
                    response.headers_mut().insert(http::header::SET_COOKIE, cookie);
                }
                response
            }
            Face::Page | Face::Root => pages::refuse(&problem),
            Face::Hec => hec::refuse(&problem),
            Face::Bulk => bulk::refuse(problem),
            Face::Grpc => crate::ext_authz::refuse(&problem),
        }
    }
}

async fn no_route() -> Problem {
    Problem::not_found()
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        "this path does not take this method",
    )
}

/// A documented row, from what `#[utoipa::path]` says beside the handler.
fn api(need: Need, (schemas, paths, router): utoipa_axum::router::UtoipaMethodRouter<App>) -> Row {
    let mut found = None;
    for (path, item) in paths.paths {
        let operations = [
            (Method::GET, item.get),
            (Method::POST, item.post),
            (Method::PUT, item.put),
            (Method::PATCH, item.patch),
            (Method::DELETE, item.delete),
        ];
        for (method, operation) in operations {
            if operation.is_some() {
                found = Some((method, path.clone(), operation));
            }
        }
    }
    // INVARIANT: `routes!` of one handler gives exactly one operation; a row without a path would match nothing.
    let (method, path, operation) = found.unwrap_or((Method::GET, "/never".to_owned(), None));
    Row {
        method,
        path,
        need,
        face: Face::Api,
        operation,
        schemas,
        router,
    }
}

fn row(method: Method, path: &str, (need, face): (Need, Face), router: MethodRouter<App>) -> Row {
    Row {
        method,
        path: path.to_owned(),
        need,
        face,
        operation: None,
        schemas: Vec::new(),
        router,
    }
}
