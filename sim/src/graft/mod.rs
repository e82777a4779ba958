//! Attacks planted into somebody's own log, so that recall is measured on one's own data.
//!
//! The attackers use the accounts, sessions, credentials and resources of the log; where they sit and what they use is
//! drawn as in simulated worlds. The log itself is left as it is: what is planted comes beside it.

mod plays;

use crate::act::endpoint;
use crate::atlas::{self, COUNTRIES, CountryIx};
use crate::client::{Device, Form, Shop};
use crate::config::{Regime, WorldConfig};
use crate::label::{Label, Labelled, Planted};
use crate::network::{Edition, Networks};
use crate::parameters::Parameters;
use crate::providers::Kind;
use crate::rng::Rng;
use crate::scenarios::ScenarioKind;
use crate::spot::Line;
use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::event::LogonType;
use habitus_model::{Activity, Event, EventTime, EventUid, Status, Text, math};
use std::collections::{BTreeMap, BTreeSet};

/// What to plant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graft {
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Attacks of each kind.
    pub per_kind: u32,
}

/// The kinds that can be planted into any log that has what they need.
pub const GRAFTED: [ScenarioKind; 9] = [
    ScenarioKind::SessionTheft,
    ScenarioKind::PushFatigue,
    ScenarioKind::BruteForce,
    ScenarioKind::PasswordSpray,
    ScenarioKind::TakeoverCampaign,
    ScenarioKind::ServiceKeyLeak,
    ScenarioKind::InsiderExploration,
    ScenarioKind::LowAndSlow,
    ScenarioKind::Poisoning,
];

/// Share of the log before which nothing is planted, as in worlds.
const QUIET: f64 = 0.32;

/// Draws the attacks for a log in order of time. They are in order of time too; a kind that the log has nothing for
/// (no sessions, no machines) is left out. O(events + attacks × log events).
#[must_use]
pub fn graft(asked: &Graft, own: &[Event]) -> Vec<Labelled> {
    let mut soil = Soil::new(asked.seed, own);
    let mut campaign = 0;
    for kind in GRAFTED {
        for nth in 0..asked.per_kind {
            let rng = &mut Rng::new(asked.seed, kind.name(), u64::from(nth));
            soil.planted = Planted { kind, campaign };
            let before = soil.events.len();
            match plays::play(rng, &mut soil, kind) {
                Some(()) if soil.events.len() > before => campaign += 1,
                _ => soil.events.truncate(before),
            }
        }
    }
    soil.events
        .sort_by(|a, b| (a.event.time, &a.event.uid).cmp(&(b.event.time, &b.event.uid)));
    soil.events
}

/// A log made ready to plant in.
pub(super) struct Soil<'a> {
    own: &'a [Event],
    params: Parameters,
    networks: Networks,
    /// Countries that the log comes from.
    homes: BTreeSet<CountryIx>,
    /// Positions of people's successful logins in the log, and of those of each account.
    pub logins: Vec<usize>,
    pub by_account: BTreeMap<String, Vec<usize>>,
    planted: Planted,
    events: Vec<Labelled>,
}

/// Where an attacker sits and with what.
#[derive(Debug, Clone)]
pub(super) struct Kit {
    line: Line,
    agent: Text,
}

impl<'a> Soil<'a> {
    fn new(seed: u64, own: &'a [Event]) -> Self {
        let params = Parameters::draw(&WorldConfig::new(seed, Regime::Enterprise));
        let networks = Networks::draw(seed, &params.networks);
        let country = |event: &Event| atlas::by_code(event.src.country.as_deref()?);
        let mut by_account: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut logins = Vec::new();
        for (at, event) in own.iter().enumerate().filter(|(_, event)| is_login(event)) {
            if let Some(account) = event.account_id().filter(|_| event.status == Status::Success) {
                logins.push(at);
                by_account.entry(account.to_string()).or_default().push(at);
            }
        }
        Self {
            homes: own.iter().filter_map(country).collect(),
            own,
            params,
            networks,
            logins,
            by_account,
            planted: Planted {
                kind: ScenarioKind::SessionTheft,
                campaign: 0,
            },
            events: Vec::new(),
        }
    }

