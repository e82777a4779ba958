//! Sessions and credentials of an account: on which networks and with what client each was used.
//!
//! Remembers a few sessions with their latest networks, so that a session that is used elsewhere, by another client, or
//! in two places at once can be told from one that goes on. What is suspicious moves no anchor. Fails where sources name
//! no session and no token. About 100 bytes a session, at most [`SESSIONS_MAX`]; accounts without sessions pay nothing.

mod moves;

pub use moves::{Passage, Shift};

use crate::joint::NetworkNovelty;
use crate::keys::Keys;
use crate::known::Arrival;
use crate::room;
use habitus_model::activity::AuthenticationActivity;
use habitus_model::{Activity, Conduct, Context, Deed, DeviceType, Minutes, NetworkClass};
use moves::Prefixes;
use serde::{Deserialize, Serialize};

/// Most sessions remembered of an account: devices and browsers in use at once, and a few that ended.
pub const SESSIONS_MAX: usize = 6;
/// Most networks remembered of a session.
const ANCHORS_MAX: usize = 4;
/// Two networks of a session within so many minutes are two places at once (FIELD row 14; SCORING 7).
const AT_ONCE_MINUTES: f64 = 10.0;
/// A relayed login is followed by the thief's own use within the hour (FIELD row 44). Assumed.
const RELAY_MINUTES: f64 = 60.0;
/// Minutes for which a network that a session moved to is not yet one of its own: what moved once has not settled by being
/// used again at once, and who holds a copy does not wait. Assumed.
const SETTLES_MINUTES: f64 = 60.0;
/// A session that was ended may still be named by what was under way. Assumed.
const ENDED_GRACE_MINUTES: f64 = 2.0;

/// Whether the id is of a session or token, or of a credential that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lasting {
    /// A session or token.
    Session,
    /// A key, certificate or access token that lasts for months.
    Credential,
}

/// How an event stands to the session it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// It begins it, with a login.
    Begun,
    /// The session is not known, and nothing is proven here.
    Stray,
    /// It goes on where it was.
    Kept,
    /// It goes on from a network it was never used on.
    Moved,
    /// It was ended before.
    Ended,
}

/// How the client stands to the session's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grip {
    /// The same, as far as it shows.
    Same,
    /// The same family, and another TLS fingerprint or client key, or none where there was one.
    OtherProof,
    /// Another family of client.
    OtherFamily,
}

/// The cell in which relations are counted: what other detectors have said already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCell {
    /// Session or credential.
    pub lasting: Lasting,
    /// How new the network is to the account: known, its system known, its country known, neither.
    pub network: u8,
    /// The family of client is new to the account.
    pub new_family: bool,
    /// It is a phone or a tablet: those roam, and computers switch tunnels.
    pub phone: bool,
}

/// An event held against the account's sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionSeen {
    /// Fingerprint of the session.
    pub id: u64,
    /// Where it is counted.
    pub cell: SessionCell,
    /// The relation.
    pub relation: Relation,
    /// The client. Absent: there is nothing to compare.
    pub grip: Option<Grip>,
    /// A TLS fingerprint or key could be compared.
    pub proof: bool,
    /// The session began without suspicion.
    pub clean: bool,
    /// Minutes since it began; 0 for one that begins.
    pub age_minutes: f64,
    /// Minutes since it was last used; 0 for one that begins.
    pub idle_minutes: f64,
    /// It is used on two networks at once, and this is not the one where it began. Absent: on one only, or where it began.
    pub at_once: Option<bool>,
    /// It came here before, and has not settled: the move was counted.
    pub goes_on: bool,
    /// Of a move: by what. Absent: no move, or a network of which no table knows the class.
    pub passage: Option<Passage>,
    /// Of a session that is kept: whether it is on the same network and in another prefix. Absent: nothing to compare.
    pub shifted: Option<Shift>,
    /// It moves away from a server's network, new to the account, where a second factor was satisfied within the hour.
    pub relayed: bool,
    /// The network on which it began. Absent: here, or not shown.
    pub began_at: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Anchor {
    place: u64,
    country: Option<u64>,
    class: NetworkClass,
    /// Of IPv4 and IPv6: clients with both take turns.
    prefixes: [Prefixes; 2],
    since: Minutes,
    last: Minutes,
    /// The session began there.
    home: bool,
    /// Used there under suspicion only.
    alien: bool,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    id: u64,
    began: Minutes,
    last: Minutes,
    family: Option<u64>,
    tls: Option<u64>,
    client: Option<u64>,
    clean: bool,
    /// Begun with a second factor on a server's network that was new to the account.
    relay: bool,
    ended: Option<Minutes>,
    anchors: Vec<Anchor>,
}

