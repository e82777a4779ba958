//! Agreement with readings by independent projects (`parser_oracle/`, `detection_oracle/` of the reference data).
//!
//! Skipped where the data is absent. Compared are user, source address, outcome, time and action ([`fields`]), by the
//! rules of the data's own README and four of ours ([`rules`]); agreement is counted with ours and without. Every
//! disagreement that is allowed to stay is described in `docs/formats.md`.
//! `HABITUS_ORACLE=<format>` prints the disagreements of one format, those that only our rules leave out included.

#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "test code: a failure is what these make of a mistake"
)]

mod fields;
mod rules;

use fields::FIELDS;
use habitus_model::{Event, UtcOffset};
use habitus_normalize::{FormatChoice, Normalizer, Options, stamp};
use rules::{Mode, Row, Rule};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Least share of compared fields on which we agree, per format.
const AGREEMENT_MIN: f64 = 0.97;

/// A file of `parser_oracle`, the format it is in, and the oracles (peers) whose rows are of that format.
const READINGS: &[(&str, &str)] = &[
    ("aws_cloudtrail", "cloudtrail"),
    ("entra_id_azure_diagnostics", "entra"),
    ("entra_id_graph", "entra"),
    ("github_audit", "github"),
    ("gke", "kubernetes"),
    ("keycloak", "keycloak"),
    ("kubernetes_audit", "kubernetes"),
    ("linux_pam_su_sudo", "sshd"),
    ("o365_audit", "o365"),
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
    ("microsoft365_audit_azureactivedirectory", "o365"),
    ("microsoft365_audit_sharepoint", "o365"),
    ("okta_systemlog", "okta"),
];

/// What came of one asserted field.
struct Outcome {
    format: &'static str,
    field: &'static str,
    agrees: bool,
    left_out: Option<Rule>,
    /// The row, ours and theirs, for people.
    said: String,
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
    let mut found = Vec::new();
    for (file, format) in READINGS {
        for value in rows(&data.join(format!("parser_oracle/{file}.ndjson"))) {
            let value = &value;
            compare(&Row { value, file, format }, &mut found);
        }
    }
    for value in rows(&data.join("parser_oracle/ocsf_examples.ndjson")) {
        let reference = value["ref"].as_str().unwrap_or_default();
        if let Some((_, format)) = EXAMPLES.iter().find(|(part, _)| reference.contains(part)) {
            let (value, file) = (&value, "ocsf_examples");
            compare(&Row { value, file, format }, &mut found);
        }
    }
    report(&found);
}

/// Compares every asserted field of a row.
fn compare(row: &Row<'_>, out: &mut Vec<Outcome>) {
    let events = read(row.format, row.raw());
    for (field, agree) in FIELDS {
        if !row.asserts(field) {
            continue;
        }
        let read = events.as_deref().ok();
        let agrees = read.is_some_and(|events| match events {
            [] => row.mode() == Mode::NoFailure && *field == "outcome",
            events => events.iter().any(|event| agree(event, row)),
        });
        let ours = match &events {
            Ok(events) => events
                .first()
                .map_or_else(|| "no event".to_owned(), |event| fields::ours(event, field)),
            Err(reason) => format!("rejected: {reason}"),
        };
        out.push(Outcome {
            format: row.format,
            field,
            agrees,
            left_out: rules::left_out(row, field, read),
            said: format!(
                "ours {ours} | theirs {} | {}",
                row.value["expected"],
                row.reference()
            ),
        });
    }
}

/// Compared fields and those that differ.
#[derive(Default)]
struct Count {
    compared: usize,
    differ: usize,
}

impl Count {
    fn of<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> Self {
        outcomes.fold(Self::default(), |count, outcome| Self {
            compared: count.compared + 1,
            differ: count.differ + usize::from(!outcome.agrees),
        })
    }

    fn share(&self) -> f64 {
        1.0 - self.differ as f64 / self.compared as f64
    }
}

/// Prints, for every format, the rows of the table in `docs/formats.md`; fails where agreement is low.
fn report(found: &[Outcome]) {
    let shown = std::env::var("HABITUS_ORACLE").unwrap_or_default();
    for one in found.iter().filter(|one| one.format == shown && !one.agrees) {
        println!(
            "{} | {} | {:?} | {}",
            one.format, one.field, one.left_out, one.said
        );
    }
    let mut low = Vec::new();
    for format in habitus_normalize::formats::ALL {
        let of_format = || found.iter().filter(|one| one.format == format.name());
        let readme = Count::of(of_format().filter(|one| one.left_out.is_none_or(Rule::is_ours)));
        let count = Count::of(of_format().filter(|one| one.left_out.is_none()));
        let mut left_out: BTreeMap<Rule, Count> = BTreeMap::new();
        for one in of_format() {
            if let Some(rule) = one.left_out {
                let count = left_out.entry(rule).or_default();
                count.compared += 1;
                count.differ += usize::from(!one.agrees);
            }
        }
        let left_out: Vec<String> = left_out
            .iter()
            .map(|(rule, count)| format!("{rule:?} {} ({} differ)", count.compared, count.differ))
            .collect();
        println!(
            "| {} | {} | {} | {} | {:.1} % | {} | {} | {:.1} % | {}",
            format.name(),
            of_format().count(),
            readme.compared,
            readme.differ,
            readme.share() * 100.0,
            count.compared,
            count.differ,
            count.share() * 100.0,
            left_out.join(", ")
        );
        if count.share() < AGREEMENT_MIN {
            low.push(format.name());
        }
    }
    assert!(
        low.is_empty(),
        "agreement below {AGREEMENT_MIN}: {}",
        low.join(", ")
    );
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
