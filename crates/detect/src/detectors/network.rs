//! N: where on the network (SCORING 1).
//!
//! A path from coarse to fine: country, autonomous system, prefix, address. At each level the owner brings something
//! new with a probability measured for this account and its tenant, and what is new is drawn from what other accounts
//! brought lately; an attacker draws it as its sort does. What follows below a new level is new by itself and says
//! nothing more.

use crate::attacker::{self, against, against_logs, plus, scaled};
use crate::detector::{Detector, View};
use crate::novelty::{FIRST_VISIT, POPULARITY_NATS_MAX, popularity, unvouched, waits};
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, NetworkClass, Opinion, Reason, Signal, Text};
use habitus_profile::Profile;
use habitus_profile::known::Familiarity;
use habitus_profile::observation::NewNetwork;
use habitus_profile::population::Kind;
use habitus_profile::recall::LevelSeen;

/// Network evidence.
pub struct Network;

/// Probability of one country or network among those nothing is known of.
const FLAT_COUNTRY: f64 = 1.0 / 60.0;
const FLAT_ASN: f64 = 1.0 / 300.0;
/// Networks of a country a visitor may meet, and the weight of that guess, visitors. Assumed.
const NETWORKS_PER_COUNTRY: f64 = 30.0;
const ABROAD_WEIGHT: f64 = 5.0;

/// Habits that say less are not worth a line.
const CLASS_HABIT_NATS_MIN: f64 = 0.05;

impl Detector for Network {
    fn id(&self) -> DetectorId {
        DetectorId("network")
    }

    fn family(&self) -> Family {
        Family::Network
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let seen = view.seen;
        if !seen.keys.has_network() {
            return Opinion::Abstain(if view.context.network.ip.is_none() {
                Blind::NoAddress
            } else {
                Blind::NoPlace
            });
        }
        if !view.has_history() {
            return Opinion::Evidence(first_visit(view));
        }
        // That a network which nothing vouches for was seen before is no habit of the owner's: `stranger` speaks of it.
        if seen.stranger.is_some() {
            return Opinion::Evidence(Vec::new());
        }
        let mut evidence = Vec::with_capacity(4);
        evidence.extend(seen.country.map(|level| country(view, level)));
        evidence.extend(seen.asn.map(|level| network(view, level)));
        evidence.extend(class_habit(view));
        if seen.country.is_some_and(|country| country.is_new()) {
            let elsewhere = provider_abroad(view);
            // A provider that explains the country explains where it lies and which network it has.
            if elsewhere.is_none() {
                evidence.extend(distance(view));
                evidence.extend(network_abroad(view));
            }
            evidence.extend(elsewhere);
        }
        evidence.extend(seen.prefix.map(|level| address(view, level)));
        Opinion::Evidence(evidence)
    }
}

/// An account without history is held against its population.
fn first_visit(view: &View<'_>) -> Vec<Evidence> {
    let (seen, population) = (view.seen, view.population);
    let mut evidence = Vec::with_capacity(2);
    // Nobody proved an identity yet: there is nothing to hold it against.
    if population.accounts() == 0 {
        return evidence;
    }
    if let (Some(key), Some(code)) = (seen.keys.country, view.context.place.country) {
        let popular = population.share(Kind::Country, key, None);
        let owner = popularity(popular, FLAT_COUNTRY);
        let facts = || {
            vec![
                Fact::Country(code),
                Fact::Count(population.knowers(Kind::Country, key)),
                accounts(view),
            ]
        };
        let reason = view.because(
            "first visit of this account, from {0}: {1} of {2} colleagues use it",
            facts,
        );
        evidence.push(line(
            "first_visit_country",
            scaled(against(attacker::country(popular, popular), owner), FIRST_VISIT),
            reason,
        ));
    }
    if let (Some(key), Some(asn)) = (seen.keys.asn, view.context.network.asn) {
        let popular = population.share(Kind::Asn, key, None);
        let owner = popularity(popular, FLAT_ASN);
        let facts = || {
            vec![
                Fact::Asn(asn),
                Fact::Count(population.knowers(Kind::Asn, key)),
                accounts(view),
            ]
        };
        let reason = view.because(
            "first visit of this account, on {0}: {1} of {2} colleagues use it",
            facts,
        );
        evidence.push(line(
            "first_visit_network",
            scaled(against(attacker::network(popular, popular), owner), FIRST_VISIT),
            reason,
        ));
    }
    evidence
}

