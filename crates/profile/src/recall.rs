//! One event held against what is remembered: everything the detectors need, computed once.

use crate::account::Profile;
use crate::attempts::is_attempt;
use crate::bucket::{Bucket, HomeBucket, IdleBucket, SizeBucket, TypeBucket};
use crate::features::doubt::DoubtSeen;
use crate::features::machine::MachineSeen;
use crate::features::motion::{self, Move};
use crate::features::positions::{Position, position};
use crate::features::strangers::StrangerSeen;
use crate::hazard::Level;
use crate::joint::NetworkNovelty;
use crate::journey::Journey;
use crate::keys::{Keys, same_provider};
use crate::known::{Familiarity, Known, Retention};
use crate::memory::ConductSeen;
use crate::notices::Notice;
use crate::observation::{KeyHabit, VersionChange};
use crate::population::{Kind, Population};
use crate::retentions::{ASNS, CLIENTS, COUNTRIES, FAMILIES, HOSTS, PREFIXES};
use crate::second_factor::FactorSeen;
use crate::version::{Version, version_change};
use crate::visit::Fresh;
use habitus_model::hash::HashKey;
use habitus_model::{Context, DeviceType, Km, Minutes};

/// Shape of the spread of hazards between accounts: the population's hazard stands for so many novelties seen. Of a gamma
/// distribution with this shape most accounts lie within a factor of three of the mean, some never change anything. Shapes of 0.35 to 1.5
/// differ by less than a point of recall on development seeds.
const HAZARD_SHAPE: f64 = 0.7;
/// Strength of the population's version changes behind the client's own, visits.
const CHANGE_SHRINKAGE: f64 = 10.0;
/// Events within half an hour on the same network and client are one visit: they are not independent (SCORING 4).
const VISIT_MINUTES: f64 = 30.0;
/// From this share of visits with a bound client on, a visit without one is worth a word.
const KEYED_SHARE_MIN: f64 = 0.8;
/// Visits needed before the share of keyed visits means anything.
const KEYED_VISITS_MIN: f64 = 3.0;

/// One value held against the account's history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelSeen {
    /// Fingerprint of the value.
    pub key: u64,
    /// What the account knows of it.
    pub familiarity: Familiarity,
    /// Probability that a visit of this account brings something new at this level, in `(0, 1)`.
    pub novelty: f64,
    /// Visits in which it could have, decayed.
    pub trials: f64,
}

impl LevelSeen {
    /// Whether the value is new to the account.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.familiarity == Familiarity::New
    }
}

/// How close a new client is to what the account uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    /// The family itself is known.
    SameFamily,
    /// Another browser on a known operating system.
    SameOs,
    /// Another operating system on a known type of device.
    SameType,
    /// A type of device never seen.
    NewType,
    /// A tool nobody sits in front of.
    Automation,
}

/// A change of version, held against what the client did before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeSeen {
    /// What changed.
    pub kind: VersionChange,
    /// Silence of this client.
    pub idle: IdleBucket,
    /// Probability of this change at a visit of the owner, in `(0, 1)`.
    pub usual: f64,
    /// Probability of this change if a stranger came with this family of client, in `(0, 1)`.
    pub stranger: f64,
}

/// The client held against the account's history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeviceSeen {
    /// The family.
    pub seen: LevelSeen,
    /// Version change, if the family is known.
    pub change: Option<ChangeSeen>,
    /// Kinship.
    pub kinship: Kinship,
}

