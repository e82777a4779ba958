//! Whether a challenger may become champion: labels that taught nothing, attacks that nobody here labelled, and how much it flags.

use super::golden::{self, Attack};
use super::labels::Trial;
use super::shadow::{LINES, Volume};
use super::{Challenger, Models};
use crate::tenant::Tables;
use habitus_model::math::{from_u64, from_usize, log10, to_f32};
use habitus_model::{AccountKind, Family, Grounds, RiskScore, Stratum, Text};
use habitus_score::{Prepared, Sums, Weights};
use serde::Serialize;
use std::collections::BTreeMap;

/// Most that a family is asked to say alone, nats, and how often that is halved: to a millionth.
const NATS_MAX: f64 = 60.0;
const HALVINGS: usize = 26;
/// Events in shadow before volumes and tails mean anything: at 60 two of them are flagged. Assumed.
pub const EVENTS_MIN: u64 = 2_000;
/// Most by which recall at 60 and at 80 may fall, of all attacks (RELIABILITY 6.2: one point).
const RECALL_LOSS_MAX: f64 = 0.01;
/// Most by which it may fall of one kind with [`KIND_MIN`] attacks: one of twenty may be chance, two are not. Assumed.
const KIND_LOSS_MAX: f64 = 0.05;
const KIND_MIN: usize = 20;
/// Most by which the mean strength of one kind may fall, as a share. The standard attacks are plain ones: what still finds all of them
/// may have lost those that are half as strong. Assumed.
const STRENGTH_LOSS_MAX: f64 = 0.1;
/// An attack that shows in one family only, and so strongly that the champion gives it so many points, must be flagged by the
/// challenger: standard attacks show in several families, and one that is lied about may be made up for by the others. Assumed.
const ALONE_SCORE: f64 = 64.0;
/// What a family contributes to an attack that it could show alone, nats. Assumed.
const LEADS_FROM_NATS: f64 = 3.0;
/// Most by which the volume at 60 may grow (RELIABILITY 6.2: a tenth), beyond what chance makes of it.
const VOLUME_GROWTH_MAX: f64 = 0.1;
/// Most by which the order of held-out attacks and false alarms may worsen, as a share of pairs. Assumed.
const ORDER_LOSS_MAX: f64 = 0.01;
/// Held-out labels of each side with which their order means anything.
const SIDE_MIN: usize = 3;
/// Movers that are named.
const MOVERS_MAX: usize = 20;
/// Points that are worth naming.
const MOVER_POINTS_MIN: f64 = 1.0;

/// A challenger beside the champion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// How much each flags.
    pub volume: Volume,
    /// Labels that taught nothing.
    pub held_out: HoldOut,
    /// Attacks that nobody here labelled.
    pub standard: Standard,
    /// What speaks against promoting it. Empty: nothing.
    pub hindrances: Vec<Hindrance>,
}

/// How models do on held-out labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldOut {
    /// Attacks, tests among them.
    pub attacks: usize,
    /// False alarms, and what was expected.
    pub owners: usize,
    /// The champion.
    pub champion: Found,
    /// The challenger.
    pub challenger: Found,
    /// Those that rank worse, by how much: attacks lower, owners higher.
    pub worse: Vec<Mover>,
}

/// What one model finds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Found {
    /// Attacks at or above each of [`LINES`].
    pub attacks: [usize; 3],
    /// Owners at or above each.
    pub owners: [usize; 3],
    /// Share of pairs of attack and owner in which the attack scores higher, ties counted half; absent without pairs.
    pub order: Option<f64>,
}

/// A finding that ranks worse.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mover {
    /// The finding.
    pub finding: Text,
    /// Whether it was an attack.
    pub is_attack: bool,
    /// What the champion says, points.
    pub champion: f64,
    /// What the challenger says.
    pub challenger: f64,
}

/// How models do on attacks that nobody here labelled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standard {
    /// How many.
    pub attacks: usize,
    /// The champion's at or above each of [`LINES`].
    pub champion: [usize; 3],
    /// The challenger's.
    pub challenger: [usize; 3],
    /// By kind.
    pub kinds: BTreeMap<Text, StandardKind>,
    /// By the families that contribute much to them.
    pub led: BTreeMap<Family, Led>,
}

