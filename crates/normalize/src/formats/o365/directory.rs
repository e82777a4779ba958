//! Changes of the directory: record type 8. The operations are those of Entra's directory audits.

use super::view::View;
use crate::field;
use crate::formats::entra::operations;
use crate::json::Json;
use habitus_model::account::named;
use habitus_model::activity::AccountChangeActivity;
use habitus_model::{Activity, Event, Rejection, Resource, Text, User};

/// Kinds of entries in `Target` (`IdentityType` of the Azure Active Directory base schema).
const NAME: i64 = 1;
const ID: i64 = 2;
const UPN: i64 = 5;

/// Properties whose value is a role or a permission.
const PRIVILEGES: [&str; 4] = [
    "AppRole.Value",
    "ConsentAction.Permissions",
    "DelegatedPermissionGrant.Scope",
    "Role.DisplayName",
];

/// Property that holds the second factors of a user; emptied, they are gone.
const FACTORS: &str = "StrongAuthenticationMethod";

/// Most privileges kept of one change.
const PRIVILEGES_MAX: usize = 16;

/// Reads a change.
///
/// # Errors
/// It has no operation, or no time that can be read.
pub fn read(view: &View<'_>) -> Result<Event, Rejection> {
    let activity = operations::of(view.operation()?);
    let mut event = view.event(activity)?;
    factors(&mut event, view);
    subject(&mut event, view);
    properties(&mut event, view);
    Ok(event)
}

/// An update of a user that adds or empties the second factors is about these.
fn factors(event: &mut Event, view: &View<'_>) {
    let Some(property) = property(view, FACTORS) else {
        return;
    };
    let is_empty = |key: &str| matches!(property.str(key).map(str::trim), None | Some("" | "[]"));
    event.activity = Activity::AccountChange(match (is_empty("OldValue"), is_empty("NewValue")) {
        (_, true) => AccountChangeActivity::MfaFactorDisable,
        (true, false) => AccountChangeActivity::MfaFactorEnable,
        (false, false) => return,
    });
}

/// What was changed: the entries of `Target` name one object by its id, its name and, if it is a user, its UPN.
fn subject(event: &mut Event, view: &View<'_>) {
    let target = view.record.items("Target");
    let of = |kind: i64| {
        let found = target.iter().find(|entry| entry.i64("Type") == Some(kind));
        found.and_then(|entry| entry.str("ID")).and_then(named)
    };
    let typed = of(ID).and_then(|id| id.split_once('_'));
    let uid = typed.and_then(|(_, id)| field::text(id));
    if let Some(upn) = of(UPN) {
        event.target = Some(User {
            name: field::text(upn),
            uid,
            ..User::default()
        });
        return;
    }
    let resource = Resource {
        name: of(NAME).and_then(field::text),
        uid,
        kind: typed.and_then(|(kind, _)| field::text(kind)),
        namespace: None,
    };
    if resource.name.is_none() && resource.uid.is_none() {
        return;
    }
    if resource.kind.as_deref() == Some("Group") {
        event.group = Some(resource);
    } else {
        event.resources.push(resource);
    }
}

fn properties(event: &mut Event, view: &View<'_>) {
    for item in view.record.items("ModifiedProperties") {
        let Some(name) = item.str("Name") else { continue };
        if PRIVILEGES.contains(&name) && event.privileges.len() < PRIVILEGES_MAX {
            event.privileges.extend(value(item));
        } else if name == "Group.DisplayName" || name == "Group.ObjectID" {
            let group = event.group.get_or_insert_with(|| Resource {
                kind: Some(Text::const_new("Group")),
                ..Resource::default()
            });
            let place = if name == "Group.ObjectID" {
                &mut group.uid
            } else {
                &mut group.name
            };
            *place = place.take().or_else(|| value(item));
        }
    }
}

fn property<'v>(view: &'v View<'_>, name: &str) -> Option<&'v Json<'v>> {
    view.record
        .items("ModifiedProperties")
        .iter()
        .find(|item| item.str("Name") == Some(name))
}

fn value(item: &Json<'_>) -> Option<Text> {
    ["NewValue", "OldValue"]
        .iter()
        .find_map(|key| item.str(key).and_then(named))
        .and_then(field::text)
}
