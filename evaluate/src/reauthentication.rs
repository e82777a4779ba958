//! What owners pay where most takeovers are found: how many of their logins are asked again (Wiefling et al., TOPS 2022,
//! report it as the median number of re-authentications), and what an alarm is worth at real rates of attack.

use crate::prequential::{Point, Truth};
use habitus_model::math;
use habitus_sim::AttackKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// Takeovers per successful login that precision is stated for (SCORING: base rates are about 1e-5).
pub const PRIOR: f64 = 1e-5;
/// The recall at which owners' pains are stated.
pub const RECALL: f64 = 0.98;

/// What owners pay for [`RECALL`] of one kind of takeover.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reauthentication {
    /// Share of owners' logins that are asked again.
    pub share: f64,
    /// Median over accounts of the share of their logins that are.
    pub median: f64,
    /// Share of the logins of accounts with exactly one earlier login that are, where the same recall holds among
    /// takeovers of such accounts; absent if there are none.
    pub second_login: Option<f64>,
}

/// One world's logins with a scorer's scores.
pub(crate) type World<'a> = (&'a [Point], &'a [f64]);

/// Measures one kind over worlds, each at its own threshold; `None` without takeovers of the kind.
pub(crate) fn measure(worlds: &[World<'_>], kind: AttackKind) -> Option<Reauthentication> {
    let mut by_account: BTreeMap<(usize, u32), (u64, u64)> = BTreeMap::new();
    for (nth, world) in worlds.iter().enumerate() {
        let least = threshold(*world, |point| point.truth == Truth::Attack(kind))?;
        for (point, score) in owners(*world) {
            let (logins, asked) = by_account.entry((nth, point.account)).or_default();
            *logins += 1;
            *asked += u64::from(score >= least);
        }
    }
    let (logins, asked) = by_account
        .values()
        .fold((0, 0), |(l, a), (logins, asked)| (l + logins, a + asked));
    let mut shares: Vec<f64> = by_account.into_values().map(ratio).collect();
    shares.sort_by(f64::total_cmp);
    Some(Reauthentication {
        share: ratio((logins, asked)),
        median: shares.get(shares.len() / 2).copied().unwrap_or(0.0),
        second_login: second_logins(worlds, kind),
    })
}

fn second_logins(worlds: &[World<'_>], kind: AttackKind) -> Option<f64> {
    let (mut logins, mut asked) = (0, 0);
    for world in worlds {
        let second = |point: &Point| point.history == 1 && point.truth == Truth::Attack(kind);
        let Some(least) = threshold(*world, second) else {
            continue;
        };
        for (_, score) in owners(*world).filter(|(point, _)| point.history == 1) {
            logins += 1;
            asked += u64::from(score >= least);
        }
    }
    (logins > 0).then(|| ratio((logins, asked)))
}

/// The score that [`RECALL`] of the wanted reach; owners who reach it too are asked.
fn threshold((points, scores): World<'_>, wanted: impl Fn(&Point) -> bool) -> Option<f64> {
    let found = points.iter().zip(scores).filter(|(point, _)| wanted(point));
    let mut scores: Vec<f64> = found.map(|(_, score)| *score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let needed = (RECALL * math::from_usize(scores.len())).ceil();
    let at = usize::try_from(math::to_u64(needed))
        .unwrap_or(0)
        .checked_sub(1)?;
    scores.get(at).copied()
}

fn owners<'a>((points, scores): World<'a>) -> impl Iterator<Item = (&'a Point, f64)> {
    let logins = points.iter().zip(scores.iter().copied());
    logins.filter(|(point, _)| matches!(point.truth, Truth::Owner(_)))
}

fn ratio((whole, part): (u64, u64)) -> f64 {
    math::from_u64(part) / math::from_u64(whole).max(1.0)
}

/// Share of alarms that are takeovers at [`PRIOR`]; absent if nothing is flagged.
pub(crate) fn precision(recall: f64, false_share: f64) -> Option<f64> {
    let flagged = PRIOR * recall + (1.0 - PRIOR) * false_share;
    (flagged > 0.0).then(|| PRIOR * recall / flagged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_sim::Cohort;

    fn point(account: u32, history: u32, truth: Truth) -> Point {
        Point {
            account,
            history,
            day: 0,
            truth,
        }
    }

    #[test]
    fn hand_computed_pains() {
        let kind = AttackKind::ForeignTakeover;
        let owner = Truth::Owner(Cohort::Usual);
        let points = [
            point(0, 1, Truth::Attack(kind)),
            point(0, 5, Truth::Attack(kind)),
            point(0, 1, owner),
            point(0, 2, owner),
            point(1, 1, owner),
            point(1, 2, owner),
            point(2, 1, owner),
        ];
        // 98 % of two takeovers are both: owners from 5 on are asked, ties too.
        let scores = [9.0, 5.0, 9.5, 1.0, 5.0, 1.0, 1.0];
        let paid = measure(&[(&points, &scores)], kind).unwrap();
        assert_eq!((paid.share, paid.median), (0.4, 0.5));
        // Among second logins the only takeover scores 9: one of three owners does too.
        assert_eq!(paid.second_login, Some(1.0 / 3.0));
        assert_eq!(
            measure(&[(&points, &scores)], AttackKind::SameCountryTakeover),
            None
        );
    }

    #[test]
    fn at_real_rates_most_alarms_are_false() {
        assert!((precision(1.0, 0.001).unwrap() - 0.0099).abs() < 1e-4);
        assert_eq!(precision(0.0, 0.0), None);
        assert_eq!(precision(0.5, 0.0), Some(1.0));
    }
}