/// How models do on one kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct StandardKind {
    /// How many.
    pub attacks: usize,
    /// The champion's at or above 60.
    pub champion: usize,
    /// The challenger's.
    pub challenger: usize,
    /// Mean of the champion's scores as they would be without their cap of 100.
    pub champion_strength: f64,
    /// The challenger's.
    pub challenger_strength: f64,
}

/// Attacks that one family contributes much to.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Led {
    /// How many.
    pub attacks: usize,
    /// What the challenger says where only this family speaks, and the champion says 64; absent: the family alone does not reach
    /// that.
    pub alone: Option<f64>,
}

impl StandardKind {
    /// Whether the challenger does worse.
    fn is_worse(&self) -> bool {
        let fewer = loses((self.champion, self.challenger), self.attacks, KIND_LOSS_MAX);
        let weaker = self.challenger_strength < (1.0 - STRENGTH_LOSS_MAX) * self.champion_strength;
        self.attacks >= KIND_MIN && (fewer || weaker)
    }

    fn count(&mut self, [champion, challenger]: [(f64, f64); 2]) {
        self.attacks += 1;
        self.champion += usize::from(champion.0 >= LINES[1]);
        self.challenger += usize::from(challenger.0 >= LINES[1]);
        self.champion_strength += champion.1;
        self.challenger_strength += challenger.1;
    }

    /// Makes means of sums.
    fn close(&mut self) {
        let all = from_usize(self.attacks).max(1.0);
        self.champion_strength /= all;
        self.challenger_strength /= all;
    }
}

/// What speaks against a promotion.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hindrance {
    /// It has not been in shadow for long enough.
    FewEvents {
        /// Events so far.
        events: u64,
        /// Events needed.
        needed: u64,
    },
    /// It finds fewer of the held-out attacks.
    HeldOutAttacks,
    /// It tells held-out attacks from owners less well.
    HeldOutOrder,
    /// It finds fewer of the attacks that nobody here labelled.
    StandardAttacks,
    /// It finds one kind of these less well: fewer of them, or the same with a tenth less strength.
    StandardKind(Text),
    /// It does not flag attacks that only this family shows any more, if not strongly.
    Alone(Family),
    /// It flags more.
    Volume,
}

impl Hindrance {
    /// As a clause.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::FewEvents { events, needed } => {
                format!("it has been compared on {events} events, and {needed} are needed")
            }
            Self::HeldOutAttacks => {
                "it finds fewer of the labelled attacks that taught it nothing".to_owned()
            }
            Self::HeldOutOrder => {
                "it tells labelled attacks from owners less well where these taught it nothing".to_owned()
            }
            Self::StandardAttacks => "it finds fewer of the standard attacks".to_owned(),
            Self::StandardKind(kind) => format!("it finds the standard attacks of kind `{kind}` less well"),
            Self::Alone(family) => {
                format!(
                    "it no longer flags what only `{}` shows, unless strongly",
                    family.name()
                )
            }
            Self::Volume => "it flags over a tenth more".to_owned(),
        }
    }
}

/// Weights with their calibration.
struct Judge<'j> {
    prepared: Prepared,
    tables: &'j Tables,
}

