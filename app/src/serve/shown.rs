//! Findings, accounts and sessions in the words of the API.

use crate::verdict;
use habitus_console::product::{
    Account, AccountRow, AssessAnswer, BlindLine, Changes, ContributionLine, DriftAlarm, EventLine, Finding,
    FindingChange, FindingRow, FindingState, Habit, HabitValue, Labelled, Note, Session, SessionRow,
    TenantChange, TenantChangeKind, time,
};
use habitus_engine::MODEL;
use habitus_engine::changes::{ChangeKind, Standing};
use habitus_findings::{Deed, Entry, Findings, Hit, Key, State, Told, View};
use habitus_live::people::{Brief, Person, Session as Seen, Tally};
use habitus_model::math::round_to;
use habitus_model::{EventTime, IngestTime, Millis, Minutes, Status};

use super::answer;

/// A finding in a list.
pub fn row(view: &View) -> FindingRow {
    let finding = &view.finding;
    let account = match &finding.key {
        Key::Account { account, .. } => Some(account.to_string()),
        _ => None,
    };
    FindingRow {
        id: finding.id.to_string(),
        kind: account.is_some().then(|| finding.worst.kind.name().to_owned()),
        account,
        title: finding.title(),
        behaviour: Some(finding.key.behaviour_name().to_owned()),
        state: state(view.state),
        risk_score: cut(finding.score().get()),
        risk_level: finding.level(),
        count: finding.count,
        first_seen: finding.first,
        last_seen: finding.last,
        assignee: finding.triage.assignee.as_ref().map(ToString::to_string),
        verdict: finding.triage.verdict().map(|ruling| ruling.verdict),
    }
}

/// A finding with all that is known of it; its orders are the caller's.
pub fn whole(view: &View, findings: &Findings, policy: &str) -> Finding {
    let finding = &view.finding;
    let similar = findings.similar(&finding.id);
    let similar = similar.iter().take(20).filter_map(|id| findings.get(id));
    Finding {
        row: row(view),
        sentence: sentence(finding.telling()),
        key: key(view),
        assessment: assessment(&finding.worst, policy),
        events: finding.evidence().into_iter().map(event).collect(),
        notes: finding.triage.notes.iter().map(note).collect(),
        history: finding.triage.history.iter().map(change).collect(),
        similar: similar.map(|view| row(&view)).collect(),
        actions: Vec::new(),
    }
}

