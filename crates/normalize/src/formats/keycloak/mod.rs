//! Keycloak user events and admin events: the logging listener's text (bare or in Quarkus' JSON lines), and the JSON of
//! the admin API and of HTTP listeners (Keycloak: Server Administration Guide, auditing and events).

mod events;
mod line;

use crate::format::{Format, Reading, Recognition, Record};
use crate::json::{self, Json};
use crate::{field, stamp, unmapped};
use habitus_model::activity::AccountChangeActivity;
use habitus_model::event::AuthProtocol;
use habitus_model::{
    AccountKind, Activity, Event, EventTime, Rejection, RejectionKind, Resource, SourceName, Status, Text,
    TimeQuality, User,
};
use line::Pairs;

/// Keycloak events.
pub struct Keycloak;

/// The logger of the logging listener.
const LOGGER: &str = "org.keycloak.events";

impl Format for Keycloak {
    fn name(&self) -> &'static str {
        "keycloak"
    }

    fn recognise(&self, record: &Record<'_>) -> Recognition {
        let is_ours = match record {
            Record::Text(text) => is_line(text),
            Record::Json(document) => is_event(document) || message(document).is_some(),
        };
        if is_ours {
            Recognition::Certain
        } else {
            Recognition::No
        }
    }

    fn read(
        &self,
        record: &Record<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        match record {
            Record::Text(text) if is_line(text) => {
                let pairs = Pairs::read(text);
                let (time, quality) = stamp_of(text, reading)?;
                out.push(event(&Facts::Line(&pairs), (time, quality), reading)?);
            }
            Record::Json(document) if is_event(document) => {
                let stamped = stamp::or_reference(&[document.at("time")], "time", reading.options)?;
                let mut event = event(&Facts::Json(document), stamped, reading)?;
                event.unmapped = unmapped::rest(document, MAPPED, reading.options);
                out.push(event);
            }
            Record::Json(document) => {
                let message = message(document).ok_or_else(unrecognised)?;
                let stamps = ["@timestamp", "timestamp"].map(|name| document.at(name));
                let stamped = stamp::or_reference(&stamps, "timestamp", reading.options)?;
                out.push(event(&Facts::Line(&Pairs::read(message)), stamped, reading)?);
            }
            Record::Text(_) => return Err(unrecognised()),
        }
        Ok(())
    }
}

fn unrecognised() -> Rejection {
    Rejection::new(RejectionKind::Unrecognised, "not a Keycloak event")
}

fn is_line(text: &str) -> bool {
    head(text).is_some() && (text.contains("type=") || text.contains("operationType="))
}

/// Levels of JBoss and Quarkus logging.
const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/// Most words a collector and the logger put before the logger's name.
const HEAD_WORDS_MAX: usize = 12;

/// The words of the stamp in `[collector: ]2026-05-06 20:40:19,124 WARN  [org.keycloak.events] (thread) `; absent if the
/// text does not begin so. Exact, because names in other programs' logs may hold a whole such line.
fn head(text: &str) -> Option<Vec<&str>> {
    let (head, tail) = text.split_once("[org.keycloak.events]")?;
    let words: Vec<&str> = head.split_whitespace().take(HEAD_WORDS_MAX + 1).collect();
    let (level, before) = words.split_last()?;
    let is_head =
        words.len() <= HEAD_WORDS_MAX && LEVELS.contains(level) && tail.trim_start().starts_with('(');
    let stamp_words = before
        .iter()
        .rev()
        .take(2)
        .take_while(|word| {
            word.starts_with(|first: char| first.is_ascii_digit()) && word.contains([':', '-'])
        })
        .count();
    let (collector, stamp) = before.split_at_checked(before.len() - stamp_words)?;
    let ends_well = collector
        .last()
        .is_none_or(|word| word.ends_with(':') || ["-", "F", "stdout", "|"].contains(word));
    (is_head && stamp_words > 0 && ends_well).then(|| stamp.to_vec())
}

