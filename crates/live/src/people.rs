//! What can be shown of accounts and sessions: names and counts where profiles hold fingerprints.
//!
//! A view for people, bounded, rebuilt from the log; no verdict depends on it. An account enters with its first success, so
//! that invented names push nobody out; the account that was silent longest leaves first, and each leaving is counted.

use crate::entry::Arrival;
use habitus_model::math::to_f32;
use habitus_model::{
    AccountId, AccountKind, Assessment, Context, EventTime, EventUid, RiskLevel, Shelves, Status, TenantId,
    Text,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Most accounts shown; about 4 KiB each when full.
pub const PEOPLE_MAX: usize = 50_000;
/// Most sessions shown.
pub const SESSIONS_MAX: usize = 20_000;
/// Events kept with an account.
pub const EVENTS_MAX: usize = 20;
/// Events kept with a session.
pub const SESSION_EVENTS_MAX: usize = 100;
/// Values kept of one habit.
const VALUES_MAX: usize = 8;

/// One event in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    /// Its id.
    pub uid: EventUid,
    /// When.
    pub time: EventTime,
    /// What happened, in OCSF's words: `Logon`.
    pub what: Text,
    /// Whether it succeeded.
    pub status: Status,
    /// Its score, 0–100.
    pub score: f64,
    /// Its level.
    pub level: RiskLevel,
    /// Where from: address, country, network. Absent: unknown.
    pub address: Option<Text>,
    /// Country code.
    pub country: Option<Text>,
    /// Organisation or number of the network.
    pub network: Option<Text>,
    /// Client.
    pub client: Option<Text>,
    /// Source that told.
    pub source: Text,
}

/// How often values were seen, the most frequent ones.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Value, count and last time, in no order.
    pub values: Vec<(Text, f32, EventTime)>,
}

/// What is shown of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Whose.
    pub account: AccountId,
    /// Kind.
    pub kind: AccountKind,
    /// First success.
    pub first_seen: EventTime,
    /// Last event.
    pub last_seen: EventTime,
    /// Successes.
    pub logins: u64,
    /// Confidence of the last verdict, 0–1.
    pub maturity: f64,
    /// Countries it came from.
    pub countries: Tally,
    /// Networks.
    pub networks: Tally,
    /// Clients.
    pub clients: Tally,
    /// Hours of the day, UTC.
    pub hours: Tally,
    /// Last events, latest last.
    pub events: VecDeque<Brief>,
    /// Last sessions, latest last.
    pub sessions: VecDeque<Text>,
    turn: u64,
}

/// What is shown of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: Text,
    /// The account; absent if nobody was named.
    pub account: Option<AccountId>,
    /// First event.
    pub first_seen: EventTime,
    /// Last event.
    pub last_seen: EventTime,
    /// Events in it.
    pub count: u64,
    /// Highest score.
    pub score: f64,
    /// Events, the first ones.
    pub events: Vec<Brief>,
    turn: u64,
}

/// Accounts and sessions of all tenants.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub struct People {
    people: Shelves<(TenantId, AccountId), Person>,
    sessions: Shelves<(TenantId, Text), Session>,
    /// Who was heard of when: the first leaves first.
    order: BTreeMap<u64, (TenantId, AccountId)>,
    session_order: BTreeMap<u64, (TenantId, Text)>,
    turn: u64,
    /// Accounts that had to leave.
    pub left: u64,
}

/// Accounts and sessions at one moment, shared with those that are shown until they change.
#[derive(Debug)]
pub struct Picture {
    people: Shelves<(TenantId, AccountId), Person>,
    sessions: Shelves<(TenantId, Text), Session>,
    turn: u64,
    left: u64,
}

impl Serialize for Picture {
    /// As [`People`] is read: with the orders, which follow from the turns.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let order: BTreeMap<u64, _> = self.people.iter().map(|(key, one)| (one.turn, key)).collect();
        let sessions: BTreeMap<u64, _> = self.sessions.iter().map(|(key, one)| (one.turn, key)).collect();
        (
            &self.people,
            &self.sessions,
            order,
            sessions,
            self.turn,
            self.left,
        )
            .serialize(serializer)
    }
}

impl People {
    /// Accounts and sessions as they are now. Cost: a pointer for every 64.
    #[must_use]
    pub fn picture(&self) -> Picture {
        Picture {
            people: self.people.clone(),
            sessions: self.sessions.clone(),
            turn: self.turn,
            left: self.left,
        }
    }

    /// Takes one judged event in. O(log n).
    pub fn see(&mut self, arrival: &Arrival, assessment: &Assessment) {
        self.turn += 1;
        let brief = Brief::new(arrival, assessment);
        let context = &arrival.record.context;
        if let Some(id) = &arrival.origin.session {
            self.see_session(id, context, &brief);
        }
        let Some(account) = &context.account else {
            return;
        };
        let key = (context.tenant.clone(), account.clone());
        if !self.people.contains_key(&key) {
            if context.status != Status::Success {
                return;
            }
            self.make_room();
            self.people.insert(
                key.clone(),
                Person::new(account.clone(), assessment, context.time),
            );
        }
        let Some(person) = self.people.get_mut(&key) else {
            return;
        };
        self.order.remove(&person.turn);
        person.turn = self.turn;
        person.see(context, assessment, brief);
        if let Some(id) = &arrival.origin.session {
            person.joins(id);
        }
        self.order.insert(self.turn, key);
    }

    /// One account. O(log n).
    #[must_use]
    pub fn person(&self, tenant: &TenantId, account: &AccountId) -> Option<&Person> {
        self.people.get(&(tenant.clone(), account.clone()))
    }

