//! What the accounts of one tenant have in common: hazards of novelty, popularity of values, rhythms.
//!
//! Read by every account stage as of the last epoch; changed only by [`Observation`]s applied in the order of the log, so
//! that any number of shards gives the same tables (SCORING 14).

use crate::bucket::{IdleBucket, SizeBucket};
use crate::class_mix::ClassMix;
use crate::features::clock::PopulationClock;
use crate::features::gap::{Gap, Rhythm};
use crate::habits::Habits;
use crate::hazard::Hazards;
use crate::joint::{Joint, NetworkNovelty};
use crate::journey::Journeys;
use crate::observation::{NewNetwork, Observation, VersionChange};
use crate::popularity::Popularity;
use crate::second_factor::FactorHabits;
use crate::teleport::TeleportCell;
use crate::told::Told;
use crate::version_mix::VersionMix;
use habitus_model::math::half_life_factor;
use habitus_model::{Decayed, Minutes, NetworkClass};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most peer groups with tables of their own; accounts of further groups back off to the tenant.
const GROUPS_MAX: usize = 64;
/// Weight of the tenant behind a peer group, accounts.
const GROUP_SHRINKAGE: f64 = 10.0;
/// Half-life of hazards and arrivals, days (SCORING 2).
const HAZARD_HALF_LIFE_DAYS: f64 = 30.0;
/// Half-life of type counts, days (SCORING 2: ASN, country).
const TYPES_HALF_LIFE_DAYS: f64 = 120.0;
/// Probability of any one value where nothing is known: about 60 countries, 300 networks and 40 clients are common
/// enough to be met (order of magnitude; a factor of two moves a score by 0.7 nats at most).
const FLAT_COUNTRY: f64 = 1.0 / 60.0;
const FLAT_ASN: f64 = 1.0 / 300.0;
const FLAT_FAMILY: f64 = 1.0 / 40.0;

/// A kind of value whose popularity is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Countries.
    Country,
    /// Autonomous systems within a country.
    Asn,
    /// Families of clients.
    Family,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Values {
    countries: Popularity,
    asns: Popularity,
    families: Popularity,
}

impl Values {
    fn of(&self, kind: Kind) -> &Popularity {
        match kind {
            Kind::Country => &self.countries,
            Kind::Asn => &self.asns,
            Kind::Family => &self.families,
        }
    }

    fn learn(&mut self, seen: &Observation) {
        for (popularity, value) in [
            (&mut self.countries, seen.new_country),
            (&mut self.asns, seen.new_asn),
            (&mut self.families, seen.new_family),
        ] {
            if let Some(new) = value {
                popularity.learn(new.value, new.arrival);
            }
        }
    }

    fn scale(&mut self, arrivals: f64, types: f64) {
        for popularity in [&mut self.countries, &mut self.asns, &mut self.families] {
            popularity.scale(arrivals, types);
        }
    }
}

/// The tables of one tenant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Population {
    accounts: u64,
    visits: u64,
    hazards: Hazards,
    tenant: Values,
    groups: BTreeMap<u64, Values>,
    classes: ClassMix,
    journeys: Journeys,
    providers_abroad: (f64, f64),
    versions: [[f64; VersionChange::COUNT]; IdleBucket::COUNT],
    running: VersionMix,
    joint: Joint,
    clock: PopulationClock,
    gap: Gap,
    teleports: [(f64, f64); TeleportCell::COUNT],
    key_absent: [(f64, f64); 2],
    factors: FactorHabits,
    habits: Habits,
    decayed: Decayed,
}

impl Population {
    /// Accounts that ever proved an identity.
    #[must_use]
    pub fn accounts(&self) -> u64 {
        self.accounts
    }

    /// Visits learned.
    #[must_use]
    pub fn visits(&self) -> u64 {
        self.visits
    }

    /// Novelty hazards.
    #[must_use]
    pub fn hazards(&self) -> &Hazards {
        &self.hazards
    }

    /// Share of a value among what accounts know: peer group, backed off to tenant, backed off to a flat prior.
    #[must_use]
    pub fn share(&self, kind: Kind, value: u64, group: Option<u64>) -> f64 {
        let tenant = self.tenant.of(kind).share(value, flat(kind));
        let Some(group) = group.and_then(|group| self.groups.get(&group)) else {
            return tenant;
        };
        let own = group.of(kind);
        let total = own.total();
        (own.accounts(value) + GROUP_SHRINKAGE * tenant) / (total + GROUP_SHRINKAGE)
    }

