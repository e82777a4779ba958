//! A product that remembers what it was asked and answers what it is told. It stands for routing, access and formats only.

use crate::product::{
    Account, AccountRow, AccountsQuery, ActionRow, ActionState, Actions, ActionsQuery, AssessAnswer, Audit,
    AuditEntry, AuditNote, AuditQuery, Changes, Check, Content, ContributionLine, Decide, Desk, Directory,
    DriftAlarm, Effect, EventLine, Finding, FindingCommand, FindingRow, FindingState, FindingsQuery,
    IngestAnswer, Intake, Judge, LabelCounts, Labelled, Live, Message, ModelCommand, ModelOrigin, ModelRow,
    Modelling, Models, Note, Operations, Outcome, Page, Product, Question, Readiness, Refusal, RejectedLine,
    Session, SessionRow, SourceHealth, Sources, Submission, TenantChange, TenantChangeKind, Who,
};
use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use habitus_model::{Action, Disposition, EventTime, Mode, RiskLevel};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Names that an attacker would choose.
pub(super) const HOSTILE: &str = "<script>alert(1)</script>\u{202e}\u{1b}[31m\"'&{{7*7}}";

#[derive(Default)]
pub(super) struct Fake {
    pub submissions: Mutex<Vec<Submission>>,
    pub questions: Mutex<Vec<Question>>,
    pub commands: Mutex<Vec<(String, FindingCommand)>>,
    pub asked_of_models: Mutex<Vec<ModelCommand>>,
    pub notes: Mutex<Vec<AuditNote>>,
    pub refusal: Mutex<Option<Refusal>>,
    pub disposition: Mutex<Option<Disposition>>,
    pub mode: Mutex<Option<Mode>>,
    pub delay: Mutex<Duration>,
    pub audit_fails: Mutex<bool>,
}

impl Fake {
    pub(super) fn product(self: &Arc<Self>) -> Product {
        Product {
            intake: self.clone(),
            judge: self.clone(),
            desk: self.clone(),
            directory: self.clone(),
            sources: self.clone(),
            actions: self.clone(),
            models: self.clone(),
            audit: self.clone(),
            operations: self.clone(),
            live: self.clone(),
        }
    }

    pub(super) fn audited(&self) -> Vec<&'static str> {
        self.notes.lock().iter().map(|note| note.action).collect()
    }

    fn refuse(&self) -> Result<(), Refusal> {
        self.refusal.lock().clone().map_or(Ok(()), Err)
    }
}

fn known(id: &str) -> Result<(), Refusal> {
    if id == "known" {
        Ok(())
    } else {
        Err(Refusal::NotFound)
    }
}

fn instant() -> EventTime {
    EventTime::from_millis(super::START_MS - 60_000).unwrap()
}

fn row() -> FindingRow {
    FindingRow {
        id: "known".to_owned(),
        account: Some(HOSTILE.to_owned()),
        kind: Some("human".to_owned()),
        title: HOSTILE.to_owned(),
        behaviour: Some("network".to_owned()),
        state: FindingState::New,
        risk_score: 91.5,
        risk_level: RiskLevel::Critical,
        count: 3,
        first_seen: instant(),
        last_seen: instant(),
        assignee: None,
        verdict: None,
    }
}

pub(super) fn answer(disposition: Disposition) -> AssessAnswer {
    AssessAnswer {
        uid: Some("u".to_owned()),
        time: Some(instant().as_millis()),
        account: Some("ana".to_owned()),
        risk_score: Some(91.5),
        log_odds: Some(9.5),
        risk_level: Some(RiskLevel::Critical),
        confidence: Some(0.8),
        disposition,
        contributions: vec![ContributionLine {
            signal: "new_country".to_owned(),
            log_odds: 9.5,
            points: 82.5,
            text: HOSTILE.to_owned(),
        }],
        blind: Vec::new(),
        degraded: false,
        degraded_reason: None,
        model: Some("m1".to_owned()),
        policy: None,
        mode: None,
    }
}

