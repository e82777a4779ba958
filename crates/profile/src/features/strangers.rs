//! Networks that an account was seen on and that nothing of the owner's vouches for (RELIABILITY 6.1).
//!
//! Estimates, for each network that is new and was not refused, whether it is the owner's: an owner's device goes with it from
//! place to place, and its key, a code or the same client at home soon vouch for the place; who only has the password comes
//! back day after day, stays where he is, and the owner's own life goes on beside him. A value that came quietly is known to
//! the sets of the account at once; here it stays a stranger until something vouches or `STRANGE_DAYS` have passed. Two
//! speeds: what the last weeks show is held against what the account was known by before. Fails where owner and attacker use
//! one network, and says little of accounts that never show anything twice. 48 bytes each, at most `STRANGERS_MAX`.

use crate::account::Profile;
use crate::known::Familiarity;
use crate::recall::{LevelSeen, Sighting};
use crate::room;
use habitus_model::{AccountKind, Context, Minutes, PromptKind};
use serde::{Deserialize, Serialize};

/// Most strangers remembered of one account. Assumed: more are travellers.
const STRANGERS_MAX: usize = 3;
/// A network that was used for so many days without anything against it is the owner's (RELIABILITY 6.1: 30). Never for
/// privileged accounts.
const STRANGE_DAYS: f64 = 30.0;

/// Days of use from which on a network that nothing vouches for is worth a word: owners are at a hotel, at friends' or in a
/// café for fewer. Speaking from the second day on cost consumers' same-country takeovers 7 points at 1 % (seeds 1-3).
const DAYS_MIN: u8 = 6;

/// One network that nothing vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    place: u64,
    family: Option<u64>,
    client: Option<u64>,
    since: Minutes,
    last: Minutes,
    /// Days of use.
    days: u8,
    /// How often the account was elsewhere between two days here.
    turns: u8,
    /// The family of client was the owner's before.
    own_family: bool,
    /// The account was elsewhere since the latest visit here.
    was_elsewhere: bool,
}

/// The strangers of an account.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Strangers {
    held: Vec<Stranger>,
}

/// Where a visit to a stranger is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrangerCell {
    own_family: bool,
    days: u8,
    turns: u8,
}

/// A visit on a network that nothing vouches for, after `DAYS_MIN` days of use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StrangerSeen {
    /// Where it is counted.
    pub cell: StrangerCell,
    /// Days of use before.
    pub days: u8,
    /// Days since the first.
    pub age_days: f64,
    /// How often the account was elsewhere between them.
    pub turns: u8,
}

impl StrangerCell {
    /// Number of cells.
    pub const COUNT: usize = 12;

    fn of(stranger: &Stranger) -> Self {
        let bucket = |bounds: &[u8], value: u8| {
            u8::try_from(bounds.iter().filter(|bound| value >= **bound).count()).unwrap_or(0)
        };
        Self {
            own_family: stranger.own_family,
            days: bucket(&[8], stranger.days),
            turns: bucket(
                &[1, 3],
                stranger.turns.saturating_add(u8::from(stranger.was_elsewhere)),
            ),
        }
    }

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        (usize::from(self.own_family) * 2 + usize::from(self.days)) * 3 + usize::from(self.turns)
    }
}

impl Strangers {
    /// Whether an event comes from a network that was used on some days and that nothing vouches for. Cost: three comparisons.
    #[must_use]
    pub fn sight(&self, seen: &Sighting) -> Option<StrangerSeen> {
        let place = place(seen)?;
        let stranger = self.held.iter().find(|stranger| stranger.place == place)?;
        (stranger.days >= DAYS_MIN).then(|| StrangerSeen {
            cell: StrangerCell::of(stranger),
            days: stranger.days,
            age_days: seen.now.days_since(stranger.since),
            turns: stranger.turns.saturating_add(u8::from(stranger.was_elsewhere)),
        })
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.held.capacity() * size_of::<Stranger>()
    }
}

