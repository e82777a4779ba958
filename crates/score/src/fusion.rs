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
    /// Weight of clock evidence: events of one session are not independent (SCORING 4).
    pub clock: f64,
    /// Weight of motion evidence. Assumed.
    pub motion: f64,
    /// Weight of gap evidence. Assumed; 0 to 1 differ by half a point of recall on development seeds.
    pub gap: f64,
    /// Weight of all other families.
    pub other: f64,
    /// No family moves the total by more than this, nats: one wrong row in a table must not decide alone (SCORING 3).
    pub family_nats_max: f64,
    /// The same for bursts, which are counted and stand in no table.
    pub burst_nats_max: f64,
    /// The same for sessions and resources, which are measured for each tenant and add up over several facts. Assumed.
    pub conduct_nats_max: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            priors: [0.65, 0.12, 0.05, 0.08, 0.10],
            clock: 0.6,
            motion: 1.0,
            gap: 0.5,
            other: 1.0,
            family_nats_max: 7.0,
            burst_nats_max: 10.0,
            conduct_nats_max: 14.0,
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

const FAMILIES: [Family; 13] = [
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
];

impl Weights {
    fn cap(&self, family: Family) -> f64 {
        match family {
            Family::Burst => self.burst_nats_max,
            Family::Resource | Family::Session => self.conduct_nats_max,
            Family::Network
            | Family::Device
            | Family::Joint
            | Family::Clock
            | Family::Gap
            | Family::Motion
            | Family::Authentication
            | Family::Sequence
            | Family::Campaign
            | Family::Machine => self.family_nats_max,
        }
    }

    fn of(&self, family: Family) -> f64 {
        match family {
            Family::Clock => self.clock,
            Family::Motion => self.motion,
            Family::Gap => self.gap,
            Family::Network
            | Family::Device
            | Family::Joint
            | Family::Authentication
            | Family::Session
            | Family::Resource
            | Family::Sequence
            | Family::Burst
            | Family::Campaign
            | Family::Machine => self.other,
        }
    }
}

/// Fuses evidence. Cost: linear in the evidence, a dozen exponentials.
#[must_use]
pub fn fuse(evidence: Vec<Evidence>, weights: &Weights) -> Fused {
    let weighted = weigh(&evidence, weights);
    let priors = weights.priors.map(ln);
    let mut totals = priors;
    for nats in &weighted {
        for (total, nats) in totals.iter_mut().zip(nats) {
            *total += nats;
        }
    }
    let log_odds = log_sum_exp(&totals);
    let shares = totals.map(|total| exp(total - log_odds));
    let mut contributions: Vec<Contribution> = evidence
        .into_iter()
        .zip(&weighted)
        .map(|(evidence, nats)| Contribution {
            signal: evidence.signal,
            family: Some(evidence.family),
            nats: Nats(dot(&shares, nats)),
            reason: evidence.reason,
        })
        .collect();
    contributions.sort_by(|a, b| b.nats.0.abs().total_cmp(&a.nats.0.abs()));
    let prior = dot(&shares, &priors);
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
    Fused {
        log_odds: Nats(log_odds),
        profile: best(&totals),
        contributions,
    }
}

/// Weights and caps: the sum of a family stays within `family_nats_max` for each profile, all its lines scaled alike.
fn weigh(evidence: &[Evidence], weights: &Weights) -> Vec<PerProfile> {
    let mut weighted: Vec<PerProfile> = evidence
        .iter()
        .map(|e| e.nats.map(|nats| nats * weights.of(e.family)))
        .collect();
    for family in FAMILIES {
        let of_family = |index: usize| evidence.get(index).is_some_and(|e| e.family == family);
        let mut sums = [0.0; 5];
        for (index, nats) in weighted.iter().enumerate() {
            if of_family(index) {
                for (sum, nats) in sums.iter_mut().zip(nats) {
                    *sum += nats;
                }
            }
        }
        let cap = weights.cap(family);
        let factors = sums.map(|sum: f64| (cap / sum.abs()).min(1.0));
        for (index, nats) in weighted.iter_mut().enumerate() {
            if of_family(index) {
                for (nats, factor) in nats.iter_mut().zip(factors) {
                    *nats *= factor;
                }
            }
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
        fn contributions_sum_to_the_total(all in prop::collection::vec((0usize..12, prop::array::uniform5(-20.0f64..20.0)), 0..12)) {
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
