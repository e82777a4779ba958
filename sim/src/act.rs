//! One thing that somebody did, as a small record, and how it becomes an event.

use crate::catalogue::Catalogue;
use crate::config::Regime;
use crate::deed::Deed;
use crate::label::{Label, Labelled};
use crate::machines::Credential;
use crate::names;
use crate::network::{Edition, Networks};
use crate::people::Factor;
use crate::rng::{mix, spread};
use crate::spot::Spot;
use crate::tenant::Tenant;
use habitus_model::event::FactorType;
use habitus_model::{
    ClientFacts, Endpoint, Event, EventTime, EventUid, FailureReason, SourceName, Status, Text, User,
};
use std::collections::BTreeMap;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    WrongPassword,
    NoSuchUser,
    /// The second factor was denied or not answered.
    NoFactor,
    /// The identity was right and the right was not there.
    Denied,
}

/// Position of an account: people first, then machines; from [`GHOSTS`] on, names that no account has.
pub(crate) type AccountIx = u32;

/// First position of names that no account has.
pub(crate) const GHOSTS: AccountIx = 0x8000_0000;

/// What an event needs to remember until it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub ms: i64,
    pub account: AccountIx,
    pub spot: Spot,
    /// Position in [`Agents`].
    pub agent: u32,
    pub device_uid: Option<Text>,
    /// The second factor that was satisfied, or asked for.
    pub factor: Option<Factor>,
    pub outcome: Outcome,
    pub deed: Deed,
    /// The session it belongs to; worlds of logins only have none.
    pub session: Option<u64>,
    pub label: Label,
    /// Random, and unique with overwhelming probability.
    pub uid: u64,
}

/// User agents, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    texts: Vec<Text>,
    positions: BTreeMap<String, u32>,
}

/// Everything that acts point to by number.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    pub users: Vec<User>,
    pub agents: Agents,
    pub catalogue: Catalogue,
    pub credentials: Vec<Credential>,
}

impl Agents {
    /// The position of a user agent.
    pub(crate) fn intern(&mut self, agent: String) -> u32 {
        if let Some(position) = self.positions.get(&agent) {
            return *position;
        }
        let position = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(Text::new(&agent));
        self.positions.insert(agent, position);
        position
    }

    fn get(&self, position: u32) -> Option<&Text> {
        self.texts.get(usize::try_from(position).ok()?)
    }
}

impl Registry {
    /// The user at a position, and the invented name of one that is not there.
    pub(crate) fn user(&self, account: AccountIx) -> Option<User> {
        if account >= GHOSTS {
            return Some(names::ghost(account - GHOSTS));
        }
        self.users.get(usize::try_from(account).ok()?).cloned()
    }
}

impl Act {
    /// The same thing by the same client at another time: its own id, the rest alike.
    pub(crate) fn again(&self, ms: i64, uid: u64) -> Self {
        Self {
            ms,
            uid,
            ..self.clone()
        }
    }

    /// Whether it succeeded.
    pub(crate) fn succeeded(&self) -> bool {
        self.outcome == Outcome::Success
    }

    /// The event as a log would have it, with the truth beside it; `None` only if the time, the account or the
    /// provider is not of this world.
    pub(crate) fn labelled(&self, tenant: &Tenant, registry: &Registry) -> Option<Labelled> {
        let uid = format!("{:016x}{:016x}", self.uid, mix(self.uid, 1, self.ms));
        let mut event = Event::new(
            EventUid::new(uid),
            EventTime::from_millis(self.ms)?,
            SourceName::new("simulation"),
            self.deed.activity(),
            self.deed.action(),
        );
        event.account = registry.user(self.account)?;
        event.src = endpoint(&tenant.networks, self.spot, (tenant.edition(self.ms), self.uid))?;
        let shows_management = tenant.config.regime == Regime::Enterprise && !self.deed.is_by_machine();
        event.client = ClientFacts {
            user_agent: registry.agents.get(self.agent).cloned(),
            device_uid: self.device_uid.clone(),
            is_managed: shows_management.then_some(self.device_uid.is_some()),
            ..ClientFacts::default()
        };
        event.session = self.session.map(|session| Text::new(format!("{session:016x}")));
        (event.status, event.failure) = self.ended();
        self.deed.describe(self, registry, &mut event);
        let label = self.label;
        Some(Labelled { event, label })
    }

    fn ended(&self) -> (Status, Option<FailureReason>) {
        match self.outcome {
            Outcome::Success => (Status::Success, None),
            Outcome::WrongPassword => (Status::Failure, Some(FailureReason::InvalidCredentials)),
            Outcome::NoSuchUser => (Status::Failure, Some(FailureReason::UserDoesNotExist)),
            Outcome::NoFactor => (Status::Failure, Some(FailureReason::MfaFailed)),
            // A reason of failure is one of a logon; a right that was not there says itself.
            Outcome::Denied => (Status::Failure, None),
        }
    }
}

/// What a log says of where a spot is.
pub(crate) fn endpoint(networks: &Networks, spot: Spot, (edition, uid): (Edition, u64)) -> Option<Endpoint> {
    let provider = networks.get(spot.provider)?;
    let located = networks.locate(provider, spot.slot, edition);
    // Clients' ports are ephemeral (RFC 6335) and tell nothing.
    let port = u16::try_from(1_024 + spread(mix(uid, 2, 0), 64_000)).ok();
    Some(Endpoint {
        ip: Some(spot.ip),
        port,
        country: located.country.map(|country| Text::new(country.as_str())),
        city: Some(Text::new(located.city)),
        coordinates: located.coordinates,
        radius: Some(located.radius),
        asn: provider.asn,
        organisation: Some(provider.organisation.clone()),
        ..Endpoint::default()
    })
}

impl Factor {
    /// As events write it.
    pub(crate) const fn kind(self) -> FactorType {
        match self {
            Factor::Push => FactorType::Push,
            Factor::Otp => FactorType::Otp,
            Factor::Sms => FactorType::Sms,
            Factor::WebAuthn => FactorType::WebAuthn,
        }
    }
}
