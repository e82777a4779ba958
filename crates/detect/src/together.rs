//! Evidence of the stage after the accounts: what an event shows together with other accounts' (SCORING 5).
//!
//! X: takeovers that share a network or a client. B: guessing too slow to be a burst. Each speaks by the key that says
//! most, because keys overlap.

use crate::attacker::{plus, scaled};
use habitus_model::math::ln_1p;
use habitus_model::{AccountKind, Context, Evidence, Fact, Family, Prefix, Reason, Signal, Text};
use habitus_profile::attempts::is_attempt;
use habitus_profile::campaigns::{
    CampaignKind, Change, ChangeKind, Companions, Novelty, SlowGuessing, Together,
};

/// Share of the likelihood ratio that counts: people of one household or course travel together. Assumed.
const INDEPENDENCE: f64 = 1.0;
/// The most slow guessing says of one of its guesses, nats.
const GUESS_NATS_MAX: f64 = 7.0;
/// Takeovers among logins (SCORING, foreword), and successes among guesses. See `detectors::burst`.
const BASE_RATE: f64 = 1e-5;
const GUESSES_THAT_SUCCEED: f64 = 0.01;
/// Logins a day of a network that is not the whole tenant, as a share of the tenant's. Assumed.
const NETWORK_SHARE: f64 = 0.05;
const WORTH_SAYING_NATS: f64 = 0.3;
/// What a network says of a login that goes with a change of its tenant, at most: it is where attackers would have to come from
/// as well, and one in seven has a client that fits. Assumed.
const CHANGE_NATS_LEFT: f64 = 0.5;

/// What an event shows together with others: nothing of most.
#[must_use]
pub fn evidence(context: &Context, novelty: Novelty, together: &Together) -> Vec<Evidence> {
    let campaign = together
        .companions
        .map(|others| campaign(context, novelty, &others));
    let slow = together
        .guessing
        .and_then(|guessing| slow_guessing(context, novelty, &guessing));
    let worth = |one: &Evidence| one.nats.iter().any(|nats| *nats >= WORTH_SAYING_NATS);
    campaign.into_iter().chain(slow).filter(worth).collect()
}

/// What a change of the tenant takes off an event that goes with it: all that its network, its jump and their going with its
/// client say beyond `CHANGE_NATS_LEFT`, unless people confirmed a takeover by that network. Nothing else: what it proves,
/// does and uses, and campaigns, keep what they say. Only logins are excused. `others` is the event's evidence so far.
#[must_use]
pub fn change(context: &Context, change: &Change, others: &[Evidence]) -> Option<Evidence> {
    let confirmed = |one: &Evidence| {
        one.signal == Signal("network_reputation") && one.nats.iter().any(|nats| *nats > 0.0)
    };
    if !is_attempt(context) || context.kind == AccountKind::Privileged || others.iter().any(confirmed) {
        return None;
    }
    let is_moved = |one: &&Evidence| matches!(one.family, Family::Network | Family::Joint | Family::Motion);
    let said = others.iter().filter(is_moved).map(|one| one.nats);
    let said = said.fold([0.0; 5], plus);
    let nats = said.map(|nats| (CHANGE_NATS_LEFT - nats).min(0.0));
    if nats.iter().all(|nats| *nats > -WORTH_SAYING_NATS) {
        return None;
    }
    let text = match change.kind {
        ChangeKind::Prefix | ChangeKind::Provider => {
            "{0} accounts came to {1} with clients of their own within {2}: taken for a change of the tenant"
        }
        ChangeKind::Locations => {
            "{0} lines that accounts know lie elsewhere since {2}: taken for a change of location data"
        }
    };
    let place = match change.kind {
        ChangeKind::Prefix => CampaignKind::Prefix,
        ChangeKind::Provider | ChangeKind::Locations => CampaignKind::Asn,
    };
    let facts = vec![
        Fact::Count(f64::from(change.movers)),
        Fact::Name(key_name(context, place)),
        Fact::Days(context.time.since(change.since).days()),
    ];
    Some(Evidence {
        family: Family::Network,
        signal: Signal("tenant_change"),
        nats,
        reason: Reason::new(text, facts),
    })
}

