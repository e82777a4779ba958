//! How often each cohort of owners is flagged, beside everybody.

use crate::bootstrap;
use crate::metrics::weight_of;
use crate::plan::Plan;
use crate::prequential::{Point, Truth};
use crate::report::{CohortShare, Estimate};
use crate::summary::Flags;
use habitus_model::math;
use habitus_sim::Cohort;

/// Which of the budgets asks for a second factor: 1 % of logins.
const STEP_UP: usize = 3;

/// The logins of one world, with what each exceeded when it came.
pub(crate) struct World<'a> {
    pub seed: u64,
    pub accounts: usize,
    pub points: &'a [Point],
    pub flags: &'a [Flags],
}

/// Logins of a cohort in one world: whose, and whether flagged at 1 %.
type Tally = Vec<(u32, bool)>;

/// Every cohort, in the order of [`Cohort::ALL`]. O(replicates × logins).
pub(crate) fn measure(plan: &Plan, worlds: &[World<'_>]) -> Vec<CohortShare> {
    let owners = tallies(worlds, |truth| matches!(truth, Truth::Owner(_)));
    let cohorts = Cohort::ALL.map(|cohort| tallies(worlds, of(cohort)));
    let ones: Vec<Vec<f64>> = worlds.iter().map(|world| vec![1.0; world.accounts]).collect();
    let replicates: Vec<Vec<Option<f64>>> = (0..plan.replicates)
        .map(|nth| {
            let weights = worlds
                .iter()
                .map(|world| bootstrap::weights((plan.bootstrap_seed, world.seed), nth, world.accounts));
            times_overall(&owners, &cohorts, &weights.collect::<Vec<_>>())
        })
        .collect();
    let plain = times_overall(&owners, &cohorts, &ones);
    let alone = |world: usize| {
        let mut weights = ones.clone();
        let others = weights
            .iter_mut()
            .enumerate()
            .filter(|(other, _)| *other != world);
        others.for_each(|(_, weights)| weights.clear());
        times_overall(&owners, &cohorts, &weights)
    };
    let worlds_alone: Vec<Vec<Option<f64>>> = (0..worlds.len()).map(alone).collect();
    let each = Cohort::ALL.into_iter().zip(plain).enumerate();
    each.map(|(nth, (cohort, value))| {
        let of_cohort = |measured: &[Vec<Option<f64>>]| -> Vec<f64> {
            let values = measured.iter().filter_map(|times| *times.get(nth)?);
            values.collect()
        };
        let alone = of_cohort(&worlds_alone);
        let inside = of(cohort);
        let (count, flagged) = counted(worlds, |point| inside(point.truth));
        CohortShare {
            cohort,
            count,
            flagged,
            times_overall: value.map(|value| Estimate {
                value,
                interval: bootstrap::interval(of_cohort(&replicates)),
                worlds: (
                    alone.iter().copied().fold(value, f64::min),
                    alone.iter().copied().fold(value, f64::max),
                ),
            }),
        }
    })
    .collect()
}

fn of(cohort: Cohort) -> impl Fn(Truth) -> bool {
    move |truth| matches!(truth, Truth::Owner(c) | Truth::Aside(c) if c == cohort)
}

/// How many times as often as all owners' each cohort's logins are flagged; `None` where either has none.
fn times_overall(owners: &[Tally], cohorts: &[Vec<Tally>], weights: &[Vec<f64>]) -> Vec<Option<f64>> {
    let overall = share(owners, weights).filter(|share| *share > 0.0);
    let of = |cohort: &Vec<Tally>| Some(share(cohort, weights)? / overall?);
    cohorts.iter().map(of).collect()
}

/// Weighted share that is flagged, pooled over worlds; `None` of nothing.
fn share(tallies: &[Tally], weights: &[Vec<f64>]) -> Option<f64> {
    let (mut whole, mut above) = (0.0, 0.0);
    for (tally, weights) in tallies.iter().zip(weights) {
        for (account, flagged) in tally {
            let weight = weight_of(weights, *account);
            whole += weight;
            above += weight * f64::from(u8::from(*flagged));
        }
    }
    (whole > 0.0).then(|| above / whole)
}

fn tallies(worlds: &[World<'_>], wanted: impl Fn(Truth) -> bool) -> Vec<Tally> {
    let of_world = |world: &World<'_>| {
        let wanted = world
            .points
            .iter()
            .zip(world.flags)
            .filter(|(point, _)| wanted(point.truth));
        wanted
            .map(|(point, flags)| (point.account, flags.get(STEP_UP).copied().unwrap_or(false)))
            .collect()
    };
    worlds.iter().map(of_world).collect()
}

/// Number of the wanted logins, and the share of them strictly above each budget's threshold of their time.
pub(crate) fn counted(worlds: &[World<'_>], wanted: impl Fn(&Point) -> bool) -> (u64, [f64; 5]) {
    let (mut count, mut above) = (0_u64, [0_u64; 5]);
    for world in worlds {
        let wanted = world
            .points
            .iter()
            .zip(world.flags)
            .filter(|(point, _)| wanted(point));
        for (_, flags) in wanted {
            count += 1;
            for (above, flag) in above.iter_mut().zip(flags) {
                *above += u64::from(*flag);
            }
        }
    }
    let whole = math::from_u64(count).max(1.0);
    (count, above.map(|above| math::from_u64(above) / whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten accounts with ten logins each; of the first account's, travels all, `travels` are flagged, and one of each other's.
    fn points(travels: usize) -> (Vec<Point>, Vec<Flags>) {
        let each = (0..10).flat_map(|account| (0..10).map(move |login| (account, login)));
        each.map(|(account, login)| {
            let cohort = if account == 0 {
                Cohort::Travel
            } else {
                Cohort::Usual
            };
            let flagged = login < if account == 0 { travels } else { 1 };
            let point = Point {
                account,
                truth: Truth::Owner(cohort),
                history: 5,
                day: 20,
            };
            (point, [false, false, false, flagged, true])
        })
        .unzip()
    }

    #[test]
    fn a_cohort_is_held_against_everybody_and_accounts_are_drawn() {
        let plan = Plan {
            replicates: 200,
            ..Plan::of(Vec::new())
        };
        let (points, flags) = points(6);
        let world = |seed| World {
            seed,
            accounts: 10,
            points: &points,
            flags: &flags,
        };
        let measured = measure(&plan, &[world(1), world(2)]);
        let of = |cohort| measured.iter().find(|share| share.cohort == cohort).unwrap();
        let travel = of(Cohort::Travel);
        assert_eq!((travel.count, travel.flagged), (20, [0.0, 0.0, 0.0, 0.6, 1.0]));
        // Six in ten of one account, beside 15 of 100 of all.
        let times = travel.times_overall.unwrap();
        assert!((times.value - 4.0).abs() < 1e-9, "{times:?}");
        assert_eq!(times.worlds, (times.value, times.value));
        // The more often the one account is drawn, the more of everybody is it, and the less does it stand out.
        let (low, high) = times.interval.unwrap();
        assert!(
            low < times.value && times.value < high && high <= 6.0,
            "{low} {high}"
        );
        assert!(of(Cohort::Vpn).times_overall.is_none());
    }
}
