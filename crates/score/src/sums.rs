//! Evidence summed by family: all that other weights need, for the same event in shadow or long after it.

use crate::fusion::{Prepared, Weights};
use habitus_model::evidence::PerProfile;
use habitus_model::math::{exp, log_sum_exp, to_f32};
use habitus_model::{Evidence, Family, Grounds, Nats, Stratum};

/// What each family says of one event, before weights and limits. 560 bytes, on the stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums([PerProfile; Family::COUNT]);

/// What fusion makes of sums, with what its derivatives take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opened {
    /// Total log-odds.
    pub total: Nats,
    /// Share of each attacker profile.
    pub shares: PerProfile,
    /// What a family's weight, changed by its own size, would change in the total; 0 where the family is at its limit.
    pub slopes: [f64; Family::COUNT],
    /// What each family contributes to the total.
    pub parts: [f64; Family::COUNT],
}

impl Default for Sums {
    fn default() -> Self {
        Self([[0.0; 5]; Family::COUNT])
    }
}

impl Sums {
    /// Of an event's evidence. Cost: linear in it, no allocation.
    #[must_use]
    pub fn of(evidence: &[Evidence]) -> Self {
        let mut sums = Self::default();
        for one in evidence {
            if let Some(family) = sums.0.get_mut(one.family.index()) {
                for (sum, nats) in family.iter_mut().zip(one.nats) {
                    *sum += nats;
                }
            }
        }
        sums
    }

    /// As they were kept.
    #[must_use]
    pub fn kept(grounds: &Grounds) -> Self {
        let mut sums = Self::default();
        for (family, nats) in &grounds.families {
            if let Some(sum) = sums.0.get_mut(family.index()) {
                *sum = nats.map(f64::from);
            }
        }
        sums
    }

    /// To be kept: the families that said anything.
    #[must_use]
    pub fn grounds(&self, stratum: Stratum) -> Grounds {
        let spoke = Family::ALL
            .iter()
            .zip(&self.0)
            .filter(|(_, nats)| nats.iter().any(|nats| *nats != 0.0));
        Grounds {
            families: spoke.map(|(family, nats)| (*family, nats.map(to_f32))).collect(),
            stratum,
        }
    }

    /// The total that [`crate::weigh`] gives of the same evidence, but for rounding.
    #[must_use]
    pub fn total(&self, prepared: &Prepared) -> Nats {
        let mut totals = prepared.ln_priors;
        for (family, sums) in Family::ALL.into_iter().zip(&self.0) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += limited(&prepared.weights, family, *sum);
            }
        }
        Nats(log_sum_exp(&totals))
    }

    /// The total, and how it depends on the weights.
    #[must_use]
    pub fn open(&self, prepared: &Prepared) -> Opened {
        let weights = &prepared.weights;
        let mut totals = prepared.ln_priors;
        for (family, sums) in Family::ALL.into_iter().zip(&self.0) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += limited(weights, family, *sum);
            }
        }
        let total = log_sum_exp(&totals);
        let shares = totals.map(|each| exp(each - total));
        let (mut slopes, mut parts) = ([0.0; Family::COUNT], [0.0; Family::COUNT]);
        let of_each = slopes.iter_mut().zip(&mut parts).zip(Family::ALL);
        for (((slope, part), family), sums) in of_each.zip(&self.0) {
            let said = shares.iter().zip(sums);
            *part = said
                .map(|(share, sum)| share * limited(weights, family, *sum))
                .sum();
            let (weight, cap) = (weights.of(family), weights.cap(family));
            *slope = shares
                .iter()
                .zip(sums)
                .map(|(share, sum)| share * weight * sum)
                .zip(sums)
                .filter(|(_, sum)| (weight * **sum).abs() < cap)
                .map(|(slope, _)| slope)
                .sum();
        }
        Opened {
            total: Nats(total),
            shares,
            slopes,
            parts,
        }
    }
}

fn limited(weights: &Weights, family: Family, sum: f64) -> f64 {
    let cap = weights.cap(family);
    (weights.of(family) * sum).clamp(-cap, cap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weigh;
    use habitus_model::{Reason, Signal};
    use proptest::prelude::*;

    fn evidence(family: usize, nats: PerProfile) -> Evidence {
        Evidence {
            family: Family::ALL[family],
            signal: Signal("x"),
            nats,
            reason: Reason::new("x", vec![]),
        }
    }

    proptest! {
        #[test]
        fn sums_are_fused_as_the_evidence_itself(
            all in prop::collection::vec((0usize..14, prop::array::uniform5(-20.0f64..20.0)), 0..12)
        ) {
            let evidence: Vec<Evidence> = all.iter().map(|(family, nats)| evidence(*family, *nats)).collect();
            let prepared = Prepared::new(&Weights::default());
            let whole = weigh(&evidence, &prepared).log_odds.0;
            let sums = Sums::of(&evidence);
            prop_assert!((sums.total(&prepared).0 - whole).abs() < 1e-9);
            prop_assert!((sums.open(&prepared).total.0 - whole).abs() < 1e-9);
            let kept = Sums::kept(&sums.grounds(Stratum::Visit));
            prop_assert!((kept.total(&prepared).0 - whole).abs() < 1e-4, "kept in 32 bits");
        }

        #[test]
        fn slopes_are_what_a_changed_weight_changes(
            all in prop::collection::vec((0usize..14, prop::array::uniform5(-3.0f64..3.0)), 1..6), family in 0usize..14
        ) {
            let evidence: Vec<Evidence> = all.iter().map(|(family, nats)| evidence(*family, *nats)).collect();
            let sums = Sums::of(&evidence);
            let (base, step) = (Weights::default(), 1e-6);
            let mut moved = base;
            moved.families[family] *= 1.0 + step;
            let (at, there) = (Prepared::new(&base), Prepared::new(&moved));
            let slope = (sums.total(&there).0 - sums.total(&at).0) / step;
            // Where a family stands at its limit the slope has a corner.
            let cornered = sums.0[family].iter().any(|sum| (sum.abs() * base.families[family] - 7.0).abs() < 0.01);
            prop_assert!(cornered || (sums.open(&at).slopes[family] - slope).abs() < 1e-3);
        }
    }
}
