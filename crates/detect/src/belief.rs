//! What an account's own conduct said against it before, added to what it says now (SCORING 10: incident aggregation).
//!
//! R and Q speak of one event each. Who explores, or goes from host to host, does nothing remarkable at any of them; what
//! they said of the events before adds up in `habitus_profile::belief`, and is a line of its own where the event itself
//! accuses. It says nothing of events that are as usual: they are none of it, whoever's they are.

use crate::detector::View;
use habitus_model::evidence::PerProfile;
use habitus_model::math::to_u64;
use habitus_model::{AttackerProfile, Evidence, Fact, Family, Signal, Text};
use habitus_profile::belief::Window;
use habitus_profile::recall::Sighting;

/// The line's signal. What it says is no step of the belief, so that nothing is counted twice.
pub const EXPLORATION: Signal = Signal("exploration");

/// The most that earlier events say, nats: what is left of a family's cap (`habitus_score`) by a thing of the strongest sort.
/// How likely more new things are after some is in each thing's own evidence; so all of it counts.
const NATS_MAX: f64 = 32.0;
/// The same for what took weeks: much else happens in weeks. Assumed.
const WEEKS_NATS_MAX: f64 = 5.0;
/// From so many nats of its own on the earlier events count in full with an event; with less, as much less. Who was found to
/// explore does other things too. Assumed.
const IN_FULL_FROM: f64 = 1.0;
const WORTH_SAYING_NATS: f64 = 0.05;

/// What an event says by itself of what it uses and does, nats: a step of the belief. Of the insider, who has nothing else to
/// be told by. What waits in quarantine accuses each time it is used, and was gathered the first time: a hundred deletions by who
/// never deleted are one new thing, and a volume.
#[must_use]
pub fn step(evidence: &[Evidence], seen: &Sighting) -> f64 {
    let edges = seen.conduct.as_ref().and_then(|conduct| conduct.edges.as_ref());
    let uses_something_new = edges.is_some_and(|edges| edges.new_ones().next().is_some());
    let (things, steps) = own(evidence);
    steps
        + if uses_something_new {
            things
        } else {
            things.min(0.0)
        }
}

/// What is said of the things used and of their order.
fn own(evidence: &[Evidence]) -> (f64, f64) {
    let insider = AttackerProfile::ALL
        .iter()
        .position(|profile| *profile == AttackerProfile::Insider);
    let nats = |one: &Evidence| insider.and_then(|at| one.nats.get(at)).copied().unwrap_or(0.0);
    let of = |family: Family| {
        let own = evidence
            .iter()
            .filter(|one| one.family == family && one.signal != EXPLORATION);
        own.map(nats).sum::<f64>()
    };
    (of(Family::Resource), of(Family::Sequence))
}

/// What the account's earlier conduct adds to an event with this evidence.
#[must_use]
pub fn evidence(view: &View<'_>, evidence: &[Evidence]) -> Option<Evidence> {
    let conduct = view.seen.conduct.as_ref()?;
    let edges = conduct.edges.as_ref()?;
    let [day, weeks] = conduct.belief.map(|belief| belief.nats);
    let [day, weeks] = [day.min(NATS_MAX), weeks.min(WEEKS_NATS_MAX)];
    let (nats, window) = if weeks > day {
        (weeks, Window::Weeks)
    } else {
        (day, Window::Day)
    };
    let uses_something_new = edges.new_ones().next().is_some();
    let nats = nats * (step(evidence, view.seen) / IN_FULL_FROM).clamp(0.0, 1.0);
    let nats = beyond_volume(nats, evidence);
    if nats.iter().all(|nats| *nats < WORTH_SAYING_NATS) || !uses_something_new {
        return None;
    }
    let [by_day, by_weeks] = conduct.belief;
    let news = match window {
        Window::Day => by_day.news,
        Window::Weeks => by_weeks.news,
    };
    let usual = edges.a_day * window.half_life_days() / std::f64::consts::LN_2;
    let are_many = news > usual;
    let reason = view.because(template(window, are_many), || {
        let usual = are_many.then(|| Fact::Name(decimal(usual)));
        [Fact::Count(news)].into_iter().chain(usual).collect()
    });
    Some(Evidence {
        family: Family::Resource,
        signal: EXPLORATION,
        nats,
        reason,
    })
}

/// Many things accuse by their number, few by which they were.
const fn template(window: Window, are_many: bool) -> &'static str {
    match (window, are_many) {
        (Window::Day, true) => {
            "about {0} other things were new to the account within a day, where {1} would be usual"
        }
        (Window::Weeks, true) => {
            "about {0} other things were new to the account within two weeks, where {1} would be usual"
        }
        (Window::Day, false) => {
            "about {0} other things were new to the account within a day, no more than usual, and hardly anybody like it uses them"
        }
        (Window::Weeks, false) => {
            "about {0} other things were new to the account within two weeks, no more than usual, and hardly anybody like it uses them"
        }
    }
}

/// Many new things are many things: of both the larger counts, so what new things said is cut by what the volume says.
fn beyond_volume(nats: f64, evidence: &[Evidence]) -> PerProfile {
    let volume = evidence.iter().find(|one| one.family == Family::Volume);
    let said = volume.map_or([0.0; 5], |volume| volume.nats);
    said.map(|said| (nats - said.max(0.0)).max(0.0))
}

/// A small expectation with as many digits as it takes not to read as 0.
fn decimal(x: f64) -> Text {
    let hundredths = to_u64((x * 100.0).max(1.0).round());
    let (whole, part) = (hundredths / 100, hundredths % 100);
    Text::from(match (whole, part) {
        (10.., _) => format!("{whole}"),
        (0, _) if part < 10 => format!("0.{part:02}"),
        _ => format!("{whole}.{}", part / 10),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::Reason;

    fn line(family: Family, signal: Signal, nats: f64) -> Evidence {
        Evidence {
            family,
            signal,
            nats: [0.0, 0.0, 0.0, 0.0, nats],
            reason: Reason::new("x", Vec::new()),
        }
    }

    #[test]
    fn what_was_gathered_is_never_gathered_again() {
        let all = [
            line(Family::Resource, Signal("new_resource"), 3.0),
            line(Family::Sequence, Signal("unusual_action"), 1.0),
            line(Family::Resource, EXPLORATION, 9.0),
            line(Family::Network, Signal("new_country"), 5.0),
        ];
        assert_eq!(own(&all), (3.0, 1.0));
    }

    #[test]
    fn of_many_new_things_and_their_volume_the_larger_counts() {
        let volume = |nats| line(Family::Volume, Signal("read_volume"), nats);
        let insider = |nats, evidence: &[Evidence]| beyond_volume(nats, evidence).last().copied();
        assert_eq!(insider(9.0, &[volume(4.0)]), Some(5.0));
        assert_eq!(insider(3.0, &[volume(4.0)]), Some(0.0));
        assert_eq!(insider(3.0, &[]), Some(3.0));
    }

    #[test]
    fn small_expectations_never_read_as_none() {
        for (x, text) in [
            (0.0, "0.01"),
            (0.04, "0.04"),
            (0.12, "0.1"),
            (3.27, "3.2"),
            (41.7, "41"),
        ] {
            assert_eq!(decimal(x).as_str(), text);
        }
    }
}
