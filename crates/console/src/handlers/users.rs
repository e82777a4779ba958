//! `/v1/users`.

use super::record;
use super::tokens::{governs, tenant_of};
use crate::access::{Link, Role, UserView};
use crate::core::{App, Core};
use crate::extract::{Command, Id, OptionalCommand};
use crate::guard::Caller;
use crate::handlers::findings::EmptyCommand;
use crate::problem::Problem;
use crate::product::time;
use axum::Json;
use axum::extract::State;
use habitus_model::{EventTime, TenantId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserCommand {
    /// The name.
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9._@+-]{1,64}$")]
    name: String,
    /// What the person is.
    role: Role,
    /// Whose data; absent means the maker's own. Only makers of the tenant `default` may name another.
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9._@+-]{1,64}$")]
    tenant: Option<String>,
}

/// A change of a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleCommand {
    /// What the person is from now on.
    role: Role,
}

/// A user that was just added.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewUserAnswer {
    /// The user.
    user: UserView,
    /// The first way in.
    link: LinkAnswer,
}

/// A one-time link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkAnswer {
    /// Path and query, to append to this server's address.
    path: String,
    /// From when it is no good any more.
    #[serde(serialize_with = "serialize_time")]
    #[schema(value_type = String, format = DateTime)]
    expires: EventTime,
}

/// Every user, by name.
#[utoipa::path(get, path = "/v1/users", operation_id = "listUsers", tag = "access",
    responses((status = 200, description = "The users.", body = Vec<UserView>)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Json<Vec<UserView>> {
    let mut users = app.access.users();
    users.retain(|user| governs(&caller, &TenantId::new(user.tenant.as_str())));
    Json(users)
}

/// Adds a user, and makes a one-time link for the first sign-in.
#[utoipa::path(post, path = "/v1/users", operation_id = "createUser", tag = "access", request_body = UserCommand,
    responses((status = 201, description = "Added.", body = NewUserAnswer)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Command(command): Command<UserCommand>,
) -> Result<(StatusCode, Json<NewUserAnswer>), Problem> {
    let tenant = tenant_of(&caller, command.tenant)?;
    let now = app.now();
    let detail = Some(format!("role {}", command.role.name()));
    record(&app, &caller, "user.create", (Some(&command.name), detail)).await?;
    let made = app.with_access(move |access| {
        let user = access.create_user(&command.name, command.role, tenant, now)?;
        let link = access.issue_link(&user.name, now)?;
        Ok((user, link))
    });
    let (user, link) = made.await?;
    let answer = NewUserAnswer {
        user,
        link: LinkAnswer::of(&link),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Gives a user another role; their sessions end.
#[utoipa::path(patch, path = "/v1/users/{id}", operation_id = "changeUser", tag = "access",
    params(("id" = String, Path, description = "Name of the user.")), request_body = RoleCommand,
    responses((status = 200, description = "Changed.", body = UserView)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Id(name): Id,
    Command(command): Command<RoleCommand>,
) -> Result<Json<UserView>, Problem> {
    check_known(&app, &caller, &name)?;
    let detail = Some(format!("role {}", command.role.name()));
    record(&app, &caller, "user.change", (Some(&name), detail)).await?;
    Ok(Json(
        app.with_access(move |access| access.set_role(&name, command.role))
            .await?,
    ))
}

/// Removes a user; their sessions end.
#[utoipa::path(delete, path = "/v1/users/{id}", operation_id = "removeUser", tag = "access",
    params(("id" = String, Path, description = "Name of the user.")),
    responses((status = 204, description = "Removed.")))]
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    Id(name): Id,
) -> Result<StatusCode, Problem> {
    check_known(&app, &caller, &name)?;
    record(&app, &caller, "user.remove", (Some(&name), None)).await?;
    app.with_access(move |access| access.remove_user(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a one-time link for a user: good once, for a quarter of an hour.
#[utoipa::path(post, path = "/v1/users/{id}/link", operation_id = "createLink", tag = "access",
    params(("id" = String, Path, description = "Name of the user.")), request_body = Option<EmptyCommand>,
    responses((status = 201, description = "The link, shown this once.", body = LinkAnswer)))]
pub(crate) async fn link(
    State(app): State<App>,
    caller: Caller,
    Id(name): Id,
    OptionalCommand(EmptyCommand {}): OptionalCommand<EmptyCommand>,
) -> Result<(StatusCode, Json<LinkAnswer>), Problem> {
    check_known(&app, &caller, &name)?;
    record(&app, &caller, "link.create", (Some(&name), None)).await?;
    let now = app.now();
    let link = app
        .with_access(move |access| access.issue_link(&name, now))
        .await?;
    Ok((StatusCode::CREATED, Json(LinkAnswer::of(&link))))
}

impl LinkAnswer {
    fn of(link: &Link) -> Self {
        Self {
            path: link.path(),
            expires: link.expires,
        }
    }
}

fn check_known(app: &Core, caller: &Caller, name: &str) -> Result<(), Problem> {
    let known = app.access.users();
    let mine = |user: &UserView| user.name == name && governs(caller, &TenantId::new(user.tenant.as_str()));
    if known.iter().any(mine) {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}

fn serialize_time<S: serde::Serializer>(at: &EventTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time::text(*at))
}
