//! How the sessions of a population behave: how often they begin, go on, move and change client.
//!
//! Estimates the probability of each relation between an event and its session, given what is new about network and client,
//! so that only what these do not say already is counted. Where every move asks for a login anew, a session that moves is
//! rare and accuses; where phones roam all day it hardly does. Fails before some dozens of visits with sessions; until then
//! the priors stand.

use crate::features::session::{Grip, Lasting, Passage, Relation, SessionCell, Shift};
use serde::{Deserialize, Serialize};

/// Weight of the priors of relations, visits.
const RELATION_WEIGHT: f64 = 10.0;
/// Weight of the priors of clients, visits.
const GRIP_WEIGHT: f64 = 60.0;
/// Weight of the priors of turns and relays.
const RARE_WEIGHT: f64 = 60.0;
/// Priors of relations by network (known, its system known, its country known, neither), for a known family of client. Order
/// of [`Relation`]. Assumed: sessions are begun at new places more often than they move there.
const SESSION_PRIOR: [[f64; Relation::COUNT]; 4] = [
    [0.50, 0.02, 0.46, 0.018, 0.002],
    [0.60, 0.02, 0.36, 0.018, 0.002],
    [0.68, 0.03, 0.008, 0.28, 0.002],
    [0.78, 0.03, 0.006, 0.182, 0.002],
];
/// The same for a family of client that is new to the account: it has no session yet.
const NEW_FAMILY_PRIOR: [f64; Relation::COUNT] = [0.90, 0.03, 0.045, 0.023, 0.002];
/// The same for credentials that last: they begin once.
const CREDENTIAL_PRIOR: [[f64; Relation::COUNT]; 4] = [
    [0.02, 0.02, 0.93, 0.029, 0.001],
    [0.04, 0.04, 0.89, 0.029, 0.001],
    [0.08, 0.08, 0.04, 0.799, 0.001],
    [0.08, 0.08, 0.04, 0.799, 0.001],
];
/// Priors of another proof and another family of client within a session, visits of known families. Assumed: a browser's
/// update changes its TLS fingerprint now and then.
const GRIP_PRIOR: [f64; 2] = [0.006, 0.01];
/// Prior of two networks that take turns within ten minutes, among visits of sessions with two. Assumed.
const AT_ONCE_PRIOR: f64 = 0.02;
/// Prior of moving away within the hour from a server's network new to the account, among moves. Assumed.
const RELAYED_PRIOR: f64 = 0.01;

/// Priors of the passages of moves (handed over, tunnel, from line to line) of computers and of phones, and their weight, moves.
/// Assumed: phones change between Wi-Fi and carrier several times a day (OpenSignal 2023), computers switch tunnels, and
/// nobody carries a session from one line to another within minutes.
const PASSAGE_PRIOR: [[f64; Passage::COUNT]; 2] = [[0.15, 0.65, 0.20], [0.70, 0.15, 0.15]];
const PASSAGE_WEIGHT: f64 = 20.0;
/// Priors of another prefix of the same network within a session, on carriers and elsewhere. Assumed: lines get another
/// address once a day or more seldom, and mostly a near one.
const SHIFT_PRIOR: [f64; 2] = [0.2, 0.01];

/// One visit within a session, as the population counts it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SessionTrial {
    /// The cell.
    pub cell: SessionCell,
    /// The relation.
    pub relation: Relation,
    /// The client, and whether a proof could be compared.
    pub grip: Option<(Grip, bool)>,
    /// See [`crate::features::session::SessionSeen::at_once`].
    pub at_once: Option<bool>,
    /// Of a move: whether it was relayed.
    pub relayed: Option<bool>,
    /// Of a move: by what.
    pub passage: Option<Passage>,
    /// Of one that is kept: whether in another prefix.
    pub shifted: Option<Shift>,
}

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionHabits {
    relations: Vec<[f64; Relation::COUNT]>,
    /// Other proof among visits that could compare one; other family among visits of known families.
    grips: [(f64, f64); 2],
    at_once: (f64, f64),
    relayed: (f64, f64),
    /// Of computers and of phones, to networks that the account knows and to others.
    passages: [[[f64; Passage::COUNT]; 2]; 2],
    shifts: [(f64, f64); 2],
}

impl Default for SessionHabits {
    fn default() -> Self {
        Self {
            relations: vec![[0.0; Relation::COUNT]; SessionCell::COUNT],
            grips: Default::default(),
            at_once: Default::default(),
            relayed: Default::default(),
            passages: Default::default(),
            shifts: Default::default(),
        }
    }
}

impl SessionHabits {
    /// Probability of a relation in a cell, in `(0, 1)`.
    #[must_use]
    pub fn relation(&self, cell: SessionCell, relation: Relation) -> f64 {
        let row = self.relations.get(cell.index()).copied().unwrap_or_default();
        let of = |row: &[f64; Relation::COUNT]| row.get(relation.index()).copied().unwrap_or(0.0);
        let network = usize::from(cell.network.min(3));
        let prior = match (cell.lasting, cell.new_family) {
            (Lasting::Session, true) => NEW_FAMILY_PRIOR,
            (Lasting::Session, false) => SESSION_PRIOR.get(network).copied().unwrap_or_default(),
            (Lasting::Credential, _) => CREDENTIAL_PRIOR.get(network).copied().unwrap_or_default(),
        };
        let total: f64 = row.iter().sum();
        (of(&row) + RELATION_WEIGHT * of(&prior)) / (total + RELATION_WEIGHT)
    }

    /// Probability that a visit within a session shows another proof than before, where it can be compared.
    #[must_use]
    pub fn other_proof(&self) -> f64 {
        shrunk(self.grips.first(), GRIP_PRIOR[0], GRIP_WEIGHT)
    }

