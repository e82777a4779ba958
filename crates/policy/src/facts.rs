//! What a policy may know of one event, borrowed from where it lies: making it costs nothing until a rule asks.

use habitus_model::{
    AccountKind, Assessment, Confidence, Context, Contribution, Disposition, Event, EventUid, Family, Nats,
    RiskLevel, RiskScore, TenantId, Text,
};

/// One event with its assessment, as rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The event.
    pub uid: &'a EventUid,
    /// Whose event it is.
    pub tenant: &'a TenantId,
    /// Account, time, activity, status, place, network and client.
    pub context: &'a Context,
    /// Kind of account it was judged as.
    pub kind: AccountKind,
    /// Calibrated score.
    pub score: RiskScore,
    /// Its level.
    pub level: RiskLevel,
    /// Total log-odds, uncapped.
    pub log_odds: Nats,
    /// How much stands behind the score.
    pub confidence: Confidence,
    /// What the thresholds of the configuration recommend: holds where no rule decides.
    pub recommended: Disposition,
    /// Why they do.
    pub because: &'a str,
    /// What spoke for or against the owner.
    pub signals: Signals<'a>,
    /// What the source said beyond the context.
    pub event: EventFacts<'a>,
    /// IP lists of the configuration that hold the address; beyond [`LISTS_MAX`] they are not looked at.
    pub lists: &'a [Listed<'a>],
    /// The finding the event belongs to; absent if it belongs to none.
    pub finding: Option<&'a str>,
}

/// Most IP lists that are looked at for one event: as many as the configuration may name.
pub const LISTS_MAX: usize = 64;

/// One IP list that holds the event's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Name in the configuration.
    pub name: &'a str,
    /// What being on it means for policies.
    pub meaning: Meaning,
}

/// What being on an IP list means for policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// Nobody should come from there.
    Blocked,
    /// Never to be acted against.
    Safe,
    /// It describes the network and asks for nothing.
    Other,
}

/// What the source said of an event beyond its context. Absent: it did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventFacts<'a> {
    /// Log format it came from.
    pub source: Option<&'a str>,
    /// The source's own name for what happened.
    pub action: Option<&'a str>,
    /// Application or host logged in to.
    pub service: Option<&'a str>,
    /// Grant, credential or client kind in the source's words.
    pub method: Option<&'a str>,
    /// Normalised reason of a failed logon.
    pub failure: Option<&'a str>,
    /// More than one factor was satisfied.
    pub mfa: Option<bool>,
}

/// Where the signals of an event are read from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Signals<'a> {
    /// The explanation of an assessment; the lines of fusion itself have no family and are not signals.
    Explained(&'a [Contribution]),
    /// Names with nats, and names of families: in the tests of a policy file.
    Named(&'a [(Text, f64)], &'a [Text]),
}

impl<'a> Facts<'a> {
    /// From what the engine saw and concluded; `event`, `lists` and `finding` are for the caller to fill in.
    #[must_use]
    pub fn of(context: &'a Context, assessment: &'a Assessment) -> Self {
        Self {
            uid: &assessment.uid,
            tenant: &assessment.tenant,
            context,
            kind: assessment.kind,
            score: assessment.score,
            level: assessment.level,
            log_odds: assessment.log_odds,
            confidence: assessment.confidence,
            recommended: assessment.decision.disposition,
            because: assessment.decision.because,
            signals: Signals::Explained(&assessment.contributions),
            event: EventFacts::default(),
            lists: &[],
            finding: None,
        }
    }

    /// Whether a list of this meaning holds the address.
    #[must_use]
    pub fn is_listed(&self, meaning: Meaning) -> bool {
        let mut lists = self.lists.iter().take(LISTS_MAX);
        lists.any(|list| list.meaning == meaning)
    }
}

impl<'a> EventFacts<'a> {
    /// From a normalised event.
    #[must_use]
    pub fn of(event: &'a Event) -> Self {
        let service = event.service.as_ref();
        Self {
            source: Some(event.source.as_str()),
            action: Some(event.action.as_str()),
            service: service.and_then(|service| service.name.as_deref().or(service.uid.as_deref())),
            method: event.auth.method.as_deref(),
            failure: event.failure.map(habitus_model::FailureReason::name),
            mfa: event.auth.is_mfa,
        }
    }
}

impl<'a> Signals<'a> {
    /// Nats of a signal; lines of one name are summed. `None`: it did not speak. O(signals).
    #[must_use]
    pub fn get(self, name: &str) -> Option<f64> {
        match self {
            Signals::Explained(lines) => {
                let mut lines = lines
                    .iter()
                    .filter(|line| line.family.is_some() && line.signal.0 == name)
                    .peekable();
                lines.peek()?;
                Some(lines.map(|line| line.nats.0).sum())
            }
            Signals::Named(signals, _) => {
                let found = signals.iter().find(|(known, _)| known == name);
                found.map(|(_, nats)| *nats)
            }
        }
    }

    /// Lines of the explanation, or signals that are given. O(1).
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Signals::Explained(lines) => lines.len(),
            Signals::Named(signals, _) => signals.len(),
        }
    }

    /// Whether nothing spoke.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Names of the signals, each once, in the order of the explanation.
    #[must_use]
    pub fn names(self) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut add = |name: &'a str| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        match self {
            Signals::Explained(lines) => lines
                .iter()
                .filter(|line| line.family.is_some())
                .for_each(|line| add(line.signal.0)),
            Signals::Named(signals, _) => signals.iter().for_each(|(name, _)| add(name)),
        }
        names
    }

    /// Families whose signals speak against the owner, each once, in the order of the explanation.
    #[must_use]
    pub fn families(self) -> Vec<&'a str> {
        let mut names: Vec<&'a str> = Vec::new();
        match self {
            Signals::Explained(lines) => {
                for family in lines
                    .iter()
                    .filter(|line| line.nats.0 > 0.0)
                    .filter_map(|line| line.family)
                {
                    let name = family_name(family);
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
            Signals::Named(_, families) => names.extend(families.iter().map(|name| name.as_str())),
        }
        names
    }
}

/// Names of families as policies write them.
pub const FAMILIES: [&str; 14] = [
    "network",
    "device",
    "joint",
    "clock",
    "gap",
    "motion",
    "authentication",
    "session",
    "resource",
    "sequence",
    "burst",
    "campaign",
    "machine",
    "volume",
];

const fn family_name(family: Family) -> &'static str {
    match family {
        Family::Network => "network",
        Family::Device => "device",
        Family::Joint => "joint",
        Family::Clock => "clock",
        Family::Gap => "gap",
        Family::Motion => "motion",
        Family::Authentication => "authentication",
        Family::Session => "session",
        Family::Resource => "resource",
        Family::Sequence => "sequence",
        Family::Burst => "burst",
        Family::Campaign => "campaign",
        Family::Machine => "machine",
        Family::Volume => "volume",
    }
}
