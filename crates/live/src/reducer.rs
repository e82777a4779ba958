//! The reducer: entries in, verdicts out, state in between.

use crate::clocks::Clocks;
use crate::entry::{Arrival, Entry, ModelOrder};
use crate::output::{Output, Stage};
use crate::people::People;
use crate::room::{Due, Room, Ticket};
use crate::rules::Rules;
use crate::settings::Settings;
use habitus_engine::models::{Lesson, Opinion};
use habitus_engine::{Adjudication, Ahead, Engine, Executor, Learning, Record};
use habitus_findings::{Command, Effects, FindingId, Findings, Hit, Label, Stood};
use habitus_model::{Assessment, IngestTime, Millis, RiskScore, TenantId, Text};
use habitus_policy::Ruling;

/// What a server knows.
#[derive(Debug)]
pub struct Reducer {
    pub(crate) settings: Settings,
    pub(crate) engine: Engine,
    pub(crate) clocks: Clocks,
    pub(crate) room: Room,
    pub(crate) ahead: Ahead,
    pub(crate) people: People,
    pub(crate) findings: Findings,
    pub(crate) rules: Rules,
    /// What came and was not judged ahead of its turn yet, in the order it came; some of it has had its turn. No part of the state:
    /// empty but while the past is replayed.
    pub(crate) behind: Vec<Ticket>,
}

/// Events settled together while more of a batch come: what they take stays in the cache, and below what an allocator gives
/// back to the system (128 KiB in mimalloc) and has to have cleared again.
const SETTLED_AT_ONCE: usize = 64;

/// Fewer tickets than this are not worth looking through.
const BEHIND_MIN: usize = 1_024;