fn event() -> EventLine {
    EventLine {
        uid: "u".to_owned(),
        time: instant(),
        risk_score: Some(91.5),
        text: HOSTILE.to_owned(),
        facts: vec![Labelled {
            label: "address".to_owned(),
            value: HOSTILE.to_owned(),
        }],
    }
}

fn account_row() -> AccountRow {
    AccountRow {
        id: HOSTILE.to_owned(),
        kind: "human".to_owned(),
        risk_score: Some(91.5),
        risk_level: Some(RiskLevel::Critical),
        logins: 412,
        last_seen: Some(instant()),
        open_findings: 1,
    }
}

fn action_row() -> ActionRow {
    ActionRow {
        id: "known".to_owned(),
        responder: "webhook".to_owned(),
        action: Action::Revoke,
        state: ActionState::Pending,
        mode: Mode::Recommend,
        account: None,
        finding: None,
        rule: "r".to_owned(),
        made: instant(),
        expires: instant(),
        attempts: 0,
        error: None,
    }
}

#[async_trait]
impl Intake for Fake {
    async fn ingest(&self, submission: Submission) -> Result<IngestAnswer, Refusal> {
        self.refuse()?;
        let texts: Vec<Vec<u8>> = match &submission.content {
            Content::Whole(bytes) => bytes
                .split(|b| *b == b'\n')
                .filter(|l| !l.is_empty())
                .map(<[u8]>::to_vec)
                .collect(),
            Content::Records(records) => records.iter().map(|record| record.content.to_vec()).collect(),
        };
        self.submissions.lock().push(submission);
        let rejected: Vec<RejectedLine> = (1..)
            .zip(&texts)
            .filter(|(_, text)| text.starts_with(b"bad"))
            .map(|(line, _)| RejectedLine {
                line,
                error: "`time` is missing".to_owned(),
            })
            .collect();
        Ok(IngestAnswer {
            accepted: u64::try_from(texts.len() - rejected.len()).unwrap(),
            duplicates: 0,
            rejected,
        })
    }
}

#[async_trait]
impl Judge for Fake {
    async fn assess(&self, question: Question) -> Result<AssessAnswer, Refusal> {
        self.questions.lock().push(question);
        let delay = *self.delay.lock();
        tokio::time::sleep(delay).await;
        self.refuse()?;
        Ok(AssessAnswer {
            mode: Some(self.mode.lock().unwrap_or(Mode::Enforce)),
            ..answer(self.disposition.lock().unwrap_or(Disposition::Allow))
        })
    }
}

#[async_trait]
impl Desk for Fake {
    async fn findings(&self, _: &Who, _: &FindingsQuery) -> Result<Page<FindingRow>, Refusal> {
        self.refuse()?;
        Ok(Page {
            items: vec![row()],
            next: Some("2".to_owned()),
            total: Some(1),
        })
    }

    async fn finding(&self, _: &Who, id: &str) -> Result<Finding, Refusal> {
        known(id)?;
        Ok(Finding {
            row: row(),
            sentence: HOSTILE.to_owned(),
            key: vec![],
            assessment: answer(Disposition::Review),
            events: vec![event()],
            notes: vec![Note {
                author: "ana".to_owned(),
                time: instant(),
                text: HOSTILE.to_owned(),
            }],
            history: vec![],
            similar: vec![row()],
            actions: vec![action_row()],
        })
    }

    async fn command(&self, _: &Who, id: &str, command: FindingCommand) -> Result<Outcome, Refusal> {
        known(id)?;
        let dry_run = matches!(command, FindingCommand::Verdict { dry_run: true, .. });
        self.commands.lock().push((id.to_owned(), command));
        Ok(Outcome {
            finding: row(),
            effect: Some(Effect {
                text: "closes 3 similar findings".to_owned(),
                learns: vec![],
                score_after: None,
                closes: vec!["known".to_owned()],
                unlearns: Vec::new(),
                score_before: 84.0,
                opens: Vec::new(),
                similar: Vec::new(),
                exception: None,
            }),
            dry_run,
        })
    }
}