impl Judge<'_> {
    /// The families that contribute much to an attack.
    fn leading(&self, grounds: &Grounds) -> impl Iterator<Item = Family> + use<> {
        let parts = Sums::kept(grounds).open(&self.prepared).parts;
        let much = Family::ALL.into_iter().zip(parts);
        much.filter(|(_, part)| *part >= LEADS_FROM_NATS)
            .map(|(family, _)| family)
    }

    /// The score of an event of which one family alone speaks, alike of all attackers.
    fn alone(&self, family: Family, nats: f64) -> f64 {
        let grounds = Grounds {
            families: vec![(family, [to_f32(nats); 5])],
            stratum: Stratum::Visit,
        };
        self.score(AccountKind::Human, &grounds).0
    }

    /// How much a family must say to make [`ALONE_SCORE`] alone; absent: it cannot.
    fn needed(&self, family: Family) -> Option<f64> {
        let (mut low, mut high) = (0.0, NATS_MAX);
        if self.alone(family, high) < ALONE_SCORE {
            return None;
        }
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            if self.alone(family, middle) < ALONE_SCORE {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// The score, and the same without its cap, which breaks ties there.
    fn score(&self, kind: AccountKind, grounds: &Grounds) -> (f64, f64) {
        let total = Sums::kept(grounds).total(&self.prepared);
        let tail = self.tables.tail(kind, grounds.stratum, total);
        let strength = -RiskScore::POINTS_PER_DECADE * log10(tail.get().max(f64::MIN_POSITIVE));
        (RiskScore::from_tail(tail).get(), strength)
    }
}

impl Models {
    /// The challenger beside the champion; absent without a challenger. Cost: linear in labels and standard attacks, about a
    /// microsecond each.
    #[must_use]
    pub(crate) fn comparison(&self, configured: &Weights) -> Option<Comparison> {
        let challenger = self.challenger.as_deref()?;
        let judges = [
            Judge {
                prepared: Prepared::new(&self.champion.weights(configured)),
                tables: &challenger.reference,
            },
            Judge {
                prepared: Prepared::new(&challenger.model.weights(configured)),
                tables: &challenger.tables,
            },
        ];
        let trials: Vec<Trial<'_>> = self.labels.held_out().collect();
        let held_out = hold_out(&trials, &judges);
        let standard = standard(golden::attacks(), &judges);
        let hindrances = hindrances(challenger, &held_out, &standard);
        Some(Comparison {
            volume: challenger.volume,
            held_out,
            standard,
            hindrances,
        })
    }
}

fn hold_out(trials: &[Trial<'_>], judges: &[Judge<'_>; 2]) -> HoldOut {
    let scored: Vec<[(f64, f64); 2]> = trials
        .iter()
        .map(|trial| [0, 1].map(|nth: usize| score(judges, nth, (trial.label.kind, &trial.label.grounds))))
        .collect();
    let found = |nth: usize| found(trials, &scored, nth);
    let attacks = trials.iter().filter(|trial| trial.is_attack).count();
    let mut worse: Vec<Mover> = trials
        .iter()
        .zip(&scored)
        .map(|(trial, [(champion, _), (challenger, _)])| Mover {
            finding: trial.finding.clone(),
            is_attack: trial.is_attack,
            champion: *champion,
            challenger: *challenger,
        })
        .filter(|mover| mover.loss() >= MOVER_POINTS_MIN)
        .collect();
    worse.sort_by(|a, b| {
        b.loss()
            .total_cmp(&a.loss())
            .then_with(|| a.finding.cmp(&b.finding))
    });
    worse.truncate(MOVERS_MAX);
    HoldOut {
        attacks,
        owners: trials.len() - attacks,
        champion: found(0),
        challenger: found(1),
        worse,
    }
}

fn score(judges: &[Judge<'_>; 2], nth: usize, (kind, grounds): (AccountKind, &Grounds)) -> (f64, f64) {
    judges
        .get(nth)
        .map_or((0.0, 0.0), |judge| judge.score(kind, grounds))
}

impl Mover {
    /// Points in the wrong direction.
    fn loss(&self) -> f64 {
        let rise = self.challenger - self.champion;
        if self.is_attack { -rise } else { rise }
    }
}

fn found(trials: &[Trial<'_>], scored: &[[(f64, f64); 2]], nth: usize) -> Found {
    let of = |attacks: bool| -> Vec<(f64, f64)> {
        let each = trials.iter().zip(scored);
        let each = each.filter(|(trial, _)| trial.is_attack == attacks);
        each.filter_map(|(_, scores)| scores.get(nth).copied()).collect()
    };
    let (attacks, owners) = (of(true), of(false));
    let at =
        |scores: &[(f64, f64)]| LINES.map(|line| scores.iter().filter(|(score, _)| *score >= line).count());
    let higher = |attack: &(f64, f64), owner: &(f64, f64)| {
        let order = attack.0.total_cmp(&owner.0).then(attack.1.total_cmp(&owner.1));
        match order {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        }
    };
    let pairs = attacks
        .iter()
        .flat_map(|attack| owners.iter().map(move |owner| higher(attack, owner)));
    let count = from_usize(attacks.len() * owners.len());
    Found {
        attacks: at(&attacks),
        owners: at(&owners),
        order: (count > 0.0).then(|| pairs.sum::<f64>() / count),
    }
}

fn standard(attacks: &[Attack], judges: &[Judge<'_>; 2]) -> Standard {
    let mut standard = Standard {
        attacks: attacks.len(),
        champion: [0; 3],
        challenger: [0; 3],
        kinds: BTreeMap::new(),
        led: BTreeMap::new(),
    };
    let [own, other] = judges;
    for attack in attacks {
        let scores = [0, 1].map(|nth| score(judges, nth, (attack.account, &attack.grounds)));
        let [(champion, _), (challenger, _)] = scores;
        for ((before, after), line) in standard
            .champion
            .iter_mut()
            .zip(&mut standard.challenger)
            .zip(LINES)
        {
            *before += usize::from(champion >= line);
            *after += usize::from(challenger >= line);
        }
        standard
            .kinds
            .entry(attack.kind.clone())
            .or_default()
            .count(scores);
        for family in own.leading(&attack.grounds) {
            standard.led.entry(family).or_default().attacks += 1;
        }
    }
    standard.kinds.values_mut().for_each(StandardKind::close);
    for (family, led) in &mut standard.led {
        led.alone = own.needed(*family).map(|nats| other.alone(*family, nats));
    }
    standard
}

fn hindrances(challenger: &Challenger, held_out: &HoldOut, standard: &Standard) -> Vec<Hindrance> {
    let volume = &challenger.volume;
    let mut found = Vec::new();
    if volume.events < EVENTS_MIN {
        found.push(Hindrance::FewEvents {
            events: volume.events,
            needed: EVENTS_MIN,
        });
    }
    let fewer = |(before, after): ([usize; 3], [usize; 3]), all: usize| {
        let lines = before.into_iter().zip(after).skip(1);
        lines
            .into_iter()
            .any(|counts| loses(counts, all, RECALL_LOSS_MAX))
    };
    let counts = (held_out.champion.attacks, held_out.challenger.attacks);
    if fewer(counts, held_out.attacks) {
        found.push(Hindrance::HeldOutAttacks);
    }
    let orders = held_out.champion.order.zip(held_out.challenger.order);
    if held_out.attacks >= SIDE_MIN
        && held_out.owners >= SIDE_MIN
        && orders.is_some_and(|(before, after)| after < before - ORDER_LOSS_MAX)
    {
        found.push(Hindrance::HeldOutOrder);
    }
    if fewer((standard.champion, standard.challenger), standard.attacks) {
        found.push(Hindrance::StandardAttacks);
    }
    let worse = standard.kinds.iter().filter(|(_, kind)| kind.is_worse());
    found.extend(worse.map(|(name, _)| Hindrance::StandardKind(name.clone())));
    let [_, flagged, _] = LINES;
    let lost = standard
        .led
        .iter()
        .filter(|(_, led)| led.attacks >= KIND_MIN && led.alone.is_some_and(|alone| alone < flagged));
    found.extend(lost.map(|(family, _)| Hindrance::Alone(*family)));
    let ([_, before, _], [_, after, _]) = (volume.champion, volume.challenger);
    // Two standard deviations of a count, and three for counts that are next to nothing.
    let before = from_u64(before);
    let most = (1.0 + VOLUME_GROWTH_MAX) * before + 2.0 * before.sqrt() + 3.0;
    if from_u64(after) > most {
        found.push(Hindrance::Volume);
    }
    found
}

fn loses((before, after): (usize, usize), all: usize, most: f64) -> bool {
    from_usize(before.saturating_sub(after)) > most * from_usize(all)
}
