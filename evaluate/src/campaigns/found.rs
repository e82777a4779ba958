//! When each planted attack is found, at thresholds that only the past has set.

use super::run::{Seen, StreamOutcome};
use super::unit::Unit;
use crate::scorer::Said;
use crate::threshold::{Budget, Running};
use habitus_model::{RiskLevel, RiskScore, math};
use habitus_sim::{Label, Planted};
use std::collections::{BTreeMap, BTreeSet};

/// How far an attack may go and count as found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Until {
    /// To its end.
    End,
    /// So many of its events that count for the unit.
    Events(usize),
    /// So many of its victims.
    Victims(usize),
    /// This share of all accounts has been tried, and at least one.
    Tried(f64),
    /// Only its last day counts: what came before was to make it look normal.
    LastDay,
}

/// One planted attack as one scorer met it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Which.
    pub planted: Planted,
    /// Its events that count for the unit.
    pub events: usize,
    /// Those of them that are flagged.
    pub flagged: usize,
    /// The first flagged one, counted from 1; absent if none was.
    pub at_event: Option<usize>,
    /// Minutes from the attack's first event to the flagged one.
    pub after_minutes: Option<f64>,
    /// Victims before the one it was found at.
    pub victims_before: Option<usize>,
    /// Whether a finding of it is called after a reason of a family of the planted cause; absent if not found, or if the scorer does not explain itself.
    pub is_explained: Option<bool>,
}

/// What one scorer found in one log.
#[derive(Debug, Clone, PartialEq)]
pub struct Hunt {
    /// Each planted attack.
    pub found: Vec<Found>,
    /// Legitimate units that were measured.
    pub legitimate: u64,
    /// Those of them that were flagged.
    pub false_alarms: u64,
}

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// What an alarm is counted against.
    pub unit: Unit,
    /// What may be flagged of the legitimate.
    pub budget: Budget,
    /// How far an attack may go.
    pub until: Until,
}

/// A legitimate unit as it ended.
#[derive(Debug, Clone, Copy)]
struct Closed {
    last_ms: i64,
    highest: f64,
}

/// One scorer's way through one log, made ready to be searched at any budget.
#[derive(Debug)]
pub struct Ground<'a> {
    outcome: &'a StreamOutcome,
    scores: &'a [f64],
    said: &'a [Said],
    /// Legitimate units by the time they ended, in the order of [`Unit::ALL`].
    closed: [Vec<Closed>; 6],
    /// Positions of the planted events in the log.
    planted: Vec<usize>,
    /// First and last moment of each attack.
    spans: BTreeMap<Planted, (i64, i64)>,
}

impl<'a> Ground<'a> {
    /// For scorer number `nth` of a log. O(events × log events).
    #[must_use]
    pub fn new(outcome: &'a StreamOutcome, nth: usize) -> Self {
        let scored = outcome.scorers.get(nth);
        let mut spans: BTreeMap<Planted, (i64, i64)> = BTreeMap::new();
        let mut planted = Vec::new();
        for (at, seen) in outcome.seen.iter().enumerate() {
            if let Label::Scenario(which) = seen.label {
                planted.push(at);
                spans.entry(which).or_insert((seen.ms, seen.ms)).1 = seen.ms;
            }
        }
        let scores = scored.map_or(&[][..], |scorer| &scorer.scores);
        Self {
            outcome,
            scores,
            said: scored.map_or(&[], |scorer| &scorer.said),
            closed: Unit::ALL.map(|unit| legitimate(outcome, scores, unit)),
            planted,
            spans,
        }
    }

    /// What is found at a budget. O(units + planted events, each times their logarithm).
    #[must_use]
    pub fn hunt(&self, search: Search) -> Hunt {
        let mut running = Running::new(search.budget);
        let mut ended = self
            .closed
            .get(search.unit.position())
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .peekable();
        let mut hunt = Hunt {
            found: Vec::new(),
            legitimate: 0,
            false_alarms: 0,
        };
        let mut trails: BTreeMap<Planted, Trail> = BTreeMap::new();
        for at in &self.planted {
            let (Some(seen), Some(score)) = (self.outcome.seen.get(*at), self.scores.get(*at)) else {
                continue;
            };
            let Label::Scenario(planted) = seen.label else {
                continue;
            };
            while let Some(unit) = ended.next_if(|unit| unit.last_ms < seen.ms) {
                hunt.close(self.outcome, unit, &mut running);
            }
            let trail = trails.entry(planted).or_insert_with(|| self.trail(planted));
            let flagged = running.flags(*score);
            trail.meet((seen, search), flagged);
            if flagged {
                trail.explain(RiskScore::new(*score).level(), self.explained(*at, planted));
            }
        }
        ended.for_each(|unit| hunt.close(self.outcome, unit, &mut running));
        let met = trails.into_values().filter(|trail| trail.found.events > 0);
        hunt.found = met.map(|trail| trail.found).collect();
        hunt
    }

