//! What verdicts on others say of an event's network and client (SCORING 10: labels set the reputation of entities).
//!
//! Speaks only of what is new to the account: where it lives, what happened to others says nothing. Bounded, whatever people say:
//! [`PREFIX_NATS_MAX`] and its like against the owner, [`CLEARED_NATS_MAX`] for.

use crate::attacker::scaled;
use crate::detector::View;
use habitus_model::{Evidence, Fact, Family, Reason, Signal};
use habitus_profile::population::Kind;
use habitus_profile::reputation::{Reputation, Standing, Thing, marked};

/// Most that takeovers by the same prefix say, nats. Real takeovers come in campaigns (35 % of them from three systems: SCORING,
/// foreword), and what owners bring for the first time is that very prefix once in hundreds; the rest is left to what the network
/// says by itself. Assumed.
pub const PREFIX_NATS_MAX: f64 = 2.5;
/// The same for a hosting provider or relay, which has many customers. Assumed.
pub const PROVIDER_NATS_MAX: f64 = 1.5;
/// The same for a bound client: one device that took over an account is nobody else's. Assumed.
pub const CLIENT_NATS_MAX: f64 = 4.0;
/// Most that false alarms by the same say for the owner, nats: they do not make it known (RELIABILITY 6.2). Assumed.
pub const CLEARED_NATS_MAX: f64 = 0.5;
/// Accounts that use a provider count as so many that use one of its prefixes, of which no popularity is kept. Assumed.
const PREFIX_SHARE: f64 = 0.05;
const WORTH_SAYING_NATS: f64 = 0.05;

/// What verdicts on others say: at most one line on the network and one on the client. `account` is the event's own, whose verdicts
/// are left out.
#[must_use]
pub fn evidence(view: &View<'_>, reputation: &Reputation, account: u64) -> Vec<Evidence> {
    if reputation.is_empty() {
        return Vec::new();
    }
    let seen = view.seen;
    let is_new =
        |level: Option<habitus_profile::recall::LevelSeen>| level.is_some_and(|level| level.is_new());
    let new_provider = is_new(seen.country) || is_new(seen.asn);
    let news = [
        new_provider || is_new(seen.prefix),
        new_provider,
        is_new(seen.client),
    ];
    let keys = marked(view.context, &seen.keys);
    let [prefix, provider, client] = [0, 1, 2].map(|nth: usize| {
        let thing = *Thing::ALL.get(nth)?;
        let key = keys
            .get(nth)
            .copied()
            .flatten()
            .filter(|_| news.get(nth) == Some(&true))?;
        let standing = reputation.standing((thing, key), account, seen.now)?;
        Some((nats(view, thing, &standing), standing))
    });
    // The prefix is within the provider: the one that says most speaks.
    let network = [prefix, provider]
        .into_iter()
        .flatten()
        .max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
    let lines = [("network_reputation", network), ("client_reputation", client)];
    lines
        .into_iter()
        .filter_map(|(signal, said)| said.map(|said| line(view, signal, said)))
        .filter(|line| line.nats.iter().any(|nats| nats.abs() >= WORTH_SAYING_NATS))
        .collect()
}

fn nats(view: &View<'_>, thing: Thing, standing: &Standing) -> f64 {
    let users = || {
        let asn = view.seen.keys.asn;
        asn.map_or(0.0, |asn| view.population.knowers(Kind::Asn, asn))
    };
    let (most, owners) = match thing {
        Thing::Prefix => (PREFIX_NATS_MAX, PREFIX_SHARE * users()),
        Thing::Provider => (PROVIDER_NATS_MAX, users()),
        Thing::Client => (CLIENT_NATS_MAX, 0.0),
    };
    let Standing { taken, cleared, .. } = *standing;
    if taken > 0.0 {
        // Who was taken over there may stand among those who use it.
        let owners = (owners - taken).max(0.0) + cleared;
        return most * taken / (taken + 1.0 + owners);
    }
    -CLEARED_NATS_MAX * cleared / (cleared + 1.0)
}

fn line(view: &View<'_>, signal: &'static str, (nats, standing): (f64, Standing)) -> Evidence {
    Evidence {
        family: Family::Campaign,
        signal: Signal(signal),
        // As of campaigns: who imitates one victim does not work in series, the insider sits at the owner's desk.
        nats: scaled([1.0, 1.0, 0.5, 0.8, 0.0], nats),
        reason: reason(view, signal, &standing),
    }
}

fn reason(view: &View<'_>, signal: &str, standing: &Standing) -> Reason {
    let Some(days) = standing.days else {
        let text = match signal {
            "client_reputation" => "false alarms by this client were confirmed for about {0} other accounts",
            _ => "false alarms by this network were confirmed for about {0} other accounts",
        };
        return view.because(text, || vec![Fact::Count(standing.cleared)]);
    };
    let text = match signal {
        "client_reputation" => {
            "by this client about {0} other accounts were taken over, as people confirmed; the last {1} ago"
        }
        _ => {
            "by this network about {0} other accounts were taken over, as people confirmed; the last {1} ago"
        }
    };
    view.because(text, || vec![Fact::Count(standing.taken), Fact::Days(days)])
}
