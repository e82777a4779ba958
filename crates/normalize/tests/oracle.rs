//! Agreement with readings by independent projects (`parser_oracle/`, `detection_oracle/` of the reference data).
//!
//! Skipped where the data is absent. Compared are user, source address, outcome, time and action, by the rules of the
//! data's own README; every disagreement that is allowed to stay is described in `docs/formats.md`.
//! `HABITUS_ORACLE=<format>` prints the disagreements of one format.

#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "test code: a failure is what these make of a mistake"
)]

use habitus_model::{Event, Status, User, UtcOffset};
use habitus_normalize::{FormatChoice, Normalizer, Options, stamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

/// Least share of asserted fields on which we agree, per format.
const AGREEMENT_MIN: f64 = 0.97;

/// A file of `parser_oracle`, the format it is in, and the oracles (peers) whose rows are of that format.
const READINGS: &[(&str, &str)] = &[
    ("aws_cloudtrail", "cloudtrail"),
    ("entra_id_azure_diagnostics", "entra"),
    ("entra_id_graph", "entra"),
    ("github_audit", "github"),
    ("keycloak", "keycloak"),
    ("kubernetes_audit", "kubernetes"),
    ("linux_pam_su_sudo", "sshd"),
    ("ocsf", "ocsf"),
    ("okta_system_log", "okta"),
    ("sshd", "sshd"),
    ("windows_event_azure", "windows"),
    ("windows_event_nxlog_json", "windows"),
    ("windows_event_xml", "windows"),
    ("winlogbeat", "windows"),
];

/// Rows of `ocsf_examples` by a part of their `ref`: OCSF's own mappings of raw records.
const EXAMPLES: &[(&str, &str)] = &[
    ("CloudTrail/", "cloudtrail"),
    ("GitHub/", "github"),
    ("Okta/", "okta"),
];

/// Files of `detection_oracle` whose events must be read.
const DETECTIONS: &[(&str, &str)] = &[
    ("amazon_eks_audit", "kubernetes"),
    ("aws_cloudtrail", "cloudtrail"),
    ("azure_audit", "entra"),
    ("github_audit", "github"),
    ("okta_systemlog", "okta"),
];

/// One field of one row on which we and the peer differ.
struct Disagreement {
    format: &'static str,
    reference: String,
    field: &'static str,
    ours: String,
    theirs: String,
}

fn options() -> Options {
    Options {
        reference_time: stamp::iso("2026-06-30T00:00:00Z", UtcOffset::default()),
        ..Options::default()
    }
}

fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn read(format: &str, raw: &str) -> Result<Vec<Event>, String> {
    let choice: FormatChoice = format.parse().unwrap();
    let mut events = Vec::new();
    Normalizer::new(choice, options())
        .normalize(raw.as_bytes(), 1, &mut events)
        .map_err(|rejection| rejection.to_string())?;
    Ok(events)
}

#[test]
fn readings_agree() {
    let Some(data) = habitus_testkit::reference_data() else {
        return;
    };
    let mut asserted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differing: Vec<Disagreement> = Vec::new();
    let mut compare = |format: &'static str, row: &Value| {
        let (fields, mut found) = compare(format, row);
        *asserted.entry(format).or_default() += fields;
        differing.append(&mut found);
    };
    for (file, format) in READINGS {
        for row in rows(&data.join(format!("parser_oracle/{file}.ndjson"))) {
            compare(format, &row);
        }
    }
    for row in rows(&data.join("parser_oracle/ocsf_examples.ndjson")) {
        let reference = row["ref"].as_str().unwrap_or_default();
        if let Some((_, format)) = EXAMPLES.iter().find(|(part, _)| reference.contains(part)) {
            compare(format, &row);
        }
    }
    report(&asserted, &differing);
}

