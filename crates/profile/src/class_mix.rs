//! Classes of the networks that accounts bring: homes, phones, offices, and addresses that are rented by the hour.
//!
//! Whether somebody uses a VPN is a habit of the person. Of those who do, most new networks are further exits of it; of
//! those who never did, hardly any. One share for all takes every exit for usual, because those who have the habit bring
//! most of what is new.

use crate::observation::NewNetwork;
use habitus_model::NetworkClass;
use serde::{Deserialize, Serialize};

/// Weight of [`prior`], arrivals.
const PRIOR_WEIGHT: f64 = 20.0;
/// Weight of all accounts' share behind that of those with, or without, the habit, arrivals.
const HABIT_WEIGHT: f64 = 20.0;

/// Counts by whether the account was on rented networks before, whether the country was new as well, and class; decayed by
/// the population.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct ClassMix([[[f64; 7]; 2]; 2]);

impl ClassMix {
    /// Share of a class among all that is new, at home or abroad.
    pub(crate) fn share(&self, abroad: bool, class: NetworkClass) -> f64 {
        let (mut own, mut total) = (0.0, 0.0);
        for rents in [false, true] {
            let (its, all) = self.counted(NewNetwork { abroad, rents, class });
            own += its;
            total += all;
        }
        (own + PRIOR_WEIGHT * prior(class)) / (total + PRIOR_WEIGHT)
    }

    /// The same among accounts that share the habit, shrunk towards all.
    pub(crate) fn habit(&self, new: NewNetwork) -> f64 {
        let (own, total) = self.counted(new);
        (own + HABIT_WEIGHT * self.share(new.abroad, new.class)) / (total + HABIT_WEIGHT)
    }

    pub(crate) fn learn(&mut self, new: NewNetwork) {
        let rows = self.0.get_mut(usize::from(new.rents));
        let row = rows.and_then(|rows| rows.get_mut(usize::from(new.abroad)));
        if let Some(count) = row.and_then(|row| row.get_mut(index(new.class))) {
            *count += 1.0;
        }
    }

    pub(crate) fn counts(&mut self) -> impl Iterator<Item = &mut f64> {
        self.0.iter_mut().flatten().flatten()
    }

    /// Of a class, and of all classes that are known: not to know one says nothing.
    fn counted(&self, new: NewNetwork) -> (f64, f64) {
        let rows = self.0.get(usize::from(new.rents));
        let row = rows
            .and_then(|rows| rows.get(usize::from(new.abroad)))
            .copied()
            .unwrap_or_default();
        let of = |class| row.get(index(class)).copied().unwrap_or(0.0);
        (of(new.class), row.iter().sum::<f64>() - of(NetworkClass::Unknown))
    }
}

fn index(class: NetworkClass) -> usize {
    NetworkClass::ALL
        .iter()
        .position(|each| *each == class)
        .unwrap_or(0)
}

/// Prior share of classes among networks that are new to a legitimate account: mostly somebody's home or phone.
/// Assumed; the tenant's own arrivals replace it after some dozens.
fn prior(class: NetworkClass) -> f64 {
    match class {
        NetworkClass::Unknown => 0.0,
        NetworkClass::Fixed => 0.53,
        NetworkClass::Mobile => 0.29,
        NetworkClass::Hosting => 0.04,
        NetworkClass::Relay => 0.06,
        NetworkClass::Corporate | NetworkClass::Private => 0.04,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_habit_is_told_from_the_lack_of_it() {
        let mut mix = ClassMix::default();
        let new = |rents, class| NewNetwork {
            abroad: false,
            rents,
            class,
        };
        for _ in 0..100 {
            mix.learn(new(true, NetworkClass::Hosting));
            mix.learn(new(false, NetworkClass::Fixed));
        }
        let of = |rents| mix.habit(new(rents, NetworkClass::Hosting));
        assert!(of(true) > 0.8, "{}", of(true));
        assert!(of(false) < 0.1, "{}", of(false));
        let all = mix.share(false, NetworkClass::Hosting);
        assert!((0.4..0.5).contains(&all), "{all}");
    }

    #[test]
    fn before_anything_is_counted_the_habit_says_nothing() {
        let mix = ClassMix::default();
        for class in NetworkClass::ALL.iter().copied() {
            for rents in [false, true] {
                let new = NewNetwork {
                    abroad: true,
                    rents,
                    class,
                };
                assert!((mix.habit(new) - mix.share(true, class)).abs() < 1e-12);
            }
        }
    }
}
