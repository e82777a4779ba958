//! `/v1/me`.

use super::record;
use crate::access::{Permission, PrincipalKind, Role, Scope};
use crate::core::App;
use crate::extract::Command;
use crate::guard::Caller;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Name of the user, or `token:<id>`.
    name: String,
    /// Role; absent for tokens.
    role: Option<Role>,
    /// Scopes; absent for people.
    scopes: Option<Vec<Scope>>,
    /// What may be done.
    permissions: Vec<Permission>,
    /// Whose data may be seen.
    tenant: String,
    /// To be sent as `X-Csrf-Token` with everything that changes something; absent for tokens, which need none.
    csrf: Option<String>,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordCommand {
    /// The new one.
    #[schema(min_length = 15, max_length = 256, format = Password)]
    password: String,
    /// The present one; absent if there is none.
    #[schema(max_length = 256, format = Password)]
    current: Option<String>,
}

/// Who asks, and what they may do.
#[utoipa::path(get, path = "/v1/me", operation_id = "me", tag = "access",
    responses((status = 200, description = "You.", body = Me)))]
pub(crate) async fn me(caller: Caller) -> Json<Me> {
    let (role, scopes) = match &caller.principal.kind {
        PrincipalKind::User(role) => (Some(*role), None),
        PrincipalKind::Token(scopes) => (None, Some(scopes.clone())),
    };
    Json(Me {
        name: caller.principal.name.to_string(),
        role,
        scopes,
        permissions: caller.principal.permissions.iter().copied().collect(),
        tenant: caller.principal.tenant.to_string(),
        csrf: caller.csrf(),
    })
}

/// Sets one's own password. All one's sessions end, this one too: sign in anew.
#[utoipa::path(put, path = "/v1/me/password", operation_id = "setPassword", tag = "access", request_body = PasswordCommand,
    responses((status = 204, description = "Set.")))]
pub(crate) async fn set_password(
    State(app): State<App>,
    caller: Caller,
    Command(command): Command<PasswordCommand>,
) -> Result<StatusCode, Problem> {
    if !caller.is_user() {
        return Err(Problem::forbidden("a token has no password"));
    }
    let _check = app.checks.acquire().await.map_err(|_| Problem::internal())?;
    record(&app, &caller, "password.set", (Some(&caller.who.name), None)).await?;
    let (name, now) = (caller.who.name.clone(), app.now());
    let Some(address) = caller.who.address else {
        return Err(Problem::internal());
    };
    app.with_access(move |access| {
        let has_password = access
            .users()
            .iter()
            .any(|user| user.name == name && user.has_password);
        if has_password {
            // The one who holds the session must still prove to know the password (ASVS 6.2.3).
            let current = command.current.unwrap_or_default();
            access.check_password(&name, &current, (address, now))?;
        }
        access.set_password(&name, &command.password)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
