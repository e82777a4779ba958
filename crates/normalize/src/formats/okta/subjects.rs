//! Who acts on whom and on what: Okta's `actor` and `target`.

use super::{debug, is_known};
use crate::json::Json;
use habitus_model::{AccountKind, Activity, Event, Resource, User};

/// Fills account, actor, target, group, service, resources and privileges.
pub(super) fn read(event: &mut Event, record: &Json<'_>) {
    let acting = record.get("actor").and_then(user).unwrap_or_default();
    let targets = record.items("target");
    let acted_upon = targets
        .iter()
        .filter(|target| target.str("type") == Some("User"))
        .find_map(user)
        .filter(|target| target.uid != acting.uid || target.uid.is_none());
    match acted_upon {
        // Okta itself records what a user does (agents, pushes): the user is whose behaviour it shows.
        Some(user) if event.activity.is_authentication() && acting.kind == AccountKind::Service => {
            event.account = user;
            event.actor = Some(acting);
        }
        target => {
            event.account = acting;
            event.target = target;
        }
    }
    event.group = first_of(targets, "UserGroup");
    if matches!(event.activity, Activity::Authentication(_)) {
        event.service = first_of(targets, "AppInstance");
    }
    let is_thing = |target: &&Json<'_>| {
        let kind = target.str("type").unwrap_or_default();
        let named_elsewhere = ["User", "AppUser", "UserGroup"].contains(&kind);
        let is_service = kind == "AppInstance" && event.service.is_some();
        !named_elsewhere && !is_service
    };
    event.resources = targets.iter().filter(is_thing).filter_map(thing).collect();
    let granted = debug(record).and_then(|debug| {
        debug
            .str("privilegeGranted")
            .or_else(|| debug.str("privilegeRevoked"))
    });
    event.privileges = granted
        .unwrap_or_default()
        .split(',')
        .filter_map(crate::field::text)
        .collect();
}

/// An actor or target that is an account: `alternateId` is the login name.
fn user(object: &Json<'_>) -> Option<User> {
    let kind = object.str("type").unwrap_or_default();
    // Requests that nobody signed carry the address as the actor.
    if kind == "IP address" {
        return None;
    }
    let name = object.text("alternateId").filter(is_known);
    let user = User {
        email: name.clone().filter(|name| name.contains('@')),
        name,
        uid: object.text("id").filter(is_known),
        display_name: object.text("displayName").filter(is_known),
        kind: account_kind(kind),
        ..User::default()
    };
    user.is_somebody().then_some(user)
}

fn account_kind(kind: &str) -> AccountKind {
    match kind {
        "User" => AccountKind::Human,
        "SystemPrincipal" => AccountKind::Service,
        // `PublicClientApp`, `ServiceClientApp`, `AppInstance` and the like.
        kind if kind.contains("App") || kind.contains("Client") || kind.contains("Agent") => {
            AccountKind::Service
        }
        _ => AccountKind::Unknown,
    }
}

fn first_of(targets: &[Json<'_>], kind: &str) -> Option<Resource> {
    targets
        .iter()
        .find(|target| target.str("type") == Some(kind))
        .and_then(thing)
}

fn thing(target: &Json<'_>) -> Option<Resource> {
    let resource = Resource {
        name: target
            .text("displayName")
            .or_else(|| target.text("alternateId"))
            .filter(is_known),
        uid: target.text("id").filter(is_known),
        kind: target.text("type"),
        ..Resource::default()
    };
    (resource.name.is_some() || resource.uid.is_some()).then_some(resource)
}
