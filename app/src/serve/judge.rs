//! Inline decisions: what is known, asked and not changed.

use super::answer;
use super::clock;
use super::core::{Core, Shared};
use super::metrics::ByHook;
use super::reading::Sent;
use async_trait::async_trait;
use habitus_console::product::{self, AssessAnswer, Content, Question, Refusal};
use habitus_live::Arrival;
use std::time::Duration;

/// The door.
#[derive(Debug, Clone)]
pub struct Judge(pub Shared);

/// Time that is left for writing the answer once it is known.
const MARGIN: Duration = Duration::from_millis(2);
/// Name of this way to ask, in metrics.
pub const HOOK: ByHook = ByHook { hook: "assess" };

impl Core {
    /// The decision on one event; waits for the state no longer than `patience`.
    fn judge(&self, question: &Question, patience: Duration) -> Result<AssessAnswer, Refusal> {
        let span = tracing::info_span!("assess", degraded = tracing::field::Empty).entered();
        let sent = Sent {
            tenant: question.who.tenant.clone(),
            source: question.source.clone().unwrap_or_default(),
            format: question.format.clone().filter(|format| format != "auto"),
            ingest: clock::now(),
        };
        let arrival = self.one(question, &sent)?;
        let reducer = self.reducer.try_read_for(patience);
        span.record("degraded", reducer.is_none());
        let Some(reducer) = reducer else {
            return Ok(AssessAnswer::degraded(
                self.fallback,
                "the state is being written",
            ));
        };
        let assessment = reducer.assess(&arrival.record);
        let rules = reducer.rules();
        let disposition = rules.decide(&arrival, &assessment);
        Ok(answer::of(&assessment, disposition, rules.policy()))
    }

    fn one(&self, question: &Question, sent: &Sent) -> Result<Arrival, Refusal> {
        let content = Content::Whole(question.event.clone());
        let read = self.reader.load().read(&content, sent);
        let read = read.map_err(|reason| Refusal::BadFormat { reason })?;
        if let Some(rejected) = read.rejected.into_iter().next() {
            return Err(Refusal::BadFormat {
                reason: rejected.error,
            });
        }
        let mut events = read.records.into_iter().flat_map(|record| record.events);
        match (events.next(), events.next()) {
            (Some(event), None) => Ok(event),
            (None, _) => Err(Refusal::BadFormat {
                reason: "the record is understood and says nothing about an identity".to_owned(),
            }),
            (Some(_), Some(_)) => Err(Refusal::BadFormat {
                reason: "one event is asked about at a time".to_owned(),
            }),
        }
    }
}

#[async_trait]
impl product::Judge for Judge {
    async fn assess(&self, question: Question) -> Result<AssessAnswer, Refusal> {
        let core = Shared::clone(&self.0);
        let patience = question.deadline.saturating_sub(MARGIN);
        let started = tokio::time::Instant::now();
        let job = async {
            // It is given back only when the work is done, whoever has stopped waiting.
            let turn = core.turns.inline.turn().await?;
            let job = move || {
                let answer = core.judge(&question, patience.saturating_sub(started.elapsed()));
                drop(turn);
                answer
            };
            let answer = tokio::task::spawn_blocking(job).await;
            answer.map_err(|_| Refusal::Internal)?
        };
        let answer = tokio::time::timeout(patience, job).await.unwrap_or_else(|_| {
            let why = "the deadline has passed";
            Ok(AssessAnswer::degraded(self.0.fallback, why))
        });
        let metrics = &self.0.metrics;
        metrics
            .hook
            .get_or_create(&HOOK)
            .observe(started.elapsed().as_secs_f64());
        if answer.as_ref().is_ok_and(|answer| answer.degraded) {
            metrics.fallback.get_or_create(&HOOK).inc();
        }
        answer
    }
}