/// An event held against the account's history and its population.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// When.
    pub now: Minutes,
    /// Fingerprints.
    pub keys: Keys,
    /// Bucket.
    pub bucket: Bucket,
    /// Peer group of the account.
    pub group: Option<u64>,
    /// Effective number of earlier visits; 0 for an account never seen.
    pub visits: f64,
    /// Whether this begins a visit, rather than going on with one.
    pub is_visit: bool,
    /// What counts as new still, because the visit began by a session that moved.
    pub fresh: Fresh,
    /// Minutes since the last proven identity; absent for an account never seen.
    pub gap_minutes: Option<f64>,
    /// Country. Absent: not shown, or nothing to compare with.
    pub country: Option<LevelSeen>,
    /// Autonomous system; only where the country is known to the account.
    pub asn: Option<LevelSeen>,
    /// Prefix; only where all above is known.
    pub prefix: Option<LevelSeen>,
    /// Address; only where the prefix is known.
    pub host: Option<LevelSeen>,
    /// Distance of a country new to the account from the nearest place it was at. Absent: not new, or no place.
    pub journey: Option<Journey>,
    /// In a country new to the account: whether it knows the network from elsewhere. Absent: not new, or no network.
    pub provider_abroad: Option<bool>,
    /// In a country new to the account: whether it knows the prefix, so that the prefix lies elsewhere than before.
    pub line_moved: bool,
    /// How new the network is, in one word.
    pub network_novelty: Option<NetworkNovelty>,
    /// Client family.
    pub device: Option<DeviceSeen>,
    /// Bound client.
    pub client: Option<LevelSeen>,
    /// Whether a client key was shown where one is usual. Absent: none is usual.
    pub key: Option<KeyHabit>,
    /// Second factors, where the account has one and the source says. Absent: nothing to compare.
    pub factor: Option<FactorSeen>,
    /// Position, if the place can be compared.
    pub position: Option<Position>,
    /// Moves from and to remembered positions, in order of their time.
    pub moves: Vec<Move>,
    /// Sessions, proofs and deeds. Absent: the event says nothing of them.
    pub conduct: Option<ConductSeen>,
    /// What a machine keeps to. Absent: no tool ever used the account.
    pub machine: Option<MachineSeen>,
    /// Whether the network is one that nothing vouches for, met on an earlier day. Absent: it is not.
    pub stranger: Option<StrangerSeen>,
    /// Minutes since something of the account was suspicious; absent: never.
    pub suspected_minutes: Option<f64>,
    /// What stood out as somebody came in of late, if this goes on there. Absent: nothing, or this is how somebody comes in.
    pub doubt: Option<DoubtSeen>,
    /// What was done to the account of late, as the network stage noted it. Absent: nothing.
    pub notice: Option<Notice>,
}

/// What a sighting is made from.
#[derive(Debug, Clone, Copy)]
pub struct Recall<'a> {
    /// The account's profile; absent for an account never seen.
    pub profile: Option<&'a Profile>,
    /// Its population.
    pub population: &'a Population,
    /// Key of fingerprints.
    pub key: HashKey,
}