    /// An event of the log.
    pub(super) fn at(&self, position: usize) -> Option<&'a Event> {
        self.own.get(position)
    }

    /// The whole log.
    pub(super) fn own(&self) -> &'a [Event] {
        self.own
    }

    /// First moment at which something is planted, and the log's last.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        let (first, last) = (
            self.own.first()?.time.as_millis(),
            self.own.last()?.time.as_millis(),
        );
        let open = first + math::to_i64(QUIET * math::from_i64(last - first));
        Some((open, last))
    }

    /// A moment that leaves so much time to the end.
    pub(super) fn moment(&self, rng: &mut Rng, needed_ms: i64) -> Option<i64> {
        let (open, last) = self.span()?;
        let span = (last - needed_ms - open).max(1);
        Some(open + math::to_i64(rng.unit() * math::from_i64(span)))
    }

    /// A random login after the opening.
    pub(super) fn login(&self, rng: &mut Rng) -> Option<&'a Event> {
        let (open, _) = self.span()?;
        let late = |at: &usize| self.at(*at).is_some_and(|event| event.time.as_millis() >= open);
        let from = self.logins.partition_point(|at| !late(at));
        self.at(*rng.pick(self.logins.get(from..)?)?)
    }

    /// A line and a browser, from a country the log does not know or from the one an event came from.
    pub(super) fn kit(&self, rng: &mut Rng, near: Option<&Event>, ms: i64) -> Option<Kit> {
        let known = near.and_then(|event| atlas::by_code(event.src.country.as_deref()?));
        let abroad = (0..COUNTRIES.len()).filter(|ix| !self.homes.contains(ix));
        let country = known.or_else(|| rng.weighted(abroad, |ix| atlas::country(*ix).attacks))?;
        let kinds: &[Kind] = match rng.unit() {
            luck if luck < self.params.attackers.residential_share => &[Kind::Fixed],
            _ => &[Kind::Hosting, Kind::Vpn],
        };
        let provider = self.networks.pick(rng, country, kinds);
        let provider = provider.or_else(|| self.networks.pick(rng, country, &[Kind::Fixed]))?;
        let line = Line::fixed(rng, &self.networks, provider, (country, 0))?;
        let shop = Shop {
            params: &self.params.devices,
            country,
            at_ms: ms,
            stuck_share: self.params.attackers.stuck_share,
        };
        let scripted = rng.chance(self.params.attackers.automation_share);
        let device = Device::draw(rng, if scripted { Form::Tool } else { Form::Computer }, shop);
        Some(Kit {
            line,
            agent: Text::new(device.user_agent(ms)),
        })
    }

    /// Plants an event like one of the log at another time, by somebody with a kit; by the owner without one.
    pub(super) fn plant(
        &mut self,
        rng: &mut Rng,
        (like, ms): (&Event, i64),
        kit: Option<&Kit>,
    ) -> Option<&mut Event> {
        let mut event = like.clone();
        let uid = rng.bits();
        event.uid = EventUid::new(format!("planted-{uid:016x}"));
        event.time = EventTime::from_millis(ms)?;
        if let Some(kit) = kit {
            let spot = kit.line.at(&self.networks, ms)?;
            event.src = endpoint(&self.networks, spot, (Edition::First, uid))?;
            event.client.user_agent = Some(kit.agent.clone());
            event.client.device_uid = None;
            event.client.device_name = None;
            event.client.tls_fingerprint = None;
            event.client.is_managed = like.client.is_managed.map(|_| false);
            event.client.is_compliant = like.client.is_compliant.map(|_| false);
            (event.client.os, event.client.browser) = (None, None);
        }
        self.events.push(Labelled {
            event,
            label: Label::Scenario(self.planted),
        });
        self.events.last_mut().map(|labelled| &mut labelled.event)
    }
}

/// A login of a person; one to a host over the network is a use of the host.
fn is_login(event: &Event) -> bool {
    let logon = event.activity == Activity::Authentication(Auth::Logon);
    let machine = event.account.kind == habitus_model::AccountKind::Service;
    logon && event.auth.logon_type != LogonType::Network && !machine
}
