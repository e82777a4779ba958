//! The features that general anomaly detectors are given: what ours is told of a login, as numbers in `[0, 1]`.

use super::levels::{key, learnable};
use crate::scorer::Login;
use habitus_model::{Coordinates, DeviceType, EventTime, math};
use std::collections::{BTreeMap, BTreeSet};

/// How many there are.
pub(super) const COUNT: usize = 12;
/// One login as numbers.
pub(super) type Features = [f64; COUNT];

/// What each account has shown so far.
#[derive(Debug, Default)]
pub(super) struct Histories {
    users: BTreeMap<String, History>,
}

#[derive(Debug, Default)]
struct History {
    logins: u64,
    seen: BTreeSet<(usize, u64)>,
    last: Option<(EventTime, Option<Coordinates>)>,
}

/// Speed that counts as 1, km/h; slower ones in proportion.
const SPEED_MOST: f64 = 2_000.0;
/// Silence and number of logins whose logarithms count as 1.
const DAYS_MOST: f64 = 400.0;
const LOGINS_MOST: f64 = 1_000.0;

impl Histories {
    /// A login as numbers; `None` without an account that has logged in before.
    pub(super) fn features(&self, login: Login<'_>) -> Option<Features> {
        let history = self.users.get(login.context.account.as_ref()?.as_str())?;
        let mut unseen = values(login)
            .into_iter()
            .enumerate()
            .map(|value| is(!history.seen.contains(&value)));
        let mut unseen = || unseen.next().unwrap_or(0.0);
        let time = login.context.time;
        let day = math::from_i64(time.as_millis().rem_euclid(86_400_000)) / 86_400_000.0;
        let silence = history
            .last
            .map_or(0.0, |(last, _)| time.since(last).days().max(0.0));
        let device = login.context.client.device;
        Some([
            unseen(),
            unseen(),
            unseen(),
            unseen(),
            unseen(),
            unseen(),
            day,
            scaled(silence, DAYS_MOST),
            scaled(math::from_u64(history.logins), LOGINS_MOST),
            history.speed(login).min(SPEED_MOST) / SPEED_MOST,
            is(device == DeviceType::Automation),
            is(login.context.second_factor == Some(true)),
        ])
    }

    /// Takes a successful login into the history.
    pub(super) fn learn(&mut self, login: Login<'_>) {
        let Some(account) = learnable(login) else {
            return;
        };
        let history = self.users.entry(account.as_str().to_owned()).or_default();
        history.logins += 1;
        history.seen.extend(values(login).into_iter().enumerate());
        history.last = Some((login.context.time, login.context.place.coordinates));
    }
}

impl History {
    /// Kilometres per hour since the last login; 0 where a place is not known.
    fn speed(&self, login: Login<'_>) -> f64 {
        let (Some((time, Some(there))), Some(here)) = (self.last, login.context.place.coordinates) else {
            return 0.0;
        };
        here.distance(there).0 / login.context.time.since(time).hours().max(0.25)
    }
}

fn is(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}

fn scaled(value: f64, most: f64) -> f64 {
    (math::ln_1p(value) / math::ln_1p(most)).min(1.0)
}

fn values(login: Login<'_>) -> [u64; 6] {
    let context = login.context;
    [
        key(&context.place.country),
        key(&context.network.asn),
        key(&context.network.ip),
        key(&login.event.client.user_agent.as_deref()),
        key(&(context.client.os.as_deref(), context.client.browser.as_deref())),
        key(&context.client.device.id()),
    ]
}
