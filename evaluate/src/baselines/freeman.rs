//! Freeman et al., "Who Are You? A Statistical Approach to Measuring User Authenticity", NDSS 2016, in the form
//! published by the authors of the RBA data set (das-group/rba-algorithm), without data on attackers.

use super::levels::{Counts, Values, client, learnable, network};
use crate::scorer::{Login, Scorer};
use std::collections::BTreeMap;

/// Weights of address, autonomous system, country (published code).
const NETWORK_WEIGHTS: [f64; 3] = [0.6, 0.3, 0.1];
/// Weights of user agent, browser, operating system, device type (published code).
const CLIENT_WEIGHTS: [f64; 4] = [
    0.538_665_384_055_135_9,
    0.268_045_149_862_566_6,
    0.188_182_951_001_095_36,
    0.005_106_515_081_202_152_5,
];
/// What was never seen counts as this many times rarer for the user than for everybody (published code).
const NEVER_SEEN: f64 = 4.0;

/// The published model: `Π p(x) / p(x | user) · (1 / users) / (n / N)`.
#[derive(Debug, Default)]
pub struct Freeman {
    users: BTreeMap<String, (Counts<3>, Counts<4>)>,
    network: Counts<3>,
    client: Counts<4>,
}

impl Scorer for Freeman {
    fn name(&self) -> &str {
        "Freeman (published)"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let account = login.context.account.as_ref();
        // A user's first login is not scored.
        let Some((networks, clients)) = account.and_then(|account| self.users.get(account.as_str())) else {
            return f64::NEG_INFINITY;
        };
        let users = habitus_model::math::from_usize(self.users.len());
        let by_network = ratio(networks, &self.network, &network(login), &NETWORK_WEIGHTS);
        let by_client = ratio(clients, &self.client, &client(login), &CLIENT_WEIGHTS);
        by_network * by_client * (1.0 / users) / (networks.total / self.network.total)
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

/// `p(x) / p(x | user)` of one feature.
fn ratio<const L: usize>(user: &Counts<L>, all: &Counts<L>, values: &Values<L>, weights: &[f64; L]) -> f64 {
    let levels = || values.iter().enumerate().zip(weights);
    let local: f64 = levels()
        .map(|((level, value), weight)| weight * user.count(level, *value) / user.total)
        .sum();
    let global: f64 = levels()
        .map(|((level, value), weight)| weight * everybody(all, level, *value))
        .sum();
    if local == 0.0 {
        return NEVER_SEEN;
    }
    global / local
}

/// The published code smooths the finest level within its own sub-history and within the whole; there, a value
/// determines those of the coarser levels, so each has one distinct value. The other levels are plain frequencies.
fn everybody<const L: usize>(all: &Counts<L>, level: usize, value: u64) -> f64 {
    let count = all.count(level, value);
    if level > 0 {
        return count / all.total;
    }
    let whole = all.total + all.unseen(0);
    if count == 0.0 {
        return 1.0 / whole;
    }
    count / (count + habitus_model::math::from_usize(L)) * count / whole
}
