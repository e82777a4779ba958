//! What the account stage tells the campaign stage of an event, and the keys that campaigns are counted by.

use crate::attempts::is_attempt;
use crate::joint::NetworkNovelty;
use crate::keys::Keys;
use crate::known::Familiarity;
use crate::memory::is_question;
use crate::observation::VersionChange;
use crate::recall::{LevelSeen, Sighting};
use habitus_model::hash::HashKey;
use habitus_model::{Context, EventTime, FailureReason, Prefix, Status};

/// What of an event concerns campaigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// A success on a network *and* with a client that the account did not use before: what takeovers look like, and new
    /// phones on journeys.
    Pair,
    /// The same in a prefix that is new, on a network of the account's own: a pair by prefix and device alone.
    NearbyPair,
    /// A success on such a network with a client the account knows: where many arrive so, an office moved or a VPN was rolled
    /// out.
    Arrival,
    /// The first success of an account: it settles where it comes from. Anybody may open one, so that it proves little.
    First,
    /// A wrong password or name from a network that the account never used.
    Guess,
}

/// A sort of key that a campaign may be known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CampaignKind {
    /// Addresses side by side: /24 or /48.
    Prefix,
    /// An autonomous system within a country.
    Asn,
    /// One family of client in one autonomous system, with its TLS fingerprint where known.
    Fleet,
    /// One bound client.
    Device,
    /// All of the tenant.
    Tenant,
}

impl CampaignKind {
    /// Number of sorts.
    pub const COUNT: usize = 5;
    /// Every sort, in the order of arrays by sort.
    pub const ALL: [CampaignKind; CampaignKind::COUNT] = [
        CampaignKind::Prefix,
        CampaignKind::Asn,
        CampaignKind::Fleet,
        CampaignKind::Device,
        CampaignKind::Tenant,
    ];

    /// Position in arrays by sort.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            CampaignKind::Prefix => 0,
            CampaignKind::Asn => 1,
            CampaignKind::Fleet => 2,
            CampaignKind::Device => 3,
            CampaignKind::Tenant => 4,
        }
    }
}

/// An event, as campaigns see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Showing {
    /// What it is.
    pub novelty: Novelty,
    /// Fingerprint of its tenant.
    pub tenant: u64,
    /// Keys, in the order of [`CampaignKind::ALL`]; absent: not shown.
    pub keys: [Option<u64>; CampaignKind::COUNT],
    /// Fingerprint of the account.
    pub account: u64,
    /// Whether the client is one the account is known for. Not so of a client of which nothing is said.
    pub own_client: bool,
    /// Whether the event stands out so far by itself that it is no sign of a change, whatever its client.
    pub suspicious: bool,
    /// The prefix, if the account knows it from another country: not the account has moved, but what tables say of it.
    pub line: Option<u64>,
    /// When.
    pub time: EventTime,
}

impl Showing {
    /// Whether it may be excused by a change to its key of this sort: a success with the account's own client; of a line that
    /// lies elsewhere by a change of location data only.
    pub(super) fn may_be_excused(&self, kind: CampaignKind) -> bool {
        let fits = kind != CampaignKind::Tenant || self.line.is_some();
        self.novelty == Novelty::Arrival && self.own_client && fits
    }
}

/// What an event shows of campaigns; nothing of most. Cost: a few comparisons, and six short SipHashes of those that show
/// something.
#[must_use]
pub fn showing(context: &Context, seen: &Sighting, key: HashKey) -> Option<Showing> {
    // What a visit brought was counted as it began; and a prompt is followed by its login.
    let counted = !seen.fresh.is_empty() || (is_question(context) && context.status == Status::Success);
    let novelty = novelty(context, seen).filter(|_| !counted)?;
    let tenant = tenant_key(context, key);
    let mut keys = keys_of(context, &seen.keys, key);
    if novelty == Novelty::NearbyPair {
        // On a network of the account's own, only what is narrower is new.
        forget(&mut keys, &[CampaignKind::Asn, CampaignKind::Fleet]);
    }
    if is_own_device(seen) {
        // What others do with it is no news of its owner.
        forget(&mut keys, &[CampaignKind::Device]);
    }
    Some(Showing {
        novelty,
        tenant,
        keys,
        account: context
            .account
            .as_ref()
            .map_or(0, |account| key.fingerprint(account.as_str())),
        own_client: is_own_client(seen),
        suspicious: false,
        line: seen.keys.prefix.filter(|_| seen.line_moved),
        time: context.time,
    })
}