    /// Whether it is called after the planted cause; absent where the scorer does not explain itself.
    fn explained(&self, at: usize, planted: Planted) -> Option<bool> {
        let lead = self.said.get(at)?.lead;
        Some(lead.is_some_and(|family| planted.kind.causes().contains(&family)))
    }

    fn trail(&self, planted: Planted) -> Trail {
        let (first_ms, last_ms) = self.spans.get(&planted).copied().unwrap_or((0, 0));
        Trail {
            found: Found {
                planted,
                events: 0,
                flagged: 0,
                at_event: None,
                after_minutes: None,
                victims_before: None,
                is_explained: None,
            },
            first_ms,
            last_ms,
            accounts: f64::from(self.outcome.accounts),
            victims: BTreeSet::new(),
            level: None,
        }
    }
}

impl Hunt {
    fn close(&mut self, outcome: &StreamOutcome, unit: &Closed, running: &mut Running) {
        if unit.last_ms >= outcome.measured_from_ms {
            self.legitimate += 1;
            self.false_alarms += u64::from(running.flags(unit.highest));
        }
        running.push(unit.last_ms, unit.highest);
    }
}

/// The legitimate units by the time they ended, each with its highest score. What an attack is part of is none: who looks into
/// a session because of what its owner did in it after the thief finds the thief.
fn legitimate(outcome: &StreamOutcome, scores: &[f64], unit: Unit) -> Vec<Closed> {
    let key = |seen: &Seen| seen.units.get(unit.position()).copied().flatten();
    let attacks = outcome.seen.iter().filter(|seen| seen.label.is_attack());
    let attacked: BTreeSet<u64> = attacks.filter_map(key).collect();
    let incidents = incidents(outcome);
    let mut units: BTreeMap<u64, Closed> = BTreeMap::new();
    for (seen, score) in outcome.seen.iter().zip(scores) {
        if incidents
            .get(&seen.account)
            .is_some_and(|held| is_within(held, seen.ms))
        {
            continue;
        }
        let Some(key) = key(seen).filter(|key| !attacked.contains(key)) else {
            continue;
        };
        if seen.ms < outcome.counted_from_ms {
            continue;
        }
        let closed = units.entry(key).or_insert(Closed {
            last_ms: seen.ms,
            highest: f64::NEG_INFINITY,
        });
        closed.last_ms = seen.ms;
        closed.highest = closed.highest.max(*score);
    }
    let mut closed: Vec<Closed> = units.into_values().collect();
    closed.sort_by(|a, b| a.last_ms.cmp(&b.last_ms).then(a.highest.total_cmp(&b.highest)));
    closed
}

/// How long what an account does belongs to the incident of an attack in its name: the unit of alerts is the account and a day
/// (SCORING 10).
const INCIDENT_MS: i64 = 86_400_000;

/// When each account was in an attacker's hands, in order of time. Who only fails to come in holds nothing.
fn incidents(outcome: &StreamOutcome) -> BTreeMap<u32, Vec<i64>> {
    let outside = [Unit::SourceDay, Unit::Prompted].map(Unit::position);
    let mut incidents: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for seen in outcome.seen.iter().filter(|seen| seen.label.is_attack()) {
        let fails = outside
            .iter()
            .any(|unit| seen.units.get(*unit).is_some_and(Option::is_some));
        if !fails {
            incidents.entry(seen.account).or_default().push(seen.ms);
        }
    }
    incidents
}

fn is_within(incidents: &[i64], ms: i64) -> bool {
    let before = incidents.partition_point(|at| *at <= ms);
    let latest = before.checked_sub(1).and_then(|at| incidents.get(at));
    latest.is_some_and(|at| ms - at <= INCIDENT_MS)
}

