//! Findings and what people do to them.

use super::core::{Core, Reply, Shared, Work};
use super::exception::exception;
use super::intake::refusal;
use super::kept::{self, Kind};
use super::records::AuditDoor;
use super::{clock, shown};
use async_trait::async_trait;
use habitus_console::product::{
    self, AuditNote, Effect, Finding, FindingCommand, FindingRow, FindingState, FindingsQuery, Outcome, Page,
    Refusal, Who,
};
use habitus_engine::Adjudication;
use habitus_findings::{
    Act, Applied, Ask, Command, CommandId, Cursor, Effects, Filter, FindingId, Reach, Refused, State, Taught,
    View,
};
use habitus_live::Entry;
use habitus_model::{EventTime, Millis, RiskLevel, Text, Verdict};
use std::ops::Range;
use tokio::sync::oneshot;

/// The door.
#[derive(Debug, Clone)]
pub struct Desk(pub Shared);

impl Desk {
    fn view(&self, who: &Who, id: &str) -> Result<View, Refusal> {
        let view = self.0.reducer.read().findings().get(&FindingId::new(id));
        view.filter(|view| *view.finding.key.tenant() == who.tenant)
            .ok_or(Refusal::NotFound)
    }

    /// What would come of a verdict, or of taking one back.
    fn preview(&self, who: &Who, view: &View, ask: &Ask) -> Result<Outcome, Refusal> {
        let reducer = self.0.reducer.read();
        let preview = reducer
            .findings()
            .preview(&view.finding.id, ask, clock::now())
            .map_err(refused)?;
        let said = match ask.verdict {
            Verdict::FalsePositive => Some(Adjudication::Owner),
            Verdict::TruePositive => Some(Adjudication::Attacker),
            _ => None,
        };
        let score_after = said.map(|said| reducer.score_after(&view.finding.worst, said).get());
        Ok(Outcome {
            finding: shown::row(view),
            effect: Some(Effect {
                similar: preview.similar.iter().map(ToString::to_string).collect(),
                exception: exception(ask.verdict, view, who),
                ..effect(view, &preview.effects, score_after)
            }),
            dry_run: true,
        })
    }

    async fn give(&self, who: &Who, view: &View, act: Act) -> Result<Outcome, Refusal> {
        let verdict = match &act {
            Act::Judge(ask) => Some(ask.verdict),
            _ => None,
        };
        let is_ruling = matches!(act, Act::Judge(_) | Act::Undo(_) | Act::Reopen);
        let command = Command {
            id: CommandId(Text::from(format!("{}-{}", who.request, view.finding.id))),
            finding: view.finding.id.clone(),
            by: who.name.clone(),
            at: clock::now(),
            act,
        };
        // What cannot be recorded is not done.
        self.record(who, &command).await?;
        let applied = self.0.command(who, command).await?.map_err(refused)?;
        if let Some(verdict) = verdict {
            self.0.count_verdict(verdict);
        }
        let score_after = is_ruling.then(|| self.score_now(view)).flatten();
        let after = self.view(who, view.finding.id.as_str())?;
        Ok(Outcome {
            finding: shown::row(&after),
            effect: is_ruling.then(|| Effect {
                exception: verdict.and_then(|verdict| exception(verdict, view, who)),
                ..effect(view, &applied.effects, score_after)
            }),
            dry_run: false,
        })
    }

    async fn record(&self, who: &Who, command: &Command) -> Result<(), Refusal> {
        let (action, detail) = told(&command.act);
        let note = AuditNote {
            tenant: Some(who.tenant.clone()),
            actor: Some(who.name.clone()),
            address: who.address,
            request: Some(who.request.clone()),
            action,
            object: Some(Text::new(command.finding.as_str())),
            detail,
        };
        product::Audit::record(&AuditDoor(Shared::clone(&self.0)), note).await
    }

    /// What the worst event would score now.
    fn score_now(&self, view: &View) -> Option<f64> {
        let hit = &view.finding.worst;
        hit.context.account.as_ref()?;
        let record = habitus_engine::Record {
            uid: hit.uid.clone(),
            context: hit.context.clone(),
            learning: habitus_engine::Learning::Probe,
        };
        Some(self.0.reducer.read().assess(&record).score.get())
    }
}

impl Core {
    /// Puts a command into the log and waits for what comes of it.
    async fn command(
        self: &Shared,
        who: &Who,
        command: Command,
    ) -> Result<Result<Applied, Refused>, Refusal> {
        let payload = serde_json::to_vec(&command).map_err(|_| Refusal::Internal)?;
        let entry = kept::other(Kind::Command, &who.tenant, command.at, payload);
        let (reply, replied) = oneshot::channel();
        let entry_then = Entry::Command(Box::new(command));
        self.append(entry, entry_then, Some(Reply::Finding(reply)))
            .await?;
        replied.await.map_err(|_| Refusal::ShuttingDown)
    }

    /// Puts an entry into the log; the reducer gets it when it is on stable storage.
    pub async fn append(
        self: &Shared,
        entry: habitus_journal::Entry,
        then: Entry,
        reply: Option<Reply>,
    ) -> Result<(), Refusal> {
        let (tell, told) = oneshot::channel();
        let core = Shared::clone(self);
        let committed = move |result: habitus_journal::Result<Range<habitus_journal::Position>>| {
            let answer = match result {
                Ok(positions) => {
                    let work = Work::Entry {
                        position: positions.start.0,
                        entry: Box::new(then),
                        reply,
                    };
                    core.work.send(work).map_err(|_| Refusal::ShuttingDown)
                }
                Err(error) => Err(refusal(&error)),
            };
            let _ = tell.send(answer);
        };
        let committer = self.committer.get().ok_or(Refusal::ShuttingDown)?;
        committer
            .append_then(vec![entry], Box::new(committed))
            .map_err(|error| refusal(&error))?;
        told.await.map_err(|_| Refusal::ShuttingDown)?
    }
}

