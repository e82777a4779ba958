//! What an account did before an event, counted plainly: the evidence behind the sentences.

use crate::pipeline::Item;
use crate::pipeline::intake::Owner;
use habitus_engine::Learning;
use habitus_model::{Context, EventTime, Status};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Different values counted of each sort; further ones are left out.
const VALUES_MAX: usize = 1_000;
/// Values shown of each sort.
const SHOWN: usize = 5;

/// The account's events before the one that is explained.
pub struct Habit {
    owner: Owner,
    /// Events that proved its identity.
    pub visits: u64,
    /// Events that failed.
    pub failures: u64,
    /// The first and the last of those that proved its identity.
    pub range: Option<(EventTime, EventTime)>,
    countries: BTreeMap<String, u64>,
    networks: BTreeMap<String, u64>,
    clients: BTreeMap<String, u64>,
    /// By network and client, with the last event of each pair.
    pairs: BTreeMap<(String, String), (u64, Context)>,
}

impl Habit {
    /// Of this account, nothing seen yet.
    pub fn of(owner: Owner) -> Self {
        Self {
            owner,
            visits: 0,
            failures: 0,
            range: None,
            countries: BTreeMap::new(),
            networks: BTreeMap::new(),
            clients: BTreeMap::new(),
            pairs: BTreeMap::new(),
        }
    }

    /// Counts an event, if it is of this account.
    pub fn see(&mut self, item: &Item) {
        let context = &item.record.context;
        let is_own = context.account == self.owner.account && context.tenant == self.owner.tenant;
        if !is_own || self.owner.account.is_none() || item.record.learning == Learning::Probe {
            return;
        }
        if !context.may_teach() {
            self.failures += u64::from(context.status == Status::Failure);
            return;
        }
        self.visits += 1;
        let first = self.range.map_or(context.time, |range| range.0);
        self.range = Some((first, context.time));
        if let Some(country) = context.place.country {
            bump(&mut self.countries, country.to_string());
        }
        bump(&mut self.networks, network_label(context));
        bump(&mut self.clients, context.client.label());
        let pair = (network_label(context), context.client.label());
        if self.pairs.len() < VALUES_MAX || self.pairs.contains_key(&pair) {
            let held = self.pairs.entry(pair).or_insert_with(|| (0, context.clone()));
            *held = (held.0 + 1, context.clone());
        }
    }

    /// The last event with the most frequent pair of network and client; absent without history.
    pub fn usual(&self) -> Option<&Context> {
        self.pairs
            .values()
            .max_by_key(|(count, _)| *count)
            .map(|(_, context)| context)
    }

    /// What is usual, one sort a line: name and the most frequent values.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let sorts = [
            ("countries", &self.countries),
            ("networks", &self.networks),
            ("clients", &self.clients),
        ];
        let shown = |values: &BTreeMap<String, u64>| {
            let text: Vec<String> = most_frequent(values)
                .iter()
                .map(|(name, n)| format!("{} ({n})", crate::terminal::harmless(name)))
                .collect();
            text.join(", ")
        };
        sorts
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (name, shown(values)))
            .collect()
    }

    /// For `--json`.
    pub fn json(&self) -> Value {
        let shown = |values: &BTreeMap<String, u64>| -> Value {
            most_frequent(values)
                .iter()
                .map(|(name, count)| json!({ "value": name, "count": count }))
                .collect()
        };
        json!({
            "visits": self.visits,
            "failures": self.failures,
            "since": self.range.map(|range| range.0.as_millis()),
            "last": self.range.map(|range| range.1.as_millis()),
            "countries": shown(&self.countries),
            "networks": shown(&self.networks),
            "clients": shown(&self.clients),
        })
    }
}

/// The network as people name it: system and organisation, else the prefix, else that nothing is known.
pub fn network_label(context: &Context) -> String {
    let network = &context.network;
    match (network.asn, &network.organisation, network.ip) {
        (Some(asn), Some(organisation), _) => format!("{asn} {organisation}"),
        (Some(asn), None, _) => asn.to_string(),
        (None, Some(organisation), _) => organisation.to_string(),
        (None, None, Some(ip)) => habitus_model::Prefix::of(ip).to_string(),
        (None, None, None) => "an unknown network".to_owned(),
    }
}

fn bump(values: &mut BTreeMap<String, u64>, value: String) {
    if values.len() < VALUES_MAX || values.contains_key(&value) {
        *values.entry(value).or_default() += 1;
    }
}

fn most_frequent(values: &BTreeMap<String, u64>) -> Vec<(&String, &u64)> {
    let mut all: Vec<_> = values.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1));
    all.truncate(SHOWN);
    all
}