/// One attack as it is followed.
struct Trail {
    found: Found,
    first_ms: i64,
    last_ms: i64,
    accounts: f64,
    victims: BTreeSet<u32>,
    /// The highest level of what was flagged.
    level: Option<RiskLevel>,
}

impl Trail {
    /// A finding is called after the first of its events that reached its level.
    fn explain(&mut self, level: RiskLevel, explained: Option<bool>) {
        if self.found.at_event.is_some() && Some(level) > self.level {
            self.level = Some(level);
            self.found.is_explained = explained;
        }
    }

    fn meet(&mut self, (seen, search): (&Seen, Search), flagged: bool) {
        self.victims.insert(seen.account);
        if !matches!(seen.units.get(search.unit.position()), Some(Some(_))) {
            return;
        }
        if search.until == Until::LastDay && seen.ms < self.last_ms - 43_200_000 {
            return;
        }
        self.found.events += 1;
        self.found.flagged += usize::from(flagged);
        let in_time = match search.until {
            Until::End | Until::LastDay => true,
            Until::Events(most) => self.found.events <= most,
            Until::Victims(most) => self.victims.len() <= most,
            Until::Tried(share) => math::from_usize(self.victims.len()) <= (share * self.accounts).max(1.0),
        };
        if flagged && in_time && self.found.at_event.is_none() {
            self.found.at_event = Some(self.found.events);
            self.found.after_minutes = Some(math::from_i64(seen.ms - self.first_ms) / 60_000.0);
            self.found.victims_before = Some(self.victims.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::StreamScores;
    use super::*;
    use habitus_sim::{Cohort, ScenarioKind};

    const THEFT: Planted = Planted {
        kind: ScenarioKind::SessionTheft,
        campaign: 0,
    };
    const BY_OWNER: Label = Label::Legitimate(Cohort::Usual);

    /// A log of sessions, an hour apart: whose event, of which session, with which score.
    fn log(events: &[(Label, u64, f64)]) -> StreamOutcome {
        let seen = (0..).zip(events).map(|(hour, (label, session, _))| Seen {
            ms: hour * 3_600_000,
            account: 0,
            units: Unit::ALL.map(|unit| (unit == Unit::Session).then_some(*session)),
            label: *label,
        });
        StreamOutcome {
            seed: 1,
            measured_from_ms: 0,
            counted_from_ms: 0,
            seen: seen.collect(),
            accounts: 1,
            scorers: vec![StreamScores {
                name: "test".to_owned(),
                scores: events.iter().map(|(_, _, score)| *score).collect(),
                said: Vec::new(),
            }],
        }
    }

    #[test]
    fn a_session_that_a_thief_uses_is_no_false_alarm_and_no_threshold() {
        let outcome = log(&[
            (BY_OWNER, 1, 1.0),
            (BY_OWNER, 2, 2.0),
            (Label::Scenario(THEFT), 2, 5.0),
            // The owner goes on with the session that was stolen, and all of it looks odd.
            (BY_OWNER, 2, 9.0),
            (BY_OWNER, 1, 1.0),
            (Label::Scenario(THEFT), 2, 8.0),
        ]);
        let search = Search {
            unit: Unit::Session,
            budget: Budget::Share(0.0),
            until: Until::End,
        };
        let hunt = Ground::new(&outcome, 0).hunt(search);
        assert_eq!((hunt.legitimate, hunt.false_alarms), (1, 0));
        assert_eq!(hunt.found.len(), 1);
    }

    #[test]
    fn what_an_account_does_within_a_day_of_an_attack_in_its_name_is_the_same_incident() {
        let mut events = vec![
            (BY_OWNER, 1, 1.0),
            (Label::Scenario(THEFT), 2, 5.0),
            (BY_OWNER, 3, 9.0),
        ];
        events.extend((0..30).map(|hour| (BY_OWNER, 10 + hour, 1.0)));
        let search = Search {
            unit: Unit::Session,
            budget: Budget::Share(0.0),
            until: Until::End,
        };
        let outcome = log(&events);
        let hunt = Ground::new(&outcome, 0).hunt(search);
        // The first one, and those that came more than 24 hours after the second.
        assert_eq!((hunt.legitimate, hunt.false_alarms), (1 + 7, 0));
    }
}
