//! CERT r4.2: Glasser and Lindauer, "Bridging the Gap", 2013: `logon.csv`, `device.csv`, `file.csv`, `http.csv`, and the
//! `insiders.csv` of the answers.
//!
//! All begin with `id, date, user, pc`; then `activity` (logon, device), `filename` (file) or `url` (http). Insiders:
//! `dataset, scenario, details, user, start, end`.

use super::{DatasetError, Input, Line, Rows, attack, csv_rows, date, merged, take};
use habitus_model::activity::{
    ApiActivity as Api, AuthenticationActivity as Auth, EntityManagementActivity as Entity,
};
use habitus_model::{AccountKind, Activity, Event, Resource, Status, Text, User};
use habitus_sim::{Cohort, Label, Labelled, ScenarioKind};
use std::sync::Arc;

/// An insider: user, first and last moment.
type Insiders = Arc<Vec<(String, i64, i64)>>;

pub(super) fn open(mut inputs: Vec<Input>) -> Result<Rows, DatasetError> {
    let answers = take(&mut inputs, "insiders", "it says who the insiders are, and when")?;
    let insiders: Insiders = Arc::new(read_answers(answers)?);
    let mut files = Vec::new();
    for (name, read) in [
        ("logon", logon as Reader),
        ("device", device),
        ("file", file),
        ("http", http),
    ] {
        // Each source adds to what is known; the logons are what it cannot do without.
        match take(&mut inputs, name, "it has the logons") {
            Ok(input) => {
                let insiders = Arc::clone(&insiders);
                files.push(csv_rows(input, move |line| row(line, (&insiders, read))));
            }
            Err(error) if name == "logon" => return Err(error),
            Err(_) => {}
        }
    }
    Ok(merged(files))
}

/// What the fifth field says, as an activity with its name; and what it is about.
type Reader = fn(&str) -> (Activity, &'static str, Option<Resource>);

fn logon(activity: &str) -> (Activity, &'static str, Option<Resource>) {
    let (activity, action) = if activity == "Logoff" {
        (Auth::Logoff, "logoff")
    } else {
        (Auth::Logon, "logon")
    };
    (Activity::Authentication(activity), action, None)
}

fn device(activity: &str) -> (Activity, &'static str, Option<Resource>) {
    let (activity, action) = if activity == "Disconnect" {
        (Entity::Unenroll, "device_disconnect")
    } else {
        (Entity::Enroll, "device_connect")
    };
    (
        Activity::EntityManagement(activity),
        action,
        thing("removable_device", "device"),
    )
}

fn file(name: &str) -> (Activity, &'static str, Option<Resource>) {
    (Activity::Api(Api::Create), "file_copy", thing(name, "file"))
}

/// The site without its path: paths are as many as requests.
fn http(url: &str) -> (Activity, &'static str, Option<Resource>) {
    let site = url
        .split("//")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap_or(url);
    (Activity::Api(Api::Read), "http_request", thing(site, "site"))
}

fn thing(name: &str, kind: &'static str) -> Option<Resource> {
    Some(Resource {
        name: Some(Text::new(name)),
        kind: Some(Text::const_new(kind)),
        ..Resource::default()
    })
}

fn row(line: &Line<'_>, (insiders, read): (&Insiders, Reader)) -> Result<Labelled, DatasetError> {
    let ms = date::american(line.get(1, "date")?);
    let (activity, action, resource) = read(line.get(4, "activity")?);
    let mut event: Event = line.event(ms, ("cert", activity, action))?;
    let user = line.get(2, "user")?;
    event.account = User {
        name: Some(Text::new(user)),
        kind: AccountKind::Human,
        ..User::default()
    };
    event.client.device_name = Some(Text::new(line.get(3, "pc")?));
    event.src.hostname.clone_from(&event.client.device_name);
    event.status = Status::Success;
    event.resources.extend(resource);
    let at = event.time.as_millis();
    let is_theirs = |(insider, from, to): &(String, i64, i64)| insider == user && *from <= at && at <= *to;
    let label = match insiders.iter().position(is_theirs) {
        Some(number) => attack(ScenarioKind::InsiderExploration, number),
        None => Label::Legitimate(Cohort::Usual),
    };
    Ok(Labelled { event, label })
}

/// The insiders of release 4.2.
fn read_answers(input: Input) -> Result<Vec<(String, i64, i64)>, DatasetError> {
    let Input { name, bytes } = input;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let mut insiders = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| DatasetError::Io {
            file: name.clone(),
            error: std::io::Error::other(error.to_string()),
        })?;
        let fields: Vec<&str> = record.iter().collect();
        let line = Line {
            file: &name,
            line: record.position().map_or(0, csv::Position::line),
            fields: &fields,
        };
        if line.get(0, "dataset")? != "4.2" {
            continue;
        }
        let moment = |at, field| date::american(line.get(at, field)?).ok_or_else(|| line.wrong(field));
        insiders.push((
            line.get(3, "user")?.to_owned(),
            moment(4, "start")?,
            moment(5, "end")?,
        ));
    }
    Ok(insiders)
}
