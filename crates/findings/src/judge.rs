//! Commands: what people ask, applied in the order of the log.

use crate::command::{Act, Ask, Command, CommandId, Reach, Refused};
use crate::effect::{Effects, Preview};
use crate::finding::{EVENTS_MAX, Finding};
use crate::key::{FindingId, Novelty};
use crate::store::{Change, Findings, Parked, Storm, What};
use crate::triage::{Deed, Inverse, Ruling, State, Triage};
use habitus_model::{EventUid, IngestTime, RiskLevel, Verdict};
use std::collections::BTreeSet;

/// Similar findings that are named and reached.
pub const SIMILAR_MAX: usize = 100;
/// Commands known by id, so that they are applied once; older ones would be applied again.
pub const COMMANDS_MAX: usize = 10_000;
/// Commands that wait for their findings to settle.
pub const PARKED_MAX: usize = 1_000;

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Applied {
    /// What changed in which finding.
    pub changes: Vec<Change>,
    /// What it does to baselines and findings: the caller teaches the engine.
    pub effects: Effects,
    /// How it stands with the command.
    pub outcome: Outcome,
}

/// How it stands with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// It is done.
    #[default]
    Done,
    /// It was done before, and changed nothing now.
    Repeated,
    /// Its finding is not settled yet; it is done when the finding is. What it teaches is then in
    /// [`Findings::take_late_effects`].
    Waiting,
}

impl Findings {
    /// Applies a command. The same id again changes nothing.
    ///
    /// # Errors
    /// [`Refused`] says why nothing changes.
    pub fn apply(&mut self, command: &Command) -> Result<Applied, Refused> {
        if self.kept.done.contains_key(&command.id) || self.is_parked(command) {
            return Ok(Applied {
                outcome: Outcome::Repeated,
                ..Applied::default()
            });
        }
        command.act.check(&command.finding, command.at)?;
        if self.subject(&command.finding).is_none() {
            return self.park(command);
        }
        let (effects, targets) = match &command.act {
            Act::Judge(ask) => self.judge(command, ask)?,
            Act::Undo(of) => self.undo(command, of.as_ref())?,
            Act::Reopen => self.reopen(command)?,
            Act::Assign(_) | Act::Note(_) | Act::Snooze(_) | Act::Close => self.simple(command)?,
        };
        let mut changes: Vec<Change> = targets
            .iter()
            .map(|id| Change {
                id: id.clone(),
                what: What::Touched,
            })
            .collect();
        for id in &targets {
            self.put(id, &mut changes);
        }
        self.remember(command.id.clone(), targets);
        Ok(Applied {
            changes,
            effects,
            outcome: Outcome::Done,
        })
    }

    /// What a verdict would do: just what giving it reports. Changes nothing.
    ///
    /// # Errors
    /// [`Refused`] says why it could not be given.
    pub fn preview(&self, id: &FindingId, ask: &Ask, at: IngestTime) -> Result<Preview, Refused> {
        ask.check(id, at)?;
        let mut effects = Effects::default();
        let command = Command::preview(id, at);
        if self.subject(id).is_none() {
            let view = self.get(id).ok_or(Refused::NotFound)?;
            let subject = Subject::Finding(&view.finding);
            self.foretell(id, &subject, &subject.ruling(ask, &command), &mut effects);
        } else {
            for target in self.targets(id, ask)? {
                let subject = self.subject(&target).ok_or(Refused::NotFound)?;
                self.foretell(&target, &subject, &subject.ruling(ask, &command), &mut effects);
            }
        }
        // A label is somebody's; nobody has said anything yet.
        effects.labels.clear();
        Ok(Preview {
            finding: id.clone(),
            verdict: ask.verdict,
            text: effects.text(),
            effects,
            similar: self.similar(id),
            score_after: None,
        })
    }

