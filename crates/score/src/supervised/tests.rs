use super::*;
use habitus_model::{Grounds, Stratum};
use proptest::prelude::*;

/// A case in which some families speak alike for all profiles.
fn case(side: Side, says: &[(Family, f32)]) -> Case {
    let families = says.iter().map(|(family, nats)| (*family, [*nats; 5])).collect();
    Case {
        sums: Sums::kept(&Grounds {
            families,
            stratum: Stratum::Visit,
        }),
        side,
        weight: 1.0,
    }
}

/// The clock cries wolf, the session tells.
fn month(labels: usize) -> Vec<Case> {
    let pair = || {
        [
            case(Side::Attack, &[(Family::Session, 5.0), (Family::Clock, 0.5)]),
            case(Side::FalseAlarm, &[(Family::Session, 0.5), (Family::Clock, 8.0)]),
        ]
    };
    (0..labels / 2).flat_map(|_| pair()).collect()
}

#[test]
fn what_tells_attacks_weighs_more_and_what_cries_wolf_less() {
    let moves = learn(&month(60), &Weights::default());
    let of = |family: Family| moves.families[family.index()];
    assert!(of(Family::Session) > 1.1, "{}", of(Family::Session));
    assert!(of(Family::Clock) < 0.9, "{}", of(Family::Clock));
    assert!((of(Family::Device) - 1.0).abs() < 1e-9, "nothing was said of it");
}

#[test]
fn few_labels_move_little() {
    let (few, many) = (
        learn(&month(4), &Weights::default()),
        learn(&month(200), &Weights::default()),
    );
    let moved = |moves: &Moves| (moves.families[Family::Session.index()] - 1.0).abs();
    assert!(moved(&few) < 0.5 * moved(&many), "{few:?} {many:?}");
    assert_eq!(learn(&[], &Weights::default()), Moves::default());
}

#[test]
fn a_confirmed_sort_of_attacker_is_expected_more_often_within_bounds() {
    let mut insiders: Vec<Case> = Vec::new();
    for _ in 0..400 {
        let mut one = case(Side::Attack, &[]);
        one.sums = Sums::kept(&Grounds {
            families: vec![(Family::Resource, [0.0, 0.0, 0.0, 0.0, 9.0])],
            stratum: Stratum::Visit,
        });
        insiders.push(one);
    }
    let base = Weights::default();
    let shares = |cases: &[Case]| learn(cases, &base).applied(&base).priors;
    let (ten, all) = (shares(&insiders[..10]), shares(&insiders));
    assert!(
        ten[4] > base.priors[4] && ten[4] < base.priors[4] + 0.17,
        "{ten:?}"
    );
    assert!(all[4] > 0.5, "{all:?}");
    for (learned, configured) in all.iter().zip(base.priors) {
        assert!(*learned >= configured / 2.0 - 1e-9);
    }
    assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn the_order_of_labels_changes_nothing_but_rounding() {
    let mut cases = month(40);
    let one = learn(&cases, &Weights::default());
    cases.reverse();
    let other = learn(&cases, &Weights::default());
    for (a, b) in one.families.iter().zip(other.families) {
        assert!((a - b).abs() < 1e-6);
    }
}

proptest! {
    #[test]
    fn whatever_is_labelled_moves_stay_within_their_bounds(
        said in prop::collection::vec((any::<bool>(), prop::collection::vec((0usize..13, -20.0f32..20.0), 0..6)), 0..60)
    ) {
        let cases: Vec<Case> = said
            .iter()
            .map(|(attack, says)| {
                let side = if *attack { Side::Attack } else { Side::FalseAlarm };
                let says: Vec<_> = says.iter().map(|(family, nats)| (Family::ALL[*family], *nats)).collect();
                case(side, &says)
            })
            .collect();
        let moves = learn(&cases, &Weights::default());
        let length: f64 = moves.families.iter().map(|factor| (factor - 1.0) * (factor - 1.0)).sum();
        prop_assert!(length.sqrt() <= TOGETHER_MAX + 1e-9);
        prop_assert!(moves.families.iter().all(|factor| (factor - 1.0).abs() <= MOVE_MAX + 1e-9));
        prop_assert!(moves.profiles.iter().all(|factor| *factor >= 0.5 - 1e-9));
        let weights = moves.applied(&Weights::default());
        prop_assert!(weights.families.iter().chain(&weights.priors).all(|weight| weight.is_finite() && *weight >= 0.0));
    }
}
