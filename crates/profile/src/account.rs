//! What is remembered of one account: at most about 2 KiB, however long or hostile its life.

use crate::features::clock::{Bin, Clock};
use crate::features::doubt::Doubt;
use crate::features::gap::Gap;
use crate::features::positions::Positions;
use crate::features::strangers::Strangers;
use crate::hazard::Level;
use crate::known::{Arrival, Known, Learned, Release, Visit};
use crate::memory::{Memory, is_question};
use crate::observation::{NewNetwork, NewValue, Observation};
use crate::recall::{LevelSeen, Sighting};
use crate::retentions::{ASNS, CLIENTS, COUNTRIES, FAMILIES, HOSTS, PREFIXES};
use crate::room;
use crate::second_factor::{FactorCount, FactorHabit};
use crate::version::Version;
use crate::visit::{Fresh, LastVisit};
use crate::vouch::Vouchers;
use habitus_model::math::{half_life_factor, to_f32};
use habitus_model::{AccountKind, Context, Minutes, UtcOffset};
use serde::{Deserialize, Serialize};

/// Half-life of the account's own counts, days.
const COUNTS_HALF_LIFE_DAYS: f64 = 120.0;
/// Moves over longer times can be made by anybody: they are no trials of a jump.
const MOVE_HOURS_MAX: f64 = 12.0;
/// Most new networks a day that are learned as known (SCORING 13): what exceeds it waits in quarantine.
const NEW_ASNS_PER_DAY: u8 = 2;

/// What is remembered of one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Kind, as sources say.
    pub kind: AccountKind,
    /// First proven identity.
    pub first_seen: Minutes,
    /// Latest proven identity.
    pub last_seen: Minutes,
    /// The visit that may still go on.
    pub last_visit: Option<LastVisit>,
    /// Countries.
    pub countries: Known,
    /// Autonomous systems.
    pub asns: Known,
    /// Prefixes.
    pub prefixes: Known,
    /// Addresses.
    pub hosts: Known,
    /// Families of clients.
    pub families: Known,
    /// Bound clients.
    pub clients: Known,
    /// Versions of the families.
    pub versions: Vec<Version>,
    /// Hours.
    pub clock: Clock,
    /// Rhythm.
    pub gap: Gap,
    /// Places.
    pub positions: Positions,
    /// Time zone of home; absent until a place or the client told one.
    pub zone: Option<UtcOffset>,
    /// Sessions, proofs and deeds; absent until an event says something of them.
    pub memory: Option<Box<Memory>>,
    /// Networks that nothing vouches for yet; absent: none.
    pub strangers: Option<Box<Strangers>>,
    /// Latest suspicious event that proved an identity.
    pub(crate) suspected: Option<Minutes>,
    /// What stood out as somebody came in of late; absent: nothing did.
    pub(crate) doubt: Option<Doubt>,
    visits: f32,
    new_countries: f32,
    new_families: f32,
    keyed_visits: f32,
    factors: FactorCount,
    visits_ever: u32,
    new_asns_today: (u32, u8),
    /// Whether it was ever on a network whose addresses are rented by the hour, and not under suspicion.
    rents: bool,
}

impl Profile {
    /// An account that nothing is known of yet.
    #[must_use]
    pub fn new(kind: AccountKind, now: Minutes) -> Self {
        Self {
            kind,
            first_seen: now,
            last_seen: now,
            last_visit: None,
            countries: Known::default(),
            asns: Known::default(),
            prefixes: Known::default(),
            hosts: Known::default(),
            families: Known::default(),
            clients: Known::default(),
            versions: Vec::new(),
            clock: Clock::default(),
            gap: Gap::default(),
            positions: Positions::default(),
            zone: None,
            memory: None,
            strangers: None,
            suspected: None,
            doubt: None,
            visits: 0.0,
            new_countries: 0.0,
            new_families: 0.0,
            keyed_visits: 0.0,
            factors: FactorCount::default(),
            visits_ever: 0,
            new_asns_today: (0, 0),
            rents: false,
        }
    }