    /// Open findings of the tenant that stand out by the same value as this one, most urgent first, at most
    /// [`SIMILAR_MAX`].
    #[must_use]
    pub fn similar(&self, id: &FindingId) -> Vec<FindingId> {
        let Some(finding) = self.kept.found.get(id) else {
            return Vec::new();
        };
        let Some(novelty) = Novelty::of(&finding.worst).filter(|_| !finding.key.is_campaign()) else {
            return Vec::new();
        };
        let others = self.index.similar(finding.key.tenant(), &novelty);
        let others = others.filter_map(|other| self.kept.found.get(other));
        let alike = others.filter(|other| other.id != *id && !other.key.is_campaign());
        let mut ranked: Vec<_> = alike.map(crate::index::rank).collect();
        ranked.sort_unstable();
        ranked.truncate(SIMILAR_MAX);
        ranked.into_iter().map(|rank| rank.id).collect()
    }

    fn targets(&self, id: &FindingId, ask: &Ask) -> Result<Vec<FindingId>, Refused> {
        self.subject(id).ok_or(Refused::NotFound)?;
        let mut targets = vec![id.clone()];
        if ask.reach == Reach::Similar {
            targets.extend(self.similar(id));
        }
        Ok(targets)
    }

    fn judge(&mut self, command: &Command, ask: &Ask) -> Result<(Effects, Vec<FindingId>), Refused> {
        let targets = self.targets(&command.finding, ask)?;
        let mut effects = Effects::default();
        for target in &targets {
            let Some(subject) = self.subject(target) else {
                continue;
            };
            let mut ruling = subject.ruling(ask, command);
            ruling.awaited = self.awaited(target);
            self.foretell(target, &subject, &ruling, &mut effects);
            if let Some(triage) = self.triage_mut(target) {
                triage.judge(command, ruling);
            }
        }
        Ok((effects, targets))
    }

    /// Adds what a ruling on one finding does.
    fn foretell(&self, id: &FindingId, subject: &Subject<'_>, ruling: &Ruling, effects: &mut Effects) {
        if let Subject::Finding(finding) = subject {
            effects.of_ruling(finding, finding.triage.ruling.as_ref(), Some(ruling));
        } else {
            effects.kept_out += self.collapsed(id);
        }
        match (subject.state(), ruling.verdict.closes()) {
            (State::New | State::InProgress, true) => effects.closes.push(id.clone()),
            (State::Closed, false) => effects.opens.push(id.clone()),
            (State::Closed, true) | (State::New | State::InProgress, false) => {}
        }
    }

    fn reopen(&mut self, command: &Command) -> Result<(Effects, Vec<FindingId>), Refused> {
        let id = &command.finding;
        let mut effects = Effects::default();
        let subject = self.subject(id).ok_or(Refused::NotFound)?;
        if let Subject::Finding(finding) = &subject {
            effects.of_ruling(finding, finding.triage.ruling.as_ref(), None);
        }
        if subject.state() == State::Closed {
            effects.opens.push(id.clone());
        }
        let triage = self.triage_mut(id).ok_or(Refused::NotFound)?;
        let inverse = Inverse {
            command: command.id.clone(),
            state: Some(triage.state),
            ruling: Some(triage.ruling.take().map(Box::new)),
            ..Inverse::default()
        };
        triage.state = State::InProgress;
        triage.done(command, Deed::Reopened, inverse);
        Ok((effects, vec![id.clone()]))
    }

    fn simple(&mut self, command: &Command) -> Result<(Effects, Vec<FindingId>), Refused> {
        let id = command.finding.clone();
        let was = self.subject(&id).map(|subject| subject.state());
        let triage = self.triage_mut(&id).ok_or(Refused::NotFound)?;
        triage.simple(command)?;
        let mut effects = Effects::default();
        let now = self.subject(&id).map(|subject| subject.state());
        effects.moved(&id, was, now);
        Ok((effects, vec![id]))
    }

