//! One login as a small record, and how it becomes an event.

use crate::config::Regime;
use crate::label::{Label, Labelled};
use crate::people::{Factor, Person};
use crate::rng::{mix, spread};
use crate::spot::Spot;
use crate::tenant::Tenant;
use habitus_model::activity::AuthenticationActivity;
use habitus_model::event::FactorType;
use habitus_model::{
    Activity, AuthFacts, ClientFacts, Endpoint, Event, EventTime, EventUid, FailureReason, SourceName,
    Status, Text,
};
use std::collections::BTreeMap;

/// What a login needs to remember until it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub ms: i64,
    pub person: u32,
    pub spot: Spot,
    /// Position in [`Agents`].
    pub agent: u32,
    pub device_uid: Option<Text>,
    /// The second factor that was satisfied.
    pub factor: Option<Factor>,
    pub succeeded: bool,
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

impl Login {
    /// The event as a log would have it, with the truth beside it; `None` only if the time or the provider is not
    /// of this world.
    pub(crate) fn labelled(&self, tenant: &Tenant, person: &Person, agents: &Agents) -> Option<Labelled> {
        let uid = format!("{:016x}{:016x}", self.uid, mix(self.uid, 1, self.ms));
        let mut event = Event::new(
            EventUid::new(uid),
            EventTime::from_millis(self.ms)?,
            SourceName::new("simulation"),
            Activity::Authentication(AuthenticationActivity::Logon),
            "logon",
        );
        event.account = person.user.clone();
        event.src = self.endpoint(tenant)?;
        let enterprise = tenant.config.regime == Regime::Enterprise;
        event.client = ClientFacts {
            user_agent: agents.get(self.agent).cloned(),
            device_uid: self.device_uid.clone(),
            is_managed: enterprise.then_some(self.device_uid.is_some()),
            ..ClientFacts::default()
        };
        event.auth = self.auth();
        event.status = if self.succeeded {
            Status::Success
        } else {
            Status::Failure
        };
        event.failure = (!self.succeeded).then_some(FailureReason::InvalidCredentials);
        let label = self.label;
        Some(Labelled { event, label })
    }

    fn endpoint(&self, tenant: &Tenant) -> Option<Endpoint> {
        let provider = tenant.networks.get(self.spot.provider)?;
        let located = tenant.networks.locate(provider, self.spot.slot);
        // Clients' ports are ephemeral (RFC 6335) and tell nothing.
        let port = u16::try_from(1_024 + spread(mix(self.uid, 2, 0), 64_000)).ok();
        Some(Endpoint {
            ip: Some(self.spot.ip),
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

    fn auth(&self) -> AuthFacts {
        let second = self.factor.map(|factor| match factor {
            Factor::Push => FactorType::Push,
            Factor::Otp => FactorType::Otp,
            Factor::Sms => FactorType::Sms,
            Factor::WebAuthn => FactorType::WebAuthn,
        });
        AuthFacts {
            factors: std::iter::once(FactorType::Password).chain(second).collect(),
            is_mfa: Some(second.is_some()),
            is_remote: Some(true),
            ..AuthFacts::default()
        }
    }
}