fn forget(keys: &mut [Option<u64>; CampaignKind::COUNT], kinds: &[CampaignKind]) {
    for kind in kinds {
        if let Some(key) = keys.get_mut(kind.index()) {
            *key = None;
        }
    }
}

/// Fingerprint of an event's tenant. By its name, never by its number, which tells who came first.
#[must_use]
pub fn tenant_key(context: &Context, key: HashKey) -> u64 {
    key.fingerprint(&("tenant", context.tenant.as_str()))
}

/// The keys that an event is counted by, in the order of [`CampaignKind::ALL`]. Tenants share none. Cost: six short
/// SipHashes.
#[must_use]
pub fn keys_of(context: &Context, keys: &Keys, key: HashKey) -> [Option<u64>; CampaignKind::COUNT] {
    let tenant = tenant_key(context, key);
    let prefix = context.network.ip.map(Prefix::of);
    let tls = context.client.tls_fingerprint.as_deref();
    let fleet = keys.asn.zip(keys.family);
    [
        prefix.map(|prefix| key.fingerprint(&("prefix of", tenant, prefix))),
        keys.asn.map(|asn| key.fingerprint(&("asn of", tenant, asn))),
        fleet.map(|fleet| key.fingerprint(&("fleet of", tenant, fleet, tls))),
        keys.client
            .map(|client| key.fingerprint(&("device of", tenant, client))),
        Some(key.fingerprint(&("all of", tenant))),
    ]
}

fn novelty(context: &Context, seen: &Sighting) -> Option<Novelty> {
    let (has_history, new_network) = (seen.visits > 0.0, network_is_new(seen));
    match context.status {
        Status::Success if !has_history && context.account.is_some() => Some(Novelty::First),
        Status::Success if new_network => Some(if client_is_new(seen) {
            Novelty::Pair
        } else {
            Novelty::Arrival
        }),
        Status::Success if seen.network_novelty == Some(NetworkNovelty::KnownAsn) && client_is_new(seen) => {
            Some(Novelty::NearbyPair)
        }
        Status::Failure if is_guess(context) && (new_network || !has_history) => Some(Novelty::Guess),
        Status::Success | Status::Failure | Status::Unknown | Status::Other => None,
    }
}

/// What waits in quarantine was counted when it was new.
fn network_is_new(seen: &Sighting) -> bool {
    matches!(
        seen.network_novelty,
        Some(NetworkNovelty::NewCountry | NetworkNovelty::KnownCountry | NetworkNovelty::Unplaced)
    )
}

/// Newer versions are not new: browsers update. A client of which nothing is said is not new either, or every exit of a
/// VPN were a pair.
fn client_is_new(seen: &Sighting) -> bool {
    let changed = |kind| matches!(kind, VersionChange::Downgrade | VersionChange::OtherModel);
    let new = |level: LevelSeen| !matches!(level.familiarity, Familiarity::Known { .. });
    if is_own_device(seen) {
        return false;
    }
    seen.device
        .is_some_and(|device| new(device.seen) || device.change.is_some_and(|change| changed(change.kind)))
        || seen.client.is_some_and(new)
        || seen.key.is_some_and(|key| key.absent)
}

/// The client is positively known, which is more than not being new.
fn is_own_client(seen: &Sighting) -> bool {
    let known = |level: LevelSeen| matches!(level.familiarity, Familiarity::Known { .. });
    is_own_device(seen) || (!client_is_new(seen) && seen.device.is_some_and(|device| known(device.seen)))
}

/// A client with a key that the account knows is the account's own, whatever else it says of itself.
fn is_own_device(seen: &Sighting) -> bool {
    seen.client
        .is_some_and(|client| matches!(client.familiarity, Familiarity::Known { .. }))
}

/// Who is refused with the right password did not guess.
fn is_guess(context: &Context) -> bool {
    use FailureReason::{
        AccountDisabled, AccountLockedOut, InvalidCredentials, MfaFailed, Other, PasswordExpired,
        PolicyDenied, UserDoesNotExist,
    };
    let wrong = match context.failure {
        None | Some(UserDoesNotExist | InvalidCredentials | AccountLockedOut | Other) => true,
        Some(AccountDisabled | PasswordExpired | MfaFailed | PolicyDenied) => false,
    };
    wrong && is_attempt(context)
}
