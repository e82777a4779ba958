//! The five sorts of attacker, as probabilities of what they would show (SCORING 3).
//!
//! Each is a small generative model: a country, a network within it, an address, a client. Probabilities are never 0,
//! so that no single observation decides alone. The insider shows what the owner shows.
//! Numbers without a source are assumed: labels will move them.

use habitus_model::NetworkClass;
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use std::sync::LazyLock;

/// The least probability of anything (SCORING 3).
pub const FLOOR: f64 = 1e-6;

/// Countries an attacker is drawn from when nothing ties it to the victim: about as many as matter.
const COUNTRIES: f64 = 60.0;
/// Networks, likewise.
const NETWORKS: f64 = 300.0;

/// Probability that each attacker comes from this country. `own` is the country's share in the victim's history (0 if
/// new), `popular` the probability that an owner who brings a new country brings this one: attackers, too, come from
/// where many people and networks are.
#[must_use]
pub fn country(own: f64, popular: f64) -> PerProfile {
    let anywhere = 0.5 / COUNTRIES + 0.5 * popular;
    let aware = 0.85 * own + 0.15 * anywhere;
    [
        anywhere,
        aware,
        0.97 * own + 0.03 * anywhere,
        0.5 * (anywhere + aware),
        f64::NAN,
    ]
}

/// Probability that each attacker, being in this country, uses this network. Arguments as in [`country`].
#[must_use]
pub fn network(own: f64, popular: f64) -> PerProfile {
    let anyone = 0.5 / NETWORKS + 0.5 * popular;
    [anyone, anyone, 0.85 * own + 0.15 * anyone, anyone, f64::NAN]
}

/// Share of a network class among the networks attackers come from whose class is known: hosting and residential proxies
/// lead. Assumed.
#[must_use]
pub const fn class(class: NetworkClass) -> f64 {
    match class {
        NetworkClass::Hosting => 0.33,
        NetworkClass::Fixed => 0.36,
        NetworkClass::Relay => 0.14,
        NetworkClass::Unknown => 0.0,
        NetworkClass::Mobile => 0.12,
        NetworkClass::Corporate => 0.03,
        NetworkClass::Private => 0.02,
    }
}

/// Probability that each attacker, in a country new to the victim, uses a provider the victim knows from elsewhere: big
/// VPNs and clouds have many customers. Assumed.
pub const PROVIDER_ABROAD: PerProfile = [0.02, 0.02, 0.10, 0.02, f64::NAN];
/// Probability that each attacker, on a network of the victim's, meets a prefix the victim used.
pub const KNOWN_PREFIX: PerProfile = [0.02, 0.02, 0.08, 0.03, f64::NAN];
/// Probability that each attacker, in a prefix of the victim's, meets an address the victim used.
pub const KNOWN_HOST: PerProfile = [0.05, 0.05, 0.20, 0.10, f64::NAN];

/// Probability that each attacker shows this family of client. Arguments as in [`country`].
#[must_use]
pub fn family(own: f64, popular: f64) -> PerProfile {
    let anyone = 0.7 * popular + 0.3 / 40.0;
    [
        anyone,
        anyone,
        0.55 * own + 0.45 * anyone,
        0.5 * own + 0.5 * anyone,
        f64::NAN,
    ]
}

/// Probability that each attacker, with a family of the victim's, shows this change of version against what the victim
/// showed last. `usual` is how often the owner does, `stranger` how often anybody's client of that family would: who
/// imitates shows what fits.
#[must_use]
pub fn version(usual: f64, stranger: f64) -> PerProfile {
    let imitated = |share: f64| share * usual + (1.0 - share) * stranger;
    [stranger, stranger, imitated(0.6), imitated(0.9), f64::NAN]
}

/// Probability that each attacker shows a client key of the victim's: only who holds the device or its session can.
pub const KNOWN_KEY: PerProfile = [0.01, 0.01, 0.03, 0.40, f64::NAN];
/// Probability that each attacker shows no key where the victim usually does.
pub const KEY_ABSENT: PerProfile = [0.85, 0.85, 0.80, 0.40, f64::NAN];
/// Probability that each attacker's place is out of reach of the victim's after so many hours (SCORING 6): its distance is
/// taken as even up to a reach of its own (the world, the country, the provider's region), and a jet covers 900 km an
/// hour. After half a day every place can be reached, and the place proves nothing.
#[must_use]
pub fn out_of_reach(hours: f64) -> PerProfile {
    const JET_KM_PER_HOUR: f64 = 900.0;
    let beyond = |reach_km: f64| 0.95 * (1.0 - JET_KM_PER_HOUR * (hours + 0.25) / reach_km).clamp(0.0, 1.0);
    let (world, country, region) = (beyond(12_000.0), beyond(1_500.0), beyond(300.0));
    [world, country, region, 0.5 * (world + country), f64::NAN]
}

