//! Kubernetes API server audit events: requests of people and machines, and roles that are bound.

use super::{add, login_name, stamp};
use habitus_model::activity::{ApiActivity as Api, UserAccessActivity as Access};
use habitus_model::{AccountKind, Activity, Event, Status};
use serde_json::{Value, json};

/// What requests are for: every thing of a simulated tenant is one of these.
const THINGS: &str = "configmaps";

pub(super) fn write(event: &Event) -> Option<String> {
    let (verb, object) = request(event)?;
    let denied = event.status != Status::Success;
    let at = stamp::millis(event.time);
    let mut line = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": event.uid.as_str(),
        "stage": "ResponseComplete",
        "requestReceivedTimestamp": at,
        "stageTimestamp": at,
        "verb": verb,
        "user": user(event)?,
        "sourceIPs": [event.src.ip?.to_string()],
        "userAgent": event.client.user_agent.as_deref(),
        "objectRef": object,
        "responseStatus": { "code": if denied { 403 } else { 200 } },
        "annotations": { "authorization.k8s.io/decision": if denied { "forbid" } else { "allow" } },
    });
    if let Some(body) = binding(event) {
        add(&mut line, "requestObject", body);
    }
    Some(line.to_string())
}

/// Verb and object; `None` for what no request to the API server does.
fn request(event: &Event) -> Option<(&'static str, Value)> {
    let verb = match event.activity {
        Activity::Api(Api::Read) if event.action == "list" => "list",
        Activity::Api(Api::Read) => "get",
        Activity::Api(Api::Update) => "update",
        Activity::Api(Api::Create) => "create",
        Activity::Api(Api::Delete) => "delete",
        Activity::UserAccess(Access::AssignPrivileges) => {
            let object =
                json!({ "resource": "clusterrolebindings", "apiGroup": "rbac.authorization.k8s.io" });
            return Some(("create", object));
        }
        _ => return None,
    };
    let name = event.resources.first().and_then(|thing| thing.name.as_deref());
    Some((
        verb,
        json!({ "resource": THINGS, "namespace": "default", "name": name }),
    ))
}

fn user(event: &Event) -> Option<Value> {
    let account = &event.account;
    let name = match account.kind {
        AccountKind::Service => account.name.as_deref(),
        _ => login_name(account),
    };
    let credential = event.auth.credential_uid.as_deref();
    let extra = credential.map(|uid| json!({ "authentication.kubernetes.io/credential-id": [uid] }));
    Some(json!({ "username": name?, "groups": ["system:authenticated"], "extra": extra }))
}

/// What the body of a binding says: which role, for whom. Who gives one to themselves is named once.
fn binding(event: &Event) -> Option<Value> {
    let role = event.privileges.first()?;
    let whom = event.target.as_ref().and_then(login_name);
    let subjects: Vec<Value> = whom
        .iter()
        .map(|name| json!({ "kind": "User", "name": name }))
        .collect();
    Some(json!({ "roleRef": { "kind": "ClusterRole", "name": role.as_str() }, "subjects": subjects }))
}