    /// Probability that a value new to its account is this one. The home country is not new: what the others bring is
    /// shared among the rest.
    #[must_use]
    pub fn arrival(&self, kind: Kind, value: u64, group: Option<u64>) -> f64 {
        let of = |value| {
            let share = self.share(kind, value, group);
            self.tenant.of(kind).arrival(value, share, flat(kind))
        };
        let home = group.filter(|home| kind == Kind::Country && *home != value);
        of(value) / (1.0 - home.map_or(0.0, of)).max(0.05)
    }

    /// Accounts of the tenant that know the value, with forgetting.
    #[must_use]
    pub fn knowers(&self, kind: Kind, value: u64) -> f64 {
        self.tenant.of(kind).accounts(value)
    }

    /// Share of a network class among networks that were new to their account: at home, or abroad where the country was
    /// new as well. Among those whose class is known: not to know it says nothing.
    #[must_use]
    pub fn class_arrival(&self, abroad: bool, class: NetworkClass) -> f64 {
        self.classes.share(abroad, class)
    }

    /// The same among accounts that were, or were never, on a rented network before.
    #[must_use]
    pub fn class_habit(&self, new: NewNetwork) -> f64 {
        self.classes.habit(new)
    }

    /// How far away the countries are that accounts bring.
    #[must_use]
    pub fn journeys(&self) -> &Journeys {
        &self.journeys
    }

    /// Probability that a network in a country new to the account is one it knows from elsewhere: another exit of its VPN,
    /// or its own line, placed wrongly.
    #[must_use]
    pub fn provider_abroad(&self) -> f64 {
        let (same, all) = self.providers_abroad;
        (same + PROVIDER_ABROAD_WEIGHT * PROVIDER_ABROAD) / (all + PROVIDER_ABROAD_WEIGHT)
    }

    /// Probability of a change of version of a known client, after a silence.
    #[must_use]
    pub fn version_change(&self, idle: IdleBucket, change: VersionChange) -> f64 {
        let row = self.versions.get(idle.index()).copied().unwrap_or_default();
        let prior = VERSION_PRIOR.get(idle.index()).copied().unwrap_or_default();
        let total: f64 = row.iter().sum();
        let own = row.get(change.index()).copied().unwrap_or(0.0);
        let prior = prior.get(change.index()).copied().unwrap_or(0.01);
        (own + VERSION_PRIOR_WEIGHT * prior) / (total + VERSION_PRIOR_WEIGHT)
    }

    /// Which versions of clients are in use.
    #[must_use]
    pub fn running(&self) -> &VersionMix {
        &self.running
    }

    /// How much more often than by chance this network outcome goes with a known or new client: `ln p(i,j) / p(i)p(j)`.
    #[must_use]
    pub fn joint_lift(&self, size: SizeBucket, network: NetworkNovelty, new_device: bool) -> f64 {
        self.joint.lift(size, network, new_device)
    }

    /// Hours of the week.
    #[must_use]
    pub fn clock(&self) -> &PopulationClock {
        &self.clock
    }

    /// Rhythm of all accounts.
    #[must_use]
    pub fn rhythm(&self) -> Rhythm {
        self.gap.rhythm(Rhythm::PRIOR)
    }

    /// Probability that a legitimate visit moves faster than travel, for a cell of (same client, loose network).
    #[must_use]
    pub fn teleport(&self, cell: TeleportCell) -> f64 {
        let (jumps, moves) = self.teleports.get(cell.index()).copied().unwrap_or_default();
        (jumps + TELEPORT_PRIOR_WEIGHT * cell.prior()) / (moves + TELEPORT_PRIOR_WEIGHT)
    }

    /// Probability that a visit shows no client key where the client, or if it is new the account, usually does.
    #[must_use]
    pub fn key_absent(&self, new_family: bool) -> f64 {
        let (absent, visits) = self
            .key_absent
            .get(usize::from(new_family))
            .copied()
            .unwrap_or_default();
        // Assumed: a new device is often somebody's own, which no one manages; a managed one rarely forgets its key.
        let prior = if new_family { 0.4 } else { 0.03 };
        (absent + KEY_PRIOR_WEIGHT * prior) / (visits + KEY_PRIOR_WEIGHT)
    }

    /// When accounts with a second factor are asked for it.
    #[must_use]
    pub fn factors(&self) -> &FactorHabits {
        &self.factors
    }

    /// Sessions, prompts, resources and machines.
    #[must_use]
    pub fn habits(&self) -> &Habits {
        &self.habits
    }

    /// Takes in what one event told beyond its visit, in the order of the log.
    pub fn hear(&mut self, told: &Told, now: Minutes) {
        self.forget(now);
        self.habits.learn(told);
    }