    /// Whether it ever came from a network whose addresses are rented by the hour (hosting, relays, commercial VPNs),
    /// and was not suspected then.
    #[must_use]
    pub const fn rents(&self) -> bool {
        self.rents
    }

    /// Visits, decayed to `now`; never below 1 once there was one.
    #[must_use]
    pub fn visits(&self, now: Minutes) -> f64 {
        if self.visits_ever == 0 {
            0.0
        } else {
            (f64::from(self.visits) * self.decay(now)).max(1.0)
        }
    }

    /// Visits ever, without forgetting.
    #[must_use]
    pub fn visits_ever(&self) -> u32 {
        self.visits_ever
    }

    /// Visits and new countries among them, decayed.
    #[must_use]
    pub fn country_trials(&self, now: Minutes) -> (f64, f64) {
        let factor = self.decay(now);
        (
            f64::from(self.visits) * factor,
            f64::from(self.new_countries) * factor,
        )
    }

    /// Visits and new client families among them, decayed.
    #[must_use]
    pub fn family_trials(&self, now: Minutes) -> (f64, f64) {
        let factor = self.decay(now);
        (
            f64::from(self.visits) * factor,
            f64::from(self.new_families) * factor,
        )
    }

    /// Share of visits that showed a bound client, in `[0, 1]`.
    #[must_use]
    pub fn keyed_share(&self) -> f64 {
        if self.visits > 0.0 {
            f64::from(self.keyed_visits) / f64::from(self.visits)
        } else {
            0.0
        }
    }

    /// Visits with a second factor, decayed to the last visit.
    #[must_use]
    pub fn factors(&self) -> FactorCount {
        self.factors
    }

    /// Peer group: accounts whose home country is the same. Absent until one is known.
    #[must_use]
    pub fn group(&self, now: Minutes) -> Option<u64> {
        self.countries.dominant(now, &COUNTRIES)
    }

    /// Learns one event that proved the account's identity. Gives what the population learns from it; nothing if the
    /// event belongs to a visit that was counted already.
    pub fn learn(&mut self, seen: &Sighting, context: &Context, arrival: Arrival) -> Option<Observation> {
        if is_question(context) && arrival != Arrival::Strong {
            return None;
        }
        self.last_seen = self.last_seen.max(seen.now);
        let goes_on = self.last_visit.filter(|_| !seen.is_visit);
        let fresh = match (arrival, goes_on) {
            (Arrival::Strong, _) => Fresh::default(),
            (_, Some(last)) => last.fresh,
            (_, None) => Fresh::of(seen),
        };
        self.last_visit = Some(LastVisit {
            prefix: seen.keys.prefix,
            family: seen.keys.family,
            at: seen.now,
            fresh,
        });
        if self.kind == AccountKind::Unknown {
            self.kind = context.kind;
        }
        if !seen.is_visit {
            return None;
        }
        let mut told = Observation::new(seen.now, seen.bucket, seen.group);
        told.new_account = self.visits_ever == 0;
        if !told.new_account {
            told.stranger = Some(seen.stranger.map(|stranger| stranger.cell));
        }
        self.learn_stranger(seen, context);
        let arrival = self.limit_growth(seen, arrival);
        told.factor = seen.factor.map(|factor| FactorHabit {
            new_family: seen.device.is_some_and(|device| device.seen.is_new()),
            shown: factor.shown,
        });
        let vouchers = Vouchers::of(self, seen, context);
        self.count_visit(seen, context);
        self.learn_network(seen, (arrival, vouchers.network), &mut told);
        self.learn_client(seen, context, (arrival, vouchers.client), &mut told);
        if arrival != Arrival::Suspicious {
            self.learn_rhythm(seen, context, &mut told);
        }
        told.new_network = self.new_network(seen, context);
        self.rents |= arrival != Arrival::Suspicious && context.network.class.is_rented();
        told.journey = seen.journey;
        told.provider_abroad = seen.provider_abroad;
        told.joint = seen
            .network_novelty
            .zip(seen.device.map(|device| device.seen.is_new()));
        let near = seen.moves.last().filter(|m| m.hours <= MOVE_HOURS_MAX);
        told.teleport = near.map(|m| (m.cell, m.impossible > 0.5));
        Some(told)
    }