fn campaign(context: &Context, novelty: Novelty, others: &Companions) -> Evidence {
    let facts = vec![
        Fact::Count(others.others),
        Fact::Name(key_name(context, others.kind)),
        Fact::Days(others.window_days),
        Fact::Name(decimal(others.expected)),
    ];
    let text = match novelty {
        Novelty::Pair | Novelty::NearbyPair => {
            "network and client are both new to this account, as lately to about {0} other accounts on {1} (half-life {2}; \
             {3} would be usual)"
        }
        Novelty::Arrival | Novelty::First | Novelty::Guess => {
            "the network is new to this account, as lately, with a new client, to about {0} other accounts on {1} \
             (half-life {2}; {3} would be usual)"
        }
    };
    Evidence {
        family: Family::Campaign,
        signal: Signal("takeover_campaign"),
        // Who imitates one victim does not work in series; the insider sits at the owner's desk.
        nats: scaled([1.0, 1.0, 0.5, 0.8, 0.0], INDEPENDENCE * others.nats),
        reason: Reason::new(text, facts),
    }
}

fn slow_guessing(context: &Context, novelty: Novelty, guessing: &SlowGuessing) -> Option<Evidence> {
    let (signal, nats, text) = match novelty {
        Novelty::Guess => (
            "slow_password_spray",
            guessing.nats.min(GUESS_NATS_MAX),
            "about {0} accounts were tried from networks they never used, within {1}, by {2}: {3} would be usual",
        ),
        // Who guesses passwords has no second factor; and what goes on in a session began before.
        Novelty::Pair if context.second_factor == Some(true) || !is_attempt(context) => return None,
        Novelty::Pair => (
            "success_after_slow_password_spray",
            success_nats(guessing),
            "a success on a new network, after about {0} accounts were tried from networks they never used, within {1}, \
             by {2}: {3} would be usual",
        ),
        Novelty::NearbyPair | Novelty::Arrival | Novelty::First => return None,
    };
    let facts = vec![
        Fact::Count(guessing.accounts),
        Fact::Days(guessing.days),
        Fact::Name(key_name(context, guessing.kind)),
        Fact::Name(decimal(guessing.expected)),
    ];
    Some(Evidence {
        family: Family::Burst,
        signal: Signal(signal),
        nats: scaled([1.0, 0.8, 0.3, 0.3, 0.0], nats),
        reason: Reason::new(text, facts),
    })
}

/// How much likelier a takeover is while guessing goes on: takeovers that the guesses yield, against those there are anyway.
fn success_nats(guessing: &SlowGuessing) -> f64 {
    let guesses = (guessing.accounts - guessing.expected).max(0.0);
    let logins = guessing.logins_per_day * guessing.days.max(0.1);
    let share = match guessing.kind {
        CampaignKind::Tenant => 1.0,
        CampaignKind::Prefix | CampaignKind::Asn | CampaignKind::Fleet | CampaignKind::Device => {
            NETWORK_SHARE
        }
    };
    let yielded = GUESSES_THAT_SUCCEED * guesses / (BASE_RATE * share * logins).max(f64::MIN_POSITIVE);
    ln_1p(yielded).min(guessing.nats)
}

/// The key in words.
fn key_name(context: &Context, kind: CampaignKind) -> Text {
    let unknown = || Text::const_new("an unknown network");
    let network = || context.network.label().unwrap_or_else(unknown);
    match kind {
        CampaignKind::Prefix => context
            .network
            .ip
            .map_or_else(unknown, |ip| Prefix::of(ip).label()),
        CampaignKind::Asn => network(),
        CampaignKind::Fleet => Text::from(format!("{} on {}", context.client.label(), network())),
        CampaignKind::Device => Text::const_new("this very device"),
        CampaignKind::Tenant => Text::const_new("anybody"),
    }
}

/// A small expectation with as many digits as it takes not to read as 0.
fn decimal(x: f64) -> Text {
    Text::from(match x {
        x if x >= 10.0 => format!("{x:.0}"),
        x if x >= 0.1 => format!("{x:.1}"),
        x => format!("{:.2}", x.max(0.01)),
    })
}
