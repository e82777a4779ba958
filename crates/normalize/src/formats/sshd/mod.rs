//! Linux and Unix logons from syslog and the journal: sshd, PAM, sudo, su, login, logind and the account tools.
//!
//! Lines of other programs are understood and no business of identity. An outcome is given only to lines that state
//! one: accepted, failed, invalid, refused, left before it was let in, session opened; connections are of unknown outcome.

mod daemon;
mod local;
mod pam;
mod said;
mod shell;
mod switch;

use crate::field;
use crate::format::{Format, Reading, Recognition, Record};
use crate::syslog::{Line, Stamp};
use habitus_model::{
    AccountKind, Event, EventTime, EventUid, Rejection, RejectionKind, Resource, SourceName, Text,
    TimeQuality, User,
};
use pam::Pam;
use said::Said;
use shell::Shell;

/// Logons of Linux and Unix hosts.
pub struct Sshd;

/// Most events made of one `message repeated N times` (syslogd's and sshd's own compression). Enough for every
/// threshold on bursts of failures in use (the highest known is 20 in 60 minutes, FIELD), and bounds what one short
/// line can cost.
const REPEATED_MAX: u32 = 32;

const NAME: &str = "sshd";

/// Tools of shadow-utils that change accounts.
const TOOLS: [&str; 12] = [
    "chage", "chpasswd", "gpasswd", "groupadd", "groupdel", "groupmod", "newusers", "passwd", "useradd",
    "userdel", "usermod", "vipw",
];

impl Format for Sshd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, record: &Record<'_>) -> Recognition {
        match record {
            Record::Json(document) => shell::recognise(document),
            Record::Text(text) => recognise_text(text),
        }
    }

    fn read(
        &self,
        record: &Record<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        match record {
            Record::Text(text) => {
                let line = Line::parse(text, reading.options);
                read_line(line, &Shell::default(), reading, out)
            }
            Record::Json(document) => {
                let Some(shell) = Shell::of(document, reading.options) else {
                    return Err(Rejection::missing("message"));
                };
                read_line(shell.line(reading.options), &shell, reading, out)
            }
        }
    }
}

/// How sure a text without a JSON shell is ours. `program` and message decide.
fn recognise_text(text: &str) -> Recognition {
    // A payload in another format behind a syslog header belongs to that format, which must see it bare.
    const PAYLOADS: [&str; 5] = ["{", "[{", "<Event", "CEF:", "LEEF:"];
    let line = Line::parse(text, &crate::Options::default());
    if PAYLOADS.iter().any(|opening| line.message.starts_with(opening)) {
        return Recognition::No;
    }
    if line.program.is_some_and(is_ours) {
        return Recognition::Certain;
    }
    let is_pam = line.message.starts_with("PAM ") || Pam::parse("", line.message).is_some();
    if line.is_framed || is_pam || daemon::is_bare(line.message) {
        return Recognition::Likely;
    }
    Recognition::No
}

fn is_ours(program: &str) -> bool {
    matches!(
        canonical(program),
        "sshd" | "sudo" | "su" | "login" | "systemd-logind"
    ) || TOOLS.contains(&program)
}

/// The name under which a program's messages are read: OpenSSH 9.8 split sshd into `sshd-session` and `sshd-auth`.
fn canonical(program: &str) -> &str {
    match program {
        "sshd-session" | "sshd-auth" => "sshd",
        "su-l" => "su",
        other => other,
    }
}

fn read_line(
    line: Line<'_>,
    shell: &Shell<'_>,
    reading: &Reading<'_>,
    out: &mut Vec<Event>,
) -> Result<(), Rejection> {
    let program = canonical(line.program.unwrap_or(""));
    let (message, count) = repeated(line.message);
    let Some((said, service)) = said(program, message).filter(|(said, _)| said.is_worth_an_event()) else {
        return Ok(());
    };
    let (time, quality) = time_of(line.stamp, reading)?;
    let uid = reading.uid(shell.uid());
    let mut event = Event::new(
        uid.clone(),
        time,
        SourceName::new(NAME),
        said.activity,
        said.action.clone(),
    );
    event.time_quality = quality;
    fill(&mut event, &said);
    place(&mut event, service, line.host, said.session);
    if reading.options.keep_unmapped {
        event.unmapped = Some(Text::from(
            serde_json::json!({ "message": line.message }).to_string(),
        ));
    }
    for nth in 1..count.min(REPEATED_MAX) {
        let mut again = event.clone();
        again.uid = EventUid::new(format!("{uid}-{nth}"));
        out.push(again);
    }
    out.push(event);
    Ok(())
}

