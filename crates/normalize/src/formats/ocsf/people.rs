//! Who: OCSF's `user` and `actor` as account, actor and target.

use super::{Attributes, integer, text_of};
use crate::json::Json;
use crate::ocsf_out::user_is_target;
use habitus_model::activity::{AccountChangeActivity, AuthenticationActivity};
use habitus_model::{AccountKind, Activity, Event, User};

/// Fills account, actor and target. Cost: constant.
pub(super) fn read(event: &mut Event, attributes: &Attributes<'_, '_>) {
    let top = &attributes.top;
    let acting = top.get("actor").and_then(|actor| {
        let user = actor.get("user").and_then(user);
        user.or_else(|| application(actor))
    });
    let said = top.member("user").and_then(user);
    let beside = |name: &str| attributes.beside(name).and_then(user);
    event.actor = beside("actor_user");
    event.target = beside("target_user");
    match event.activity {
        activity if user_is_target(activity) => changed(event, said, acting),
        Activity::Authentication(_) | Activity::AuthorizeSession(_) => authenticated(event, said, acting),
        Activity::GroupManagement(_) => {
            event.target = said;
            event.account = acting.unwrap_or_default();
        }
        Activity::EntityManagement(_) => {
            let managed = top.get("entity").and_then(|entity| entity.get("user"));
            event.target = managed.and_then(user);
            event.account = acting.or(said).unwrap_or_default();
        }
        _ => event.account = acting.or(said).unwrap_or_default(),
    }
}

/// The one who logs on is `user`; where a source names only the actor, it is the actor.
fn authenticated(event: &mut Event, said: Option<User>, acting: Option<User>) {
    match (said, acting) {
        (Some(user), Some(actor)) => {
            // Many sources repeat the user as the actor.
            if !is_same(&user, &actor) && event.actor.is_none() {
                event.actor = Some(actor);
            }
            event.account = user;
        }
        (user, actor) => event.account = user.or(actor).unwrap_or_default(),
    }
}

/// `user` is changed or switched to, the actor does it. Without an actor it is the user's own doing only where nobody
/// else could have done it: a lock or a deletion shows nothing of how its victim behaves.
fn changed(event: &mut Event, said: Option<User>, acting: Option<User>) {
    match (said, acting) {
        (Some(user), Some(actor)) => {
            event.target = Some(user).filter(|user| !is_same(user, &actor));
            event.account = actor;
        }
        (Some(user), None) if is_self_service(event.activity) => event.account = user,
        (Some(user), None) => event.target = Some(user),
        (None, acting) => event.account = acting.unwrap_or_default(),
    }
}

const fn is_self_service(activity: Activity) -> bool {
    use AccountChangeActivity as Change;
    matches!(
        activity,
        Activity::Authentication(AuthenticationActivity::AccountSwitch)
            | Activity::AccountChange(
                Change::Unknown
                    | Change::PasswordChange
                    | Change::MfaFactorEnable
                    | Change::MfaFactorDisable
                    | Change::Other
            )
    )
}

fn is_same(one: &User, other: &User) -> bool {
    let same_uid = one.uid.is_some() && one.uid == other.uid;
    same_uid || (one.account_id().is_some() && one.account_id() == other.account_id())
}

/// A `user` object; absent if it names nobody. Old names are read: `account_uid`, `email`, `full_name`.
fn user(object: &Json<'_>) -> Option<User> {
    let mut user = User::default();
    let mut full_name = None;
    let (mut kind_id, mut kind) = (None, None);
    for (name, value) in object.members() {
        match name.as_ref() {
            "name" => user.name = super::text(value),
            "uid" => user.uid = super::text(value),
            "email_addr" | "email" => user.email = super::text(value).or(user.email),
            "display_name" => user.display_name = super::text(value),
            "full_name" => full_name = super::text(value),
            "domain" => user.domain = super::text(value),
            "type_id" => kind_id = integer(value),
            "type" => kind = value.as_str(),
            _ => {}
        }
    }
    user.display_name = user.display_name.or(full_name);
    user.kind = account_kind(kind_id, kind);
    if user.name.is_none() && user.uid.is_none() {
        user.uid = text_of(object, "uid_alt").or_else(|| text_of(object, "account_uid"));
    }
    if !user.is_somebody() {
        user.name = object.get("account").and_then(|account| text_of(account, "name"));
    }
    user.is_somebody().then_some(user)
}

/// OCSF `user.type_id`: 1 User, 2 Admin, 3 System, 4 Service; other kinds stand in `type`.
fn account_kind(id: Option<i64>, said: Option<&str>) -> AccountKind {
    let by_name = || {
        let said = said.unwrap_or_default();
        AccountKind::ALL
            .into_iter()
            .find(|kind| said.eq_ignore_ascii_case(kind.name()))
    };
    match id {
        Some(1) => AccountKind::Human,
        Some(2) => AccountKind::Privileged,
        Some(3 | 4) => AccountKind::Service,
        None if said.is_some_and(|said| said.eq_ignore_ascii_case("admin")) => AccountKind::Privileged,
        None | Some(99) => by_name().unwrap_or_default(),
        Some(_) => AccountKind::Unknown,
    }
}

/// An actor without a user: an application, or (before 1.2) the service that called.
fn application(actor: &Json<'_>) -> Option<User> {
    let name = text_of(actor, "app_name").or_else(|| text_of(actor, "invoked_by"));
    let uid = text_of(actor, "app_uid");
    let user = User {
        name,
        uid,
        kind: AccountKind::Service,
        ..User::default()
    };
    user.is_somebody().then_some(user)
}