/// An event as an object: its realm, and what happened, and either a client or an administrator.
fn is_event(document: &Json<'_>) -> bool {
    let user_event = document.has("type") && (document.has("clientId") || document.has("ipAddress"));
    let admin_event = document.has("operationType") && document.has("authDetails");
    document.has("realmId") && (user_event || admin_event)
}

/// The listener's text in a JSON log line: Quarkus' own names, or those of ECS.
fn message<'d>(document: &'d Json<'_>) -> Option<&'d str> {
    let logger = ["loggerName", "log.logger"]
        .into_iter()
        .find_map(|name| document.str(name));
    logger.filter(|logger| *logger == LOGGER)?;
    document.str("message")
}

/// `2026-05-06 20:40:19,124`; the zone is the server's own.
fn stamp_of(text: &str, reading: &Reading<'_>) -> Result<(EventTime, TimeQuality), Rejection> {
    let words = head(text).unwrap_or_default();
    // Behind a collector's own ISO stamp the second word may be part of that: the last one alone is tried too.
    let last = words.last().copied().unwrap_or_default().to_owned();
    let stamp = [words.join(" "), last]
        .iter()
        .find_map(|text| stamp::iso(&text.replace(',', "."), reading.options.utc_offset));
    match stamp {
        Some(time) => Ok((time, TimeQuality::Source)),
        None => stamp::or_reference(&[], "timestamp", reading.options),
    }
}

/// The two ways in which the same facts are written.
enum Facts<'f, 'a> {
    Line(&'f Pairs),
    Json(&'f Json<'a>),
}

impl Facts<'_, '_> {
    fn get(&self, name: &str) -> Option<Text> {
        match self {
            Facts::Line(pairs) => pairs.get(name),
            Facts::Json(document) => document
                .text(name)
                .or_else(|| document.get("details")?.text(name))
                .or_else(|| document.get("authDetails")?.text(name)),
        }
    }

    fn of_administrator(&self, name: &str) -> Option<Text> {
        match self {
            Facts::Line(_) => None,
            Facts::Json(document) => document.get("authDetails")?.text(name),
        }
    }

