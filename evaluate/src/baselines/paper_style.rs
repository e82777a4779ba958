//! Freeman et al. (NDSS 2016) with back-off: the finest level that was seen gives the likelihood.
//!
//! The original was never published; this follows the paper's description. It has a far larger range than the
//! published code and is the stronger baseline.

use super::levels::{Company, Counts, Values, client, learnable, network};
use crate::scorer::{Login, Scorer};
use habitus_model::math;
use std::collections::BTreeMap;

/// One feature of everybody: counts, and what occurs together.
#[derive(Debug, Default)]
struct Everybody<const L: usize> {
    counts: Counts<L>,
    company: Company,
}

/// The back-off model: `Π p(x) / p(x | user) · (1 / users) / (n / N)`.
#[derive(Debug, Default)]
pub struct PaperStyle {
    users: BTreeMap<String, (Counts<3>, Counts<4>)>,
    network: Everybody<3>,
    client: Everybody<4>,
}

impl Scorer for PaperStyle {
    fn name(&self) -> &str {
        "Freeman (back-off)"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let account = login.context.account.as_ref();
        let Some((networks, clients)) = account.and_then(|account| self.users.get(account.as_str())) else {
            return f64::NEG_INFINITY;
        };
        let users = math::from_usize(self.users.len());
        let all = self.network.counts.total;
        self.network.ratio(networks, &network(login))
            * self.client.ratio(clients, &client(login))
            * (1.0 / users)
            / (networks.total / all)
    }

    fn learn(&mut self, login: Login<'_>) {
        let Some(account) = learnable(login) else {
            return;
        };
        let (network, client) = (network(login), client(login));
        let user = self.users.entry(account.as_str().to_owned()).or_default();
        user.0.add(&network);
        user.1.add(&client);
        self.network.add(&network);
        self.client.add(&client);
    }
}

impl<const L: usize> Everybody<L> {
    fn add(&mut self, values: &Values<L>) {
        self.counts.add(values);
        self.company.add(values);
    }

    /// `p(x) / p(x | user)`.
    fn ratio(&self, user: &Counts<L>, values: &Values<L>) -> f64 {
        let floor = 1.0 / (self.counts.total + self.counts.unseen(0));
        let global = self.likelihood(&self.counts, values).unwrap_or(floor);
        // Nothing of it was seen from this user: what everybody does, times the mass of the unseen.
        let never = || global / (user.total + user.unseen(0));
        let local = self.likelihood(user, values).unwrap_or_else(never);
        global / local
    }

    /// The likelihood in a history, by the finest level seen there; `None` if none was.
    fn likelihood(&self, history: &Counts<L>, values: &Values<L>) -> Option<f64> {
        let finest = *values.first()?;
        let mut levels = values.iter().enumerate();
        let (level, value) = levels.find(|(level, value)| history.count(*level, **value) > 0.0)?;
        let seen = history.count(level, *value) / (history.total + history.unseen(level));
        if level == 0 {
            return Some(seen);
        }
        // p(finest | this level) among everybody.
        let within = self.counts.count(level, *value) + self.company.unseen(level, *value);
        let count = self.counts.count(0, finest).max(1.0);
        Some(seen * count / within)
    }
}