fn country(view: &View<'_>, level: LevelSeen) -> Evidence {
    let new = || {
        let arrival = popularity(
            view.population.arrival(Kind::Country, level.key, view.seen.group),
            FLAT_COUNTRY,
        );
        against(attacker::country(0.0, arrival), level.novelty * arrival)
    };
    let place = || Fact::Name(Text::from(view.context.place.label()));
    match level.familiarity {
        Familiarity::New => {
            let knowers = || Fact::Count(view.population.knowers(Kind::Country, level.key));
            let facts = || vec![place(), visits(view), history(view), knowers(), accounts(view)];
            let text = "first visit from {0}: 0 of {1} in {2}; {3} of {4} colleagues ever";
            line("new_country", new(), view.because(text, facts))
        }
        Familiarity::Pending { age_days } => {
            let facts = || vec![place(), Fact::Days(age_days)];
            let text = "{0} was first seen {1} ago, with a high score, and is not trusted yet";
            line(
                "untrusted_country",
                unvouched(view, new(), (age_days, false)),
                view.because(text, facts),
            )
        }
        Familiarity::Known { weight, share } => {
            let popular = view.population.share(Kind::Country, level.key, view.seen.group);
            let nats = against(attacker::country(share, popular), (1.0 - level.novelty) * share);
            let facts = || vec![place(), Fact::Count(weight.max(1.0)), visits(view)];
            line(
                "known_country",
                nats,
                view.because("{0} is known: about {1} of {2} visits", facts),
            )
        }
    }
}

fn network(view: &View<'_>, level: LevelSeen) -> Evidence {
    let new = || {
        let arrival = view.population.arrival(Kind::Asn, level.key, view.seen.group);
        let popular = popularity(arrival, FLAT_ASN);
        plus(
            against(attacker::network(0.0, popular), level.novelty * popular),
            class_evidence(view, arrival),
        )
    };
    let name = || network_name(view);
    match level.familiarity {
        Familiarity::New => {
            let knowers = || Fact::Count(view.population.knowers(Kind::Asn, level.key));
            let class = || Fact::Name(Text::new(view.context.network.class.caption()));
            let facts = || vec![name(), class(), visits(view), knowers(), accounts(view)];
            let text = "first visit on {0} ({1} network): 0 of {2}; {3} of {4} colleagues ever";
            line("new_network", new(), view.because(text, facts))
        }
        Familiarity::Pending { age_days } => {
            let facts = || vec![name(), Fact::Days(age_days)];
            let text = "{0} was first seen {1} ago, with a high score, and is not trusted yet";
            line(
                "untrusted_network",
                unvouched(view, new(), (age_days, waits(view.seen.country))),
                view.because(text, facts),
            )
        }
        Familiarity::Known { weight, share } => {
            let popular = view.population.share(Kind::Asn, level.key, view.seen.group);
            let nats = against(attacker::network(share, popular), (1.0 - level.novelty) * share);
            let facts = || vec![name(), Fact::Count(weight.max(1.0)), visits(view)];
            line(
                "known_network",
                nats,
                view.because("{0} is known: about {1} of {2} visits", facts),
            )
        }
    }
}

