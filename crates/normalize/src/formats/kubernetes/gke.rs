//! Audit events of Google Kubernetes Engine, which Google writes as Cloud Audit Logs.
//!
//! Source: Google Cloud documentation, "GKE audit logging information" and the `AuditLog` message.

use super::{NAME, activity, is_machine};
use crate::envelope::Inner;
use crate::format::Reading;
use crate::json::Json;
use crate::{field, stamp, unmapped};
use habitus_model::{AccountKind, Event, Rejection, Resource, SourceName, Status, Text, User};

/// Whether a log entry is of the Kubernetes API server: its service is `k8s.io`, that of GKE's own API
/// `container.googleapis.com`.
#[must_use]
pub fn is_record(document: &Json<'_>) -> bool {
    document.str("protoPayload.serviceName") == Some("k8s.io")
}

/// Reads one entry.
///
/// # Errors
/// The entry has no method, or no time that can be read.
pub fn event(inner: &Inner<'_>, reading: &Reading<'_>) -> Result<Event, Rejection> {
    let entry = inner.record.as_ref();
    let payload = entry
        .at("protoPayload")
        .ok_or_else(|| Rejection::missing("protoPayload"))?;
    let method = payload
        .str("methodName")
        .ok_or_else(|| Rejection::missing("protoPayload.methodName"))?;
    let stamps = [entry.at("timestamp"), entry.at("receiveTimestamp")];
    let (time, quality) = stamp::or_reference(&stamps, "timestamp", reading.options)?;
    // io.k8s.core.v1.pods.exec.create: group, version, resource, subresource, verb.
    let mut words = method.rsplit('.');
    let verb = words.next().unwrap_or(method);
    let object = Object::of(payload.str("resourceName").unwrap_or(""));
    let activity = activity::of(verb, object.resource, object.subresource);
    let uid = inner.uid(entry.str("insertId"), reading);
    let mut event = Event::new(uid, time, SourceName::new(NAME), activity, verb);
    event.time_quality = quality;
    event.account = account(payload);
    event.src.ip = payload.str("requestMetadata.callerIp").and_then(field::ip);
    event.client.user_agent = payload
        .str("requestMetadata.callerSuppliedUserAgent")
        .and_then(field::user_agent);
    outcome(&mut event, payload);
    event.resources.push(object.to_resource());
    if object.resource.is_some_and(|name| name.ends_with("rolebindings")) {
        event.privileges.extend(payload.text("request.roleRef.name"));
    }
    event.service = Some(Resource {
        name: entry.text("resource.labels.cluster_name"),
        kind: Some(Text::const_new("kubernetes")),
        namespace: entry.text("resource.labels.project_id"),
        uid: None,
    });
    event.unmapped = unmapped::rest(entry, &["insertId", "timestamp"], reading.options);
    Ok(event)
}

fn account(payload: &Json<'_>) -> User {
    let name = payload.str("authenticationInfo.principalEmail");
    User {
        name: name.and_then(field::text),
        kind: if name.is_some_and(is_machine) {
            AccountKind::Service
        } else {
            AccountKind::Unknown
        },
        ..User::default()
    }
}

/// `status` is a google.rpc.Status: absent or code 0 is success.
fn outcome(event: &mut Event, payload: &Json<'_>) {
    let code = payload.i64("status.code").unwrap_or(0);
    let is_denied = payload
        .items("authorizationInfo")
        .iter()
        .any(|check| check.bool("granted") == Some(false));
    event.status = if code == 0 && !is_denied {
        Status::Success
    } else {
        Status::Failure
    };
    event.status_code = payload.text("status.code");
    event.status_detail = payload.text("status.message");
}

/// A resource name: `core/v1/namespaces/default/pods/web/exec`.
struct Object<'p> {
    namespace: Option<&'p str>,
    resource: Option<&'p str>,
    name: Option<&'p str>,
    subresource: Option<&'p str>,
}

impl<'p> Object<'p> {
    fn of(path: &'p str) -> Self {
        let mut words = path.split('/').skip(2);
        let first = words.next();
        let (namespace, resource) = match (first, words.clone().nth(1)) {
            // Something within a namespace, rather than the namespace itself.
            (Some("namespaces"), Some(resource)) => {
                let namespace = words.next();
                words.next();
                (namespace, Some(resource))
            }
            _ => (None, first),
        };
        Self {
            namespace,
            resource,
            name: words.next(),
            subresource: words.next(),
        }
    }

    fn to_resource(&self) -> Resource {
        let kind = match (self.resource, self.subresource) {
            (Some(resource), Some(sub)) => field::text(&format!("{resource}/{sub}")),
            (resource, _) => resource.and_then(field::text),
        };
        Resource {
            name: self.name.and_then(field::text),
            uid: None,
            kind,
            namespace: self.namespace.and_then(field::text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Object;

    #[test]
    fn resource_names_are_taken_apart() {
        let exec = Object::of("core/v1/namespaces/default/pods/web/exec").to_resource();
        assert_eq!(exec.kind.as_deref(), Some("pods/exec"));
        assert_eq!(exec.name.as_deref(), Some("web"));
        assert_eq!(exec.namespace.as_deref(), Some("default"));
        let namespace = Object::of("core/v1/namespaces/shop").to_resource();
        assert_eq!(namespace.kind.as_deref(), Some("namespaces"));
        assert_eq!(namespace.name.as_deref(), Some("shop"));
        let role = Object::of("rbac.authorization.k8s.io/v1/clusterroles/view").to_resource();
        assert_eq!(role.kind.as_deref(), Some("clusterroles"));
        assert_eq!(Object::of("").to_resource().kind, None);
    }
}
