//! B: among how many failed attempts (SCORING 5).
//!
//! Held against what is usual by address, prefix, fleet (one client in one autonomous system) and, for failures from many
//! addresses, the account that is tried. Keys overlap, so that their evidence does not add: the one that says most counts,
//! and of the next what it has beyond. Speaks on every event of who guesses, successes included: what gets in after fifty
//! failures is hardly the owner. Acts on the source, never on the victim: what comes from where the account is at home is
//! not accused of what others did nearby, nor of what the world tries on its name. Campaigns of one try a day are for the
//! stage after the accounts ([`crate::together`]).

use crate::attacker::scaled;
use crate::detector::{Detector, View};
use habitus_model::math::ln;
use habitus_model::{
    Blind, Context, DetectorId, Evidence, Fact, Family, Opinion, Prefix, Signal, Status, Text,
};
use habitus_profile::attempts::{Burst, Bursts, KeyKind};
use habitus_profile::joint::NetworkNovelty;

/// Bursts of failures.
pub struct Bursting;

/// Share of the likelihood ratio that counts: failures of one client that repeats itself are not independent. Assumed.
const INDEPENDENCE: f64 = 0.5;
/// The same within a minute or two, where it takes a tool to be so quick. Assumed.
const AT_ONCE: f64 = 1.0;
/// Evidence of each further name of nobody from one address, nats: `ln(0.9 / 0.08)`, the chance that an owner who just
/// mistyped a name mistypes another. Assumed; crowdsecurity/ssh-time-based-bf_user-enum takes four.
const NAME_OF_NOBODY: f64 = 2.4;
const NAMES_NATS_MAX: f64 = 8.0;
/// The most a burst says, nats. Above the cap of other families: a count cannot be one wrong row of a table.
const NATS_MAX: f64 = 10.0;
const WORTH_SAYING_NATS: f64 = 0.05;
/// What a second key has beyond the first must be worth so many nats to be a line of its own.
const WORTH_ADDING_NATS: f64 = 1.0;
/// From so many names on it is names that are tried, not passwords (FIELD rows 29, 31, 34).
const MANY_NAMES: f64 = 4.5;
/// Failures per name up to which each is tried with a few passwords only (FIELD row 29: 2 to 6).
const SPRAY_PER_NAME_MAX: f64 = 6.0;
/// Share of names that do not exist: from here on names are what is looked for; and from here on a list from elsewhere is
/// tried. A spray is of names that do. Assumed.
const ENUMERATED_SHARE: f64 = 0.8;
const STUFFED_SHARE: f64 = 0.2;
/// Least number of addresses that is a distributed attack on one account, not somebody's phone (FIELD row 28).
const ADDRESSES_MIN: f64 = 3.5;
/// Share of an attacker's guesses that succeed: 0.1 to 2 % are reported of stuffing; assumed for all sorts.
const GUESSES_THAT_SUCCEED: f64 = 0.01;
/// ln of the takeovers among logins that other evidence is measured against: 1e-5 (SCORING, foreword).
const LN_BASE_RATE: f64 = -11.512_925_464_970_229;

impl Detector for Bursting {
    fn id(&self) -> DetectorId {
        DetectorId("burst")
    }

    fn family(&self) -> Family {
        Family::Burst
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        match view.bursts {
            Some(bursts) => Opinion::Evidence(evidence(view, bursts)),
            None if view.context.network.ip.is_none() => Opinion::Abstain(Blind::NoAddress),
            None => Opinion::Evidence(Vec::new()),
        }
    }
}

fn evidence(view: &View<'_>, bursts: &Bursts) -> Vec<Evidence> {
    let succeeded = view.context.status == Status::Success;
    let concerned = || bursts.all().filter(|burst| concerns(view, burst));
    let Some((best, nats)) = strongest(concerned().copied(), succeeded) else {
        return Vec::new();
    };
    if nats < WORTH_SAYING_NATS {
        return Vec::new();
    }
    let mut evidence = vec![line(view, &best, nats)];
    let beyond = concerned()
        .filter(|burst| burst.kind != best.kind)
        .map(|burst| burst.beyond(&best));
    if let Some((more, nats)) = strongest(beyond, succeeded)
        && nats >= WORTH_ADDING_NATS
    {
        evidence.push(line(view, &more, nats));
    }
    evidence
}

/// Whether what happens at a key is this event's affair.
fn concerns(view: &View<'_>, burst: &Burst) -> bool {
    use NetworkNovelty::{KnownAsn, KnownHost, KnownPrefix};
    let home = view.seen.network_novelty;
    match burst.kind {
        KeyKind::Address => true,
        KeyKind::Prefix => home != Some(KnownHost),
        KeyKind::Fleet => !matches!(home, Some(KnownHost | KnownPrefix)),
        KeyKind::Account => {
            !matches!(home, Some(KnownHost | KnownPrefix | KnownAsn)) && burst.names() >= ADDRESSES_MIN
        }
        KeyKind::Tenant => false,
    }
}

/// The burst that says most; of equals the first, which is the narrowest.
fn strongest(bursts: impl Iterator<Item = Burst>, succeeded: bool) -> Option<(Burst, f64)> {
    let mut best: Option<(Burst, f64)> = None;
    for burst in bursts {
        let nats = strength(&burst, succeeded);
        if best.is_none_or(|(_, most)| nats > most) {
            best = Some((burst, nats));
        }
    }
    best
}

