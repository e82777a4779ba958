//! Fusion by log-sum-exp over attacker profiles, with an exact additive explanation (SCORING 9).
//!
//! `L_k = ln π_k + Σ_f w_f·l_fk`, `S = ln Σ_k e^L_k`, `r_k = e^(L_k − S)`. Each piece of evidence contributes
//! `Σ_k r_k·w_f·l_fk`; what the prior and the uncertainty between profiles contribute, `Σ_k r_k·ln π_k` and
//! `−Σ_k r_k·ln r_k`, are lines of their own. The lines sum to `S`: an identity, not an approximation.

use habitus_model::evidence::PerProfile;
use habitus_model::math::{exp, ln, log_sum_exp};
use habitus_model::{AttackerProfile, Contribution, Evidence, Family, Nats, Reason, Signal};
use serde::{Deserialize, Serialize};

/// What fusion starts from. Every number may be set per tenant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Prior share of each attacker profile, in the order of [`AttackerProfile::ALL`]; sums to 1. SCORING 3 names them;
    /// the shares were chosen on development seeds (docs/scoring.md).
    pub priors: PerProfile,
    /// Weight of each family, in the order of [`Family::ALL`]. One, but for the clock, 0.6, because events of one session are
    /// not independent (SCORING 4), and the gap, 0.5: 0 to 1 differ by half a point of recall on development seeds.
    pub families: [f64; Family::COUNT],
    /// No family moves the total by more than this, nats: one wrong row in a table must not decide alone (SCORING 3).
    pub family_nats_max: f64,
    /// The same for bursts and campaigns, which are counted and stand in no table.
    pub burst_nats_max: f64,
    /// The same for sessions, prompts and ways in, and for volumes, which are measured for each tenant and add up over several
    /// facts. Assumed.
    pub conduct_nats_max: f64,
    /// The same for what is used, which adds up over events: the reach of calibration. At 14 an explorer's fifth thing was no
    /// more than an authorised test's login (seeds 1–3: 3 % of insiders found by then at 0.1 %, against 72 %).
    pub used_nats_max: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            priors: [0.65, 0.12, 0.05, 0.08, 0.10],
            families: Family::ALL.map(usual),
            family_nats_max: 7.0,
            burst_nats_max: 10.0,
            conduct_nats_max: 14.0,
            used_nats_max: 40.0,
        }
    }
}

const fn usual(family: Family) -> f64 {
    match family {
        Family::Clock => 0.6,
        Family::Gap => 0.5,
        Family::Network
        | Family::Device
        | Family::Joint
        | Family::Motion
        | Family::Authentication
        | Family::Session
        | Family::Resource
        | Family::Sequence
        | Family::Burst
        | Family::Campaign
        | Family::Machine => 1.0,
        // Benign work of any size comes, too. At 1 replayed sessions lose 6 points, insiders of small companies 11 and machines'
        // credentials cost three times as much; at 0.3 downloads lose 8 (docs/scoring.md).
        Family::Volume => 0.5,
    }
}

/// Weights, and what follows from them for every event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prepared {
    pub(crate) weights: Weights,
    pub(crate) ln_priors: PerProfile,
}

impl Prepared {
    /// Cost: five logarithms.
    #[must_use]
    pub fn new(weights: &Weights) -> Self {
        Self {
            weights: *weights,
            ln_priors: weights.priors.map(ln),
        }
    }
}

/// The result of fusion.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// Total log-odds.
    pub log_odds: Nats,
    /// The attacker profile that explains the event best.
    pub profile: AttackerProfile,
    /// Lines that sum to `log_odds`: evidence by falling size of its contribution, then prior and mixture.
    pub contributions: Vec<Contribution>,
}

/// Evidence weighed and summed, not yet split into lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// Total log-odds.
    pub log_odds: Nats,
    /// The attacker profile that explains the event best.
    pub profile: AttackerProfile,
    weighted: Vec<PerProfile>,
    priors: PerProfile,
    totals: PerProfile,
}

impl Weights {
    pub(crate) fn cap(&self, family: Family) -> f64 {
        match family {
            Family::Burst | Family::Campaign => self.burst_nats_max,
            Family::Resource => self.used_nats_max,
            Family::Session | Family::Authentication | Family::Volume => self.conduct_nats_max,
            Family::Network
            | Family::Device
            | Family::Joint
            | Family::Clock
            | Family::Gap
            | Family::Motion
            | Family::Sequence
            | Family::Machine => self.family_nats_max,
        }
    }

    /// The weight of a family.
    #[must_use]
    pub fn of(&self, family: Family) -> f64 {
        self.families.get(family.index()).copied().unwrap_or(1.0)
    }

    /// The same without a family: for measuring what it is worth.
    #[must_use]
    pub fn without(mut self, family: Family) -> Self {
        if let Some(weight) = self.families.get_mut(family.index()) {
            *weight = 0.0;
        }
        self
    }
}

/// Fuses evidence. Cost: linear in the evidence, a dozen exponentials.
#[must_use]
pub fn fuse(evidence: Vec<Evidence>, weights: &Weights) -> Fused {
    let weighed = weigh(&evidence, &Prepared::new(weights));
    Fused {
        log_odds: weighed.log_odds,
        profile: weighed.profile,
        contributions: weighed.lines(evidence),
    }
}