/// An act as the audit names it.
fn told(act: &Act) -> (&'static str, Option<String>) {
    match act {
        Act::Judge(ask) => ("finding.verdict", Some(ask.verdict.name().to_owned())),
        Act::Assign(assignee) => ("finding.assign", assignee.as_ref().map(ToString::to_string)),
        Act::Note(_) => ("finding.note", None),
        Act::Snooze(_) => ("finding.snooze", None),
        Act::Close => ("finding.close", None),
        Act::Reopen => ("finding.reopen", None),
        Act::Undo(_) => ("finding.undo", None),
    }
}

fn refused(refused: Refused) -> Refusal {
    match refused {
        Refused::NotFound => Refusal::NotFound,
        Refused::Length => Refusal::Invalid {
            field: "text",
            reason: "must have 1 to 4,000 characters".to_owned(),
        },
        Refused::Busy => Refusal::Overloaded { retry_after: 5 },
        other => Refusal::Conflict {
            reason: other.to_string(),
        },
    }
}

fn effect(view: &View, effects: &Effects, score_after: Option<f64>) -> Effect {
    let events = |all: &[Taught]| all.iter().map(|event| event.uid.to_string()).collect();
    let findings = |all: &[FindingId]| all.iter().map(ToString::to_string).collect();
    Effect {
        text: effects.text(),
        learns: events(&effects.learn),
        unlearns: events(&effects.unlearn),
        score_before: shown::cut(view.finding.score().get()),
        score_after: score_after.map(shown::cut),
        closes: findings(&effects.closes),
        opens: findings(&effects.opens),
        similar: Vec::new(),
        exception: None,
    }
}

/// So many days from now.
fn in_days(days: i64) -> EventTime {
    clock::now().as_event().plus(Millis::from_hours(24 * days))
}

fn filter(who: &Who, query: &FindingsQuery) -> Filter {
    let state = query.state.map(|state| match state {
        FindingState::New => State::New,
        FindingState::InProgress => State::InProgress,
        FindingState::Closed => State::Closed,
    });
    // Lists are filtered by level; the score within it is looked at afterwards.
    let level = query
        .min_score
        .map(|score| habitus_model::RiskScore::new(score).level());
    Filter {
        states: state.into_iter().collect(),
        level: level.filter(|level| *level > RiskLevel::Info),
        account: query.account.as_deref().map(Text::new),
        tenant: Some(who.tenant.clone()),
        assignee: query.assignee.as_deref().map(Text::new),
        now: Some(clock::now()),
        ..Filter::default()
    }
}

#[async_trait]
impl product::Desk for Desk {
    async fn findings(&self, who: &Who, query: &FindingsQuery) -> Result<Page<FindingRow>, Refusal> {
        let cursor = query.cursor.as_deref().map(|text| {
            // A page that is not there, for clients and their tests.
            Cursor::parse(text).ok_or(Refusal::NotFound)
        });
        let cursor = cursor.transpose()?;
        let filter = filter(who, query);
        let limit = usize::from(query.limit.unwrap_or(50));
        let reducer = self.0.reducer.read();
        let page = reducer.findings().list(&filter, cursor.as_ref(), limit);
        let total = cursor.is_none().then(|| reducer.findings().tally(&filter).total);
        drop(reducer);
        let min = query.min_score.unwrap_or(0.0);
        let rows = page.findings.iter().map(shown::row);
        Ok(Page {
            items: rows.filter(|row| row.risk_score >= min).collect(),
            next: page.next.map(|next| next.to_string()),
            total: total.filter(|_| query.min_score.is_none()),
        })
    }

    async fn finding(&self, who: &Who, id: &str) -> Result<Finding, Refusal> {
        let view = self.view(who, id)?;
        let reducer = self.0.reducer.read();
        let policy = reducer.rules().policy().version().to_owned();
        let mut finding = shown::whole(&view, reducer.findings(), &policy);
        drop(reducer);
        finding.actions = self.0.orders.of_finding(&who.tenant, id);
        Ok(finding)
    }

    async fn command(&self, who: &Who, id: &str, command: FindingCommand) -> Result<Outcome, Refusal> {
        let view = self.view(who, id)?;
        let act = match command {
            FindingCommand::Verdict {
                verdict,
                signal,
                note,
                expected_days,
                similar,
                dry_run,
            } => {
                let ask = Ask {
                    comment: note.filter(|note| !note.trim().is_empty()),
                    deciding: signal,
                    until: expected_days.map(|days| in_days(i64::from(days))),
                    reach: if similar { Reach::Similar } else { Reach::This },
                    ..Ask::new(verdict)
                };
                if dry_run {
                    return self.preview(who, &view, &ask);
                }
                Act::Judge(ask)
            }
            FindingCommand::Assign { assignee } => Act::Assign(assignee),
            FindingCommand::Note { text } => Act::Note(text),
            FindingCommand::Undo => Act::Undo(None),
            FindingCommand::Reopen => Act::Reopen,
        };
        self.give(who, &view, act).await
    }
}