/// The sessions, latest last.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sessions {
    held: Vec<Session>,
}

/// What a comparison needs besides the sessions.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The event.
    pub context: &'a Context,
    /// What it says of its session.
    pub conduct: &'a Conduct,
    /// Its fingerprints.
    pub keys: &'a Keys,
    /// How new the network is to the account.
    pub network: Option<NetworkNovelty>,
    /// The family of client is new to the account.
    pub new_family: bool,
    /// Effective number of the account's earlier visits.
    pub visits: f64,
}

impl SessionCell {
    /// Number of cells.
    pub const COUNT: usize = 20;

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        let lasting = usize::from(self.lasting == Lasting::Credential);
        // New families are rare: where they come from matters less than that there are enough of them.
        let within = if self.new_family {
            4
        } else {
            usize::from(self.network.min(3))
        };
        usize::from(self.phone) * 10 + lasting * 5 + within
    }
}

impl Relation {
    /// Number of relations.
    pub const COUNT: usize = 5;

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Relation::Begun => 0,
            Relation::Stray => 1,
            Relation::Kept => 2,
            Relation::Moved => 3,
            Relation::Ended => 4,
        }
    }
}

impl Sessions {
    /// Holds an event against the sessions; absent if it names none. Cost: a scan of a few entries.
    #[must_use]
    pub fn sight(held: Option<&Sessions>, scene: &Scene<'_>) -> Option<SessionSeen> {
        let id = scene.conduct.continuity()?;
        let now = scene.context.time.minutes();
        let cell = scene.cell();
        let known = held.and_then(|held| held.held.iter().find(|session| session.id == id));
        let Some(session) = known else {
            // The end of a session whose beginning nobody saw accuses nobody.
            let unseen_end = scene.conduct.deed == Some(Deed::SessionEnded);
            return (!unseen_end).then_some(SessionSeen {
                id,
                cell,
                relation: if scene.is_login() {
                    Relation::Begun
                } else {
                    Relation::Stray
                },
                grip: None,
                proof: false,
                clean: true,
                age_minutes: 0.0,
                idle_minutes: 0.0,
                at_once: None,
                goes_on: false,
                passage: None,
                shifted: None,
                relayed: false,
                began_at: None,
            });
        };
        let relation = session.relation(scene, now);
        let (grip, proof) = session.grip(scene);
        let age_minutes = now.since(session.began);
        Some(SessionSeen {
            id,
            cell,
            relation,
            grip,
            proof,
            clean: session.clean,
            age_minutes,
            idle_minutes: now.since(session.last),
            at_once: session.at_once(scene, now),
            goes_on: match relation {
                Relation::Moved => session.anchor(scene).is_some(),
                Relation::Kept => session.has_shifted_here(scene),
                Relation::Begun | Relation::Stray | Relation::Ended => false,
            },
            passage: session.passage(scene).filter(|_| relation == Relation::Moved),
            shifted: session.shifted(scene).filter(|_| relation == Relation::Kept),
            relayed: session.relay && relation == Relation::Moved && age_minutes <= RELAY_MINUTES,
            began_at: session
                .anchors
                .iter()
                .find(|anchor| anchor.home)
                .map(|anchor| anchor.place),
        })
    }

