//! When a person logs in over the whole period.

use crate::clock;
use crate::config::Regime;
use crate::people::Person;
use crate::releases::DAY_MS;
use crate::rng::Rng;
use crate::tenant::Tenant;
use habitus_model::math;
use std::collections::BTreeMap;

/// Most logins a day that a consumer's heavy tail may reach.
const CONSUMER_PER_DAY_MAX: f64 = 3.0;
/// The span of the RBA data set, which the consumers' median refers to.
const RBA_DAYS: f64 = 395.0;

/// The moments of a person's logins, in order, within the period and after the person's beginning.
pub(crate) fn moments(rng: &mut Rng, tenant: &Tenant, person: &Person) -> Vec<i64> {
    let days = match tenant.config.regime {
        Regime::Consumer => consumer_days(rng, tenant, person),
        Regime::Enterprise | Regime::Business => enterprise_days(rng, tenant, person),
    };
    let end_ms = tenant.end_ms.min(person.end_ms);
    let mut moments: Vec<i64> = days
        .into_iter()
        .flat_map(|(day, count)| std::iter::repeat_n(day, usize::try_from(count).unwrap_or(0)))
        .map(|day| {
            let noon = day * DAY_MS + DAY_MS / 2;
            person.clock.moment(rng, day, person.offset_minutes(noon))
        })
        .filter(|ms| person.begin_ms <= *ms && *ms < end_ms && !is_absent(person, *ms))
        .collect();
    moments.sort_unstable();
    moments
}

fn is_absent(person: &Person, ms: i64) -> bool {
    person.absence.is_some_and(|(from, to)| from <= ms && ms < to)
}

/// A heavy-tailed number of logins: anywhere in the person's time, or within days of another one.
fn consumer_days(rng: &mut Rng, tenant: &Tenant, person: &Person) -> BTreeMap<i64, u32> {
    let days = f64::from(tenant.config.days.max(1));
    let count = (person.activity * days / RBA_DAYS)
        .ceil()
        .min(days * CONSUMER_PER_DAY_MAX);
    let first = person.begin_ms.div_euclid(DAY_MS) + 1;
    let last = (tenant.first_day() + i64::from(tenant.config.days)).max(first + 1);
    let window = math::from_i64(last - first);
    let mut placed: Vec<i64> = Vec::new();
    for _ in 0..math::to_u32(count) {
        let near = rng.pick(&placed).copied();
        let clustered = near.filter(|_| rng.chance(tenant.params.people.cluster_share));
        let day = match clustered {
            Some(day) => day + math::to_i64(rng.exponential(3.0)),
            None => first + math::to_i64((rng.unit() * window).floor()),
        };
        placed.push(day.min(last - 1));
    }
    let mut by_day = BTreeMap::new();
    for day in placed {
        *by_day.entry(day).or_insert(0) += 1;
    }
    by_day
}

/// A Poisson number of logins each day: the person's rate on working days, little on weekends.
fn enterprise_days(rng: &mut Rng, tenant: &Tenant, person: &Person) -> BTreeMap<i64, u32> {
    let first = tenant.first_day();
    let last = first + i64::from(tenant.config.days);
    let holiday = draw_holiday(rng, tenant);
    let mut by_day = BTreeMap::new();
    for day in first..last {
        let weekend = clock::is_weekend(day);
        let ratio = if weekend {
            tenant.params.people.weekend_ratio
        } else {
            1.0
        };
        let off = if holiday.contains(&day) { 0.03 } else { 1.0 };
        let count = rng.poisson(person.activity * ratio * off * presence(tenant, day));
        if count > 0 {
            by_day.insert(day, count);
        }
    }
    by_day
}

/// Share of people who are there on a day: few on a public holiday.
fn presence(tenant: &Tenant, day: i64) -> f64 {
    match &tenant.activity {
        Some(params) if tenant.upheavals.is_holiday(day) => params.holiday_presence,
        _ => 1.0,
    }
}

/// One or two weeks off within the period, for half of the people in 90 days (assumed).
fn draw_holiday(rng: &mut Rng, tenant: &Tenant) -> std::ops::Range<i64> {
    let days = usize::try_from(tenant.config.days.max(1)).unwrap_or(1);
    let from = tenant.first_day() + i64::try_from(rng.below(days)).unwrap_or(0);
    let length = if rng.chance(0.5) { 5 + rng.below(11) } else { 0 };
    from..from + i64::try_from(length).unwrap_or(0)
}
