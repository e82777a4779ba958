//! The simple rule: count what this account has never shown before. Strong against naive attackers, weak on tight
//! budgets.

use super::levels::{key, learnable};
use crate::scorer::{Login, Scorer};
use habitus_model::math;
use std::collections::{BTreeMap, BTreeSet};

/// Weights of a new country, autonomous system, address, user agent and operating system with its version.
const WEIGHTS: [f64; 5] = [3.0, 1.0, 0.5, 1.0, 1.0];
/// Ties are broken by `1 / n`, scaled below the smallest difference of sums of weights.
const TIE_BREAK: f64 = 0.1;

/// `3·country + 1·ASN + 0.5·address + 1·user agent + 1·operating system`, each if new; ties by `1 / n`.
#[derive(Debug, Default)]
pub struct UnseenValues {
    users: BTreeMap<String, (u64, BTreeSet<(usize, u64)>)>,
}

impl Scorer for UnseenValues {
    fn name(&self) -> &str {
        "unseen values"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let account = login.context.account.as_ref();
        let Some((logins, seen)) = account.and_then(|account| self.users.get(account.as_str())) else {
            return f64::NEG_INFINITY;
        };
        let values = values(login).into_iter().enumerate().zip(WEIGHTS);
        let unseen = values.filter(|(value, _)| !seen.contains(value));
        unseen.map(|(_, weight)| weight).sum::<f64>() + TIE_BREAK / math::from_u64(*logins)
    }

    fn learn(&mut self, login: Login<'_>) {
        if let Some(account) = learnable(login) {
            let user = self.users.entry(account.as_str().to_owned()).or_default();
            user.0 += 1;
            user.1.extend(values(login).into_iter().enumerate());
        }
    }
}

fn values(login: Login<'_>) -> [u64; 5] {
    let context = login.context;
    [
        key(&context.place.country),
        key(&context.network.asn),
        key(&context.network.ip),
        key(&login.event.client.user_agent.as_deref()),
        key(&(context.client.os.as_deref(), context.client.os_version)),
    ]
}
