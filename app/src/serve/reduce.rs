//! The reducer's thread: everything that is on stable storage, in the order of the log.

use super::core::{Core, Reply, Shared, Work};
use super::metrics::{ByLevel, ByVerdict, Holding};
use super::snapshots::Keeper;
use super::{clock, shown};
use habitus_engine::Sequential;
use habitus_engine::changes::News as TenantNews;
use habitus_engine::models::ModelRefused;
use habitus_findings::{Applied, Change, CommandId, News, Refused, What};
use habitus_live::{Arrival, Entry, Output, Stage};
use habitus_model::{Assessment, Disposition, TenantId, Text};
use habitus_policy::Ruling;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Events judged under one lock: about a millisecond, so that inline decisions wait no longer.
const AT_ONCE: usize = 64;

/// Who waits for what comes of a command.
type Replies = BTreeMap<CommandId, oneshot::Sender<Result<Applied, Refused>>>;

/// Who waits for what comes of something asked of models.
type ModelReplies = BTreeMap<Text, oneshot::Sender<Result<(), ModelRefused>>>;

/// The thread's own.
pub struct Reduce {
    core: Shared,
    keeper: Keeper,
    replies: Replies,
    model_replies: ModelReplies,
}

impl Reduce {
    /// For a server whose state is at the keeper's position.
    pub fn new(core: Shared, keeper: Keeper) -> Self {
        Self {
            core,
            keeper,
            replies: Replies::new(),
            model_replies: ModelReplies::new(),
        }
    }

    /// Works until told to stop, and leaves a snapshot behind.
    pub fn run(mut self, work: &Receiver<Work>) {
        while let Ok(work) = work.recv() {
            match work {
                Work::Records {
                    positions,
                    records,
                    permit,
                } => {
                    let each = positions.clone().zip(records);
                    let arrivals = each.flat_map(|(position, record)| placed(position, record.events));
                    self.apply(arrivals.map(|arrival| Entry::Event(Box::new(arrival))).collect());
                    drop(permit);
                    self.reached(positions.end);
                }
                Work::Entry {
                    position,
                    entry,
                    reply,
                } => {
                    match (entry.as_ref(), reply) {
                        (Entry::Command(command), Some(Reply::Finding(reply))) => {
                            self.replies.insert(command.id.clone(), reply);
                        }
                        (Entry::Models(order), Some(Reply::Models(reply))) => {
                            self.model_replies.insert(order.id.clone(), reply);
                        }
                        (_, Some(_) | None) => {}
                    }
                    self.apply(vec![*entry]);
                    self.reached(position + 1);
                }
                Work::Snapshot(told) => self.keeper.ask(told, &self.core),
                Work::SnapshotEnded => self.keeper.finished(&self.core),
                Work::Stop => break,
            }
        }
        self.keeper.end(&self.core);
    }

    fn reached(&mut self, position: u64) {
        self.core
            .metrics
            .position
            .set(i64::try_from(position).unwrap_or(i64::MAX));
        self.keeper.reached(position, &self.core);
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        let mut entries = entries.into_iter().peekable();
        let mut out = Vec::new();
        while entries.peek().is_some() {
            let some: Vec<Entry> = entries.by_ref().take(AT_ONCE).collect();
            let mut reducer = self.core.reducer.write();
            let began = Instant::now();
            reducer.apply(some, &Sequential, &mut out);
            drop(reducer);
            self.core.metrics.held(Holding::batch, began);
            let mut news = Vec::new();
            for output in out.drain(..) {
                self.publish(output, &mut news);
            }
            self.core.tell_exporters(news);
        }
        self.core.records.commit();
    }

    fn publish(&mut self, output: Output, told: &mut Vec<News>) {
        match output {
            Output::Verdict {
                arrival,
                assessment,
                stage,
                finding,
                ruling,
            } => {
                self.count(
                    &arrival,
                    &assessment,
                    (stage, finding.is_some() && ruling.is_some()),
                );
                if let Some(ruling) = ruling {
                    let finding = finding.as_ref().map(|id| Text::new(id.as_str()));
                    self.core.follow(&arrival, &assessment, (&ruling, finding));
                }
            }
            Output::Findings { changes, news } => {
                self.core.tell_findings(&changes);
                told.extend(news);
            }
            Output::Command { id, result } => {
                if let Some(reply) = self.replies.remove(&id) {
                    let _ = reply.send(result);
                }
            }
            Output::Models { order, result } => {
                if let Some(reply) = self.model_replies.remove(&order.id) {
                    let _ = reply.send(result);
                }
            }
            Output::Tenant { tenant, news } => self.core.tell_change(&tenant, &news),
            Output::PolicyRefused(problems) => {
                tracing::error!(
                    problems = problems.len(),
                    "the policy in the log does not hold; the last good one stays"
                );
            }
        }
    }

