//! D: with what client (SCORING 1).
//!
//! Three observations: the family (device type, operating system, browser), how its version changed, and the bound client
//! key. Families without versions, because browsers update every four weeks; the user agent as a whole is never a value.

use crate::attacker::{self, against, against_logs, scaled};
use crate::detector::{Detector, View};
use crate::novelty::{FIRST_VISIT, popularity, unvouched, waits};
use habitus_model::evidence::PerProfile;
use habitus_model::math::from_u64;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal, Text};
use habitus_profile::known::Familiarity;
use habitus_profile::observation::VersionChange;
use habitus_profile::population::Kind;
use habitus_profile::recall::{DeviceSeen, Kinship, LevelSeen};

/// Client evidence.
pub struct Device;

/// Probability of one family among those nothing is known of: as many as are met commonly. Assumed.
const FLAT_FAMILY: f64 = 1.0 / 40.0;

impl Detector for Device {
    fn id(&self) -> DetectorId {
        DetectorId("device")
    }

    fn family(&self) -> Family {
        Family::Device
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let seen = view.seen;
        if view.context.client.is_unknown() && !seen.key.is_some_and(|key| key.absent) {
            return Opinion::Abstain(Blind::NoClient);
        }
        if !view.has_history() {
            return Opinion::Evidence(first_visit(view).into_iter().collect());
        }
        let mut evidence = Vec::with_capacity(3);
        if let Some(device) = seen.device {
            evidence.push(family(view, device));
            evidence.extend(version(view, device));
        }
        evidence.extend(client_key(view));
        Opinion::Evidence(evidence)
    }
}

fn first_visit(view: &View<'_>) -> Option<Evidence> {
    // Nobody proved an identity yet: there is nothing to hold it against.
    let key = view.seen.keys.family.filter(|_| view.population.accounts() > 0)?;
    let popular = view.population.share(Kind::Family, key, None);
    let facts = || {
        vec![
            name(view),
            Fact::Count(view.population.knowers(Kind::Family, key)),
            Fact::Count(from_u64(view.population.accounts())),
        ]
    };
    let reason = view.because(
        "first visit of this account, with {0}: {1} of {2} colleagues use it",
        facts,
    );
    Some(line(
        "first_visit_client",
        scaled(
            against(
                attacker::family(popular, popular),
                popularity(popular, FLAT_FAMILY),
            ),
            FIRST_VISIT,
        ),
        reason,
    ))
}

fn family(view: &View<'_>, device: DeviceSeen) -> Evidence {
    let LevelSeen {
        key,
        novelty,
        familiarity,
        ..
    } = device.seen;
    let popular = view.population.share(Kind::Family, key, view.seen.group);
    let new = || {
        let arrival = popularity(
            view.population.arrival(Kind::Family, key, view.seen.group),
            FLAT_FAMILY,
        );
        against(attacker::family(0.0, popular), novelty * arrival)
    };
    match familiarity {
        Familiarity::New => {
            let visits = view
                .profile
                .map_or(0.0, |profile| f64::from(profile.visits_ever()));
            let facts = || {
                vec![
                    name(view),
                    Fact::Count(visits),
                    Fact::Count(view.population.knowers(Kind::Family, key)),
                ]
            };
            line(
                new_signal(device.kinship),
                new(),
                view.because(new_text(device.kinship), facts),
            )
        }
        Familiarity::Pending { age_days } => {
            let text = "{0} was first seen {1} ago, with a high score, and is not trusted yet";
            let reason = view.because(text, || vec![name(view), Fact::Days(age_days)]);
            line(
                "untrusted_client",
                unvouched(view, new(), (age_days, waits(view.seen.client))),
                reason,
            )
        }
        Familiarity::Known { weight, share } => {
            let nats = against(attacker::family(share, popular), (1.0 - novelty) * share);
            let text = "{0} is known: about {1} visits, and {2} of colleagues use it";
            let facts = || vec![name(view), Fact::Count(weight.max(1.0)), Fact::Share(popular)];
            line("known_client", nats, view.because(text, facts))
        }
    }
}

fn version(view: &View<'_>, device: DeviceSeen) -> Option<Evidence> {
    let change = device
        .change
        .filter(|_| matches!(device.seen.familiarity, Familiarity::Known { .. }))?;
    let owner = change.usual;
    let nats = against(attacker::version(owner, change.stranger), owner);
    let (signal, text) = match change.kind {
        VersionChange::Same => ("same_version", "{0}: the version last seen"),
        VersionChange::Upgrade => (
            "upgrade",
            "{0}: newer than last seen, as in {1} of visits after such a pause",
        ),
        VersionChange::Downgrade => (
            "downgrade",
            "{0}: older than last seen, as in {1} of visits after such a pause",
        ),
        VersionChange::OtherModel => (
            "other_model",
            "{0}: another model of device, as in {1} of visits after such a pause",
        ),
    };
    Some(line(
        signal,
        nats,
        view.because(text, || vec![name(view), Fact::Share(owner)]),
    ))
}

fn client_key(view: &View<'_>) -> Option<Evidence> {
    if let Some(key) = view.seen.key.filter(|key| key.absent) {
        let owner = view.population.key_absent(key.new_family);
        let reason = Reason::new(
            "the device shows no key, though this account's devices do",
            vec![],
        );
        return Some(line(
            "device_key_absent",
            against(attacker::KEY_ABSENT, owner),
            reason,
        ));
    }
    let level = view.seen.client?;
    let new = || against_logs(&attacker::NEW_KEY_LOGS, level.novelty);
    Some(match level.familiarity {
        Familiarity::Known { weight, .. } => {
            // Of accounts whose devices change every day a known one excuses less, and never accuses.
            let nats = against_logs(&attacker::KNOWN_KEY_LOGS, 1.0 - level.novelty).map(|nats| nats.min(0.0));
            let reason = view.because("the device is known by its key: about {0} visits", || {
                vec![Fact::Count(weight.max(1.0))]
            });
            line("known_device_key", nats, reason)
        }
        Familiarity::New => {
            let reason = Reason::new("a device whose key this account never showed", vec![]);
            line("new_device_key", new(), reason)
        }
        Familiarity::Pending { age_days } => {
            let text = "the device's key was first seen {0} ago, with a high score, and is not trusted yet";
            line(
                "untrusted_device_key",
                unvouched(view, new(), (age_days, false)),
                view.because(text, || vec![Fact::Days(age_days)]),
            )
        }
    })
}

fn new_signal(kinship: Kinship) -> &'static str {
    match kinship {
        Kinship::SameFamily | Kinship::SameOs => "new_browser",
        Kinship::SameType => "new_os",
        Kinship::NewType => "new_device_type",
        Kinship::Automation => "new_automation",
    }
}

fn new_text(kinship: Kinship) -> &'static str {
    match kinship {
        Kinship::SameFamily | Kinship::SameOs => {
            "first visit with {0}, on an operating system this account uses: 0 of {1}; {2} colleagues use it"
        }
        Kinship::SameType => {
            "first visit with {0}, another operating system: 0 of {1}; {2} colleagues use it"
        }
        Kinship::NewType => "first visit with {0}, another type of device: 0 of {1}; {2} colleagues use it",
        Kinship::Automation => {
            "first visit with {0}, a tool without a person: 0 of {1}; {2} colleagues use it"
        }
    }
}

fn line(signal: &'static str, nats: PerProfile, reason: Reason) -> Evidence {
    Evidence {
        family: Family::Device,
        signal: Signal(signal),
        nats,
        reason,
    }
}

fn name(view: &View<'_>) -> Fact {
    Fact::Name(Text::from(view.context.client.label()))
}
