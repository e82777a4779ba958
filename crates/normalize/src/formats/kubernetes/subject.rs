//! Whom and what a request acts upon.

use crate::field;
use crate::json::Json;
use habitus_model::{Activity, Event, Resource, Text, User};

/// Fills resources, target and privileges from `objectRef` and, where the audit level keeps it, the request's body.
pub fn read(event: &mut Event, record: &Json<'_>) {
    let Some(object) = record.at("objectRef") else {
        // Paths such as /metrics or /api: the path is what was acted upon.
        if let Some(path) = record.str("requestURI") {
            let path = path.split('?').next().unwrap_or(path);
            event.resources.push(Resource {
                name: field::text(path),
                kind: Some(Text::const_new("path")),
                ..Resource::default()
            });
        }
        return;
    };
    event.resources.push(resource(object));
    let body = record.at("requestObject").or_else(|| record.at("responseObject"));
    match event.activity {
        Activity::AccountChange(_) | Activity::Authentication(_) => {
            let name = object
                .str("name")
                .or_else(|| body.and_then(|body| body.str("metadata.name")));
            let account = service_account(object.str("namespace"), name);
            event.target = event.target.take().or(account);
        }
        Activity::UserAccess(_) => binding(event, body),
        Activity::EntityManagement(_) => {
            // A request for a certificate names who will bear it.
            if let Some(name) = body.and_then(|body| body.str("spec.username"))
                && event.target.is_none()
            {
                event.target = User::by_name(name);
            }
        }
        _ => {}
    }
}

/// The full name by which the API server knows a service account ("Authenticating", "Service account tokens").
fn service_account(namespace: Option<&str>, name: Option<&str>) -> Option<User> {
    User::by_name(&format!("system:serviceaccount:{}:{}", namespace?, name?))
}

fn resource(object: &Json<'_>) -> Resource {
    let kind = object.str("resource");
    Resource {
        name: object.text("name"),
        uid: object.text("uid"),
        kind: match (kind, object.str("subresource")) {
            (Some(kind), Some(sub)) => field::text(&format!("{kind}/{sub}")),
            (kind, _) => kind.and_then(field::text),
        },
        namespace: object.text("namespace"),
    }
}

/// A binding gives one role to its subjects; the first is the target, the role the privilege.
fn binding(event: &mut Event, body: Option<&Json<'_>>) {
    let Some(body) = body else {
        return;
    };
    event.privileges.extend(body.text("roleRef.name"));
    let Some(subject) = body.items("subjects").first() else {
        return;
    };
    let name = subject.str("name");
    let target = match subject.str("kind") {
        Some("ServiceAccount") => service_account(subject.str("namespace"), name),
        Some("Group") => {
            event.group = Some(Resource {
                name: subject.text("name"),
                kind: Some(Text::const_new("Group")),
                ..Resource::default()
            });
            None
        }
        _ => name.and_then(User::by_name),
    };
    // Whom an impersonator pretends to be weighs more.
    event.target = event.target.take().or(target);
}