/// How surely there is a burst, and never more than its share of the attempts at this key allows (Herley & Schechter
/// 2019): among a thousand successes of an office one guess that succeeded is hard to find.
fn strength(burst: &Burst, succeeded: bool) -> f64 {
    let lately = INDEPENDENCE * burst.surprise();
    // A person who mistypes in haste gets in at last, too.
    let at_once = if succeeded {
        0.0
    } else {
        AT_ONCE * burst.surprise_at_once()
    };
    let sure = lately.max(at_once).max(names_of_nobody(burst));
    if sure < WORTH_SAYING_NATS {
        return 0.0;
    }
    let guesses = (burst.failures - burst.expected).max(f64::MIN_POSITIVE);
    let odds = if succeeded {
        GUESSES_THAT_SUCCEED * guesses / (burst.successes - 1.0).max(0.5)
    } else {
        guesses / burst.expected
    };
    sure.min(ln(odds) - LN_BASE_RATE).clamp(0.0, NATS_MAX)
}

/// Who comes from one address knows what the people there are called: of each further name of nobody, the evidence.
fn names_of_nobody(burst: &Burst) -> f64 {
    if burst.kind != KeyKind::Address || burst.unknown < 1.0 {
        return 0.0;
    }
    let share = burst.unknown / burst.failures.max(f64::MIN_POSITIVE);
    let further = burst.names() * share.min(1.0) - 1.0;
    (NAME_OF_NOBODY * further / (1.0 + burst.successes)).clamp(0.0, NAMES_NATS_MAX)
}

/// What sort of guessing it is, as the field names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    BruteForce,
    Spray,
    Stuffing,
    Enumeration,
    Distributed,
}

impl Shape {
    fn of(burst: &Burst) -> Self {
        let names = burst.names().max(1.0);
        let unknown = burst.unknown / burst.failures.max(f64::MIN_POSITIVE);
        if burst.kind == KeyKind::Account {
            Self::Distributed
        } else if names < MANY_NAMES {
            Self::BruteForce
        } else if unknown >= ENUMERATED_SHARE {
            Self::Enumeration
        } else if unknown >= STUFFED_SHARE {
            Self::Stuffing
        } else if burst.failures / names <= SPRAY_PER_NAME_MAX {
            Self::Spray
        } else {
            Self::BruteForce
        }
    }

    const fn signal(self, succeeded: bool) -> &'static str {
        match (self, succeeded) {
            (Self::BruteForce, false) => "brute_force",
            (Self::BruteForce, true) => "success_after_brute_force",
            (Self::Spray, false) => "password_spray",
            (Self::Spray, true) => "success_after_password_spray",
            (Self::Stuffing, false) => "credential_stuffing",
            (Self::Stuffing, true) => "success_after_credential_stuffing",
            (Self::Enumeration, false) => "user_enumeration",
            (Self::Enumeration, true) => "success_after_user_enumeration",
            (Self::Distributed, false) => "distributed_guessing",
            (Self::Distributed, true) => "success_after_distributed_guessing",
        }
    }
}

fn line(view: &View<'_>, burst: &Burst, nats: f64) -> Evidence {
    let context = view.context;
    let shape = Shape::of(burst);
    let succeeded = context.status == Status::Success;
    let facts = || {
        vec![
            Fact::Count(burst.failures),
            Fact::Name(key_name(context, burst.kind)),
            Fact::Count(burst.names().max(1.0)),
            Fact::Count(burst.unknown),
        ]
    };
    let text = match (shape, succeeded) {
        (Shape::Distributed, true) => {
            "a success after about {0} failed attempts on this account within the hour, from {2} addresses"
        }
        (Shape::Distributed, false) => {
            "about {0} failed attempts on this account within the hour, from {2} addresses"
        }
        (_, true) => "a success after about {0} failed attempts from {1} within the hour, on {2} names",
        (Shape::BruteForce, false) => "about {0} failed attempts from {1} within the hour",
        (Shape::Spray, false) => "about {0} failed attempts from {1} within the hour, on {2} names",
        (Shape::Stuffing | Shape::Enumeration, false) => {
            "about {0} failed attempts from {1} within the hour, on {2} names, about {3} of them on names of nobody"
        }
    };
    // A careful attacker does not guess; a thief of tokens need not; the owner forgot a password now and then.
    Evidence {
        family: Family::Burst,
        signal: Signal(shape.signal(succeeded)),
        nats: scaled([1.0, 0.8, 0.3, 0.3, 0.0], nats),
        reason: view.because(text, facts),
    }
}

/// The key in words.
fn key_name(context: &Context, kind: KeyKind) -> Text {
    let unknown = Text::const_new("?");
    match kind {
        KeyKind::Address => context
            .network
            .ip
            .map_or(unknown, |ip| Text::from(ip.to_string())),
        KeyKind::Prefix => context.network.ip.map_or(unknown, |ip| Prefix::of(ip).label()),
        KeyKind::Fleet => {
            let network = context.network.label().unwrap_or(unknown);
            Text::from(format!("{} on {network}", context.client.label()))
        }
        KeyKind::Account | KeyKind::Tenant => Text::const_new("many addresses"),
    }
}
