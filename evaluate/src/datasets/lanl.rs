//! LANL 2015: Kent, "Comprehensive, Multi-Source Cyber-Security Events", `auth.txt` and `redteam.txt`.
//!
//! `time, source user@domain, destination user@domain, source computer, destination computer, authentication type, logon type,
//! authentication orientation, success/failure`; red team: `time, user@domain, source computer, destination computer`. Times
//! are seconds from the beginning of the collection.

use super::{DatasetError, Input, Line, Rows, attack, take};
use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::event::{AuthProtocol, LogonType};
use habitus_model::{AccountKind, Activity, FailureReason, Resource, Status, Text, User};
use habitus_sim::{Cohort, Label, Labelled, ScenarioKind};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

/// When the collection is taken to begin: a Monday (the data set does not say).
const BEGINS_MS: i64 = 1_420_416_000_000;
/// Longest line; the documented fields take about 120 bytes.
const LINE_MAX: u64 = 4_096;

/// The red team's authentications, with the number of each account it used.
type RedTeam = BTreeMap<(String, String, String, String), usize>;

pub(super) fn open(mut inputs: Vec<Input>) -> Result<Rows, DatasetError> {
    let red = take(
        &mut inputs,
        "redteam",
        "it says which authentications are the red team's",
    )?;
    let auth = take(&mut inputs, "auth", "it has the authentications")?;
    let mut accounts: BTreeMap<String, usize> = BTreeMap::new();
    let used = each_line(red, move |line| {
        let next = accounts.len();
        let user = line.get(1, "user@domain")?;
        let number = *accounts.entry(user.to_owned()).or_insert(next);
        let own = |at, field| line.get(at, field).map(str::to_owned);
        let key = (
            own(0, "time")?,
            user.to_owned(),
            own(2, "source computer")?,
            own(3, "destination computer")?,
        );
        Ok((key, number))
    });
    let red_team: RedTeam = used.collect::<Result<_, DatasetError>>()?;
    Ok(Box::new(each_line(auth, move |line| row(line, &red_team))))
}

/// The lines of a file without a heading.
fn each_line<T>(
    input: Input,
    mut read: impl FnMut(&Line<'_>) -> Result<T, DatasetError>,
) -> impl Iterator<Item = Result<T, DatasetError>> {
    let Input { name, bytes } = input;
    let mut reader = BufReader::new(bytes);
    let mut number = 0;
    std::iter::from_fn(move || {
        let mut text = String::new();
        number += 1;
        match std::io::Read::take(&mut reader, LINE_MAX).read_line(&mut text) {
            Ok(0) => None,
            Ok(_) => {
                let fields: Vec<&str> = text.trim_end().split(',').collect();
                Some(read(&Line {
                    file: &name,
                    line: number,
                    fields: &fields,
                }))
            }
            Err(error) => Some(Err(DatasetError::Io {
                file: name.clone(),
                error,
            })),
        }
    })
}

fn row(line: &Line<'_>, red_team: &RedTeam) -> Result<Labelled, DatasetError> {
    let time = line.get(0, "time")?;
    let ms = time
        .parse::<i64>()
        .ok()
        .map(|seconds| BEGINS_MS + seconds * 1_000);
    let activity = match line.get(7, "authentication orientation")? {
        "LogOn" => Auth::Logon,
        "LogOff" => Auth::Logoff,
        "TGT" => Auth::AuthenticationTicket,
        "TGS" => Auth::ServiceTicketRequest,
        _ => Auth::Other,
    };
    let mut event = line.event(ms, ("lanl", Activity::Authentication(activity), "authentication"))?;
    let (source, user) = (
        line.get(1, "source user@domain")?,
        line.get(2, "destination user@domain")?,
    );
    let (from, to) = (
        line.get(3, "source computer")?,
        line.get(4, "destination computer")?,
    );
    event.account = person(source);
    event.target = (user != source).then(|| person(user));
    event.src.hostname = Some(Text::new(from));
    event.service = Some(Resource {
        name: Some(Text::new(to)),
        kind: Some(Text::const_new("host")),
        ..Resource::default()
    });
    event.auth.protocol = match line.get(5, "authentication type")? {
        "Kerberos" => AuthProtocol::Kerberos,
        "NTLM" => AuthProtocol::Ntlm,
        _ => AuthProtocol::Unknown,
    };
    event.auth.logon_type = match line.get(6, "logon type")? {
        "Interactive" => LogonType::Interactive,
        "Network" => LogonType::Network,
        "Batch" => LogonType::Batch,
        "Service" => LogonType::OsService,
        "Unlock" => LogonType::Unlock,
        "RemoteInteractive" => LogonType::RemoteInteractive,
        "NetworkCleartext" => LogonType::NetworkCleartext,
        "NewCredentials" => LogonType::NewCredentials,
        "CachedInteractive" => LogonType::CachedInteractive,
        _ => LogonType::Unknown,
    };
    event.auth.is_remote = Some(from != to);
    let succeeded = line.get(8, "success/failure")? == "Success";
    event.status = if succeeded {
        Status::Success
    } else {
        Status::Failure
    };
    event.failure = (!succeeded).then_some(FailureReason::InvalidCredentials);
    let key = (time.to_owned(), source.to_owned(), from.to_owned(), to.to_owned());
    let label = match red_team.get(&key) {
        Some(number) => attack(ScenarioKind::LateralMovement, *number),
        None => Label::Legitimate(Cohort::Usual),
    };
    Ok(Labelled { event, label })
}

/// Users are `U…`, computers' accounts `C…$`.
fn person(name: &str) -> User {
    User {
        name: Some(Text::new(name)),
        kind: if name.contains('$') {
            AccountKind::Service
        } else {
            AccountKind::Human
        },
        ..User::default()
    }
}