    /// `is_flagged`: it is in a finding, and this is the first verdict that says so or one that is worse.
    fn count(&self, arrival: &Arrival, assessment: &Assessment, (stage, is_flagged): (Stage, bool)) {
        let metrics = &self.core.metrics;
        match stage {
            Stage::Late => drop(metrics.late.inc()),
            Stage::Future => drop(metrics.future.inc()),
            Stage::Provisional | Stage::Settled => {}
        }
        let lag = clock::now().as_millis() - arrival.record.context.time.as_millis();
        if stage == Stage::Provisional {
            metrics
                .detect
                .observe(habitus_model::math::from_i64(lag.max(0)) / 1_000.0);
        }
        if is_flagged {
            let label = ByLevel {
                level: assessment.level.name(),
                kind: assessment.kind.name(),
            };
            metrics.flags.get_or_create(&label).inc();
        }
    }
}

/// Events with their position.
pub fn placed(position: u64, events: Vec<Arrival>) -> impl Iterator<Item = Arrival> {
    events.into_iter().map(move |mut arrival| {
        arrival.origin.place.position = position;
        arrival
    })
}

impl Core {
    /// What follows from a ruling: orders, the audit, live messages.
    fn follow(&self, arrival: &Arrival, assessment: &Assessment, (ruling, finding): (&Ruling, Option<Text>)) {
        if let Err(error) = self.orders.take(ruling, clock::now()) {
            tracing::error!(%error, "orders cannot be put on stable storage");
        }
        let tenant = &arrival.record.context.tenant;
        let nothing = ruling.disposition == Disposition::Allow
            && ruling.orders.is_empty()
            && ruling.held.is_empty()
            && ruling.errors.is_empty();
        if nothing && finding.is_none() {
            return;
        }
        let detail = json!({
            "position": arrival.origin.place.position,
            "score": crate::verdict::score(assessment),
            "disposition": ruling.disposition.name(),
            "because": ruling.because.as_str(),
            "mode": ruling.mode.name(),
            "rules": ruling.rules.iter().map(Text::as_str).collect::<Vec<_>>(),
            "orders": ruling.orders.iter().map(|order| order.id.as_str()).collect::<Vec<_>>(),
            "held": ruling.held.iter().map(|held| held.order.id.as_str()).collect::<Vec<_>>(),
            "errors": ruling.errors.iter().map(|failed| failed.rule.as_str()).collect::<Vec<_>>(),
            "finding": finding.as_deref(),
        });
        let subject = Some(Text::new(assessment.uid.as_str()));
        self.records
            .note(tenant, "event.decide", subject, (detail, &ruling.policy));
        if let Some(finding) = finding {
            self.tell_finding(&habitus_findings::FindingId::new(finding));
        }
    }

    /// Audits that something began for a tenant as a whole. Networks are named, people are not.
    fn tell_change(&self, tenant: &TenantId, news: &TenantNews) {
        let (action, detail) = match news {
            TenantNews::Changed(change) => {
                let kind = shown::change_kind(change.kind);
                tracing::info!(%tenant, ?kind, movers = change.movers, "a change of the tenant begins");
                let value = change.value.as_str();
                (
                    "tenant.change",
                    json!({ "kind": kind, "value": value, "movers": change.movers }),
                )
            }
            TenantNews::Drifts => {
                tracing::warn!(%tenant, "scores are high more often than they say");
                ("tenant.drift", json!({}))
            }
        };
        self.records.note(tenant, action, None, (detail, ""));
    }

    /// Tells everybody who looks what changed.
    fn tell_findings(&self, changes: &[Change]) {
        for change in changes.iter().filter(|change| change.what != What::Grew) {
            self.tell_finding(&change.id);
        }
    }

    fn tell_finding(&self, id: &habitus_findings::FindingId) {
        let view = self.reducer.read().findings().get(id);
        let Some(view) = view else { return };
        if let Ok(json) = serde_json::to_string(&shown::row(&view)) {
            self.stream.tell(view.finding.key.tenant(), "finding", json);
        }
    }

    /// Counts an analyst's verdict.
    pub fn count_verdict(&self, verdict: habitus_model::Verdict) {
        let label = ByVerdict {
            verdict: verdict.name(),
        };
        self.metrics.verdicts.get_or_create(&label).inc();
    }
}