impl Profile {
    /// Learns of a visit whether it comes from a stranger, and for whom it vouches. Before the sets learn it.
    pub(crate) fn learn_stranger(&mut self, seen: &Sighting, context: &Context) {
        let Some(place) = place(seen) else { return };
        let vouched = self.behaves_as() == AccountKind::Service || is_proven(context);
        let level = match (seen.keys.asn, seen.keys.prefix) {
            (Some(_), _) => seen.asn,
            (None, Some(_)) => seen.prefix,
            (None, None) => None,
        };
        let is_new = level.or(seen.country).is_some_and(|level| level.is_new());
        if self.strangers.is_none() && (!is_new || vouched || known(seen.client)) {
            return;
        }
        let for_ever = self.kind == AccountKind::Privileged;
        let strangers = self.strangers.get_or_insert_default();
        strangers
            .held
            .retain(|stranger| for_ever || seen.now.days_since(stranger.since) < STRANGE_DAYS);
        strangers.vouch(place, seen, vouched);
        match strangers.held.iter_mut().find(|stranger| stranger.place == place) {
            Some(stranger) => stranger.visit(seen.now),
            None if is_new && !vouched && !known(seen.client) => strangers.meet(place, seen),
            None => strangers
                .held
                .iter_mut()
                .for_each(|stranger| stranger.was_elsewhere = true),
        }
        if strangers.held.is_empty() {
            self.strangers = None;
        }
    }
}

impl Strangers {
    /// Takes out whom this visit vouches for: the place, if the owner proves to be there; and whoever shows the client of a
    /// stranger where the owner is known.
    fn vouch(&mut self, place: u64, seen: &Sighting, proven: bool) {
        let at_home = !self.held.iter().any(|stranger| stranger.place == place)
            && [seen.country, seen.asn]
                .into_iter()
                .flatten()
                .all(|level| known(Some(level)));
        self.held.retain(|stranger| {
            let is_here = stranger.place == place;
            let other_key = known(seen.client) && seen.keys.client != stranger.client;
            let family = seen.device.map(|device| device.seen);
            let other_family = !stranger.own_family && known(family) && seen.keys.family != stranger.family;
            let by_client = is_here && (proven || other_key || other_family);
            let same_key = stranger.client.is_some() && seen.keys.client == stranger.client;
            let same_family =
                !stranger.own_family && stranger.family.is_some() && seen.keys.family == stranger.family;
            let same_client = same_family && seen.keys.client == stranger.client;
            // Whoever holds a session can carry it anywhere, but not to where the owner lives.
            let session = seen.conduct.and_then(|conduct| conduct.session);
            let carried = session.is_some_and(|session| session.began_at == Some(stranger.place));
            let at_place = !is_here && at_home && (same_key || same_client || carried);
            !(by_client || at_place)
        });
    }

    fn meet(&mut self, place: u64, seen: &Sighting) {
        if self.held.len() >= STRANGERS_MAX {
            let oldest = self
                .held
                .iter()
                .enumerate()
                .min_by_key(|(_, stranger)| stranger.last);
            if let Some((at, _)) = oldest {
                self.held.swap_remove(at);
            }
        }
        room::for_one_more(&mut self.held);
        self.held
            .iter_mut()
            .for_each(|stranger| stranger.was_elsewhere = true);
        self.held.push(Stranger {
            place,
            family: seen.keys.family,
            client: seen.keys.client,
            since: seen.now,
            last: seen.now,
            days: 1,
            turns: 0,
            own_family: known(seen.device.map(|device| device.seen)),
            was_elsewhere: false,
        });
    }
}

impl Stranger {
    fn visit(&mut self, now: Minutes) {
        if day(now) > day(self.last) {
            self.days = self.days.saturating_add(1);
        }
        self.turns = self.turns.saturating_add(u8::from(self.was_elsewhere));
        self.was_elsewhere = false;
        self.last = self.last.max(now);
    }
}

/// The network in one fingerprint: its autonomous system, or what there is.
fn place(seen: &Sighting) -> Option<u64> {
    let keys = &seen.keys;
    keys.asn.or(keys.prefix).or(keys.country)
}

/// Whether the owner proved to be there: by what cannot be phished, or by a code. A tap on a push proves nothing.
fn is_proven(context: &Context) -> bool {
    let prompt = context.conduct.as_ref().and_then(|conduct| conduct.prompt);
    let coded = prompt.is_some_and(|prompt| matches!(prompt.kind, PromptKind::Code | PromptKind::Strong));
    context.strong_factor || (context.second_factor == Some(true) && coded)
}

fn known(level: Option<LevelSeen>) -> bool {
    level.is_some_and(|level| matches!(level.familiarity, Familiarity::Known { .. }))
}

fn day(now: Minutes) -> u32 {
    now.0 / 1_440
}
