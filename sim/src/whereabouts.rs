//! Which network a login comes over, given who, when and with what.

use crate::client::{Browser, Device, Form};
use crate::clock;
use crate::label::Cohort;
use crate::people::Person;
use crate::providers::Kind;
use crate::releases::DAY_MS;
use crate::rng::{Rng, fraction, mix};
use crate::spot::{Line, Spot};
use crate::tenant::Tenant;
use crate::trips::Trip;
use habitus_model::math;

/// Where a login comes from, and what is special about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whereabouts {
    pub spot: Spot,
    /// What the spot is the address of.
    pub line: Line,
    pub cohort: Cohort,
}

/// Probability that an employee with a gateway is on it when out of the office (assumed).
const GATEWAY_USE: f64 = 0.8;
/// Days until a new gateway has reached everybody (assumed).
const ROLLOUT_DAYS: f64 = 14.0;
/// Probability that a relay is on where it is set up (assumed; some networks and sites switch it off).
const RELAY_USE: f64 = 0.9;
/// Probability of the favourite exit of a VPN (assumed).
const FAVOURITE_EXIT: f64 = 0.75;
/// Probability that a consumer is at work in working hours, if there is a workplace (assumed).
const AT_WORK: f64 = 0.6;
/// A shared phone connection for computers on the road (assumed).
const TETHERED: f64 = 0.03;

/// Draws the network of a login.
pub(crate) fn draw(
    rng: &mut Rng,
    tenant: &Tenant,
    person: &Person,
    (ms, device): (i64, &Device),
) -> Option<Whereabouts> {
    let at = |line: &Line, cohort| {
        let spot = line.at(&tenant.networks, ms)?;
        Some(Whereabouts {
            spot,
            line: *line,
            cohort,
        })
    };
    if let Some(server) = person.server.filter(|_| device.form == Form::Tool) {
        return at(&server, Cohort::Usual);
    }
    if let Some(line) = through_tunnel(rng, tenant, person, (ms, device)) {
        return at(&line, Cohort::Vpn);
    }
    if let Some(trip) = person.trip(ms) {
        return at(&away(rng, tenant, person, (trip, device))?, Cohort::Travel);
    }
    if let Some(line) = workplace(rng, tenant, person, (ms, device)) {
        return at(&line, of_workplace(tenant, person, ms));
    }
    let carried = match device.form {
        Form::Phone => tenant.params.networks.carrier_share,
        Form::Tablet => tenant.params.networks.carrier_share / 3.0,
        Form::Computer | Form::Tool => TETHERED,
    };
    if let Some(phone) = person.phone.filter(|_| rng.chance(carried)) {
        return at(&phone, Cohort::Mobile);
    }
    if rng.chance(tenant.params.networks.elsewhere_share) {
        let place = (person.country, person.city);
        let provider = tenant.networks.pick(rng, place.0, &[Kind::Fixed])?;
        let cafe = Line::fixed(rng, &tenant.networks, provider, place)?;
        return at(&cafe, Cohort::NewNetwork);
    }
    at(person.home(ms)?.1, Cohort::Usual)
}

/// Whether the person spends this day in the office; the same answer for each login of the day.
fn is_in_office(tenant: &Tenant, person: &Person, ms: i64) -> bool {
    let Some((ix, share)) = person.office else {
        return false;
    };
    let today = fraction(mix(u64::from(person.ix), 9, ms.div_euclid(DAY_MS)));
    let open = tenant.offices.get(ix).is_some_and(|office| office.is_open(ms));
    open && today < share && person.trip(ms).is_none()
}

/// An office that moved is news for two weeks.
fn of_workplace(tenant: &Tenant, person: &Person, ms: i64) -> Cohort {
    let in_first = person.office.is_some_and(|(ix, _)| ix == 0);
    match &tenant.upheavals.office_move {
        Some((from, _)) if in_first && *from <= ms && ms < from + 14 * DAY_MS => Cohort::OfficeMove,
        _ => Cohort::Usual,
    }
}

fn through_tunnel(
    rng: &mut Rng,
    tenant: &Tenant,
    person: &Person,
    (ms, device): (i64, &Device),
) -> Option<Line> {
    if let Some(vpn) = person.vpn.as_ref().filter(|vpn| rng.chance(vpn.use_share)) {
        return if rng.chance(FAVOURITE_EXIT) {
            vpn.exits.first().copied()
        } else {
            rng.pick(&vpn.exits).copied()
        };
    }
    let relayed = device.platform.is_apple() && device.browser == Browser::Safari;
    if let Some(relay) = person.relay.filter(|_| relayed && rng.chance(RELAY_USE)) {
        return Some(relay);
    }
    let company = device.form == Form::Computer && !is_in_office(tenant, person, ms);
    let old = person.gateway.filter(|_| company && rng.chance(GATEWAY_USE))?;
    // A roll-out reaches each person some days after it began.
    let delay = fraction(mix(u64::from(person.ix), 10, 0)) * ROLLOUT_DAYS;
    let delay_ms = math::to_i64(delay * math::from_i64(DAY_MS));
    let new = tenant.rollout.filter(|(from_ms, _)| from_ms + delay_ms <= ms);
    Some(new.map_or(old, |(_, line)| line))
}

fn away(rng: &mut Rng, tenant: &Tenant, person: &Person, (trip, device): (&Trip, &Device)) -> Option<Line> {
    let carried = match device.form {
        Form::Phone => (tenant.params.networks.carrier_share + 0.2).min(0.8),
        _ => 0.1,
    };
    let phone = trip.local_phone.or(person.phone);
    Some(phone.filter(|_| rng.chance(carried)).unwrap_or(trip.hotel))
}

fn workplace(rng: &mut Rng, tenant: &Tenant, person: &Person, (ms, device): (i64, &Device)) -> Option<Line> {
    if is_in_office(tenant, person, ms) {
        let (office, _) = person.office?;
        // Phones in the office use the guest network or the carrier as often as the office's own.
        let inside = device.form == Form::Computer || rng.chance(0.5);
        return rng.pick(tenant.egress(office, ms)).copied().filter(|_| inside);
    }
    let offset = person.offset_minutes(ms);
    let day = (ms + offset * 60_000).div_euclid(DAY_MS);
    let hours = !clock::is_weekend(day) && (8..17).contains(&clock::local_hour(ms, offset));
    let likely = device.form == Form::Computer || rng.chance(0.4);
    person.work.filter(|_| hours && likely && rng.chance(AT_WORK))
}