    fn decay(&self, now: Minutes) -> f64 {
        half_life_factor(now.days_since(self.last_seen), COUNTS_HALF_LIFE_DAYS)
    }

    /// The class of a network that is new to an account with a history.
    fn new_network(&self, seen: &Sighting, context: &Context) -> Option<NewNetwork> {
        let abroad = seen.country.is_some_and(|country| country.is_new());
        let new = abroad || seen.asn.is_some_and(|asn| asn.is_new());
        new.then_some(NewNetwork {
            abroad,
            rents: self.rents,
            class: context.network.class,
        })
    }

    fn limit_growth(&mut self, seen: &Sighting, arrival: Arrival) -> Arrival {
        let day = seen.now.0 / 1_440;
        if self.new_asns_today.0 != day {
            self.new_asns_today = (day, 0);
        }
        if !seen.asn.is_some_and(|asn| asn.is_new()) || arrival == Arrival::Strong {
            return arrival;
        }
        self.new_asns_today.1 = self.new_asns_today.1.saturating_add(1);
        if self.new_asns_today.1 > NEW_ASNS_PER_DAY {
            Arrival::Suspicious
        } else {
            arrival
        }
    }

    fn count_visit(&mut self, seen: &Sighting, context: &Context) {
        let factor = half_life_factor(seen.gap_minutes.unwrap_or(0.0) / 1_440.0, COUNTS_HALF_LIFE_DAYS);
        let count =
            |kept: &mut f32, one: bool| *kept = to_f32(f64::from(*kept) * factor + f64::from(u8::from(one)));
        let (had_history, share) = (self.visits_ever > 0, self.keyed_share());
        count(&mut self.visits, true);
        count(
            &mut self.new_countries,
            had_history && seen.country.is_some_and(|c| c.is_new()),
        );
        count(
            &mut self.new_families,
            had_history && seen.device.is_some_and(|d| d.seen.is_new()),
        );
        // A visit that nothing vouches for leaves the share as it is, or an attacker would make it usual that no key is shown.
        let keyed = match (seen.keys.client, seen.stranger) {
            (Some(_), _) => 1.0,
            (None, Some(_)) => share,
            (None, None) => 0.0,
        };
        self.keyed_visits = to_f32(f64::from(self.keyed_visits) * factor + keyed);
        count(&mut self.factors.shown, context.second_factor == Some(true));
        count(&mut self.factors.strong, context.strong_factor);
        self.visits_ever = self.visits_ever.saturating_add(1);
    }

    fn learn_network(
        &mut self,
        seen: &Sighting,
        (arrival, release): (Arrival, Release),
        told: &mut Observation,
    ) {
        let had_history = !told.new_account;
        let new = |level: Option<LevelSeen>| level.is_none_or(|level| level.is_new());
        let sets = [
            (
                &mut self.countries,
                &COUNTRIES,
                seen.keys.country,
                Level::Country,
                seen.country,
                new(seen.asn),
            ),
            (
                &mut self.asns,
                &ASNS,
                seen.keys.asn,
                Level::Asn,
                seen.asn,
                new(seen.prefix),
            ),
            (
                &mut self.prefixes,
                &PREFIXES,
                seen.keys.prefix,
                Level::Prefix,
                seen.prefix,
                new(seen.host),
            ),
            (
                &mut self.hosts,
                &HOSTS,
                seen.keys.host,
                Level::Host,
                seen.host,
                false,
            ),
        ];
        for (set, retention, key, level, reading, child_is_new) in sets {
            let Some(key) = key else { continue };
            if let Some(reading) = reading
                && had_history
            {
                told.tried(level, reading.is_new());
            }
            let visit = Visit {
                key,
                now: seen.now,
                arrival,
                child_is_new,
            };
            let learned = set.learn_until(&visit, retention, release);
            if learned == Learned::Known {
                let value = Some(NewValue {
                    value: key,
                    arrival: had_history,
                });
                match level {
                    Level::Country => told.new_country = value,
                    Level::Asn => told.new_asn = value,
                    Level::Prefix | Level::Host | Level::Device | Level::ClientKey => {}
                }
            }
        }
    }