impl Recall<'_> {
    /// Holds an event against the history. Changes nothing. Cost: a dozen short scans and as many table reads.
    #[must_use]
    pub fn sight(&self, context: &Context) -> Sighting {
        let mut seen = self.bare(context);
        let Some(profile) = self.profile.filter(|profile| profile.visits_ever() > 0) else {
            seen.see_conduct((None, self.population.habits()), context);
            return seen;
        };
        self.see_network(profile, &mut seen);
        let abroad = seen.country.is_some_and(|country| country.is_new());
        let held = |asn| {
            profile
                .asns
                .any_known(|known| known != asn && same_provider(known, asn))
        };
        seen.provider_abroad = seen.keys.asn.filter(|_| abroad).map(held);
        let is_own = |prefix| profile.prefixes.any_known(|known| known == prefix);
        seen.line_moved = abroad && seen.keys.prefix.is_some_and(is_own);
        self.see_client(profile, context, &mut seen);
        seen.stranger = profile
            .strangers
            .as_ref()
            .and_then(|strangers| strangers.sight(&seen));
        seen.factor = self.factor_of(profile, context, &seen);
        if let Some(here) = &seen.position {
            seen.moves = motion::moves(profile.positions.all(), here);
            for one in &mut seen.moves {
                one.cell.abroad = abroad;
            }
            let nearest = seen.moves.iter().map(|m| m.distance.0).reduce(f64::min);
            let journey = |km| Journey::of(Km(km), context.network.class);
            let journey = nearest.filter(|_| abroad).map(journey);
            seen.journey = seen.fresh.journey.filter(|_| abroad).or(journey);
        }
        seen.doubt = profile.doubt.and_then(|doubt| doubt.sight(&seen));
        seen.see_conduct((Some(profile), self.population.habits()), context);
        seen
    }

    fn bare(&self, context: &Context) -> Sighting {
        let now = context.time.minutes();
        let keys = Keys::of(context, self.key);
        let group = self.profile.and_then(|profile| profile.group(now));
        let gap_minutes = self
            .profile
            .filter(|p| p.visits_ever() > 0)
            .map(|profile| now.since(profile.last_seen));
        let is_visit = self
            .profile
            .is_none_or(|profile| begins_visit(profile, &keys, now));
        let last = self.profile.and_then(|profile| profile.last_visit);
        let carries = !is_visit && !is_attempt(context);
        let visits = self.profile.map_or(0.0, |profile| profile.visits(now));
        Sighting {
            now,
            keys,
            bucket: Bucket {
                size: SizeBucket::of(visits),
                idle: IdleBucket::of(gap_minutes.unwrap_or(0.0) / 1_440.0),
                device: TypeBucket::of(context.client.device),
                home: HomeBucket::of(
                    group.map_or(1.0, |home| self.population.share(Kind::Country, home, None)),
                ),
            },
            group,
            visits,
            is_visit,
            fresh: last
                .filter(|_| carries)
                .map_or_else(Fresh::default, |last| last.fresh),
            gap_minutes,
            country: None,
            asn: None,
            prefix: None,
            host: None,
            journey: None,
            provider_abroad: None,
            line_moved: false,
            network_novelty: None,
            device: None,
            client: None,
            key: None,
            factor: None,
            position: position(context, &keys),
            moves: Vec::new(),
            conduct: None,
            machine: None,
            stranger: None,
            suspected_minutes: self.profile.and_then(|profile| profile.suspected_minutes(now)),
            doubt: None,
            notice: None,
        }
    }

    fn see_network(&self, profile: &Profile, seen: &mut Sighting) {
        let now = seen.now;
        let mut trials = profile.country_trials(now);
        let mut novelty = None;
        let chain = [
            (
                seen.keys.country,
                &profile.countries,
                &COUNTRIES,
                Level::Country,
                NetworkNovelty::NewCountry,
            ),
            (
                seen.keys.asn,
                &profile.asns,
                &ASNS,
                Level::Asn,
                NetworkNovelty::KnownCountry,
            ),
            (
                seen.keys.prefix,
                &profile.prefixes,
                &PREFIXES,
                Level::Prefix,
                NetworkNovelty::KnownAsn,
            ),
            (
                seen.keys.host,
                &profile.hosts,
                &HOSTS,
                Level::Host,
                NetworkNovelty::KnownPrefix,
            ),
        ];
        for (key, known, retention, level, if_new) in chain {
            // A level the source does not show says nothing; the finer ones may still.
            let Some(key) = key else { continue };
            let own = self.level(key, (known, retention), level, (trials, seen));
            match level {
                Level::Country => seen.country = Some(own),
                Level::Asn => seen.asn = Some(own),
                Level::Prefix => seen.prefix = Some(own),
                Level::Host | Level::Device | Level::ClientKey => seen.host = Some(own),
            }
            if own.is_new() {
                let unplaced =
                    seen.keys.country.is_none() && seen.keys.asn.is_none() && level == Level::Prefix;
                seen.network_novelty = Some(if unplaced {
                    NetworkNovelty::Unplaced
                } else {
                    if_new
                });
                return;
            }
            novelty = Some(NetworkNovelty::KnownHost);
            trials = known.children(key, now, retention);
        }
        seen.network_novelty = novelty;
    }

    fn see_client(&self, profile: &Profile, context: &Context, seen: &mut Sighting) {
        let now = seen.now;
        let trials = profile.family_trials(now);
        if let Some(family) = seen.keys.family
            && !profile.families.is_empty()
        {
            let own = self.level(
                family,
                (&profile.families, &FAMILIES),
                Level::Device,
                (trials, seen),
            );
            seen.device = Some(DeviceSeen {
                seen: own,
                change: self.change_of(profile, seen, context),
                kinship: kinship(profile, own, seen.keys, context.client.device),
            });
        }
        seen.key = key_habit(profile, seen, now);
        if let Some(key) = seen.keys.client
            && !profile.clients.is_empty()
        {
            seen.client = Some(self.level(
                key,
                (&profile.clients, &CLIENTS),
                Level::ClientKey,
                (trials, seen),
            ));
        }
    }

    fn change_of(&self, profile: &Profile, seen: &Sighting, context: &Context) -> Option<ChangeSeen> {
        let now = Version::of(&seen.keys, &context.client)?;
        let before = profile
            .versions
            .iter()
            .find(|version| version.family == now.family)?;
        let kind = version_change(before, &now);
        let idle = IdleBucket::of(seen.now.days_since(before.last));
        let (own, visits) = before.changed(kind);
        let tenant = self.population.version_change(idle, kind);
        let usual = (own + CHANGE_SHRINKAGE * tenant) / (visits + CHANGE_SHRINKAGE);
        let stranger = self
            .population
            .running()
            .stranger(now.family, (before.os, before.browser), kind);
        Some(ChangeSeen {
            kind,
            idle,
            usual,
            stranger,
        })
    }

    /// Tools cannot be asked, so that nothing follows from their not being.
    fn factor_of(&self, profile: &Profile, context: &Context, seen: &Sighting) -> Option<FactorSeen> {
        let shown = context.second_factor?;
        let held = profile.factors();
        if !held.has_one() || context.client.device == DeviceType::Automation {
            return None;
        }
        let new_family = seen.device.is_some_and(|device| device.seen.is_new());
        let habits = self.population.factors();
        Some(FactorSeen {
            shown,
            strong: context.strong_factor,
            usual: habits.asked(new_family),
            stranger: habits.asked(true),
            strong_share: held.strong_share(),
        })
    }

    fn level(
        &self,
        key: u64,
        (known, retention): (&Known, &Retention),
        level: Level,
        ((visits, novel), seen): ((f64, f64), &Sighting),
    ) -> LevelSeen {
        // What this very visit brought is as new as it was, and counts for nothing yet.
        let fresh = seen.fresh.has(level);
        let own = f64::from(u8::from(fresh));
        // The first visit to a value brings its first child: no trial.
        let trials = (visits - 1.0 - own).max(0.0);
        let novel = (novel - own).clamp(0.0, trials);
        let hazard = self.population.hazards().novelty(level, seen.bucket);
        let novelty = (novel + HAZARD_SHAPE) / (trials + HAZARD_SHAPE / hazard);
        LevelSeen {
            key,
            familiarity: if fresh {
                Familiarity::New
            } else {
                known.look_up(key, seen.now, retention)
            },
            novelty: novelty.clamp(1e-5, 0.98),
            trials,
        }
    }
}

