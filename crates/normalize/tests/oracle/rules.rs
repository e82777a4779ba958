//! Which assertions of a peer are not compared, and why. Each rule holds for every row it describes, whether we agree
//! there or not; the report counts what each leaves out, and the agreement with and without those that are ours.

use habitus_model::Event;
use habitus_normalize::field;
use serde_json::Value;

/// Why an asserted field is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The data's `checks`: the name or address is not in the record. The peer took it from other lines.
    NotInRecord,
    /// The data's caution on CloudTrail: outcome is success beside an error code, user is the principal's id.
    Principal,
    /// The data's caution on sshd (Sekoia): outcome says that the closing succeeded; only attempts have one.
    NoAttempt,
    /// The data's note on fail2ban: a failure only in a mode that is not the default.
    OtherMode,
    /// Findings, by the peer's class or by ours: `status_id` says how far the work on a finding has come (1 New), not how
    /// anything ended.
    FindingState,
    /// Ours: fail2ban judges a session over its lines and counts it at one of them.
    Session,
    /// Ours: lines of text have no names of events; each peer gives its own.
    NoName,
    /// Ours: a record we make nothing of, in which the peer names no user and which it calls none of identity.
    NotIdentity,
    /// Ours: output of containers and events of the cluster (`gke`) are no audit records.
    NotAudit,
}

impl Rule {
    /// Whether the rule is ours; the others are the data's own or the meaning of the field.
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Rule::Session | Rule::NoName | Rule::NotIdentity | Rule::NotAudit
        )
    }
}

/// The rule that leaves out `field` of a row; absent if it is compared. `events`: what we read, absent if rejected.
pub fn left_out(row: &Row<'_>, field: &str, events: Option<&[Event]>) -> Option<Rule> {
    let by_data = match (row.oracle(), row.format, field) {
        (_, _, "user" | "source_ip") if row.is_inferred(field) => Some(Rule::NotInRecord),
        ("sekoia-intake-formats", "cloudtrail", "outcome" | "user") => Some(Rule::Principal),
        ("sekoia-intake-formats", "sshd", "outcome") if !is_attempt(row.raw()) => Some(Rule::NoAttempt),
        ("fail2ban", _, "outcome") if row.mode() == Mode::Stricter => Some(Rule::OtherMode),
        (_, _, "outcome") if row.is_finding() || events.is_some_and(are_findings) => Some(Rule::FindingState),
        _ => None,
    };
    by_data.or_else(|| {
        let says_failure = row.mode() == Mode::Plain;
        match (row.oracle(), row.format, field) {
            _ if row.file == "gke" => Some(Rule::NotAudit),
            ("fail2ban", _, "outcome") if is_failed_attempt(row.raw()) != says_failure => Some(Rule::Session),
            (_, "sshd", "action") => Some(Rule::NoName),
            _ if events.is_some_and(<[Event]>::is_empty) && !row.asserts("user") && !row.is_identity() => {
                Some(Rule::NotIdentity)
            }
            _ => None,
        }
    })
}

/// One reading of one record.
pub struct Row<'r> {
    /// The row as it stands in the data.
    pub value: &'r Value,
    /// The data's file, without extension.
    pub file: &'r str,
    /// The format that the record is in.
    pub format: &'static str,
}

