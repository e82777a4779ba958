//! V: how much within an hour and within a working day (SCORING 4).
//!
//! Whoever comes to collect, to delete or to let machines work for him does in an hour what the account does in weeks. How
//! seldom one of the account's windows reaches the volume is measured for account and tenant
//! ([`habitus_profile::features::volume`]); the volume grows with each event, and so does what it says, up to what is known of
//! the tail. It accuses only: that little was done yet speaks for nobody. Of the kinds and spans that an event counts for, the
//! one that stands out most speaks, because they count the same deeds. What new things said before ([`crate::belief`]) says
//! what it has beyond the volume, for the same reason.

use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal};
use habitus_profile::features::volume::{Span, VolumeKind, VolumeSeen};

/// Volumes.
pub struct Volume;

/// Share of each attacker's windows in which as much is done as can be. Assumed: many come for that (Google, Threat Horizons 1,
/// 2021: 86 % of compromised instances mined), and look around first; the insider has only this to be told by.
const COLLECTS: PerProfile = [0.25, 0.25, 0.25, 0.30, 0.40];
const WORTH_SAYING_NATS: f64 = 0.05;

impl Detector for Volume {
    fn id(&self) -> DetectorId {
        DetectorId("volume")
    }

    fn family(&self) -> Family {
        Family::Volume
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let conduct = view.seen.conduct.as_ref();
        let Some(seen) = conduct.and_then(|conduct| conduct.volumes.as_ref()) else {
            return Opinion::Evidence(Vec::new());
        };
        if !seen.is_measured {
            return Opinion::Abstain(Blind::ThinHistory);
        }
        let line = seen.most.map(|most| line(view, &most));
        let worth = |line: &Evidence| line.nats.iter().any(|nats| *nats >= WORTH_SAYING_NATS);
        Opinion::Evidence(line.into_iter().filter(worth).collect())
    }
}

/// Attackers who collect get as far as this however far it is; the others do as the owner does.
fn line(view: &View<'_>, seen: &VolumeSeen) -> Evidence {
    let nats = COLLECTS.map(|collects| ln(1.0 - collects + collects * seen.one_in));
    let reason = view.because(template(seen), || {
        let reference = seen.greatest.map_or_else(|| seen.usual(), f64::from);
        vec![
            Fact::Count(f64::from(seen.volume)),
            Fact::Count(reference),
            Fact::Share(1.0 / seen.one_in),
        ]
    });
    Evidence {
        family: Family::Volume,
        signal: signal(seen.kind),
        nats,
        reason,
    }
}

const fn signal(kind: VolumeKind) -> Signal {
    Signal(match kind {
        VolumeKind::Read => "read_volume",
        VolumeKind::Create => "creation_volume",
        VolumeKind::Change => "change_volume",
        VolumeKind::Delete => "deletion_volume",
        VolumeKind::Any => "use_volume",
    })
}

/// The sentence: against the account's greatest volume, or where there is none yet, against what is usual.
const fn template(seen: &VolumeSeen) -> &'static str {
    match (seen.greatest.is_some(), seen.span, seen.kind) {
        (true, Span::Hour, VolumeKind::Read) => {
            "has read {0} times within an hour, and {1} in its busiest hour before; {2} of its hours come to so much"
        }
        (true, Span::Hour, VolumeKind::Create) => {
            "has created {0} things within an hour, and {1} in its busiest hour before; {2} of its hours come to so much"
        }
        (true, Span::Hour, VolumeKind::Change) => {
            "has changed {0} things within an hour, and {1} in its busiest hour before; {2} of its hours come to so much"
        }
        (true, Span::Hour, VolumeKind::Delete) => {
            "has deleted {0} things within an hour, and {1} in its busiest hour before; {2} of its hours come to so much"
        }
        (true, Span::Hour, VolumeKind::Any) => {
            "has done {0} things within an hour, and {1} in its busiest hour before; {2} of its hours come to so much"
        }
        (true, Span::Day, VolumeKind::Read) => {
            "has read {0} times within a day, and {1} on its busiest day before; {2} of its days come to so much"
        }
        (true, Span::Day, VolumeKind::Create) => {
            "has created {0} things within a day, and {1} on its busiest day before; {2} of its days come to so much"
        }
        (true, Span::Day, VolumeKind::Change) => {
            "has changed {0} things within a day, and {1} on its busiest day before; {2} of its days come to so much"
        }
        (true, Span::Day, VolumeKind::Delete) => {
            "has deleted {0} things within a day, and {1} on its busiest day before; {2} of its days come to so much"
        }
        (true, Span::Day, VolumeKind::Any) => {
            "has done {0} things within a day, and {1} on its busiest day before; {2} of its days come to so much"
        }
        (false, Span::Hour, VolumeKind::Read) => {
            "has read {0} times within an hour, and never before; accounts here do about {1} times, and {2} of their hours come to so much"
        }
        (false, Span::Hour, VolumeKind::Create) => {
            "has created {0} things within an hour, and none before; accounts here create about {1}, and {2} of their hours come to so much"
        }
        (false, Span::Hour, VolumeKind::Change) => {
            "has changed {0} things within an hour, and none before; accounts here change about {1}, and {2} of their hours come to so much"
        }
        (false, Span::Hour, VolumeKind::Delete) => {
            "has deleted {0} things within an hour, and none before; accounts here delete about {1}, and {2} of their hours come to so much"
        }
        (false, Span::Hour, VolumeKind::Any) => {
            "has done {0} things within its first hour; accounts here do about {1}, and {2} of their hours come to so much"
        }
        (false, Span::Day, VolumeKind::Read) => {
            "has read {0} times within a day, and never before; accounts here do about {1} times, and {2} of their days come to so much"
        }
        (false, Span::Day, VolumeKind::Create) => {
            "has created {0} things within a day, and none before; accounts here create about {1}, and {2} of their days come to so much"
        }
        (false, Span::Day, VolumeKind::Change) => {
            "has changed {0} things within a day, and none before; accounts here change about {1}, and {2} of their days come to so much"
        }
        (false, Span::Day, VolumeKind::Delete) => {
            "has deleted {0} things within a day, and none before; accounts here delete about {1}, and {2} of their days come to so much"
        }
        (false, Span::Day, VolumeKind::Any) => {
            "has done {0} things within its first day; accounts here do about {1}, and {2} of their days come to so much"
        }
    }
}