    /// The accounts of a tenant by their ids, from `after` on. O(log n) and what is taken.
    pub fn people(&self, tenant: &TenantId, after: Option<&AccountId>) -> impl Iterator<Item = &Person> {
        let from = (
            tenant.clone(),
            after.cloned().unwrap_or_else(|| AccountId::new("")),
        );
        let tenant = tenant.clone();
        let after = after.cloned();
        self.people
            .from(&from)
            .take_while(move |((owner, _), _)| *owner == tenant)
            .map(|(_, person)| person)
            .filter(move |person| after.as_ref() != Some(&person.account))
    }

    /// One session. O(log n).
    #[must_use]
    pub fn session(&self, tenant: &TenantId, id: &str) -> Option<&Session> {
        self.sessions.get(&(tenant.clone(), Text::new(id)))
    }

    /// Accounts held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether nobody was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    fn make_room(&mut self) {
        if self.people.len() < PEOPLE_MAX {
            return;
        }
        if let Some((_, key)) = self.order.pop_first() {
            self.people.remove(&key);
            self.left += 1;
        }
    }

    fn see_session(&mut self, id: &Text, context: &Context, brief: &Brief) {
        let key = (context.tenant.clone(), id.clone());
        if !self.sessions.contains_key(&key)
            && self.sessions.len() >= SESSIONS_MAX
            && let Some((_, oldest)) = self.session_order.pop_first()
        {
            self.sessions.remove(&oldest);
        }
        let turn = self.turn;
        if !self.sessions.contains_key(&key) {
            self.sessions
                .insert(key.clone(), Session::new(id.clone(), context.time, turn));
        }
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        self.session_order.remove(&session.turn);
        session.turn = turn;
        session.see(context, brief);
        self.session_order.insert(turn, key);
    }
}

impl Person {
    fn new(account: AccountId, assessment: &Assessment, time: EventTime) -> Self {
        Self {
            account,
            kind: assessment.kind,
            first_seen: time,
            last_seen: time,
            logins: 0,
            maturity: 0.0,
            countries: Tally::default(),
            networks: Tally::default(),
            clients: Tally::default(),
            hours: Tally::default(),
            events: VecDeque::new(),
            sessions: VecDeque::new(),
            turn: 0,
        }
    }

    fn see(&mut self, context: &Context, assessment: &Assessment, brief: Brief) {
        self.kind = assessment.kind;
        self.maturity = assessment.confidence.get();
        self.first_seen = self.first_seen.min(context.time);
        self.last_seen = self.last_seen.max(context.time);
        if context.status == Status::Success {
            self.logins += 1;
            self.countries.count(brief.country.as_ref(), context.time);
            self.networks.count(brief.network.as_ref(), context.time);
            self.clients.count(brief.client.as_ref(), context.time);
            let hour = context.time.as_millis().div_euclid(3_600_000).rem_euclid(24);
            self.hours
                .count(Some(&Text::from(format!("{hour:02}:00"))), context.time);
        }
        self.events.push_back(brief);
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    fn joins(&mut self, session: &Text) {
        if self.sessions.contains(session) {
            return;
        }
        self.sessions.push_back(session.clone());
        if self.sessions.len() > EVENTS_MAX {
            self.sessions.pop_front();
        }
    }
}

impl Session {
    fn new(id: Text, time: EventTime, turn: u64) -> Self {
        Self {
            id,
            account: None,
            first_seen: time,
            last_seen: time,
            count: 0,
            score: 0.0,
            events: Vec::new(),
            turn,
        }
    }

    fn see(&mut self, context: &Context, brief: &Brief) {
        self.account = self.account.take().or_else(|| context.account.clone());
        self.first_seen = self.first_seen.min(context.time);
        self.last_seen = self.last_seen.max(context.time);
        self.count += 1;
        self.score = self.score.max(brief.score);
        if self.events.len() < SESSION_EVENTS_MAX {
            self.events.push(brief.clone());
        }
    }
}

impl Tally {
    /// The values with their shares, the most frequent first.
    #[must_use]
    pub fn shares(&self) -> Vec<(&Text, f64, EventTime)> {
        let total: f64 = self.values.iter().map(|(_, count, _)| f64::from(*count)).sum();
        let mut shares: Vec<_> = self
            .values
            .iter()
            .map(|(value, count, last)| (value, f64::from(*count) / total.max(1.0), *last))
            .collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        shares
    }

    /// Counts a value; when there is no room it takes over the count of the rarest (Space-Saving, Metwally et al. 2005).
    fn count(&mut self, value: Option<&Text>, time: EventTime) {
        let Some(value) = value else {
            return;
        };
        if let Some((_, count, last)) = self.values.iter_mut().find(|(held, _, _)| held == value) {
            *count += 1.0;
            *last = (*last).max(time);
            return;
        }
        if self.values.len() < VALUES_MAX {
            self.values.push((value.clone(), 1.0, time));
            return;
        }
        if let Some(rarest) = self.values.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)) {
            *rarest = (value.clone(), to_f32(f64::from(rarest.1) + 1.0), time);
        }
    }
}

impl Brief {
    fn new(arrival: &Arrival, assessment: &Assessment) -> Self {
        let context = &arrival.record.context;
        let network = &context.network;
        let number = || network.asn.map(|asn| Text::from(format!("AS{}", asn.get())));
        let client = &context.client;
        Self {
            uid: arrival.record.uid.clone(),
            time: context.time,
            what: Text::new(context.activity.activity_name()),
            status: context.status,
            score: assessment.score.get(),
            level: assessment.level,
            address: network.ip.map(|ip| Text::from(ip.to_string())),
            country: context.place.country.map(|country| Text::new(country.as_str())),
            network: network.organisation.clone().or_else(number),
            client: (!client.is_unknown()).then(|| Text::from(client.label())),
            source: arrival.origin.source.clone(),
        }
    }
}
