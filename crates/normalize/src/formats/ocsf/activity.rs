//! What happened: class, activity, the source's name for it, and whether it succeeded.

use super::{Attributes, integer, present, text_of};
use crate::json::Json;
use habitus_model::activity::{AccountChangeActivity, EntityManagementActivity, UserAccessActivity};
use habitus_model::{Activity, Rejection, Status, Text};

/// Class and activity, from `class_uid` and `activity_id` or from `type_uid`, which holds both.
pub(super) fn activity(attributes: &Attributes<'_, '_>) -> Result<Activity, Rejection> {
    let number = |name: &str| {
        present(attributes.top.get(name))
            .and_then(integer)
            .and_then(|number| u64::try_from(number).ok())
    };
    let whole = number("type_uid");
    let class = number("class_uid")
        .or(whole.map(|whole| whole / 100))
        .ok_or_else(|| Rejection::missing("class_uid"))?;
    let within = number("activity_id")
        .or(whole.map(|whole| whole % 100))
        .unwrap_or(0);
    let class = u32::try_from(class).map_err(|_| Rejection::invalid("class_uid", "an OCSF class"))?;
    let within = u32::try_from(within).unwrap_or(99);
    Ok(match class {
        3007 => user_management(within),
        3008 => Activity::EntityManagement(role_management(within)),
        _ => Activity::from_ocsf(class, within),
    })
}

/// User Management (OCSF 1.9) takes the place of Account Change and User Access Management.
fn user_management(activity_id: u32) -> Activity {
    use AccountChangeActivity as Change;
    Activity::AccountChange(match activity_id {
        0 => Change::Unknown,
        1 => Change::Create,
        3 => Change::Delete,
        4 => Change::Enable,
        5 => Change::Disable,
        6 => Change::Lock,
        7 => Change::Unlock,
        8 => Change::PasswordChange,
        9 => Change::PasswordReset,
        10 => Change::AttachPolicy,
        11 => Change::DetachPolicy,
        12 => Change::MfaFactorEnable,
        13 => Change::MfaFactorDisable,
        14 | 16 => return Activity::UserAccess(UserAccessActivity::AssignPrivileges),
        15 | 17 => return Activity::UserAccess(UserAccessActivity::RevokePrivileges),
        _ => Change::Other,
    })
}

/// Role Management (OCSF 1.9): a role is a managed entity, and what is given to it changes it.
const fn role_management(activity_id: u32) -> EntityManagementActivity {
    match activity_id {
        0 => EntityManagementActivity::Unknown,
        1 => EntityManagementActivity::Create,
        2 | 4..=11 => EntityManagementActivity::Update,
        3 => EntityManagementActivity::Delete,
        _ => EntityManagementActivity::Other,
    }
}

/// The source's own name for the event: its event code, the API operation, or OCSF's caption.
pub(super) fn action(attributes: &Attributes<'_, '_>, activity: Activity) -> Text {
    let of = |object: &str, name: &str| {
        let object = attributes.top.get(object)?;
        text_of(object, name)
    };
    of("metadata", "event_code")
        .or_else(|| of("api", "operation"))
        .or_else(|| attributes.top.text("activity_name"))
        .unwrap_or_else(|| Text::from(activity.activity_name()))
}

/// Whether it succeeded: `status_id`, else the caption in `status`, else what `status_code` or the API's answer says.
pub(super) fn status(attributes: &Attributes<'_, '_>, activity: Activity) -> Status {
    // In findings the status tells how far the work on them has come; our writer then puts the outcome beside them.
    let is_finding = activity.category_uid() == 2;
    let top = if is_finding {
        attributes.beside
    } else {
        Some(attributes.top.json)
    };
    let Some(top) = top else {
        return Status::Unknown;
    };
    if let Some(id) = present(top.get("status_id")).and_then(integer) {
        let known = u32::try_from(id).ok().and_then(Status::from_id);
        return known.unwrap_or(Status::Other);
    }
    if let Some(said) = text_of(top, "status") {
        return outcome(&said).unwrap_or(Status::Other);
    }
    text_of(top, "status_code")
        .and_then(|code| outcome(&code))
        .or_else(|| answered(top.get("api")?.get("response")?))
        .unwrap_or(Status::Unknown)
}

fn outcome(said: &str) -> Option<Status> {
    const WORDS: [(&str, Status); 10] = [
        ("success", Status::Success),
        ("succeeded", Status::Success),
        ("ok", Status::Success),
        ("0", Status::Success),
        ("failure", Status::Failure),
        ("failed", Status::Failure),
        ("error", Status::Failure),
        ("denied", Status::Failure),
        ("unknown", Status::Unknown),
        ("other", Status::Other),
    ];
    WORDS
        .iter()
        .find(|(word, _)| said.eq_ignore_ascii_case(word))
        .map(|(_, status)| *status)
}

fn answered(response: &Json<'_>) -> Option<Status> {
    if text_of(response, "error").is_some() {
        return Some(Status::Failure);
    }
    match response.get("code").and_then(integer)? {
        200..=399 => Some(Status::Success),
        400..=599 => Some(Status::Failure),
        _ => None,
    }
}