impl Row<'_> {
    /// Whose reading it is.
    pub fn oracle(&self) -> &str {
        self.value["oracle"].as_str().unwrap_or_default()
    }

    /// The record.
    pub fn raw(&self) -> &str {
        self.value["raw"].as_str().unwrap_or_default()
    }

    /// Where the peer has the row.
    pub fn reference(&self) -> &str {
        self.value["ref"].as_str().unwrap_or_default()
    }

    /// What the peer asserts of a field, in lower case.
    pub fn get(&self, field: &str) -> Option<String> {
        match self.value["expected"].get(field)? {
            Value::String(text) => {
                Some(text.trim().to_lowercase()).filter(|text| !text.is_empty() && text != "-")
            }
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether the peer asserts the field, under any of its names.
    pub fn asserts(&self, field: &str) -> bool {
        let names: &[&str] = match field {
            "user" => &["user", "user_email", "actor_user"],
            "action" => &["action", "event_code"],
            "outcome" if self.mode() == Mode::NoFailure => return true,
            field => &[field],
        };
        names.iter().any(|name| self.get(name).is_some())
    }

    /// What a fail2ban row says; other rows are plain.
    pub fn mode(&self) -> Mode {
        let expected = &self.value["expected"];
        match expected.get("is_failure_line") {
            None => Mode::Plain,
            Some(Value::Bool(false)) => Mode::NoFailure,
            Some(_) => {
                let in_default = match &self.value["filter_options"] {
                    Value::Array(modes) => modes.iter().any(|mode| mode.get("mode").is_none()),
                    Value::Object(mode) => mode.get("mode").is_none(),
                    _ => true,
                };
                let constraint = expected["constraint"].as_str();
                if in_default && !constraint.is_some_and(|rule| rule.contains("mode")) {
                    Mode::Plain
                } else {
                    Mode::Stricter
                }
            }
        }
    }

    /// Whether a name or address is in nothing of the record. `checks` looks for its bytes; here it counts as there, too,
    /// if it stands escaped or in another spelling of the address.
    fn is_inferred(&self, field: &str) -> bool {
        let check = self.value.get("checks").and_then(|checks| checks.get(field));
        if check != Some(&Value::Bool(false)) {
            return false;
        }
        let Some(theirs) = self.get(field) else {
            return false;
        };
        let text = serde_json::from_str(self.raw())
            .map_or_else(|_| self.raw().to_owned(), |json: Value| strings(&json));
        let text = text.to_lowercase();
        let same = |word: &str| field::ip(word).is_some() && field::ip(word) == field::ip(&theirs);
        !text.contains(&theirs) && !text.split([' ', '"', ',', '\n']).any(same)
    }

    fn is_finding(&self) -> bool {
        let class = self.value.get("expected").and_then(|said| said.get("class_uid"));
        class
            .and_then(Value::as_u64)
            .is_some_and(|class| class / 1000 == 2)
    }

    /// Whether the record is about identity, by the peer's reading: its category or class, or the number of a Windows
    /// event. A peer that says neither is taken to mean identity.
    fn is_identity(&self) -> bool {
        let expected = &self.value["expected"];
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
}

/// Whether all that was read of a record are findings; not so if nothing was.
fn are_findings(events: &[Event]) -> bool {
    !events.is_empty() && events.iter().all(|event| event.activity.category_uid() == 2)
}

/// How a row is meant that is annotated for one mode of its peer.
#[derive(PartialEq, Eq)]
pub enum Mode {
    /// As it stands.
    Plain,
    /// A line that must not count as a failure.
    NoFailure,
    /// A failure only for those who ask for it.
    Stricter,
}

/// Every string of a document, unescaped.
fn strings(json: &Value) -> String {
    match json {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(strings).collect::<Vec<_>>().join("\n"),
        Value::Object(members) => members.values().map(strings).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

fn is_attempt(raw: &str) -> bool {
    ["Accepted", "Failed", "Invalid", "authentication failure"]
        .iter()
        .any(|words| raw.contains(words))
}

/// Whether the line itself tells of an attempt that failed, whatever became of the session.
fn is_failed_attempt(raw: &str) -> bool {
    const WORDS: [&str; 10] = [
        "failed ",
        "invalid user",
        "illegal user",
        "authentication failure",
        "authentication error",
        "authenticating user",
        "maximum authentication attempts",
        "not allowed because",
        "not known to",
        "refused",
    ];
    let raw = raw.to_lowercase();
    WORDS.iter().any(|words| raw.contains(words))
}