    fn undo(
        &mut self,
        command: &Command,
        of: Option<&CommandId>,
    ) -> Result<(Effects, Vec<FindingId>), Refused> {
        let here = self.subject(&command.finding).ok_or(Refused::NotFound)?;
        let stack = &here.triage().ok_or(Refused::NothingToUndo)?.undo;
        let last = stack.last().map(|inverse| inverse.command.clone());
        let of = of.cloned().or(last).ok_or(Refused::NothingToUndo)?;
        let all = self.kept.done.get(&of).cloned();
        let targets = all.unwrap_or_else(|| vec![command.finding.clone()]);
        let targets: Vec<FindingId> = targets
            .into_iter()
            .filter(|id| self.subject(id).is_some())
            .collect();
        if !targets.contains(&command.finding) {
            return Err(Refused::NothingToUndo);
        }
        for target in &targets {
            let triage = self.triage(target).ok_or(Refused::NothingToUndo)?;
            triage.may_undo(&of)?;
        }
        let mut effects = Effects::default();
        for target in &targets {
            self.undo_one(command, target, &of, &mut effects);
        }
        Ok((effects, targets))
    }

    fn undo_one(&mut self, command: &Command, id: &FindingId, of: &CommandId, effects: &mut Effects) {
        let was = self.subject(id).map(|subject| subject.state());
        let before = self.triage(id).and_then(|triage| triage.ruling.clone());
        if let Some(triage) = self.triage_mut(id) {
            triage.undo(command, of);
        }
        if let Some(finding) = self.kept.found.get(id) {
            let after = finding.triage.ruling.as_ref();
            if before.as_ref() != after {
                effects.of_ruling(finding, before.as_ref(), after);
            }
        }
        let now = self.subject(id).map(|subject| subject.state());
        effects.moved(id, was, now);
    }

    /// Events of a finding that are ahead of their turn: who judges it has seen them.
    fn awaited(&self, id: &FindingId) -> Vec<EventUid> {
        let ahead = self.overlay.of(id).take(EVENTS_MAX);
        ahead.map(|ahead| ahead.hit.uid.clone()).collect()
    }

    fn triage(&self, id: &FindingId) -> Option<&Triage> {
        let found = self.kept.found.get(id).map(|finding| &finding.triage);
        found.or_else(|| self.kept.storms.get(id).map(|storm| &storm.triage))
    }

    fn triage_mut(&mut self, id: &FindingId) -> Option<&mut Triage> {
        if self.kept.found.contains_key(id) {
            return self.kept.found.get_mut(id).map(|finding| &mut finding.triage);
        }
        if !self.kept.storms.contains_key(id) {
            let (tenant, start) = self.storm(id)?;
            let triage = Triage::default();
            let storm = Storm {
                tenant,
                start,
                triage,
            };
            self.kept.storms.insert(id.clone(), storm);
        }
        self.kept.storms.get_mut(id).map(|storm| &mut storm.triage)
    }