    /// Learns an event of a proven identity. Cost: as [`Sessions::sight`].
    pub fn learn(&mut self, seen: &SessionSeen, scene: &Scene<'_>, arrival: Arrival) {
        let now = scene.context.time.minutes();
        let at = self.held.iter().position(|session| session.id == seen.id);
        let mut session = match at {
            Some(at) => self.held.remove(at),
            None => Session::begun(seen.id, scene, arrival),
        };
        session.use_at(scene, now, (arrival, seen.relation));
        if scene.conduct.deed == Some(Deed::SessionEnded) {
            session.ended = Some(now);
        }
        if at.is_none() && self.held.len() >= SESSIONS_MAX {
            self.held.remove(0);
        }
        room::for_one_more(&mut self.held);
        self.held.push(session);
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let anchors: usize = self.held.iter().map(|session| session.anchors.capacity()).sum();
        self.held.capacity() * std::mem::size_of::<Session>() + anchors * std::mem::size_of::<Anchor>()
    }
}

impl Scene<'_> {
    fn cell(&self) -> SessionCell {
        let lasting = if self.conduct.session.is_none() && self.conduct.token.is_none() {
            Lasting::Credential
        } else {
            Lasting::Session
        };
        SessionCell {
            lasting,
            network: match self.network {
                None | Some(NetworkNovelty::KnownHost | NetworkNovelty::KnownPrefix) => 0,
                Some(NetworkNovelty::KnownAsn) => 1,
                Some(NetworkNovelty::KnownCountry | NetworkNovelty::Unplaced) => 2,
                Some(NetworkNovelty::NewCountry) => 3,
            },
            new_family: self.new_family,
            phone: matches!(
                self.context.client.device,
                DeviceType::Mobile | DeviceType::Tablet
            ),
        }
    }

    fn is_login(&self) -> bool {
        let ends = Activity::Authentication(AuthenticationActivity::Logoff);
        self.context.activity.is_authentication() && self.context.activity != ends
    }

    fn place(&self) -> Option<u64> {
        self.keys.asn.or(self.keys.prefix)
    }

    /// Position in [`Anchor::prefixes`].
    fn ip_version(&self) -> usize {
        usize::from(self.context.network.ip.is_some_and(|ip| ip.is_ipv6()))
    }
}

impl Anchor {
    fn is_settled(&self, now: Minutes) -> bool {
        self.home || now.since(self.since) > SETTLES_MINUTES
    }
}

impl Session {
    fn begun(id: u64, scene: &Scene<'_>, arrival: Arrival) -> Self {
        let now = scene.context.time.minutes();
        let server = matches!(
            scene.context.network.class,
            NetworkClass::Hosting | NetworkClass::Relay
        );
        let satisfied = scene.context.second_factor == Some(true);
        Self {
            id,
            began: now,
            last: now,
            family: scene.keys.family,
            tls: scene.conduct.tls,
            client: scene.keys.client,
            clean: arrival != Arrival::Suspicious,
            relay: server && satisfied && scene.is_login() && scene.cell().network >= 2,
            ended: None,
            anchors: Vec::with_capacity(1),
        }
    }

    fn relation(&self, scene: &Scene<'_>, now: Minutes) -> Relation {
        if self
            .ended
            .is_some_and(|ended| now.since(ended) > ENDED_GRACE_MINUTES)
        {
            return Relation::Ended;
        }
        let Some(place) = scene.place() else {
            return Relation::Kept;
        };
        let mut known = self.anchors.iter().filter(|anchor| !anchor.alien).peekable();
        if known.peek().is_none() || known.any(|anchor| anchor.place == place && anchor.is_settled(now)) {
            Relation::Kept
        } else {
            Relation::Moved
        }
    }

    fn passage(&self, scene: &Scene<'_>) -> Option<Passage> {
        let place = scene.place()?;
        let from = self
            .anchors
            .iter()
            .rfind(|anchor| anchor.place != place && !anchor.alien)?;
        let same_country = from.country == scene.keys.country;
        Passage::of([from.class, scene.context.network.class], same_country)
    }

    fn shifted(&self, scene: &Scene<'_>) -> Option<Shift> {
        // Without a system, the prefix is the network.
        scene.keys.asn?;
        let now = scene.context.time.minutes();
        let prefixes = self.anchor(scene)?.prefixes.get(scene.ip_version())?;
        let (own, here) = prefixes.own.zip(scene.keys.prefix)?;
        let settled = prefixes.has_settled(here, now);
        Some(Shift {
            is_other: own != here && !settled,
            mobile: scene.context.network.class == NetworkClass::Mobile,
        })
    }