    fn is_admin(&self) -> bool {
        match self {
            Facts::Line(pairs) => pairs.has("operationType"),
            Facts::Json(document) => document.has("operationType"),
        }
    }
}

const MAPPED: &[&str] = &[
    "clientId",
    "error",
    "id",
    "ipAddress",
    "operationType",
    "realmId",
    "realmName",
    "resourceType",
    "sessionId",
    "time",
    "type",
    "userId",
];

fn event(
    facts: &Facts<'_, '_>,
    (time, quality): (EventTime, TimeQuality),
    reading: &Reading<'_>,
) -> Result<Event, Rejection> {
    let (activity, action) = if facts.is_admin() {
        administered(facts)?
    } else {
        happened(facts)?
    };
    let own = facts.get("id");
    let mut event = Event::new(
        reading.uid(own.as_deref()),
        time,
        SourceName::new("keycloak"),
        activity,
        action,
    );
    event.time_quality = quality;
    let error = facts.get("error");
    let failed = error.is_some() || event.action.ends_with("_ERROR");
    event.status = if failed { Status::Failure } else { Status::Success };
    event.failure = error
        .as_deref()
        .filter(|_| event.activity.is_authentication())
        .map(events::failure);
    event.status_code = error;
    event.status_detail = facts.get("reason");
    event.src.ip = facts.get("ipAddress").as_deref().and_then(field::ip);
    event.client.user_agent = facts.get("userAgent").or_else(|| facts.get("user_agent"));
    people(&mut event, facts);
    authentication(&mut event, facts);
    if facts.is_admin() {
        managed(&mut event, facts);
    }
    Ok(event)
}

fn happened(facts: &Facts<'_, '_>) -> Result<(Activity, Text), Rejection> {
    let kind = facts.get("type").ok_or_else(|| Rejection::missing("type"))?;
    let credential = facts.get("credential_type");
    Ok((events::activity(&kind, credential.as_deref()), kind))
}

fn administered(facts: &Facts<'_, '_>) -> Result<(Activity, Text), Rejection> {
    let operation = facts
        .get("operationType")
        .ok_or_else(|| Rejection::missing("operationType"))?;
    let resource = facts.get("resourceType").unwrap_or_default();
    let path = facts.get("resourcePath").unwrap_or_default();
    let activity = events::admin_activity(&operation, &resource, &path);
    Ok((activity, Text::from(format!("{resource}-{operation}"))))
}

fn people(event: &mut Event, facts: &Facts<'_, '_>) {
    // An administrator may be of another realm than the one administered.
    let realm = facts
        .of_administrator("realmId")
        .or_else(|| facts.get("realmName"))
        .or_else(|| facts.get("realmId"));
    let name = facts.get("username");
    let email = facts
        .get("email")
        .or_else(|| name.clone().filter(|name| name.contains('@')));
    event.account = User {
        name,
        uid: facts.get("userId"),
        email,
        domain: realm,
        ..User::default()
    };
    let logs_in_itself = event.action.starts_with("CLIENT_LOGIN");
    if logs_in_itself {
        // A client's own credentials: its service account, or the client where none is named.
        event.account.kind = AccountKind::Service;
        if event.account.name.is_none() {
            event.account.name = facts.get("clientId");
        }
    }
    // The impersonator acts; the user of the event is who they become.
    if let Some(impersonator) = facts
        .get("impersonator")
        .filter(|_| event.action.starts_with("IMPERSONATE"))
    {
        let impersonator = User {
            name: Some(impersonator),
            domain: facts.get("impersonator_realm"),
            ..User::default()
        };
        event.target = Some(std::mem::replace(&mut event.account, impersonator)).filter(User::is_somebody);
    }
}

fn authentication(event: &mut Event, facts: &Facts<'_, '_>) {
    let method = facts.get("auth_method");
    event.auth.protocol = match method.as_deref() {
        Some("openid-connect") => AuthProtocol::OpenId,
        Some("saml") => AuthProtocol::Saml,
        Some("docker-v2") => AuthProtocol::Other,
        _ => AuthProtocol::Unknown,
    };
    event.auth.method = facts
        .get("grant_type")
        .or_else(|| facts.get("auth_type"))
        .or(method);
    event.auth.issuer = facts.get("identity_provider");
    event.auth.token_uid = facts.get("token_id");
    event.session = facts.get("sessionId").or_else(|| facts.get("code_id"));
    event.service = facts.get("clientId").map(|client| Resource {
        name: Some(client),
        kind: Some(Text::from("client")),
        ..Resource::default()
    });
}

/// What an admin event is about: `resourcePath` names it (`users/<id>/groups/<id>`), `representation` describes it.
fn managed(event: &mut Event, facts: &Facts<'_, '_>) {
    let path = facts.get("resourcePath").unwrap_or_default();
    let kind = facts.get("resourceType");
    let after = |name: &str| {
        let mut steps = path.split('/');
        steps.find(|step| *step == name)?;
        steps.next().and_then(field::text)
    };
    let text = facts.get("representation").unwrap_or_default();
    let limits = crate::limits::Limits::default();
    let described = json::parse(text.as_bytes(), &limits).unwrap_or(Json::Null);
    let user = User {
        name: described.text("username"),
        uid: after("users"),
        email: described.text("email"),
        domain: facts.get("realmName").or_else(|| facts.get("realmId")),
        ..User::default()
    };
    event.target = Some(user).filter(User::is_somebody);
    event.group = after("groups").map(|uid| Resource {
        name: described
            .text("name")
            .filter(|_| kind.as_deref() != Some("REALM_ROLE_MAPPING")),
        uid: Some(uid),
        ..Resource::default()
    });
    event.privileges = described
        .array()
        .iter()
        .filter_map(|role| role.text("name"))
        .collect();
    if event.target.is_none() && event.group.is_none() {
        event.resources.push(Resource {
            name: described.text("name").or_else(|| described.text("clientId")),
            uid: field::text(&path),
            kind,
            namespace: None,
        });
    }
    // An update says what the account is afterwards, not what changed; only "disabled" is news.
    if event.action == "USER-UPDATE" && described.bool("enabled") == Some(false) {
        event.activity = Activity::AccountChange(AccountChangeActivity::Disable);
    }
}
