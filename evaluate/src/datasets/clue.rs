//! CLUE-LDS: Landauer et al., "A User and Entity Behavior Analytics Log Data Set for Anomaly Detection in Cloud Computing",
//! 2022 (Zenodo 7119953), one JSON object a line: `params, type, time, uid, id, uidType, role, isLocalIP, location`.
//!
//! It has no attacks. As its authors do, accounts are hijacked by switching pairs of users from a moment on: here each
//! tenth user with the next one, for a day each.

use super::{DatasetError, Input, Line, Rows, attack, date, take};
use habitus_model::activity::{ApiActivity as Api, AuthenticationActivity as Auth};
use habitus_model::{AccountKind, Activity, Coordinates, Km, Resource, Status, Text, User};
use habitus_sim::{Cohort, Label, Labelled, ScenarioKind};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

/// Events of a user before it may be hijacked, and how long a hijack lasts.
const KNOWN_EVENTS: u64 = 100;
const HIJACK_MS: i64 = 86_400_000;
/// Each so many-th user that is known is hijacked.
const EACH: usize = 10;

pub(super) fn open(mut inputs: Vec<Input>) -> Result<Rows, DatasetError> {
    let Input { name, bytes } = take(&mut inputs, "clue", "name the file clue.json")?;
    let mut lines = BufReader::new(bytes).lines();
    let mut number = 0;
    let mut hijacks = Hijacks::default();
    Ok(Box::new(std::iter::from_fn(move || {
        let text = match lines.next()? {
            Ok(text) => text,
            Err(error) => {
                return Some(Err(DatasetError::Io {
                    file: name.clone(),
                    error,
                }));
            }
        };
        number += 1;
        let line = Line {
            file: &name,
            line: number,
            fields: &[],
        };
        Some(row(&line, &text).map(|row| hijacks.pass(row)))
    })))
}

fn row(line: &Line<'_>, text: &str) -> Result<Labelled, DatasetError> {
    let json: Value = serde_json::from_str(text).map_err(|_| line.wrong("JSON"))?;
    let said = |key: &'static str| {
        json.get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| line.wrong(key))
    };
    let kind = said("type")?;
    let (activity, succeeded) = match kind {
        "login_successful" => (Activity::Authentication(Auth::Logon), true),
        "login_attempt" | "login_failed" => (Activity::Authentication(Auth::Logon), false),
        "logout_occurred" => (Activity::Authentication(Auth::Logoff), true),
        kind if kind.contains("created") || kind.contains("shared") => (Activity::Api(Api::Create), true),
        kind if kind.contains("deleted") => (Activity::Api(Api::Delete), true),
        kind if kind.contains("accessed") || kind.contains("downloaded") => (Activity::Api(Api::Read), true),
        _ => (Activity::Api(Api::Update), true),
    };
    let mut event = line.event(date::iso(said("time")?), ("clue", activity, kind))?;
    event.account = User {
        name: Some(Text::new(said("uid")?)),
        kind: AccountKind::Human,
        ..User::default()
    };
    event.status = if succeeded {
        Status::Success
    } else {
        Status::Failure
    };
    let place = json.get("location").filter(|place| place.is_object());
    let number = |key| place.and_then(|place| place.get(key)).and_then(Value::as_f64);
    let word = |key| {
        place
            .and_then(|place| place.get(key))
            .and_then(Value::as_str)
            .map(Text::new)
    };
    (event.src.country, event.src.city) = (word("countryCode"), word("city"));
    event.src.coordinates = Coordinates::new(
        number("latitude").unwrap_or(f64::NAN),
        number("longitude").unwrap_or(f64::NAN),
    );
    event.src.radius = number("accuracyRadius").map(Km);
    let path = json
        .get("params")
        .and_then(|params| params.get("path"))
        .and_then(Value::as_str);
    event.resources.extend(path.map(|path| Resource {
        name: Some(Text::new(path)),
        kind: Some(Text::const_new("file")),
        ..Resource::default()
    }));
    let label = Label::Legitimate(Cohort::Usual);
    Ok(Labelled { event, label })
}

/// Who is switched with whom, and until when.
#[derive(Default)]
struct Hijacks {
    events: BTreeMap<Text, u64>,
    known: Vec<Text>,
    /// What another user does is done in a victim's name: by that user, the victim, the end and the number.
    under_way: BTreeMap<Text, (Text, i64, usize)>,
}

impl Hijacks {
    fn pass(&mut self, mut row: Labelled) -> Labelled {
        let Some(user) = row.event.account.name.clone() else {
            return row;
        };
        let ms = row.event.time.as_millis();
        if let Some((victim, until, number)) = self.under_way.get(&user) {
            if ms < *until {
                row.event.account.name = Some(victim.clone());
                row.label = attack(ScenarioKind::InsiderExploration, *number);
                return row;
            }
            return row;
        }
        let events = self.events.entry(user.clone()).or_default();
        *events += 1;
        if *events == KNOWN_EVENTS {
            self.known.push(user.clone());
            let pair = (self.known.len(), self.known.len().checked_sub(2));
            if let (many, Some(before)) = pair
                && many % EACH == 0
                && let Some(victim) = self.known.get(before)
            {
                self.under_way
                    .insert(user, (victim.clone(), ms + HIJACK_MS, many / EACH - 1));
            }
        }
        row
    }
}