    /// Probability that a visit within a session shows another family of client that the account knows.
    #[must_use]
    pub fn other_family(&self) -> f64 {
        shrunk(self.grips.last(), GRIP_PRIOR[1], GRIP_WEIGHT)
    }

    /// Probability that two networks of a session take turns.
    #[must_use]
    pub fn at_once(&self) -> f64 {
        shrunk(Some(&self.at_once), AT_ONCE_PRIOR, RARE_WEIGHT)
    }

    /// Probability that a move is one of a relayed login.
    #[must_use]
    pub fn relayed(&self) -> f64 {
        shrunk(Some(&self.relayed), RELAYED_PRIOR, RARE_WEIGHT)
    }

    /// Probability that a move is of this sort, in `(0, 1)`.
    #[must_use]
    pub fn passage(&self, cell: SessionCell, passage: Passage) -> f64 {
        let phone = usize::from(cell.phone);
        let counts = self
            .passages
            .get(phone)
            .and_then(|rows| rows.get(elsewhere(cell)));
        let counts = counts.copied().unwrap_or_default();
        let of = |row: &[f64; Passage::COUNT]| row.get(passage.index()).copied().unwrap_or(0.0);
        let prior = PASSAGE_PRIOR.get(phone).map_or(0.1, of);
        (of(&counts) + PASSAGE_WEIGHT * prior) / (counts.iter().sum::<f64>() + PASSAGE_WEIGHT)
    }

    /// Probability that a session which is kept shows another prefix of its network, in `(0, 1)`.
    #[must_use]
    pub fn shifted(&self, mobile: bool) -> f64 {
        let at = usize::from(!mobile);
        let prior = SHIFT_PRIOR.get(at).copied().unwrap_or(0.1);
        shrunk(self.shifts.get(at), prior, RARE_WEIGHT)
    }

    /// Counts one visit.
    pub fn learn(&mut self, trial: &SessionTrial) {
        if let Some(count) = trial.passage.and_then(|passage| {
            let rows = self.passages.get_mut(usize::from(trial.cell.phone))?;
            rows.get_mut(elsewhere(trial.cell))?.get_mut(passage.index())
        }) {
            *count += 1.0;
        }
        if let Some(shift) = trial.shifted
            && let Some(of) = self.shifts.get_mut(usize::from(!shift.mobile))
        {
            count(of, shift.is_other);
        }
        if let Some(count) = self
            .relations
            .get_mut(trial.cell.index())
            .and_then(|row| row.get_mut(trial.relation.index()))
        {
            *count += 1.0;
        }
        if let Some((grip, proof)) = trial.grip {
            if proof {
                count(&mut self.grips[0], grip == Grip::OtherProof);
            }
            if !trial.cell.new_family {
                count(&mut self.grips[1], grip == Grip::OtherFamily);
            }
        }
        if let Some(at_once) = trial.at_once {
            count(&mut self.at_once, at_once);
        }
        if let Some(relayed) = trial.relayed {
            count(&mut self.relayed, relayed);
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        let passages = self.passages.iter_mut().flatten().flatten();
        for count in self.relations.iter_mut().flatten().chain(passages) {
            *count *= factor;
        }
        let rare = [&mut self.at_once, &mut self.relayed];
        for (some, all) in self.grips.iter_mut().chain(&mut self.shifts).chain(rare) {
            *some *= factor;
            *all *= factor;
        }
    }
}

/// Row of a cell in tables of moves: whether the network is one that the account does not know.
fn elsewhere(cell: SessionCell) -> usize {
    usize::from(cell.network >= 2)
}

fn shrunk(counts: Option<&(f64, f64)>, prior: f64, weight: f64) -> f64 {
    let (some, all) = counts.copied().unwrap_or_default();
    (some + weight * prior) / (all + weight)
}

fn count((some, all): &mut (f64, f64), holds: bool) {
    *some += f64::from(u8::from(holds));
    *all += 1.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABROAD: SessionCell = SessionCell {
        lasting: Lasting::Session,
        network: 3,
        new_family: false,
        phone: false,
    };

    fn trial(relation: Relation) -> SessionTrial {
        SessionTrial {
            cell: ABROAD,
            relation,
            grip: Some((Grip::Same, true)),
            at_once: None,
            relayed: None,
            passage: (relation == Relation::Moved).then_some(Passage::HandOver),
            shifted: None,
        }
    }

    #[test]
    fn priors_of_a_cell_sum_to_one() {
        for row in SESSION_PRIOR
            .iter()
            .chain([&NEW_FAMILY_PRIOR])
            .chain(&CREDENTIAL_PRIOR)
        {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{row:?}");
        }
        for row in PASSAGE_PRIOR {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{row:?}");
        }
    }

    #[test]
    fn where_sessions_roam_a_move_is_usual() {
        let mut habits = SessionHabits::default();
        let before = habits.relation(ABROAD, Relation::Moved);
        for _ in 0..100 {
            habits.learn(&trial(Relation::Moved));
        }
        assert!(habits.relation(ABROAD, Relation::Moved) > 0.9 && before < 0.2);
        assert!(habits.passage(ABROAD, Passage::HandOver) > 0.8);
        assert!(habits.passage(ABROAD, Passage::Elsewhere) < 0.05);
        let mut bound = SessionHabits::default();
        for _ in 0..100 {
            bound.learn(&trial(Relation::Begun));
        }
        assert!(bound.relation(ABROAD, Relation::Moved) < 0.02);
    }

    #[test]
    fn what_keeps_its_proof_makes_another_rarer() {
        let mut habits = SessionHabits::default();
        let before = habits.other_proof();
        for _ in 0..1_000 {
            habits.learn(&trial(Relation::Kept));
        }
        assert!(habits.other_proof() < before / 5.0);
    }
}