/// Whether accounts like this one bring networks of this class: those that use VPNs bring further exits, those that never
/// did hardly any.
fn class_habit(view: &View<'_>) -> Option<Evidence> {
    let (seen, class) = (view.seen, view.context.network.class);
    let abroad = seen.country.is_some_and(|level| level.is_new());
    let is_new = abroad || seen.asn.is_some_and(|level| level.is_new());
    // Its own provider in another country is the habit itself, and has its line.
    let is_own = seen.provider_abroad == Some(true);
    if !is_new || is_own || class == NetworkClass::Unknown {
        return None;
    }
    let rents = view.profile.is_some_and(Profile::rents);
    let owner = view.population.class_habit(NewNetwork { abroad, rents, class });
    let all = view.population.class_arrival(abroad, class);
    let nats = (ln(all) - ln(owner)).clamp(-POPULARITY_NATS_MAX, POPULARITY_NATS_MAX);
    if nats.abs() < CLASS_HABIT_NATS_MIN {
        return None;
    }
    let signal = if nats > 0.0 {
        "unusual_network_class"
    } else {
        "usual_network_class"
    };
    let text = if rents {
        "a {0} network, as {1} of the new ones of accounts that used VPNs or hosting before"
    } else {
        "a {0} network, as {1} of the new ones of accounts that never used VPNs or hosting"
    };
    let facts = || vec![Fact::Name(Text::new(class.caption())), Fact::Share(owner)];
    Some(line(
        signal,
        [nats, nats, nats, nats, 0.0],
        view.because(text, facts),
    ))
}

/// The account's own provider in another country: another exit of its VPN, or its line placed wrongly by the database.
fn provider_abroad(view: &View<'_>) -> Option<Evidence> {
    view.seen.provider_abroad.filter(|same| *same)?;
    let owner = view.population.provider_abroad();
    let reason = view.because(
        "there on {0}, which this account knows from another country, as in {1} of new countries",
        || vec![network_name(view), Fact::Share(owner)],
    );
    Some(line(
        "provider_abroad",
        against(attacker::PROVIDER_ABROAD, owner),
        reason,
    ))
}

/// Whether the country lies where the population's journeys lead. Speaks as far as nobody brought the country of late: what
/// they brought is counted already.
fn distance(view: &View<'_>) -> Option<Evidence> {
    let journey = view.seen.journey?;
    let owner = view.population.journeys().share(journey);
    let stranger = 0.5 * owner + 0.5 * journey.world();
    let nats = (ln(stranger) - ln(owner)).clamp(-POPULARITY_NATS_MAX, POPULARITY_NATS_MAX);
    let km = view.seen.moves.iter().map(|m| m.distance.0).reduce(f64::min)?;
    let (signal, text) = if nats > 0.0 {
        (
            "far_country",
            "{0} from the nearest place this account was at: {1} of new countries are so far away",
        )
    } else {
        (
            "near_country",
            "{0} from the nearest place this account was at, as are {1} of new countries",
        )
    };
    let reason = view.because(text, || vec![Fact::Km(km), Fact::Share(owner)]);
    Some(line(signal, [nats, nats, nats, nats, 0.0], reason))
}

/// In a country new to the account every network is new; which one still tells the guest of a hotel from a data centre.
fn network_abroad(view: &View<'_>) -> Option<Evidence> {
    let country = view.population.knowers(Kind::Country, view.seen.keys.country?);
    let knowers = view
        .seen
        .keys
        .asn
        .map_or(0.0, |asn| view.population.knowers(Kind::Asn, asn));
    let flat = ABROAD_WEIGHT / NETWORKS_PER_COUNTRY;
    let owner = (knowers.min(country) + flat) / (country + ABROAD_WEIGHT);
    let stranger = 0.7 / NETWORKS_PER_COUNTRY + 0.3 * owner;
    let which = (ln(stranger) - ln(owner)).clamp(-POPULARITY_NATS_MAX, POPULARITY_NATS_MAX);
    let class = class_ratio(view, true) * flat / (flat + knowers);
    let nats = if view.seen.keys.asn.is_some() {
        which + class
    } else {
        class
    };
    let facts = || {
        vec![
            network_name(view),
            Fact::Name(Text::new(view.context.network.class.caption())),
            Fact::Count(knowers),
            Fact::Count(country),
        ]
    };
    let reason = view.because(
        "there on {0} ({1} network): {2} of the {3} colleagues who know that country",
        facts,
    );
    Some(line("network_abroad", [nats, nats, nats, nats, 0.0], reason))
}

