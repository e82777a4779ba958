//! GitHub audit log of organisations and enterprises, and the security log of users (GitHub: audit log fields): from the
//! REST API, JSON exports and streams.

mod events;

use crate::envelope::{self, Marks};
use crate::format::{Format, Options, Reading, Recognition, Record};
use crate::json::Json;
use crate::{field, stamp, unmapped};
use habitus_model::{
    AccountKind, Activity, Event, EventTime, FailureReason, Rejection, RejectionKind, Resource, SourceName,
    Status, Text, TimeQuality, User, UtcOffset,
};

/// GitHub audit log.
pub struct GitHub;

const MARKS: Marks = Marks {
    is_own,
    text: &["\"action\"", "\"actor"],
};

/// Members that GitHub's entries have and nobody else's have beside `actor` and a dotted `action`.
const BESIDE_ACTION: [&str; 9] = [
    "_document_id",
    "org",
    "repo",
    "business",
    "actor_location",
    "actor_ip",
    "operation_type",
    "programmatic_access_type",
    "hashed_token",
];

fn is_own(document: &Json<'_>) -> bool {
    let dotted = document
        .get("action")
        .and_then(Json::as_str)
        .is_some_and(|action| {
            action.contains('.')
                && action
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
        });
    // Only elsewhere is the actor an object.
    let named = document.get("actor").is_none_or(|actor| actor.as_str().is_some());
    dotted && named && BESIDE_ACTION.iter().any(|name| document.has(name))
}

impl Format for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn recognise(&self, record: &Record<'_>) -> Recognition {
        match record {
            Record::Json(document) if envelope::holds(document, MARKS) => Recognition::Certain,
            _ => Recognition::No,
        }
    }

    fn read(
        &self,
        record: &Record<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        let Record::Json(document) = record else {
            return Err(Rejection::new(
                RejectionKind::Malformed,
                "a GitHub audit entry is a JSON object",
            ));
        };
        for inner in envelope::open(document, MARKS, &reading.options.limits)? {
            out.push(event(&inner.record, reading)?);
        }
        Ok(())
    }
}

const MAPPED: &[&str] = &[
    "@timestamp",
    "_document_id",
    "action",
    "actor",
    "actor_id",
    "actor_ip",
    "actor_is_bot",
    "actor_location",
    "created_at",
    "external_identity_nameid",
    "hashed_token",
    "org",
    "org_id",
    "programmatic_access_type",
    "repo",
    "repo_id",
    "repository",
    "repository_id",
    "team",
    "user",
    "user_agent",
    "user_id",
];

fn event(record: &Json<'_>, reading: &Reading<'_>) -> Result<Event, Rejection> {
    let action = record
        .text("action")
        .ok_or_else(|| Rejection::missing("action"))?;
    let (time, quality) = time(record, reading.options)?;
    let mut event = Event::new(
        reading.uid(record.str("_document_id")),
        time,
        SourceName::new("github"),
        events::activity(&action, record.str("operation_type")),
        action,
    );
    event.time_quality = quality;
    event.status = status(&event.action);
    event.failure = failure(&event);
    people(&mut event, record);
    concerned(&mut event, record);
    event.src.ip = record.str("actor_ip").and_then(field::ip);
    event.src.country = record.text("actor_location.country_code");
    event.client.user_agent = record.str("user_agent").and_then(field::user_agent);
    event.auth.method = record.text("programmatic_access_type");
    event.auth.credential_uid = record.text("hashed_token");
    event.unmapped = unmapped::rest(record, MAPPED, reading.options);
    Ok(event)
}

/// `@timestamp` is when it was recorded and `created_at` when it happened; exports rename the former.
fn time(record: &Json<'_>, options: &Options) -> Result<(EventTime, TimeQuality), Rejection> {
    let stamps = ["created_at", "@timestamp", "at_sign_timestamp", "timestamp"];
    let stamps = stamps.map(|name| record.get(name).filter(|value| **value != Json::Null));
    stamp::or_reference(&stamps, "created_at", options).or_else(|rejection| {
        // Some exports lose the point before the fraction: `2026-01-02 03:04:05000000`.
        let whole = stamps
            .into_iter()
            .flatten()
            .find_map(|value| stamp::iso(value.as_str()?.get(..19)?, UtcOffset::default()));
        whole.map(|time| (time, TimeQuality::Source)).ok_or(rejection)
    })
}