/// `ln p_attacker − ln p_owner` per attacker. NaN stands for "as the owner": no evidence either way.
#[must_use]
pub fn against(attackers: PerProfile, owner: f64) -> PerProfile {
    let owner = ln(owner.max(FLOOR));
    // Several sorts often show a thing equally often, and logarithms are dear.
    let mut last = (f64::NAN, 0.0);
    attackers.map(|p| {
        if p.is_nan() {
            return 0.0;
        }
        if p != last.0 {
            last = (p, ln(p.max(FLOOR)));
        }
        last.1 - owner
    })
}

/// Logarithms of probabilities that never change, worked out once.
pub type Logs = LazyLock<PerProfile>;

/// [`KNOWN_PREFIX`].
pub static KNOWN_PREFIX_LOGS: Logs = LazyLock::new(|| logs(KNOWN_PREFIX));
/// The complement of [`KNOWN_PREFIX`].
pub static NEW_PREFIX_LOGS: Logs = LazyLock::new(|| logs(otherwise(KNOWN_PREFIX)));
/// [`KNOWN_HOST`].
pub static KNOWN_HOST_LOGS: Logs = LazyLock::new(|| logs(KNOWN_HOST));
/// The complement of [`KNOWN_HOST`].
pub static NEW_HOST_LOGS: Logs = LazyLock::new(|| logs(otherwise(KNOWN_HOST)));
/// [`KNOWN_KEY`].
pub static KNOWN_KEY_LOGS: Logs = LazyLock::new(|| logs(KNOWN_KEY));
/// The complement of [`KNOWN_KEY`].
pub static NEW_KEY_LOGS: Logs = LazyLock::new(|| logs(otherwise(KNOWN_KEY)));

fn logs(attackers: PerProfile) -> PerProfile {
    attackers.map(|p| if p.is_nan() { p } else { ln(p.max(FLOOR)) })
}

/// What [`against`] gives, of probabilities whose logarithms are known.
#[must_use]
pub fn against_logs(attackers: &PerProfile, owner: f64) -> PerProfile {
    let owner = ln(owner.max(FLOOR));
    attackers.map(|log| if log.is_nan() { 0.0 } else { log - owner })
}

/// The complement of each probability; "as the owner" stays.
#[must_use]
pub fn otherwise(attackers: PerProfile) -> PerProfile {
    attackers.map(|p| 1.0 - p)
}

/// Adds two pieces of evidence.
#[must_use]
pub fn plus(a: PerProfile, b: PerProfile) -> PerProfile {
    let mut sum = a;
    for (sum, b) in sum.iter_mut().zip(b) {
        *sum += b;
    }
    sum
}

/// Multiplies evidence by a factor.
#[must_use]
pub fn scaled(a: PerProfile, factor: f64) -> PerProfile {
    a.map(|nats| nats * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_insider_is_never_told_from_the_owner() {
        for evidence in [
            against(country(0.2, 0.5), 0.01),
            against(otherwise(KNOWN_PREFIX), 0.3),
        ] {
            assert_eq!(evidence.last(), Some(&0.0));
        }
    }

    #[test]
    fn logarithms_worked_out_once_give_the_same() {
        for owner in [1e-9, 0.013, 0.5, 0.97] {
            assert_eq!(
                against_logs(&NEW_HOST_LOGS, owner),
                against(otherwise(KNOWN_HOST), owner)
            );
            assert_eq!(
                against_logs(&KNOWN_PREFIX_LOGS, owner),
                against(KNOWN_PREFIX, owner)
            );
        }
    }

    #[test]
    fn who_imitates_more_is_closer_to_the_owner() {
        let home = country(0.9, 0.5);
        assert!(home[0] < home[1] && home[1] < home[2]);
    }
}