    fn has_shifted_here(&self, scene: &Scene<'_>) -> bool {
        let held = self
            .anchor(scene)
            .and_then(|anchor| anchor.prefixes.get(scene.ip_version()));
        held.is_some_and(|held| {
            held.other.map(|(other, _)| other) == scene.keys.prefix && held.other.is_some()
        })
    }

    fn anchor(&self, scene: &Scene<'_>) -> Option<&Anchor> {
        let place = scene.place()?;
        self.anchors.iter().find(|anchor| anchor.place == place)
    }

    fn grip(&self, scene: &Scene<'_>) -> (Option<Grip>, bool) {
        let differs = |held: Option<u64>, now: Option<u64>| held.zip(now).map(|(held, now)| held != now);
        let tls = differs(self.tls, scene.conduct.tls);
        let key = differs(self.client, scene.keys.client);
        // A client that showed its key and shows none is compared too: a stolen cookie has none to show.
        let lost = self.client.is_some() && scene.keys.client.is_none();
        let proof = tls.is_some() || key.is_some() || lost;
        let grip = match differs(self.family, scene.keys.family) {
            Some(true) => Some(Grip::OtherFamily),
            _ if tls == Some(true) || key == Some(true) || lost => Some(Grip::OtherProof),
            None if !proof => None,
            _ => Some(Grip::Same),
        };
        (grip, proof)
    }

    /// Whether this network and another one take turns. A phone between its carrier and a wireless network does not count,
    /// nor does who is where the session began: of two, that is the owner.
    fn at_once(&self, scene: &Scene<'_>, now: Minutes) -> Option<bool> {
        let place = scene.place()?;
        let here = self.anchor(scene);
        if here.is_some_and(|here| here.home) {
            return None;
        }
        let latest = self.anchors.iter().rfind(|anchor| anchor.place != place)?;
        let (class, country) = (scene.context.network.class, scene.keys.country);
        let hands_over = class == NetworkClass::Mobile || latest.class == NetworkClass::Mobile;
        if hands_over && latest.country == country {
            return None;
        }
        // Anchors stand in the order of their last use: this one was used, then the other, and now this one again.
        let turns = self.anchors.last().is_some_and(|last| last.place != place)
            && here.is_some_and(|here| now.since(here.last) <= AT_ONCE_MINUTES);
        Some(turns)
    }

    fn use_at(&mut self, scene: &Scene<'_>, now: Minutes, (arrival, relation): (Arrival, Relation)) {
        self.last = self.last.max(now);
        let alien = arrival == Arrival::Suspicious;
        // Who moved says nothing of what the session is known by, until it has settled.
        if !alien && relation != Relation::Moved {
            self.family = scene.keys.family.or(self.family);
            self.tls = scene.conduct.tls.or(self.tls);
            self.client = scene.keys.client.or(self.client);
        }
        let Some(place) = scene.place() else { return };
        let at = self.anchors.iter().position(|anchor| anchor.place == place);
        let mut anchor = match at {
            Some(at) => self.anchors.remove(at),
            None => Anchor {
                place,
                country: scene.keys.country,
                class: scene.context.network.class,
                prefixes: Default::default(),
                since: now,
                last: now,
                home: self.anchors.is_empty(),
                // A session that begins under suspicion is at home there, and not clean.
                alien: alien && !self.anchors.is_empty(),
            },
        };
        anchor.last = anchor.last.max(now);
        anchor.alien &= alien;
        if let Some((prefixes, here)) = anchor.prefixes.get_mut(scene.ip_version()).zip(scene.keys.prefix) {
            prefixes.use_at(here, now);
        }
        if self.anchors.len() >= ANCHORS_MAX {
            let first = |is_it: &dyn Fn(&Anchor) -> bool| self.anchors.iter().position(is_it);
            let oldest = first(&|anchor| anchor.alien).or_else(|| first(&|anchor| !anchor.home));
            self.anchors.remove(oldest.unwrap_or(0));
        }
        room::for_one_more(&mut self.anchors);
        self.anchors.push(anchor);
    }
}

#[cfg(test)]
mod tests;