/// Puts what a message of one of our programs says into an event that another envelope gave time and id (Windows'
/// channel `OpenSSH/Operational`). Gives whether it says anything; if not, the event is as it was.
pub(super) fn describe(event: &mut Event, program: &str, message: &str, host: Option<&str>) -> bool {
    match said(canonical(program), message).filter(|(said, _)| said.is_worth_an_event()) {
        None => false,
        Some((said, service)) => {
            event.activity = said.activity;
            event.action = said.action.clone();
            fill(event, &said);
            place(event, service, host, said.session);
            true
        }
    }
}

/// What the program says, and the name of the service it says it of.
fn said<'m>(program: &'m str, message: &'m str) -> Option<(Said<'m>, &'m str)> {
    if let Some(pam) = Pam::parse(program, message) {
        return pam.read().map(|said| (said, canonical(pam.service)));
    }
    let said = match program {
        "sshd" | "" => daemon::read(message)?,
        "sudo" => switch::sudo(message)?,
        "su" => switch::su(message)?,
        "login" => local::login(message)?,
        "systemd-logind" => local::logind(message)?,
        tool if TOOLS.contains(&tool) => local::tools(message)?,
        _ => return None,
    };
    Some((said, if program.is_empty() { "sshd" } else { program }))
}

/// `message repeated 5 times: [ MESSAGE]`: the message and how many times it happened.
fn repeated(message: &str) -> (&str, u32) {
    let inner = message
        .strip_prefix("message repeated ")
        .and_then(|rest| rest.split_once(" times: ["))
        .and_then(|(count, rest)| Some((rest.strip_suffix(']')?.trim(), count.parse().ok()?)));
    inner.unwrap_or((message, 1))
}

fn time_of(stamp: Stamp, reading: &Reading<'_>) -> Result<(EventTime, TimeQuality), Rejection> {
    match stamp {
        Stamp::Known(time, quality) => Ok((time, quality)),
        Stamp::Unreadable => Err(Rejection::invalid(
            "time stamp",
            "a syslog time (one without a year needs the input's reference time)",
        )),
        Stamp::None => reading
            .options
            .reference_time
            .map(|time| (time, TimeQuality::Assumed))
            .ok_or_else(|| {
                Rejection::new(
                    RejectionKind::MissingField,
                    "the line has no time stamp and the input no reference time",
                )
            }),
    }
}

fn fill(event: &mut Event, said: &Said<'_>) {
    event.status = said.status;
    event.failure = said.failure;
    event.status_detail = said.detail.and_then(field::text);
    event.account = said.user.map(user).unwrap_or_default();
    event.target = said.target.map(user).filter(User::is_somebody);
    event.group = said.group.map(|group| Resource {
        name: field::text(group),
        kind: Some(Text::const_new("group")),
        ..Resource::default()
    });
    if let Some(from) = said.from {
        event.src.ip = field::ip(from);
        if event.src.ip.is_none() {
            event.src.hostname = field::text(from);
        }
        event.src.port = said.port;
    }
    event.auth.is_remote = said.is_remote;
    event.auth.protocol = said.protocol();
    event.auth.factors = said.factor().into_iter().collect();
    event.auth.method = said.method.and_then(field::text);
    event.auth.credential_uid = said.credential.and_then(field::text);
    event.auth.issuer = said.issuer.and_then(field::text);
    if let Some(command) = said.command.and_then(field::text) {
        event.resources.push(Resource {
            name: Some(command),
            kind: Some(Text::const_new("command")),
            ..Resource::default()
        });
    }
}

/// Service, host and session. Session numbers start anew on each host.
fn place(event: &mut Event, service: &str, host: Option<&str>, session: Option<&str>) {
    event.service = Some(Resource {
        name: Some(Text::new(service)),
        namespace: host.and_then(field::text),
        ..Resource::default()
    });
    event.session = session.map(|session| match host {
        Some(host) => Text::from(format!("{host}/{session}")),
        None => Text::new(session),
    });
}

fn user(name: &str) -> User {
    User {
        name: field::text(name),
        kind: if name == "root" {
            AccountKind::Privileged
        } else {
            AccountKind::Unknown
        },
        ..User::default()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