/// Weighs and sums evidence: the total of [`fuse`] without its lines. Cost: linear in the evidence, half a dozen
/// exponentials.
#[must_use]
pub fn weigh(evidence: &[Evidence], prepared: &Prepared) -> Weighed {
    let weighted = weighted(evidence, &prepared.weights);
    let priors = prepared.ln_priors;
    let mut totals = priors;
    for nats in &weighted {
        for (total, nats) in totals.iter_mut().zip(nats) {
            *total += nats;
        }
    }
    Weighed {
        log_odds: Nats(log_sum_exp(&totals)),
        profile: best(&totals),
        weighted,
        priors,
        totals,
    }
}

impl Weighed {
    /// The lines that sum to the total. `evidence` is what was weighed, or the same with its reasons.
    #[must_use]
    pub fn lines(&self, evidence: Vec<Evidence>) -> Vec<Contribution> {
        let shares = self.totals.map(|total| exp(total - self.log_odds.0));
        let mut contributions = Vec::with_capacity(evidence.len() + 2);
        contributions.extend(
            evidence
                .into_iter()
                .zip(&self.weighted)
                .map(|(evidence, nats)| Contribution {
                    signal: evidence.signal,
                    family: Some(evidence.family),
                    nats: Nats(dot(&shares, nats)),
                    reason: evidence.reason,
                }),
        );
        contributions.sort_by(|a, b| b.nats.0.abs().total_cmp(&a.nats.0.abs()));
        let prior = dot(&shares, &self.priors);
        let mixture = -shares
            .iter()
            .map(|share| if *share > 0.0 { share * ln(*share) } else { 0.0 })
            .sum::<f64>();
        contributions.push(fusion_line(
            "prior",
            prior,
            "how common attackers of the matching sorts are among attackers",
        ));
        contributions.push(fusion_line(
            "mixture",
            mixture,
            "several sorts of attacker explain the event",
        ));
        contributions
    }
}

/// Weights and caps: the sum of a family stays within its cap for each profile, all its lines scaled alike.
fn weighted(evidence: &[Evidence], weights: &Weights) -> Vec<PerProfile> {
    let mut sums = [PerProfile::default(); Family::COUNT];
    let mut weighted = Vec::with_capacity(evidence.len());
    for one in evidence {
        let weight = weights.of(one.family);
        let nats = one.nats.map(|nats| nats * weight);
        if let Some(sums) = sums.get_mut(one.family.index()) {
            for (sum, nats) in sums.iter_mut().zip(nats) {
                *sum += nats;
            }
        }
        weighted.push(nats);
    }
    for (one, nats) in evidence.iter().zip(&mut weighted) {
        let cap = weights.cap(one.family);
        let sums = sums.get(one.family.index()).copied().unwrap_or_default();
        if sums.iter().all(|sum| sum.abs() <= cap) {
            continue;
        }
        for (nats, sum) in nats.iter_mut().zip(sums) {
            *nats *= (cap / sum.abs()).min(1.0);
        }
    }
    weighted
}

fn dot(a: &PerProfile, b: &PerProfile) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn best(totals: &PerProfile) -> AttackerProfile {
    let mut best = (AttackerProfile::Opportunistic, f64::NEG_INFINITY);
    for (profile, total) in AttackerProfile::ALL.into_iter().zip(totals) {
        if *total > best.1 {
            best = (profile, *total);
        }
    }
    best.0
}

fn fusion_line(signal: &'static str, nats: f64, text: &'static str) -> Contribution {
    Contribution {
        signal: Signal(signal),
        family: None,
        nats: Nats(nats),
        reason: Reason::new(text, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FAMILIES: [Family; 14] = [
        Family::Network,
        Family::Device,
        Family::Joint,
        Family::Clock,
        Family::Gap,
        Family::Motion,
        Family::Authentication,
        Family::Session,
        Family::Resource,
        Family::Sequence,
        Family::Burst,
        Family::Campaign,
        Family::Machine,
        Family::Volume,
    ];

    fn evidence(family: Family, nats: PerProfile) -> Evidence {
        Evidence {
            family,
            signal: Signal("x"),
            nats,
            reason: Reason::new("x", vec![]),
        }
    }

    #[test]
    fn no_evidence_is_no_suspicion() {
        let fused = fuse(Vec::new(), &Weights::default());
        assert!(fused.log_odds.0.abs() < 1e-12, "the prior and the mixture cancel");
    }

    #[test]
    fn one_wrong_row_does_not_decide_alone() {
        let fused = fuse(vec![evidence(Family::Network, [50.0; 5])], &Weights::default());
        assert!((fused.log_odds.0 - 7.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn contributions_sum_to_the_total(all in prop::collection::vec((0usize..14, prop::array::uniform5(-20.0f64..20.0)), 0..12)) {
            let evidence: Vec<Evidence> = all.iter().map(|(f, nats)| evidence(FAMILIES[*f], *nats)).collect();
            let fused = fuse(evidence, &Weights::default());
            let sum: f64 = fused.contributions.iter().map(|c| c.nats.0).sum();
            prop_assert!((sum - fused.log_odds.0).abs() < 1e-6);
        }

        #[test]
        fn more_suspicion_never_lowers_the_total(a in prop::array::uniform5(-5.0f64..5.0), more in 0.0f64..3.0) {
            let weights = Weights::default();
            let before = fuse(vec![evidence(Family::Network, a)], &weights).log_odds.0;
            let after = fuse(vec![evidence(Family::Network, a.map(|n| n + more))], &weights).log_odds.0;
            prop_assert!(after >= before - 1e-9);
        }
    }
}