fn report(asserted: &BTreeMap<&str, usize>, differing: &[Disagreement]) {
    let shown = std::env::var("HABITUS_ORACLE").unwrap_or_default();
    for one in differing.iter().filter(|one| one.format == shown) {
        println!(
            "{} | {} | ours {} | theirs {} | {}",
            one.format, one.field, one.ours, one.theirs, one.reference
        );
    }
    let mut low = Vec::new();
    for (format, count) in asserted {
        let wrong = differing.iter().filter(|one| one.format == *format).count();
        let share = 1.0 - wrong as f64 / *count as f64;
        println!(
            "{format}: {count} fields asserted, {wrong} differ, {:.1} % agree",
            share * 100.0
        );
        if share < AGREEMENT_MIN {
            low.push(*format);
        }
    }
    assert!(
        low.is_empty(),
        "agreement below {AGREEMENT_MIN}: {}",
        low.join(", ")
    );
}

/// The number of asserted fields of a row, and those that differ.
fn compare(format: &'static str, row: &Value) -> (usize, Vec<Disagreement>) {
    let expected = Expected {
        row,
        oracle: row["oracle"].as_str().unwrap_or_default(),
    };
    let raw = row["raw"].as_str().unwrap_or_default();
    let events = read(format, raw);
    let mut asserted = 0;
    let mut differing = Vec::new();
    if events.as_ref().is_ok_and(Vec::is_empty) && !expected.is_identity() {
        return (0, differing);
    }
    for (field, agree) in FIELDS {
        if !expected.asserts(format, field) {
            continue;
        }
        asserted += 1;
        let agreed = match &events {
            Ok(events) if events.is_empty() => expected.says_nothing(),
            Ok(events) => events.iter().any(|event| agree(event, &expected)),
            Err(_) => false,
        };
        if !agreed {
            differing.push(Disagreement {
                format,
                reference: row["ref"].as_str().unwrap_or_default().to_owned(),
                field,
                ours: match &events {
                    Ok(events) => events
                        .first()
                        .map_or_else(|| "no event".to_owned(), |event| ours(event, field)),
                    Err(reason) => format!("rejected: {reason}"),
                },
                theirs: row["expected"].to_string(),
            });
        }
    }
    (asserted, differing)
}

type Agree = fn(&Event, &Expected<'_>) -> bool;

/// The fields compared, each with its rule.
const FIELDS: &[(&str, Agree)] = &[
    ("user", user_agrees),
    ("source_ip", ip_agrees),
    ("outcome", outcome_agrees),
    ("time", time_agrees),
    ("action", action_agrees),
];

fn ours(event: &Event, field: &str) -> String {
    match field {
        "user" => names(event).join(", "),
        "source_ip" => format!("{:?} {:?}", event.src.ip, event.src.hostname),
        "outcome" => format!("{:?}", event.status),
        "time" => event.time.as_millis().to_string(),
        _ => format!("{} ({})", event.action, event.activity.activity_name()),
    }
}

/// What the peer says of a row.
struct Expected<'r> {
    row: &'r Value,
    oracle: &'r str,
}

