//! By what a session moves between networks, and within one.

use super::SETTLES_MINUTES;
use habitus_model::{Minutes, NetworkClass};
use serde::{Deserialize, Serialize};

/// By what a session moves, as the classes of the two networks tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Passage {
    /// From or to a carrier: a phone is handed over all day.
    HandOver,
    /// From or to a server, a relay or a company's gateway: a tunnel is switched on or off.
    Tunnel,
    /// From one line to another: whoever does so with one session walked there.
    Elsewhere,
}

/// Whether a session that is kept shows another prefix of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// It does.
    pub is_other: bool,
    /// The network is a carrier, whose addresses change all day.
    pub mobile: bool,
}

/// The prefixes of one version of IP within a network that a session is used on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Prefixes {
    pub(super) own: Option<u64>,
    /// Another one, and since when: it becomes the own once it has settled.
    pub(super) other: Option<(u64, Minutes)>,
}

impl Passage {
    /// Number of passages.
    pub const COUNT: usize = 3;

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Passage::HandOver => 0,
            Passage::Tunnel => 1,
            Passage::Elsewhere => 2,
        }
    }

    /// Between networks of two classes; absent if one is unknown. Nobody is handed over to another country.
    #[must_use]
    pub fn of(classes: [NetworkClass; 2], same_country: bool) -> Option<Self> {
        use NetworkClass::{Corporate, Fixed, Hosting, Mobile, Private, Relay, Unknown};
        let any = |of: &[NetworkClass]| classes.iter().any(|class| of.contains(class));
        if any(&[Mobile]) && same_country {
            Some(Passage::HandOver)
        } else if any(&[Hosting, Relay, Corporate, Private]) {
            Some(Passage::Tunnel)
        } else if any(&[Unknown]) {
            None
        } else {
            any(&[Fixed, Mobile]).then_some(Passage::Elsewhere)
        }
    }
}

impl Prefixes {
    pub(super) fn has_settled(&self, prefix: u64, now: Minutes) -> bool {
        self.other
            .is_some_and(|(other, since)| other == prefix && now.since(since) > SETTLES_MINUTES)
    }

    pub(super) fn use_at(&mut self, prefix: u64, now: Minutes) {
        if self.own.is_none() || self.has_settled(prefix, now) {
            *self = Self {
                own: Some(prefix),
                other: None,
            };
        } else if self.own != Some(prefix) && self.other.is_none_or(|(other, _)| other != prefix) {
            self.other = Some((prefix, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NetworkClass::{Fixed, Hosting, Mobile, Unknown};

    #[test]
    fn passages_are_told_by_classes() {
        assert_eq!(Passage::of([Fixed, Mobile], true), Some(Passage::HandOver));
        assert_eq!(Passage::of([Mobile, Fixed], false), Some(Passage::Elsewhere));
        assert_eq!(Passage::of([Fixed, Hosting], true), Some(Passage::Tunnel));
        assert_eq!(Passage::of([Fixed, Fixed], true), Some(Passage::Elsewhere));
        assert_eq!(Passage::of([Fixed, Unknown], true), None);
    }

    #[test]
    fn another_prefix_settles_after_an_hour() {
        let mut prefixes = Prefixes::default();
        prefixes.use_at(1, Minutes(0));
        prefixes.use_at(2, Minutes(10));
        assert!(prefixes.own == Some(1) && !prefixes.has_settled(2, Minutes(20)));
        prefixes.use_at(2, Minutes(90));
        assert_eq!((prefixes.own, prefixes.other), (Some(2), None));
    }
}