    /// What a command can be about: a settled finding, or a storm.
    fn subject(&self, id: &FindingId) -> Option<Subject<'_>> {
        if let Some(finding) = self.kept.found.get(id) {
            let is_finding = self.index.seat(id) != Some(crate::index::Seat::Hidden);
            return is_finding.then_some(Subject::Finding(finding));
        }
        let worst = self.storm_worst(id);
        self.storm(id)
            .map(|_| Subject::Storm(self.kept.storms.get(id), worst))
    }

    fn remember(&mut self, id: CommandId, targets: Vec<FindingId>) {
        self.kept.done_order.push_back(id.clone());
        self.kept.done.insert(id, targets);
        if self.kept.done_order.len() > COMMANDS_MAX
            && let Some(oldest) = self.kept.done_order.pop_front()
        {
            self.kept.done.remove(&oldest);
        }
    }

    fn is_parked(&self, command: &Command) -> bool {
        let parked = self.kept.parked.get(&command.finding);
        parked.is_some_and(|parked| parked.iter().any(|other| other.command.id == command.id))
    }

    /// Keeps a command for a finding that is only ahead of its turn yet.
    fn park(&mut self, command: &Command) -> Result<Applied, Refused> {
        if !self.overlay.knows(&command.finding) {
            return Err(Refused::NotFound);
        }
        if self.kept.parked.values().map(Vec::len).sum::<usize>() >= PARKED_MAX {
            return Err(Refused::Busy);
        }
        let awaited = self.awaited(&command.finding);
        let parked = self.kept.parked.entry(command.finding.clone()).or_default();
        parked.push(Parked {
            command: command.clone(),
            awaited,
        });
        Ok(Applied {
            outcome: Outcome::Waiting,
            ..Applied::default()
        })
    }

    /// Applies what waited for a finding that has settled. What cannot be done any more is let go.
    pub(crate) fn unpark(&mut self, id: &FindingId, changes: &mut Vec<Change>) {
        if self.index.seat(id) == Some(crate::index::Seat::Hidden) {
            return;
        }
        for Parked { command, awaited } in self.kept.parked.remove(id).unwrap_or_default() {
            let Ok(applied) = self.apply(&command) else {
                continue;
            };
            changes.extend(applied.changes);
            self.kept.late.push(applied.effects);
            let triage = self.kept.found.get_mut(id).map(|finding| &mut finding.triage);
            let ruling = triage.and_then(|triage| triage.ruling.as_mut());
            if let (Some(ruling), Act::Judge(_)) = (ruling, &command.act) {
                ruling.awaited = awaited;
                self.put(id, changes);
            }
        }
    }

    /// What commands that waited have taught since this was last asked: the caller teaches the engine.
    pub fn take_late_effects(&mut self) -> Vec<Effects> {
        std::mem::take(&mut self.kept.late)
    }
}

/// What a command is about.
pub(crate) enum Subject<'f> {
    Finding(&'f Finding),
    /// With what people have said, if anything, and the highest level folded.
    Storm(Option<&'f Storm>, RiskLevel),
}

impl Subject<'_> {
    fn state(&self) -> State {
        match self {
            Self::Finding(finding) => finding.state(),
            Self::Storm(storm, _) => storm.map_or(State::New, |storm| storm.triage.state),
        }
    }

    fn triage(&self) -> Option<&Triage> {
        match self {
            Self::Finding(finding) => Some(&finding.triage),
            Self::Storm(storm, _) => storm.map(|storm| &storm.triage),
        }
    }

    /// The ruling that a verdict on it is. A storm teaches nothing: nobody has looked at all of it.
    pub(crate) fn ruling(&self, ask: &Ask, command: &Command) -> Ruling {
        let (level, novelties, learned) = match self {
            Self::Finding(finding) => {
                let novelties = finding.evidence().into_iter().filter_map(Novelty::of);
                let novelties: BTreeSet<Novelty> = novelties.collect();
                let learned = match ask.verdict {
                    Verdict::FalsePositive => finding.teachable(),
                    Verdict::TruePositive
                    | Verdict::Benign
                    | Verdict::BadData
                    | Verdict::Unsure
                    | Verdict::Test
                    | Verdict::Duplicate => Vec::new(),
                };
                (finding.level(), novelties.into_iter().collect(), learned)
            }
            Self::Storm(_, worst) => (*worst, Vec::new(), Vec::new()),
        };
        Ruling {
            verdict: ask.verdict,
            comment: ask.comment.clone(),
            deciding: ask.deciding.clone(),
            by: command.by.clone(),
            at: command.at,
            until: ask.until,
            duplicate_of: ask.duplicate_of.clone(),
            level,
            novelties,
            learned,
            awaited: Vec::new(),
        }
    }
}

impl Command {
    /// Stands in for the command that a preview foretells.
    fn preview(id: &FindingId, at: IngestTime) -> Self {
        Self {
            id: CommandId::default(),
            finding: id.clone(),
            by: habitus_model::Text::default(),
            at,
            act: Act::Close,
        }
    }
}

impl Effects {
    fn moved(&mut self, id: &FindingId, was: Option<State>, now: Option<State>) {
        match (was == Some(State::Closed), now == Some(State::Closed)) {
            (false, true) => self.closes.push(id.clone()),
            (true, false) => self.opens.push(id.clone()),
            (false, false) | (true, true) => {}
        }
    }
}