impl Expected<'_> {
    fn get(&self, field: &str) -> Option<String> {
        match self.row["expected"].get(field)? {
            Value::String(text) => {
                Some(text.trim().to_lowercase()).filter(|text| !text.is_empty() && text != "-")
            }
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether the peer asserts this field, and means by it what we mean. The exceptions are those the data's README
    /// names.
    fn asserts(&self, format: &str, field: &str) -> bool {
        let stated = match field {
            "user" => self
                .get("user")
                .or_else(|| self.get("user_email"))
                .or_else(|| self.get("actor_user")),
            "action" => self.get("action").or_else(|| self.get("event_code")),
            "outcome" if self.mode() == Mode::NoFailure => Some("no failure".to_owned()),
            field => self.get(field),
        };
        if stated.is_none() {
            return false;
        }
        match (self.oracle, format, field) {
            // The peer says success even beside an error code, and calls the principal's or account's id the user.
            ("sekoia-intake-formats", "cloudtrail", "outcome" | "user") => false,
            // The peer says success also when a connection is closed; only attempts have an outcome.
            ("sekoia-intake-formats", "sshd", "outcome") => is_attempt(self.raw()),
            // Local time of Zurich in a year of the annotation's own.
            ("fail2ban", _, "time") => false,
            // fail2ban judges a session over its lines, and counts it at one of them. Its word on a line is compared
            // where the line itself says the same sort of thing: a failed attempt where it says failure, none where
            // it says none. A failure only in a mode that is not its default is none of ours.
            ("fail2ban", _, "outcome") => match self.mode() {
                Mode::Plain => is_failed_attempt(self.raw()),
                Mode::NoFailure => !is_failed_attempt(self.raw()),
                Mode::Stricter => false,
            },
            // Lines of text have no event names of their own; each peer gives its own.
            (_, "sshd", "action") => false,
            _ => true,
        }
    }

    fn raw(&self) -> &str {
        self.row["raw"].as_str().unwrap_or_default()
    }

    /// Whether the record is about identity, by the peer's reading: its category or class, or the number of a Windows
    /// event. Of other records a reader may make nothing.
    fn is_identity(&self) -> bool {
        let expected = &self.row["expected"];
        let categories = expected["category"].as_array().cloned().unwrap_or_default();
        let by_category = categories.iter().any(|category| {
            ["authentication", "iam", "session"]
                .iter()
                .any(|name| category == name)
        });
        let by_class = expected["class_uid"]
            .as_u64()
            .is_some_and(|class| class / 1000 == 3);
        let code = self.get("event_code").and_then(|code| code.parse::<u32>().ok());
        let by_code = code.is_some_and(
            |code| matches!(code, 4624..=4627 | 4634 | 4647..=4649 | 4672 | 4720..=4767 | 4768..=4779 | 4825),
        );
        let classed = !categories.is_empty() || expected.get("class_uid").is_some() || code.is_some();
        by_category || by_class || by_code || !classed
    }

    /// Rows that the peer itself calls no failure, or one only when it is told to be strict.
    fn says_nothing(&self) -> bool {
        matches!(self.mode(), Mode::NoFailure | Mode::Stricter)
    }

    /// What a fail2ban row says; other rows are plain.
    fn mode(&self) -> Mode {
        let expected = &self.row["expected"];
        match expected.get("is_failure_line") {
            Some(Value::Bool(false)) => Mode::NoFailure,
            Some(_) => {
                let in_default = match &self.row["filter_options"] {
                    Value::Array(modes) => modes.iter().any(|mode| mode.get("mode").is_none()),
                    Value::Object(mode) => mode.get("mode").is_none(),
                    _ => true,
                };
                let constrained = expected["constraint"]
                    .as_str()
                    .is_some_and(|rule| rule.contains("mode"));
                if in_default && !constrained {
                    Mode::Plain
                } else {
                    Mode::Stricter
                }
            }
            None => Mode::Plain,
        }
    }
}

/// How a row is meant that is annotated for one mode of its peer.
#[derive(PartialEq, Eq)]
enum Mode {
    /// As it stands.
    Plain,
    /// A line that must not count as a failure.
    NoFailure,
    /// A failure only for those who ask for it.
    Stricter,
}

fn is_attempt(raw: &str) -> bool {
    ["Accepted", "Failed", "Invalid", "authentication failure"]
        .iter()
        .any(|words| raw.contains(words))
}

fn is_failed_attempt(raw: &str) -> bool {
    [
        "Failed ",
        "Invalid user",
        "authentication failure",
        "not allowed because",
    ]
    .iter()
    .any(|words| raw.contains(words))
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
fn user_agrees(event: &Event, expected: &Expected<'_>) -> bool {
    let ours = names(event);
    ["user", "user_email", "user_id", "target_user", "actor_user"]
        .into_iter()
        .filter_map(|field| expected.get(field))
        .any(|theirs| {
            let tail = theirs.rsplit('\\').next().unwrap_or_default();
            let local = theirs.split('@').next().unwrap_or_default();
            ours.iter()
                .any(|name| *name == theirs || name == tail || name == local)
        })
}

fn ip_agrees(event: &Event, expected: &Expected<'_>) -> bool {
    let theirs = expected.get("source_ip").unwrap_or_default();
    let theirs: Option<IpAddr> = habitus_normalize::field::ip(&theirs);
    match theirs {
        Some(ip) => event.src.ip == Some(ip) || event.src.intermediate_ips.contains(&ip),
        None => event.src.ip.is_none(),
    }
}

fn outcome_agrees(event: &Event, expected: &Expected<'_>) -> bool {
    let ours = match event.status {
        Status::Success => "success",
        Status::Failure => "failure",
        Status::Unknown | Status::Other => "unknown",
    };
    if expected.mode() == Mode::NoFailure {
        return ours != "failure";
    }
    let theirs = expected.get("outcome").unwrap_or_default();
    match theirs.as_str() {
        "success" | "failure" => ours == theirs,
        // Words of the peer's own ("in progress", "new") for what OCSF calls unknown or other; its id decides.
        _ => match expected.get("status_id").as_deref() {
            Some("1") => ours == "success",
            Some("2") => ours == "failure",
            _ => true,
        },
    }
}

fn time_agrees(event: &Event, expected: &Expected<'_>) -> bool {
    let theirs = expected.get("time").unwrap_or_default();
    let theirs = match theirs.parse() {
        Ok(number) => stamp::epoch_integer(number),
        Err(_) => stamp::iso(&theirs.to_uppercase(), UtcOffset::default()),
    };
    theirs.is_some_and(|theirs| {
        let whole_second = theirs.as_millis() % 1_000 == 0;
        let apart = event.time.since(theirs).0;
        // Peers that keep seconds cut them.
        apart == 0 || (whole_second && (0..1_000).contains(&apart))
    })
}

/// The source's own name, OCSF's caption, or the peer's event code.
fn action_agrees(event: &Event, expected: &Expected<'_>) -> bool {
    let ours = [
        event.action.to_lowercase().to_string(),
        event.activity.activity_name().to_lowercase(),
    ];
    ["action", "event_code", "event_type", "operation"]
        .into_iter()
        .filter_map(|field| expected.get(field))
        .any(|theirs| {
            ours.iter()
                .any(|name| *name == theirs || name.replace(' ', "-") == theirs)
        })
}

#[test]
fn no_event_of_the_detection_tests_is_rejected() {
    let Some(data) = habitus_testkit::reference_data() else {
        return;
    };
    let mut wrong = Vec::new();
    for (file, format) in DETECTIONS {
        let (mut count, mut named) = (0, 0);
        for row in rows(&data.join(format!("detection_oracle/{file}.ndjson"))) {
            let event = row["event"].to_string();
            count += 1;
            match read(format, &event) {
                Ok(events) => {
                    let somebody = events.iter().any(|event| event.account_id().is_some());
                    named += usize::from(somebody);
                    if !somebody && names_somebody(&row["event"]) {
                        wrong.push(format!("{file}: nobody: {event}"));
                    }
                    if !somebody && std::env::var("HABITUS_ORACLE").is_ok_and(|shown| shown == *format) {
                        println!("{file} | {} events, nobody | {event}", events.len());
                    }
                }
                Err(reason) => wrong.push(format!("{file}: {reason}: {event}")),
            }
        }
        println!("{file}: {count} events, {named} with an account");
    }
    assert!(
        wrong.is_empty(),
        "{} rejected or without the user they name\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Whether a raw event says who acts, in the member its format has for that.
fn names_somebody(event: &Value) -> bool {
    ["user", "userIdentity", "actor", "initiatedBy"]
        .into_iter()
        .filter_map(|name| event.get(name))
        .any(|value| match value {
            Value::String(name) => !name.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => false,
        })
}
