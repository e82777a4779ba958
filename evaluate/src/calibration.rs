//! Whether a calibrated score means what it says: of owners' logins, one in 100 above 40, one in 1,000 above 60, one in
//! 10,000 above 80, on each day.

use crate::bars::{BarRow, ceiling, exactly, floor};
use crate::prequential::{Truth, WorldOutcome};
use habitus_model::math;
use habitus_sim::Regime;
use std::collections::BTreeMap;

/// Score, the share above it that it claims, and by which factor the real share may differ (SCORING: ±20 %, ±30 %, 2).
const CLAIMS: [(&str, f64, f64, f64); 3] = [
    (
        "share above 40, as a factor of 1 in 100 (up or down)",
        40.0,
        0.01,
        1.2,
    ),
    (
        "share above 60, as a factor of 1 in 1,000 (up or down)",
        60.0,
        0.001,
        1.3,
    ),
    (
        "share above 80, as a factor of 1 in 10,000 (up or down)",
        80.0,
        0.0001,
        2.0,
    ),
];
/// Days on which the share above 40 is between half and one and a half times 1 in 100.
const DAYS: (&str, f64) = ("days with 0.5 to 1.5 times the budget above 40", 0.95);
/// Fewest logins of a day, all worlds together, on which a share can be told: 10 flagged are expected.
const LOGINS_MIN: u64 = 1_000;

/// The rows of a scorer that gives calibrated scores; none for one that does not.
pub(crate) fn rows(of: (Regime, &str), worlds: &[&WorldOutcome], nth: usize) -> Vec<BarRow> {
    let mut scores: Vec<(u32, f64)> = Vec::new();
    for world in worlds {
        let said = world.scorers.get(nth).map_or(&[][..], |scorer| &scorer.said);
        let owners = world
            .points
            .iter()
            .zip(said)
            .filter(|(point, _)| matches!(point.truth, Truth::Owner(_)));
        scores.extend(owners.map(|(point, said)| (point.day, said.score)));
    }
    if scores.is_empty() {
        return Vec::new();
    }
    let whole = math::from_usize(scores.len());
    let mut rows: Vec<BarRow> = CLAIMS
        .into_iter()
        .map(|(bar, least, claimed, most)| {
            let above = math::from_usize(scores.iter().filter(|(_, score)| *score > least).count());
            let factor = above / whole / claimed;
            let factor = if factor > 0.0 && factor < 1.0 {
                1.0 / factor
            } else {
                factor
            };
            // None above is as far off as can be told: as if half a login were.
            let factor = if above > 0.0 {
                factor
            } else {
                claimed * whole / 0.5
            };
            ceiling((bar, most), of, Some(exactly(factor)))
        })
        .collect();
    rows.push(floor(DAYS, of, by_day(&scores).map(exactly)));
    rows
}

/// Share of days within the band; `None` if no day has enough logins.
fn by_day(scores: &[(u32, f64)]) -> Option<f64> {
    let mut days: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for (day, score) in scores {
        let (logins, flagged) = days.entry(*day).or_default();
        *logins += 1;
        *flagged += u64::from(*score > 40.0);
    }
    let told: Vec<f64> = days
        .into_values()
        .filter(|(logins, _)| *logins >= LOGINS_MIN)
        .map(|(logins, flagged)| math::from_u64(flagged) / math::from_u64(logins))
        .collect();
    let within = told
        .iter()
        .filter(|share| (0.005..=0.015).contains(*share))
        .count();
    (!told.is_empty()).then(|| math::from_usize(within) / math::from_usize(told.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prequential::{Point, ScorerPoints};
    use crate::report::WorldSummary;
    use crate::scorer::Said;
    use habitus_sim::Cohort;

    /// So many owners' logins on one day, of which so many score above 40, and none above 60.
    fn world(logins: u32, above: u32) -> WorldOutcome {
        let said = (0..logins).map(|nth| Said {
            score: if nth < above { 45.0 } else { 3.0 },
            lead: None,
        });
        let points = (0..logins).map(|account| Point {
            account,
            history: 1,
            day: 7,
            truth: Truth::Owner(Cohort::Usual),
        });
        WorldOutcome {
            summary: WorldSummary {
                seed: 1,
                regime: Regime::Consumer,
                accounts: u64::from(logins),
                days: 30,
                events: u64::from(logins),
                measured_owner_logins: u64::from(logins),
                measured_attacks: 0,
            },
            points: points.collect(),
            scorers: vec![ScorerPoints {
                name: "test".to_owned(),
                scores: Vec::new(),
                past: Vec::new(),
                said: said.collect(),
                cured: Vec::new(),
            }],
        }
    }

    fn check(above: u32, expected: [Option<bool>; 4]) {
        let world = world(2_000, above);
        let rows = rows((Regime::Consumer, "test"), &[&world], 0);
        let held: Vec<Option<bool>> = rows.iter().map(|row| row.holds).collect();
        assert_eq!(held, expected, "{above} of 2,000 above 40");
    }

    #[test]
    fn a_score_is_held_to_the_share_that_it_claims() {
        // Of 2,000 logins 20 above 40 are claimed, and two above 60: none is as far off as can be told.
        check(20, [Some(true), Some(false), Some(true), Some(true)]);
        check(24, [Some(true), Some(false), Some(true), Some(true)]);
        check(40, [Some(false), Some(false), Some(true), Some(false)]);
        check(5, [Some(false), Some(false), Some(true), Some(false)]);
    }

    #[test]
    fn days_with_few_logins_tell_no_share_and_scorers_without_scores_nothing() {
        let few = world(500, 5);
        let last = rows((Regime::Consumer, "test"), &[&few], 0).pop().unwrap();
        assert_eq!((last.measured, last.holds), (None, None));
        assert!(rows((Regime::Consumer, "test"), &[&few], 3).is_empty());
    }
}