    fn learn_client(
        &mut self,
        seen: &Sighting,
        context: &Context,
        (arrival, release): (Arrival, Release),
        told: &mut Observation,
    ) {
        let had_history = !told.new_account;
        let visit = |key| Visit {
            key,
            now: seen.now,
            arrival,
            child_is_new: false,
        };
        if let Some(device) = seen.device
            && had_history
        {
            told.tried(Level::Device, device.seen.is_new());
            told.version = device.change.map(|change| (change.idle, change.kind));
        }
        if let Some(family) = seen.keys.family {
            if self.families.learn_until(&visit(family), &FAMILIES, release) == Learned::Known {
                told.new_family = Some(NewValue {
                    value: family,
                    arrival: had_history,
                });
            }
            // What a stranger's client of the owner's family runs is not what the owner's runs.
            if seen.stranger.is_none() || seen.device.is_none_or(|device| device.change.is_none()) {
                self.learn_version(seen, context);
            }
            told.running = Some((
                family,
                (context.client.os_version, context.client.browser_version),
            ));
        }
        if let Some(key) = seen.keys.client {
            if let Some(client) = seen.client
                && had_history
            {
                told.tried(Level::ClientKey, client.is_new());
            }
            self.clients.learn_until(&visit(key), &CLIENTS, release);
        }
        told.key = seen.key;
    }

    fn learn_version(&mut self, seen: &Sighting, context: &Context) {
        let Some(mut now) = Version::of(&seen.keys, &context.client) else {
            return;
        };
        let before = self.versions.iter().find(|version| version.family == now.family);
        let change = seen
            .device
            .and_then(|device| device.change)
            .map(|change| change.kind);
        now.count(before, seen.now, (seen.keys.client.is_some(), change));
        match self
            .versions
            .iter_mut()
            .find(|version| version.family == now.family)
        {
            Some(version) => *version = now,
            None => {
                if self.versions.len() >= FAMILIES.capacity {
                    self.versions.remove(0);
                }
                room::for_one_more(&mut self.versions);
                self.versions.push(now);
            }
        }
    }

    fn learn_rhythm(&mut self, seen: &Sighting, context: &Context, told: &mut Observation) {
        self.learn_zone(seen, context);
        let bin = Bin::of(context.time, self.zone.unwrap_or_default());
        self.clock.learn(bin, seen.now);
        told.clock = Some(bin);
        if let Some(minutes) = seen.gap_minutes {
            self.gap.learn(minutes);
            told.gap_minutes = Some(minutes);
        }
        if let Some(position) = seen.position {
            self.positions.learn(position);
        }
    }

    /// Home is where the dominant country is: a trip does not move the clock.
    fn learn_zone(&mut self, seen: &Sighting, context: &Context) {
        let told = context.utc_offset.or_else(|| {
            let point = context.place.coordinates?;
            Some(UtcOffset::from_longitude(point.lon()))
        });
        let at_home = self.group(seen.now) == seen.keys.country;
        if let Some(offset) = told
            && (at_home || self.zone.is_none())
        {
            self.zone = Some(offset);
        }
    }
}