#[async_trait]
impl Directory for Fake {
    async fn accounts(&self, _: &Who, _: &AccountsQuery) -> Result<Page<AccountRow>, Refusal> {
        Ok(Page {
            items: vec![account_row()],
            ..Page::default()
        })
    }

    async fn account(&self, _: &Who, id: &str) -> Result<Account, Refusal> {
        known(id)?;
        Ok(Account {
            row: account_row(),
            first_seen: None,
            maturity: 0.9,
            habits: vec![],
            findings: vec![row()],
            sessions: vec![],
            events: vec![event()],
        })
    }

    async fn session(&self, _: &Who, id: &str) -> Result<Session, Refusal> {
        known(id)?;
        let row = SessionRow {
            id: "known".to_owned(),
            account: None,
            first_seen: instant(),
            last_seen: instant(),
            risk_score: None,
            count: 1,
        };
        Ok(Session {
            row,
            events: vec![event()],
        })
    }
}

#[async_trait]
impl Sources for Fake {
    async fn sources(&self, _: &Who) -> Result<Vec<SourceHealth>, Refusal> {
        Ok(vec![])
    }

    async fn changes(&self, _: &Who) -> Result<Changes, Refusal> {
        Ok(Changes {
            alarm: Some(DriftAlarm {
                since: instant(),
                last: instant(),
            }),
            changes: vec![TenantChange {
                kind: TenantChangeKind::Provider,
                value: HOSTILE.to_owned(),
                movers: 38,
                since: instant(),
                last: instant(),
            }],
        })
    }
}

#[async_trait]
impl Modelling for Fake {
    async fn models(&self, _: &Who) -> Result<Models, Refusal> {
        self.refuse()?;
        Ok(Models {
            labels: LabelCounts::default(),
            champion: ModelRow {
                id: "0".to_owned(),
                origin: ModelOrigin::Configured,
                made: None,
                by: None,
                labels: None,
                weights: BTreeMap::from([("network".to_owned(), 1.0)]),
                priors: BTreeMap::new(),
            },
            challenger: None,
            former: None,
            comparison: None,
            history: Vec::new(),
        })
    }

    async fn command(&self, who: &Who, command: ModelCommand) -> Result<Models, Refusal> {
        if let ModelCommand::Promote(id) = &command {
            known(id)?;
        }
        self.asked_of_models.lock().push(command);
        self.models(who).await
    }
}

#[async_trait]
impl Actions for Fake {
    async fn actions(&self, _: &Who, _: &ActionsQuery) -> Result<Page<ActionRow>, Refusal> {
        Ok(Page::default())
    }

    async fn decide(&self, _: &Who, id: &str, _: Decide) -> Result<ActionRow, Refusal> {
        known(id)?;
        Ok(action_row())
    }
}

#[async_trait]
impl Audit for Fake {
    async fn record(&self, note: AuditNote) -> Result<(), Refusal> {
        if *self.audit_fails.lock() {
            return Err(Refusal::Full { retry_after: 10 });
        }
        self.notes.lock().push(note);
        Ok(())
    }

    async fn entries(&self, _: &Who, _: &AuditQuery) -> Result<Page<AuditEntry>, Refusal> {
        Ok(Page::default())
    }
}

#[async_trait]
impl Operations for Fake {
    async fn ready(&self) -> Readiness {
        let ready = self.refusal.lock().is_none();
        Readiness {
            ready,
            checks: vec![Check {
                name: "journal".to_owned(),
                ok: ready,
                error: None,
            }],
        }
    }

    async fn metrics(&self) -> String {
        "habitus_build_info 1\n".to_owned()
    }
}

impl Live for Fake {
    fn subscribe(&self, _: &Who, after: Option<u64>) -> BoxStream<'static, Message> {
        // Messages 1 to 5 are kept; the stream then stays open.
        let kept = (1..=5_u64)
            .filter(move |id| after.is_none_or(|after| *id > after))
            .map(|id| Message {
                id,
                kind: "finding",
                json: format!("{{\"id\":\"f{id}\"}}"),
            });
        stream::iter(kept).chain(stream::pending()).boxed()
    }
}