fn begins_visit(profile: &Profile, keys: &Keys, now: Minutes) -> bool {
    profile.last_visit.is_none_or(|last| {
        last.prefix != keys.prefix || last.family != keys.family || now.since(last.at) >= VISIT_MINUTES
    })
}

/// A client is expected to show a key if it usually does; a new one if the account's clients do.
fn key_habit(profile: &Profile, seen: &Sighting, now: Minutes) -> Option<KeyHabit> {
    let absent = seen.keys.client.is_none();
    let held = profile
        .versions
        .iter()
        .find(|version| Some(version.family) == seen.keys.family);
    match held {
        Some(version) => {
            let usual = version.keyed_share()? >= KEYED_SHARE_MIN;
            usual.then_some(KeyHabit {
                new_family: false,
                absent,
            })
        }
        None => {
            let usual = profile.visits(now) >= KEYED_VISITS_MIN && profile.keyed_share() >= KEYED_SHARE_MIN;
            usual.then_some(KeyHabit {
                new_family: true,
                absent,
            })
        }
    }
}

fn kinship(profile: &Profile, own: LevelSeen, keys: Keys, device: DeviceType) -> Kinship {
    let held = &profile.versions;
    if !own.is_new() {
        Kinship::SameFamily
    } else if device == DeviceType::Automation {
        Kinship::Automation
    } else if keys.os.is_some() && held.iter().any(|version| version.os_family == keys.os) {
        Kinship::SameOs
    } else if held.iter().any(|version| version.device == device) {
        Kinship::SameType
    } else {
        Kinship::NewType
    }
}