/// What differs from the account's habit: three reasons, the cause first.
pub fn sentence(hit: &Hit) -> String {
    let reasons = hit.reasons().into_iter().take(3).map(|line| line.text.as_str());
    let reasons: Vec<&str> = reasons.collect();
    if reasons.is_empty() {
        return "Nothing by itself stands out; all of it together does.".to_owned();
    }
    let text = reasons.join("; ");
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Where the work stands.
pub fn state(state: State) -> FindingState {
    match state {
        State::New => FindingState::New,
        State::InProgress => FindingState::InProgress,
        State::Closed => FindingState::Closed,
    }
}

/// A kept verdict as it was given.
pub fn assessment(hit: &Hit, policy: &str) -> AssessAnswer {
    let contributions = hit.lines.iter().map(|line| {
        let nats = verdict::nats(line.nats.0);
        ContributionLine {
            signal: line.signal.to_string(),
            log_odds: nats,
            points: verdict::points(nats),
            text: line.text.clone(),
        }
    });
    let blind: Vec<BlindLine> = answer::blind(&hit.blind);
    AssessAnswer {
        uid: Some(hit.uid.to_string()),
        time: Some(hit.time().as_millis()),
        account: hit.context.account.as_ref().map(ToString::to_string),
        risk_score: Some(cut(hit.score.get())),
        log_odds: Some(verdict::nats(hit.log_odds.0)),
        risk_level: Some(hit.level),
        confidence: Some(round_to(hit.confidence.get(), 3)),
        disposition: hit.disposition,
        contributions: contributions.collect(),
        blind,
        degraded: false,
        degraded_reason: None,
        model: Some(MODEL.to_owned()),
        policy: Some(policy.to_owned()),
        mode: None,
    }
}

fn key(view: &View) -> Vec<Labelled> {
    let finding = &view.finding;
    let mut key = vec![
        labelled("tenant", finding.key.tenant().as_str()),
        labelled("subject", finding.key.subject()),
        labelled("behaviour", finding.key.behaviour_name()),
        labelled("window from", time::text(finding.start)),
    ];
    let told = match &view.told {
        Told::ByItself => None,
        Told::ByCampaign(id) => Some(("part of campaign", id)),
        Told::ByStorm(id) => Some(("folded into storm", id)),
    };
    let continues = view.continues.as_ref().map(|id| ("continues", id));
    let continued = view.continued_by.as_ref().map(|id| ("continued by", id));
    let others = [told, continues, continued].into_iter().flatten();
    key.extend(others.map(|(label, id)| labelled(label, id.as_str())));
    if view.provisional {
        key.push(labelled("settled", "no: its events wait for earlier ones"));
    }
    if !matches!(finding.key, Key::Account { .. }) {
        let names: Vec<String> = finding
            .accounts
            .names()
            .iter()
            .take(20)
            .map(ToString::to_string)
            .collect();
        key.push(labelled("accounts", names.join(", ")));
    }
    key
}

fn labelled(label: &str, value: impl Into<String>) -> Labelled {
    Labelled {
        label: label.to_owned(),
        value: value.into(),
    }
}

/// One event of a finding.
fn event(hit: &Hit) -> EventLine {
    let context = &hit.context;
    let network = &context.network;
    let number = || network.asn.map(|asn| asn.to_string());
    let facts = [
        ("account", context.account.as_ref().map(ToString::to_string)),
        ("address", network.ip.map(|ip| ip.to_string())),
        (
            "place",
            (!context.place.is_unknown()).then(|| context.place.label()),
        ),
        (
            "network",
            network
                .organisation
                .as_ref()
                .map(ToString::to_string)
                .or_else(number),
        ),
        (
            "client",
            (!context.client.is_unknown()).then(|| context.client.label()),
        ),
        ("format", Some(hit.source.to_string())),
    ];
    EventLine {
        uid: hit.uid.to_string(),
        time: hit.time(),
        risk_score: Some(cut(hit.score.get())),
        text: happened(context.activity.activity_name(), context.status),
        facts: present(facts),
    }
}

/// One event of an account or session.
fn brief(brief: &Brief) -> EventLine {
    let text = |part: &Option<habitus_model::Text>| part.as_ref().map(ToString::to_string);
    let facts = [
        ("address", text(&brief.address)),
        ("place", text(&brief.country)),
        ("network", text(&brief.network)),
        ("client", text(&brief.client)),
        ("source", Some(brief.source.to_string())),
    ];
    EventLine {
        uid: brief.uid.to_string(),
        time: brief.time,
        risk_score: Some(cut(brief.score)),
        text: happened(&brief.what, brief.status),
        facts: present(facts),
    }
}

fn present<const N: usize>(facts: [(&str, Option<String>); N]) -> Vec<Labelled> {
    let there = facts
        .into_iter()
        .filter_map(|(label, value)| Some((label, value?)));
    there.map(|(label, value)| labelled(label, value)).collect()
}

fn happened(what: &str, status: Status) -> String {
    match status {
        Status::Success => format!("{what} succeeded"),
        Status::Failure => format!("{what} failed"),
        Status::Unknown | Status::Other => what.to_owned(),
    }
}

fn note(note: &habitus_findings::Note) -> Note {
    Note {
        author: note.by.to_string(),
        time: note.at.as_event(),
        text: note.text.clone(),
    }
}

fn change(entry: &Entry) -> FindingChange {
    let until = |at: IngestTime| time::text(at.as_event());
    let text = match &entry.what {
        Deed::Assigned(Some(who)) => format!("assigned to {who}"),
        Deed::Assigned(None) => "assigned to nobody".to_owned(),
        Deed::Noted => "note written".to_owned(),
        Deed::Judged(verdict) => format!("verdict {}", verdict.name()),
        Deed::Snoozed(Some(at)) => format!("put aside until {}", until(*at)),
        Deed::Snoozed(None) => "taken up again".to_owned(),
        Deed::Closed => "closed".to_owned(),
        Deed::Reopened => "opened again".to_owned(),
        Deed::ReopenedBy { event, .. } => format!("opened again by event {event}"),
        Deed::Undone(_) => "taken back".to_owned(),
    };
    let by_event = match &entry.what {
        Deed::ReopenedBy { time, .. } => Some(*time),
        _ => None,
    };
    FindingChange {
        author: entry.by.as_ref().map(ToString::to_string),
        time: entry
            .at
            .map(IngestTime::as_event)
            .or(by_event)
            .unwrap_or(IngestTime::EPOCH.as_event()),
        text,
    }
}

/// An account in a list; `open` are its findings that are not closed.
pub fn account_row(person: &Person, open: &[View]) -> AccountRow {
    let worst = open
        .iter()
        .map(|view| &view.finding)
        .max_by(|a, b| a.score().get().total_cmp(&b.score().get()));
    AccountRow {
        id: person.account.to_string(),
        kind: person.kind.name().to_owned(),
        risk_score: worst.map(|finding| cut(finding.score().get())),
        risk_level: worst.map(|finding| finding.level()),
        logins: person.logins,
        last_seen: Some(person.last_seen),
        open_findings: u64::try_from(open.len()).unwrap_or(u64::MAX),
    }
}

/// An account with its habits.
pub fn account(person: &Person, open: &[View], all: &[View], sessions: Vec<SessionRow>) -> Account {
    let habit = |name: &str, tally: &Tally| Habit {
        name: name.to_owned(),
        values: tally
            .shares()
            .into_iter()
            .map(|(value, share, last)| HabitValue {
                value: value.to_string(),
                share: round_to(share, 4),
                last_seen: Some(last),
            })
            .collect(),
    };
    Account {
        row: account_row(person, open),
        first_seen: Some(person.first_seen),
        maturity: round_to(person.maturity, 3),
        habits: vec![
            habit("countries", &person.countries),
            habit("networks", &person.networks),
            habit("devices", &person.clients),
            habit("hours", &person.hours),
        ],
        findings: all.iter().map(row).collect(),
        sessions,
        events: person.events.iter().rev().map(brief).collect(),
    }
}

/// A session in a list.
pub fn session_row(session: &Seen) -> SessionRow {
    SessionRow {
        id: session.id.to_string(),
        account: session.account.as_ref().map(ToString::to_string),
        first_seen: session.first_seen,
        last_seen: session.last_seen,
        risk_score: Some(cut(session.score)),
        count: session.count,
    }
}

/// A session with its events.
pub fn session(session: &Seen) -> Session {
    let mut events: Vec<EventLine> = session.events.iter().map(brief).collect();
    events.sort_by_key(|event| event.time);
    Session {
        row: session_row(session),
        events,
    }
}

/// How a tenant stands.
pub fn changes(standing: &Standing) -> Changes {
    let alarm = standing.alarm.map(|alarm| DriftAlarm {
        since: instant(alarm.since),
        last: instant(alarm.last),
    });
    let changes = standing.changes.iter().map(|change| TenantChange {
        kind: change_kind(change.kind),
        value: change.value.to_string(),
        movers: change.movers,
        since: change.since,
        last: change.last,
    });
    Changes {
        alarm,
        changes: changes.collect(),
    }
}

/// What has changed.
pub fn change_kind(kind: ChangeKind) -> TenantChangeKind {
    match kind {
        ChangeKind::Prefix => TenantChangeKind::Prefix,
        ChangeKind::Provider => TenantChangeKind::Provider,
        ChangeKind::Locations => TenantChangeKind::Locations,
        ChangeKind::Client => TenantChangeKind::Client,
    }
}

fn instant(minutes: Minutes) -> EventTime {
    IngestTime::EPOCH
        .as_event()
        .plus(Millis::from_minutes(i64::from(minutes.0)))
}

/// A score with four decimals, cut and not rounded, so that it never seems to reach a level that it does not.
pub fn cut(score: f64) -> f64 {
    (score * 1e4).floor() / 1e4 + 0.0
}
