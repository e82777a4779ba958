//! The two rules that SIEM content packs bring for logins: a country new within the look-back, and impossible travel.

use super::levels::learnable;
use crate::scorer::{Login, Scorer};
use habitus_model::{Coordinates, CountryCode, EventTime, math};
use std::collections::BTreeMap;

/// Look-back of "new terms" rules (Elastic's detection rules use 10 to 14 days).
const LOOK_BACK_DAYS: f64 = 10.0;
/// Distance below which travel is never impossible (Datadog and BuffaLogs: some hundred km).
const KM_LEAST: f64 = 500.0;
/// Speed above which it is (an airliner's cruise, as the same rules take it).
const KM_PER_HOUR_MOST: f64 = 800.0;
/// Ties are broken by `1 / n`, below the difference that a rule makes.
const TIE_BREAK: f64 = 0.1;

/// Number of rules that fire (0 to 2): a country that the account has not shown within 10 days; more than 500 km at
/// more than 800 km/h since the last successful login. Ties by `1 / n`.
#[derive(Debug, Default)]
pub struct SiemRules {
    users: BTreeMap<String, User>,
}

#[derive(Debug, Default)]
struct User {
    logins: u64,
    countries: BTreeMap<Option<CountryCode>, EventTime>,
    last: Option<(EventTime, Coordinates)>,
}

impl Scorer for SiemRules {
    fn name(&self) -> &str {
        "SIEM rules"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let account = login.context.account.as_ref();
        let Some(user) = account.and_then(|account| self.users.get(account.as_str())) else {
            return f64::NEG_INFINITY;
        };
        let fired = u8::from(user.is_new_country(login)) + u8::from(user.is_impossible_travel(login));
        f64::from(fired) + TIE_BREAK / math::from_u64(user.logins)
    }

    fn learn(&mut self, login: Login<'_>) {
        let Some(account) = learnable(login) else {
            return;
        };
        let user = self.users.entry(account.as_str().to_owned()).or_default();
        let (time, place) = (login.context.time, &login.context.place);
        user.logins += 1;
        user.countries.insert(place.country, time);
        user.last = place.coordinates.map(|point| (time, point)).or(user.last);
    }
}

impl User {
    fn is_new_country(&self, login: Login<'_>) -> bool {
        let seen = self.countries.get(&login.context.place.country);
        seen.is_none_or(|seen| login.context.time.since(*seen).days() > LOOK_BACK_DAYS)
    }

    fn is_impossible_travel(&self, login: Login<'_>) -> bool {
        let here = login.context.place.coordinates;
        let (Some(here), Some((time, there))) = (here, self.last) else {
            return false;
        };
        let km = here.distance(there).0;
        let hours = login.context.time.since(time).hours().max(1.0 / 3_600.0);
        km > KM_LEAST && km / hours > KM_PER_HOUR_MOST
    }
}
