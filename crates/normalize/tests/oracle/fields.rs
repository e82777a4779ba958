//! When we and a peer agree on a field.

use crate::rules::{Mode, Row};
use habitus_model::{Event, Status, User, UtcOffset};
use habitus_normalize::stamp;
use std::net::IpAddr;

/// Whether an event says what the peer says.
pub type Agree = fn(&Event, &Row<'_>) -> bool;

/// The fields compared, each with its rule.
pub const FIELDS: &[(&str, Agree)] = &[
    ("user", user_agrees),
    ("source_ip", ip_agrees),
    ("outcome", outcome_agrees),
    ("time", time_agrees),
    ("action", action_agrees),
];

/// What we say of a field.
pub fn ours(event: &Event, field: &str) -> String {
    match field {
        "user" => names(event).join(", "),
        "source_ip" => format!("{:?} {:?}", event.src.ip, event.src.hostname),
        "outcome" => format!("{:?}", event.status),
        "time" => event.time.as_millis().to_string(),
        _ => format!("{} ({})", event.action, event.activity.activity_name()),
    }
}

/// Every spelling of the people we read.
fn names(event: &Event) -> Vec<String> {
    let mut all = Vec::new();
    let people = [Some(&event.account), event.actor.as_ref(), event.target.as_ref()];
    for user in people.into_iter().flatten() {
        spellings(user, &mut all);
    }
    all
}

fn spellings(user: &User, all: &mut Vec<String>) {
    for name in [&user.name, &user.uid, &user.email, &user.display_name]
        .into_iter()
        .flatten()
    {
        let name = name.to_lowercase().to_string();
        if let Some((local, _)) = name.split_once('@') {
            all.push(local.to_owned());
        }
        if let Some((_, tail)) = name.split_once('\\') {
            all.push(tail.to_owned());
        }
        all.push(name);
    }
}

/// Equal to any of the names the peer gives.
fn user_agrees(event: &Event, row: &Row<'_>) -> bool {
    let ours = names(event);
    ["user", "user_email", "user_id", "target_user", "actor_user"]
        .into_iter()
        .filter_map(|field| row.get(field))
        .any(|theirs| {
            let tail = theirs.rsplit('\\').next().unwrap_or_default();
            let local = theirs.split('@').next().unwrap_or_default();
            ours.iter()
                .any(|name| *name == theirs || name == tail || name == local)
        })
}

fn ip_agrees(event: &Event, row: &Row<'_>) -> bool {
    let theirs = row.get("source_ip").unwrap_or_default();
    let theirs: Option<IpAddr> = habitus_normalize::field::ip(&theirs);
    match theirs {
        Some(ip) => event.src.ip == Some(ip) || event.src.intermediate_ips.contains(&ip),
        None => event.src.ip.is_none(),
    }
}

fn outcome_agrees(event: &Event, row: &Row<'_>) -> bool {
    let ours = match event.status {
        Status::Success => "success",
        Status::Failure => "failure",
        Status::Unknown | Status::Other => "unknown",
    };
    if row.mode() == Mode::NoFailure {
        return ours != "failure";
    }
    let theirs = row.get("outcome").unwrap_or_default();
    match theirs.as_str() {
        "success" | "failure" => ours == theirs,
        // Words of the peer's own ("in progress", "new") for what OCSF calls unknown or other; its id decides.
        _ => match row.get("status_id").as_deref() {
            Some("1") => ours == "success",
            Some("2") => ours == "failure",
            _ => true,
        },
    }
}

fn time_agrees(event: &Event, row: &Row<'_>) -> bool {
    let theirs = row.get("time").unwrap_or_default();
    let theirs = match theirs.parse() {
        Ok(number) => stamp::epoch_integer(number),
        Err(_) => stamp::iso(&theirs.to_uppercase(), UtcOffset::default()),
    };
    theirs.is_some_and(|theirs| {
        let whole_second = theirs.as_millis() % 1_000 == 0;
        // Peers that keep seconds cut them.
        let is_near = |apart: i64| apart == 0 || (whole_second && (0..1_000).contains(&apart));
        let apart = event.time.since(theirs).0;
        is_near(apart) || (row.oracle() == "fail2ban" && local_agrees(apart, is_near))
    })
}

/// fail2ban writes the local time of Zurich, one or two hours ahead, and places stamps without a year in years of its
/// own: the rest must be equal.
fn local_agrees(apart: i64, is_near: impl Fn(i64) -> bool) -> bool {
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    // Whole years, of 365 or 366 days.
    let years = (0..40).flat_map(|years| (0..=years / 4 + 1).map(move |leap| years * 365 + leap));
    years
        .flat_map(|days| [0, HOUR, 2 * HOUR].map(|ahead| days * DAY - ahead))
        .any(|offset| is_near(apart - offset))
}

/// The source's own name, OCSF's caption, or the peer's event code.
fn action_agrees(event: &Event, row: &Row<'_>) -> bool {
    let ours = [
        event.action.to_lowercase().to_string(),
        event.activity.activity_name().to_lowercase(),
    ];
    ["action", "event_code", "event_type", "operation"]
        .into_iter()
        .filter_map(|field| row.get(field))
        .any(|theirs| {
            ours.iter()
                .any(|name| *name == theirs || name.replace(' ', "-") == theirs)
        })
}