/// The log records what was done; only some actions name an attempt that failed or a question that was asked.
fn status(action: &str) -> Status {
    if action.contains("fail") {
        Status::Failure
    } else if action.ends_with("_requested") || action.contains("from_unrecognized_device") {
        Status::Other
    } else {
        Status::Success
    }
}

fn failure(event: &Event) -> Option<FailureReason> {
    if event.status != Status::Failure || !event.activity.is_authentication() {
        return None;
    }
    Some(match event.action.as_str() {
        "user.failed_login" => FailureReason::InvalidCredentials,
        action if action.contains("two_factor") || action.contains("verification") => {
            FailureReason::MfaFailed
        }
        _ => FailureReason::Other,
    })
}

fn people(event: &mut Event, record: &Json<'_>) {
    let name = record.text("actor");
    let is_bot = record.bool("actor_is_bot").unwrap_or(false)
        || name.as_deref().is_some_and(|name| name.ends_with("[bot]"));
    let address = record
        .text("external_identity_nameid")
        .filter(|nameid| nameid.contains('@'));
    let actor = User {
        uid: id(record, "actor_id"),
        email: address.filter(|_| name.is_some()),
        name,
        kind: if is_bot {
            AccountKind::Service
        } else {
            AccountKind::Unknown
        },
        ..User::default()
    };
    let other = acted_upon(record);
    if actor.is_somebody() {
        event.target = other.filter(|other| other.name != actor.name);
        event.account = actor;
    } else if event.activity.is_authentication() {
        // A failed logon has no actor, only the name that was tried.
        event.account = other.unwrap_or_default();
    } else {
        event.target = other;
    }
}

fn acted_upon(record: &Json<'_>) -> Option<User> {
    let name = ["user", "blocked_user", "invitee", "member"]
        .into_iter()
        .find_map(|name| of(record, name))?;
    Some(User {
        name: Some(name),
        uid: id(record, "user_id"),
        ..User::default()
    })
}

/// A member, or one of `data`, where older entries keep the particulars.
fn of(record: &Json<'_>, name: &str) -> Option<Text> {
    record.text(name).or_else(|| record.get("data")?.text(name))
}

/// Numeric ids; 0 stands for none.
fn id(record: &Json<'_>, name: &str) -> Option<Text> {
    of(record, name).filter(|id| id != "0")
}

/// Group, privileges and resources.
fn concerned(event: &mut Event, record: &Json<'_>) {
    let thing = |names: &[&str], ids: &[&str], kind: &str| {
        names
            .iter()
            .find_map(|name| of(record, name))
            .map(|name| Resource {
                name: Some(name),
                uid: ids.iter().find_map(|name| id(record, name)),
                kind: Some(Text::from(kind)),
                namespace: None,
            })
    };
    let organisation = thing(&["org"], &["org_id"], "organization");
    if matches!(event.activity, Activity::GroupManagement(_)) {
        event.group = thing(&["team"], &["team_id"], "team").or_else(|| organisation.clone());
    }
    let role = ["permission", "role", "role_name", "new_role"]
        .into_iter()
        .find_map(|name| of(record, name));
    event.privileges = role.into_iter().filter(|_| is_grant(event.activity)).collect();
    let mut repository = thing(
        &["repo", "repository"],
        &["repo_id", "repository_id"],
        "repository",
    );
    if let Some(repository) = &mut repository {
        repository.namespace = record.text("org");
    }
    let business = thing(&["business"], &["business_id"], "enterprise");
    event.resources = [repository, organisation, business]
        .into_iter()
        .flatten()
        .collect();
}

const fn is_grant(activity: Activity) -> bool {
    matches!(activity, Activity::UserAccess(_) | Activity::GroupManagement(_))
}