/// Prefix and address together: a reader wants one line for "known address", "known neighbourhood", "new one".
fn address(view: &View<'_>, prefix: LevelSeen) -> Evidence {
    let new_prefix = || against_logs(&attacker::NEW_PREFIX_LOGS, prefix.novelty);
    let because = |text, more: Fact| view.because(text, || vec![prefix_name(view), more]);
    match prefix.familiarity {
        Familiarity::New => {
            let text = "first visit from {0}; this account brings a new one in {1} of visits on this network";
            line(
                "new_prefix",
                new_prefix(),
                because(text, Fact::Share(prefix.novelty)),
            )
        }
        Familiarity::Pending { age_days } => {
            let text = "{0} was first seen {1} ago, with a high score, and is not trusted yet";
            let nats = unvouched(
                view,
                new_prefix(),
                (age_days, waits(view.seen.country) || waits(view.seen.asn)),
            );
            line("untrusted_prefix", nats, because(text, Fact::Days(age_days)))
        }
        Familiarity::Known { weight, .. } => {
            let nats = against_logs(&attacker::KNOWN_PREFIX_LOGS, 1.0 - prefix.novelty);
            let Some(host) = view.seen.host else {
                return line(
                    "known_prefix",
                    nats,
                    because("{0} is known: about {1} visits", Fact::Count(weight)),
                );
            };
            let known_host = || against_logs(&attacker::KNOWN_HOST_LOGS, 1.0 - host.novelty);
            let new_host = || against_logs(&attacker::NEW_HOST_LOGS, host.novelty);
            match host.familiarity {
                Familiarity::Known { weight, .. } => {
                    let reason = because(
                        "the address in {0} is known: about {1} visits",
                        Fact::Count(weight.max(1.0)),
                    );
                    line("known_address", plus(nats, known_host()), reason)
                }
                Familiarity::New | Familiarity::Pending { .. } => {
                    let reason = because(
                        "a new address in {0}, which is known: about {1} visits",
                        Fact::Count(weight.max(1.0)),
                    );
                    line("known_prefix", plus(nats, new_host()), reason)
                }
            }
        }
    }
}

/// The class of a network speaks as far as the network itself is unknown to the population.
fn class_evidence(view: &View<'_>, arrival: f64) -> PerProfile {
    let nats = class_ratio(view, false) * (FLAT_ASN / arrival).min(1.0);
    // Who imitates the victim's network does not draw a class.
    [nats, nats, 0.0, nats, 0.0]
}

fn class_ratio(view: &View<'_>, abroad: bool) -> f64 {
    let class = view.context.network.class;
    if class == NetworkClass::Unknown {
        return 0.0;
    }
    let ratio = ln(attacker::class(class)) - ln(view.population.class_arrival(abroad, class));
    ratio.clamp(-POPULARITY_NATS_MAX, POPULARITY_NATS_MAX)
}

fn line(signal: &'static str, nats: PerProfile, reason: Reason) -> Evidence {
    Evidence {
        family: Family::Network,
        signal: Signal(signal),
        nats,
        reason,
    }
}

fn visits(view: &View<'_>) -> Fact {
    Fact::Count(
        view.profile
            .map_or(0.0, |profile| f64::from(profile.visits_ever())),
    )
}

fn history(view: &View<'_>) -> Fact {
    Fact::Days(
        view.profile
            .map_or(0.0, |profile| view.seen.now.days_since(profile.first_seen)),
    )
}

fn accounts(view: &View<'_>) -> Fact {
    Fact::Count(habitus_model::math::from_u64(view.population.accounts()))
}

fn network_name(view: &View<'_>) -> Fact {
    let network = &view.context.network;
    match (&network.organisation, network.asn) {
        (None, Some(asn)) => Fact::Asn(asn),
        _ => Fact::Name(
            network
                .label()
                .unwrap_or_else(|| Text::const_new("an unknown network")),
        ),
    }
}

fn prefix_name(view: &View<'_>) -> Fact {
    let prefix = view.context.network.ip.map(habitus_model::Prefix::of);
    Fact::Name(prefix.map_or_else(|| Text::const_new("?"), habitus_model::Prefix::label))
}
