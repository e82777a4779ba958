//! Which attribute stands where: the classes' own attributes (STANDARDS: OCSF 1.8.0, resolved classes), and who of an
//! event's people is OCSF's `user` and who `actor.user`.

use habitus_model::activity::AuthenticationActivity;
use habitus_model::{Activity, Event, User};

/// Attributes of each class that [`super::write`] may fill, beyond those of every class. `device` and `actor` come with
/// the `host` profile everywhere.
const ATTRIBUTES: &[(u32, &[&str])] = &[
    (
        3001,
        &["actor", "auth_factors", "http_request", "src_endpoint", "user"],
    ),
    (
        3002,
        &[
            "account_switch_type",
            "actor",
            "auth_factors",
            "auth_protocol",
            "authentication_token",
            "http_request",
            "is_mfa",
            "is_remote",
            "logon_type",
            "service",
            "session",
            "src_endpoint",
            "user",
        ],
    ),
    (
        3003,
        &[
            "actor",
            "group",
            "http_request",
            "privileges",
            "session",
            "src_endpoint",
            "user",
        ],
    ),
    (3004, &["actor", "entity", "http_request", "src_endpoint"]),
    (
        3005,
        &[
            "actor",
            "http_request",
            "privileges",
            "resources",
            "src_endpoint",
            "user",
        ],
    ),
    (
        3006,
        &[
            "actor",
            "group",
            "http_request",
            "privileges",
            "resource",
            "src_endpoint",
            "user",
        ],
    ),
    (
        6003,
        &["actor", "api", "http_request", "resources", "src_endpoint"],
    ),
];

/// Whether a class has an attribute of its own.
pub(super) fn has(class_uid: u32, attribute: &str) -> bool {
    let with_host_profile = attribute == "actor" || attribute == "device";
    with_host_profile
        || ATTRIBUTES
            .iter()
            .any(|(class, attributes)| *class == class_uid && attributes.contains(&attribute))
}

/// The people of an event in OCSF's places.
#[derive(Default)]
pub(super) struct Roles<'e> {
    /// `user`
    pub(super) user: Option<&'e User>,
    /// `actor.user`
    pub(super) actor: Option<&'e User>,
    /// `entity.user`
    pub(super) entity: Option<&'e User>,
    /// [`Event::actor`] where `actor.user` is taken by the account.
    pub(super) other_actor: Option<&'e User>,
    /// [`Event::target`] where the class has no place for it.
    pub(super) other_target: Option<&'e User>,
}

/// Whose `user` is the one acted upon, and not the one who acts: changes to accounts and their rights, and switching to
/// another account.
pub(crate) const fn user_is_target(activity: Activity) -> bool {
    matches!(
        activity,
        Activity::AccountChange(_)
            | Activity::UserAccess(_)
            | Activity::Authentication(AuthenticationActivity::AccountSwitch)
    )
}

/// Sorts the people of an event into OCSF's places.
pub(super) fn roles(event: &Event) -> Roles<'_> {
    let account = Some(&event.account).filter(|user| user.is_somebody());
    let actor = event.actor.as_ref();
    let target = event.target.as_ref();
    if user_is_target(event.activity) {
        let switches = event.activity.is_authentication();
        return Roles {
            user: target.or(account),
            // A switch without a target is a plain logon: OCSF's actor would make the account its target.
            actor: if switches && target.is_none() {
                None
            } else {
                account
            },
            other_actor: actor,
            ..Roles::default()
        };
    }
    match event.activity {
        Activity::Authentication(_) | Activity::AuthorizeSession(_) => Roles {
            user: account,
            actor,
            other_target: target,
            ..Roles::default()
        },
        Activity::GroupManagement(_) => Roles {
            user: target,
            actor: account,
            other_actor: actor,
            ..Roles::default()
        },
        Activity::EntityManagement(_) => Roles {
            actor: account,
            entity: target,
            other_actor: actor,
            ..Roles::default()
        },
        _ => Roles {
            actor: account,
            other_actor: actor,
            other_target: target,
            ..Roles::default()
        },
    }
}
