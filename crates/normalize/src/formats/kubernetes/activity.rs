//! Which OCSF activity a request is, by resource, subresource and verb.
//!
//! Source: Kubernetes documentation, "Authorization Overview" (request verbs), RBAC, "Authenticating"; API conventions for
//! subresources.

use habitus_model::Activity;
use habitus_model::activity::{
    AccountChangeActivity as Account, ApiActivity as Api, AuthenticationActivity as Auth,
    EntityManagementActivity as Entity, UserAccessActivity as Access,
};

/// The activity of `verb` on `resource` and `subresource`; both absent for requests that are not for a resource.
#[must_use]
pub fn of(verb: &str, resource: Option<&str>, subresource: Option<&str>) -> Activity {
    let api = by_verb(verb);
    if is_session(subresource) {
        return Activity::Api(Api::Other);
    }
    match (resource.unwrap_or(""), subresource) {
        ("serviceaccounts", Some("token")) => Activity::Authentication(Auth::Other),
        ("serviceaccounts", None) => account(api),
        ("rolebindings" | "clusterrolebindings", None) => access(api),
        ("certificatesigningrequests", Some("approval")) => Activity::EntityManagement(Entity::Activate),
        (
            "roles"
            | "clusterroles"
            | "certificatesigningrequests"
            | "validatingwebhookconfigurations"
            | "mutatingwebhookconfigurations",
            None,
        ) => entity(api),
        // Reviews ask about somebody's rights or token and change nothing, though their verb is `create`.
        ("tokenreviews" | "subjectaccessreviews" | "localsubjectaccessreviews", _)
        | ("selfsubjectaccessreviews" | "selfsubjectrulesreviews" | "selfsubjectreviews", _) => {
            Activity::Api(Api::Read)
        }
        _ => Activity::Api(api),
    }
}

/// Whether a subresource opens a session into a container or a service.
#[must_use]
pub fn is_session(subresource: Option<&str>) -> bool {
    matches!(subresource, Some("exec" | "attach" | "portforward" | "proxy"))
}

/// The kind of access a verb is: request verbs of resources, and HTTP methods of everything else.
#[must_use]
pub fn by_verb(verb: &str) -> Api {
    match VERBS.binary_search_by(|(known, _)| (*known).cmp(verb)) {
        Ok(at) => VERBS.get(at).map_or(Api::Other, |(_, api)| *api),
        Err(_) => Api::Other,
    }
}

/// Sorted.
const VERBS: &[(&str, Api)] = &[
    ("create", Api::Create),
    ("delete", Api::Delete),
    ("deletecollection", Api::Delete),
    ("get", Api::Read),
    ("head", Api::Read),
    ("list", Api::Read),
    ("options", Api::Read),
    ("patch", Api::Update),
    ("post", Api::Create),
    ("put", Api::Update),
    ("update", Api::Update),
    ("watch", Api::Read),
];

fn account(api: Api) -> Activity {
    match api {
        Api::Create => Activity::AccountChange(Account::Create),
        Api::Delete => Activity::AccountChange(Account::Delete),
        Api::Update => Activity::AccountChange(Account::Other),
        other => Activity::Api(other),
    }
}

/// A binding gives rights as long as it is there.
fn access(api: Api) -> Activity {
    match api {
        Api::Create | Api::Update => Activity::UserAccess(Access::AssignPrivileges),
        Api::Delete => Activity::UserAccess(Access::RevokePrivileges),
        other => Activity::Api(other),
    }
}

fn entity(api: Api) -> Activity {
    match api {
        Api::Create => Activity::EntityManagement(Entity::Create),
        Api::Update => Activity::EntityManagement(Entity::Update),
        Api::Delete => Activity::EntityManagement(Entity::Delete),
        other => Activity::Api(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_sorted() {
        assert!(VERBS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn bindings_tokens_and_sessions_are_told_apart() {
        assert_eq!(
            of("patch", Some("clusterrolebindings"), None),
            Activity::UserAccess(Access::AssignPrivileges)
        );
        assert_eq!(
            of("list", Some("clusterrolebindings"), None),
            Activity::Api(Api::Read)
        );
        assert_eq!(
            of("create", Some("serviceaccounts"), Some("token")),
            Activity::Authentication(Auth::Other)
        );
        for verb in ["create", "get"] {
            assert_eq!(of(verb, Some("pods"), Some("exec")), Activity::Api(Api::Other));
        }
        assert_eq!(of("create", Some("tokenreviews"), None), Activity::Api(Api::Read));
        assert_eq!(of("get", None, None), Activity::Api(Api::Read));
        assert_eq!(of("bind", None, None), Activity::Api(Api::Other));
    }
}