    /// Applies one observation. Observations come in the order of the log.
    pub fn learn(&mut self, seen: &Observation) {
        self.forget(seen.now);
        self.visits += 1;
        self.habits.visited(seen);
        self.accounts += u64::from(seen.new_account);
        for (level, novel) in seen.trials() {
            self.hazards.learn(level, seen.bucket, novel);
        }
        self.tenant.learn(seen);
        self.learn_group(seen);
        self.learn_outcomes(seen);
    }

    fn learn_group(&mut self, seen: &Observation) {
        let Some(group) = seen.group else { return };
        if self.groups.len() < GROUPS_MAX || self.groups.contains_key(&group) {
            self.groups.entry(group).or_default().learn(seen);
        }
    }

    fn learn_outcomes(&mut self, seen: &Observation) {
        if let Some(new) = seen.new_network {
            self.classes.learn(new);
        }
        if let Some(same) = seen.provider_abroad {
            self.providers_abroad.0 += f64::from(u8::from(same));
            self.providers_abroad.1 += 1.0;
        }
        if let Some(journey) = seen.journey {
            self.journeys.learn(journey);
        }
        if let Some((idle, change)) = seen.version
            && let Some(count) = self
                .versions
                .get_mut(idle.index())
                .and_then(|row| row.get_mut(change.index()))
        {
            *count += 1.0;
        }
        if let Some((family, versions)) = seen.running {
            self.running.learn(family, versions);
        }
        if let Some((network, new_device)) = seen.joint {
            self.joint.learn(seen.bucket.size, network, new_device);
        }
        if let Some(bin) = seen.clock {
            self.clock.learn(bin);
        }
        if let Some(minutes) = seen.gap_minutes {
            self.gap.learn(minutes);
        }
        if let Some((cell, jumped)) = seen.teleport
            && let Some((jumps, moves)) = self.teleports.get_mut(cell.index())
        {
            *jumps += f64::from(u8::from(jumped));
            *moves += 1.0;
        }
        if let Some(habit) = seen.factor {
            self.factors.learn(habit);
        }
        if let Some(key) = seen.key
            && let Some((absent, visits)) = self.key_absent.get_mut(usize::from(key.new_family))
        {
            *absent += f64::from(u8::from(key.absent));
            *visits += 1.0;
        }
    }

    fn forget(&mut self, now: Minutes) {
        let Some(days) = self.decayed.days_due(now) else {
            return;
        };
        let fast = half_life_factor(days, HAZARD_HALF_LIFE_DAYS);
        self.hazards.scale(fast);
        let slow = half_life_factor(days, TYPES_HALF_LIFE_DAYS);
        self.tenant.scale(fast, slow);
        for values in self.groups.values_mut() {
            values.scale(fast, slow);
        }
        self.habits.scale(fast, slow);
        self.scale_outcomes(fast);
    }

    fn scale_outcomes(&mut self, factor: f64) {
        self.running.scale(factor);
        self.factors.scale(factor);
        self.journeys.scale(factor);
        self.joint.scale(factor);
        self.clock.scale(factor);
        let rows = self.versions.iter_mut().flatten().chain(self.classes.counts());
        for count in rows {
            *count *= factor;
        }
        for (some, all) in self
            .teleports
            .iter_mut()
            .chain(&mut self.key_absent)
            .chain([&mut self.providers_abroad])
        {
            *some *= factor;
            *all *= factor;
        }
    }
}

/// Weight of [`PROVIDER_ABROAD`], arrivals.
const PROVIDER_ABROAD_WEIGHT: f64 = 20.0;

/// Prior of [`Population::provider_abroad`]. Assumed.
const PROVIDER_ABROAD: f64 = 0.15;

/// Prior probabilities of version changes by silence: browsers release every four weeks, so that after a month the
/// upgrade is the rule. Rows: under 1, 7, 30 days, longer; columns as [`VersionChange`].
const VERSION_PRIOR: [[f64; VersionChange::COUNT]; IdleBucket::COUNT] = [
    [0.93, 0.06, 0.005, 0.005],
    [0.80, 0.18, 0.01, 0.01],
    [0.50, 0.47, 0.015, 0.015],
    [0.15, 0.80, 0.025, 0.025],
];
const VERSION_PRIOR_WEIGHT: f64 = 30.0;
const TELEPORT_PRIOR_WEIGHT: f64 = 30.0;
const KEY_PRIOR_WEIGHT: f64 = 30.0;

fn flat(kind: Kind) -> f64 {
    match kind {
        Kind::Country => FLAT_COUNTRY,
        Kind::Asn => FLAT_ASN,
        Kind::Family => FLAT_FAMILY,
    }
}