impl Reducer {
    /// One that knows nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            engine: Engine::new(settings.engine.clone()),
            clocks: Clocks::default(),
            room: Room::default(),
            ahead: Ahead::default(),
            people: People::default(),
            findings: Findings::new(settings.findings),
            rules: Rules::default(),
            behind: Vec::new(),
            settings,
        }
    }

    /// Takes the next entries of the log; what comes of them is appended to `out`. However entries are batched, the state
    /// and the settled verdicts are the same.
    pub fn apply(&mut self, entries: Vec<Entry>, executor: &dyn Executor, out: &mut Vec<Output>) {
        self.take_in(entries, executor, out);
        self.catch_up(out);
    }

    /// The same for entries of the past, of which nobody waits for a verdict at once: what has its turn within the past is judged
    /// once, and not ahead of its turn. [`Reducer::catch_up`] ends it.
    pub fn replay(&mut self, entries: Vec<Entry>, executor: &dyn Executor, out: &mut Vec<Output>) {
        self.take_in(entries, executor, out);
        // Most of them have had their turn; the others are few.
        if self.behind.len() > 2 * self.room.len() + BEHIND_MIN {
            self.behind.retain(|ticket| self.room.get(ticket).is_some());
        }
    }

    /// What came, still waits and was not judged ahead of its turn is so now, in the order it came.
    pub fn catch_up(&mut self, out: &mut Vec<Output>) {
        let behind = std::mem::take(&mut self.behind);
        self.foresee(behind, out);
    }

    /// Takes entries, and settles what is due.
    fn take_in(&mut self, entries: Vec<Entry>, executor: &dyn Executor, out: &mut Vec<Output>) {
        let mut due = Vec::new();
        for entry in entries {
            match entry {
                // What came before it has its turn first, as far as it is due, and the rest is judged ahead of its turn: a person
                // may have seen that.
                Entry::Command(command) => {
                    self.settle(std::mem::take(&mut due), executor, out);
                    self.catch_up(out);
                    self.command(&command, out);
                }
                Entry::Event(arrival) => {
                    let arrival = self.corrected(arrival);
                    if self.is_from_the_future(&arrival) {
                        self.settle(std::mem::take(&mut due), executor, out);
                        self.judge_now(*arrival, out);
                        continue;
                    }
                    let ticket = self.room.take(*arrival, &self.settings, &mut due);
                    self.behind.push(ticket);
                    if due.len() >= SETTLED_AT_ONCE {
                        self.settle(std::mem::take(&mut due), executor, out);
                    }
                }
                Entry::Models(order) => {
                    self.settle(std::mem::take(&mut due), executor, out);
                    self.catch_up(out);
                    self.change_models(&order, out);
                }
                // What came before it is ruled by the policy before.
                Entry::Policy(text) => {
                    self.settle(std::mem::take(&mut due), executor, out);
                    self.catch_up(out);
                    if let Err(problems) = self.rules.replace(text) {
                        out.push(Output::PolicyRefused(problems));
                    }
                }
                Entry::Tick(now) => self.room.tick(now, &self.settings, &mut due),
                Entry::Settle => self.room.settle_all(&mut due),
            }
        }
        self.settle(due, executor, out);
    }

    /// Assesses an event against all that is known and all that waits, and learns nothing.
    #[must_use]
    pub fn assess(&self, record: &Record) -> Assessment {
        self.engine.assess_ahead(&self.ahead, record)
    }

    /// The engine as it is.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What can be shown of accounts and sessions.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Findings, those ahead of their turn included.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// What the worst event of a finding would score if a verdict were given, learning nothing.
    #[must_use]
    pub fn score_after(&self, hit: &Hit, said: Adjudication) -> RiskScore {
        let record = Record {
            uid: hit.uid.clone(),
            context: hit.context.clone(),
            learning: Learning::Probe,
        };
        self.engine.assess_after(&self.ahead, &record, said).score
    }

    /// The policy in force.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether events of a tenant wait for others though nothing of it has come for as long as the lateness: then a tick
    /// settles them.
    #[must_use]
    pub fn waits_in_silence(&self, now: IngestTime) -> bool {
        self.room.waits_in_silence(now, &self.settings)
    }

    /// Number of events that wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.room.len()
    }

    /// What is added to the times of a source because its clock is off, milliseconds; zero for one that is right, or not known.
    #[must_use]
    pub fn clock_correction(&self, tenant: &TenantId, source: &Text) -> Millis {
        self.clocks.correction(tenant, source)
    }

    /// An event of which the time is as good as can be told: its source's clock is corrected.
    fn corrected(&mut self, mut arrival: Box<Arrival>) -> Box<Arrival> {
        arrival.record.context.time = self.clocks.believe(&arrival);
        arrival
    }

    /// Whether an event's time cannot be true.
    fn is_from_the_future(&self, arrival: &Arrival) -> bool {
        let ahead = arrival.record.context.time.as_millis() - arrival.origin.ingest.as_millis();
        ahead > self.settings.future.0
    }

    /// An event from the future is judged at its arrival, and teaches nothing. Its finding is part of the state, so it is judged
    /// against what is settled: what waits was judged ahead of its turn at times that are not in the log.
    fn judge_now(&mut self, mut arrival: Arrival, out: &mut Vec<Output>) {
        arrival.record.context.time = arrival.origin.ingest.as_event();
        arrival.record.learning = Learning::Probe;
        let assessment = self.engine.assess(&arrival.record);
        let finding = self.file(&arrival, &assessment, false, out);
        let ruling = self.rule(&arrival, &assessment, finding.as_ref());
        out.push(Output::verdict(
            arrival,
            assessment,
            (Stage::Future, finding),
            Some(ruling),
        ));
    }

    /// Events whose turn has come: judged and learned.
    fn settle(&mut self, due: Vec<Due>, executor: &dyn Executor, out: &mut Vec<Output>) {
        let mut records = Vec::with_capacity(due.len());
        let mut rest = Vec::with_capacity(due.len());
        for Due {
            arrival,
            stage,
            foreseen,
        } in due
        {
            rest.push((arrival.origin, arrival.said, stage, foreseen));
            records.push(arrival.record);
        }
        let mut assessments = Vec::with_capacity(records.len());
        self.engine.handle_batch(&records, executor, &mut assessments);
        let began = self.engine.take_news().into_iter();
        out.extend(began.map(|(tenant, news)| Output::Tenant { tenant, news }));
        for ((record, rest), assessment) in records.into_iter().zip(rest).zip(assessments) {
            let (origin, said, stage, foreseen) = rest;
            let arrival = Arrival { origin, record, said };
            if foreseen.is_some() {
                self.engine.caught_up(&mut self.ahead, &arrival.record);
            } else {
                self.people.see(&arrival, &assessment);
            }
            let finding = self.file(&arrival, &assessment, foreseen.is_some(), out);
            let is_news = foreseen.is_none_or(|score| assessment.score > score);
            let ruling = is_news.then(|| self.rule(&arrival, &assessment, finding.as_ref()));
            out.push(Output::verdict(arrival, assessment, (stage, finding), ruling));
        }
    }

    /// Events that wait are judged ahead of their turn, in the order they came.
    pub(crate) fn foresee(&mut self, came: Vec<Ticket>, out: &mut Vec<Output>) {
        for ticket in came {
            let Some(arrival) = self.room.get(&ticket).cloned() else {
                continue;
            };
            let assessment = self.engine.look_ahead(&mut self.ahead, &arrival.record);
            self.room.foresee(&ticket, assessment.score);
            self.people.see(&arrival, &assessment);
            let finding = self.flagged(&arrival, &assessment).map(|hit| {
                let id = self.findings.id_of(&hit);
                self.findings.provisional(hit);
                id
            });
            let ruling = self.rule(&arrival, &assessment, finding.as_ref());
            out.push(Output::verdict(
                arrival,
                assessment,
                (Stage::Provisional, finding),
                Some(ruling),
            ));
        }
    }

    fn rule(&mut self, arrival: &Arrival, assessment: &Assessment, finding: Option<&FindingId>) -> Ruling {
        let known = self.engine.accounts();
        self.rules.rule((arrival, assessment), finding, known)
    }

    /// What a finding keeps of an event, if the event is to be in one.
    fn flagged(&self, arrival: &Arrival, assessment: &Assessment) -> Option<Hit> {
        let is_flagged = assessment.score.get() >= self.settings.findings_from;
        is_flagged.then(|| Hit::new(&arrival.record.context, assessment, &arrival.origin.format))
    }

    /// Puts a judged event into its finding, or takes back what was thought of it before its turn.
    fn file(
        &mut self,
        arrival: &Arrival,
        assessment: &Assessment,
        foreseen: bool,
        out: &mut Vec<Output>,
    ) -> Option<FindingId> {
        let Some(hit) = self.flagged(arrival, assessment) else {
            if foreseen {
                let Record { uid, context, .. } = &arrival.record;
                self.findings.retract(&context.tenant, uid);
            }
            return None;
        };
        let id = self.findings.id_of(&hit);
        let changes = self.findings.settle(&hit);
        for effects in self.findings.take_late_effects() {
            self.teach(&effects);
        }
        out.extend(Output::findings(&self.findings, &changes));
        Some(id)
    }

    fn command(&mut self, command: &Command, out: &mut Vec<Output>) {
        let result = self.findings.apply(command);
        if let Ok(applied) = &result {
            self.teach(&applied.effects);
            out.extend(Output::findings(&self.findings, &applied.changes));
        }
        let id = command.id.clone();
        out.push(Output::Command { id, result });
    }

    /// What a verdict changes in baselines.
    fn teach(&mut self, effects: &Effects) {
        let Effects {
            learn,
            unlearn,
            refuse,
            labels,
            ..
        } = effects;
        let said = [
            (unlearn, Adjudication::Retracted),
            (learn, Adjudication::Owner),
            (refuse, Adjudication::Attacker),
        ];
        for (events, said) in said {
            for event in events {
                self.engine.adjudicate(&mut self.ahead, &event.context, said);
            }
        }
        for label in labels {
            self.learn_from(label);
        }
    }

    /// What a verdict teaches beyond its account. An event that was not explained teaches nothing.
    fn learn_from(&mut self, label: &Label) {
        let opinion = |stood: &Stood| Opinion {
            verdict: stood.verdict,
            by: stood.by.clone(),
            at: stood.at,
        };
        let (hit, latest) = (&label.worst, label.after.as_ref().or(label.before.as_ref()));
        let (Some(grounds), Some(latest)) = (&hit.grounds, latest) else {
            return;
        };
        let lesson = Lesson {
            finding: Text::new(label.finding.as_str()),
            before: label.before.as_ref().map(opinion),
            after: label.after.as_ref().map(opinion),
            context: &hit.context,
            kind: hit.kind,
            score: hit.score,
            grounds,
        };
        self.engine.label(&lesson, latest.at);
    }

    /// What somebody asks of models: as a command, it stands between two events.
    fn change_models(&mut self, order: &ModelOrder, out: &mut Vec<Output>) {
        let said = (order.by.clone(), order.at);
        let result = self.engine.change_models(&order.tenant, &order.change, said);
        out.push(Output::Models {
            order: Box::new(order.clone()),
            result,
        });
    }
}
