//! People: everything about an account's owner that does not change from login to login.

use crate::atlas::{self, CountryIx};
use crate::clock::Clock;
use crate::config::Regime;
use crate::names;
use crate::providers::Kind;
use crate::releases::DAY_MS;
use crate::rng::{Rng, fraction, mix};
use crate::spot::Line;
use crate::tenant::Tenant;
use crate::trips::{self, Trip};
use crate::wardrobe::Wardrobe;
use habitus_model::{User, math};

/// The second factor a person has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Factor {
    Push,
    Otp,
    Sms,
    WebAuthn,
}

/// A person's habit of using a commercial VPN.
#[derive(Debug, Clone)]
pub(crate) struct VpnHabit {
    /// The favourite exit first.
    pub exits: Vec<Line>,
    /// Probability that a login goes through it.
    pub use_share: f64,
}

/// The owner of an account.
#[derive(Debug)]
pub(crate) struct Person {
    pub ix: u32,
    pub user: User,
    pub country: CountryIx,
    pub city: usize,
    /// Home lines, each from a time on; the first from ever.
    pub homes: Vec<(i64, Line)>,
    pub phone: Option<Line>,
    /// A consumer's workplace.
    pub work: Option<Line>,
    /// Enterprise: position of the office, and share of working days there.
    pub office: Option<(usize, f64)>,
    /// Enterprise: the company's gateway, used outside the office.
    pub gateway: Option<Line>,
    pub vpn: Option<VpnHabit>,
    pub relay: Option<Line>,
    /// The server that scripts run on; `None`: they run where the person is.
    pub server: Option<Line>,
    pub wardrobe: Wardrobe,
    pub clock: Clock,
    pub trips: Vec<Trip>,
    pub begin_ms: i64,
    /// The end of the employment or the membership; never in worlds of logins only.
    pub end_ms: i64,
    /// Whether a merger or a campaign brought this person.
    pub is_influx: bool,
    /// A long absence: from, to.
    pub absence: Option<(i64, i64)>,
    pub factor: Option<Factor>,
    /// Enterprise: mean logins per working day.
    pub activity: f64,
}

impl Person {
    /// Draws person number `ix`; `neighbour` may share their home.
    pub(crate) fn draw(rng: &mut Rng, tenant: &Tenant, ix: u32, neighbour: Option<&Person>) -> Option<Self> {
        let people = &tenant.params.people;
        let flatmate = neighbour.filter(|_| rng.chance(tenant.params.networks.household_share));
        let arrival = tenant
            .activity
            .as_ref()
            .and_then(|params| tenant.upheavals.arrival(params, ix));
        let (country, city) = match (flatmate, arrival) {
            (_, Some((_, Some(country)))) => (country, 0),
            (Some(other), _) => (other.country, other.city),
            (None, _) => draw_place(rng, tenant, ix),
        };
        let flatmate = flatmate.filter(|other| other.country == country);
        let place = (country, city);
        let office = draw_office(rng, tenant, (place, ix));
        let joins = rng.chance(people.joiner_share);
        let into_period = if joins { rng.between(0.0, 0.95) } else { 0.0 };
        let is_keyed = fraction(mix(u64::from(ix), 31, 0)) < tenant.params.devices.keyed_share;
        let mut person = Self {
            ix,
            user: names::user(rng, ix),
            country,
            city,
            homes: draw_homes(rng, tenant, place, flatmate)?,
            phone: Line::phone(rng, &tenant.networks, &tenant.params.networks, place),
            work: draw_work(rng, tenant, place),
            office,
            gateway: draw_gateway(rng, tenant, country),
            vpn: draw_vpn(rng, tenant, country),
            relay: draw_relay(rng, tenant, country),
            server: draw_server(rng, tenant, country),
            wardrobe: Wardrobe::draw(rng, tenant, country),
            clock: Clock::draw(rng, tenant.config.regime),
            trips: trips::draw(rng, tenant, place),
            begin_ms: arrival.map_or_else(
                || {
                    tenant.start_ms
                        + math::to_i64(into_period * math::from_i64(tenant.end_ms - tenant.start_ms))
                },
                |(begin_ms, _)| begin_ms,
            ),
            end_ms: draw_end(tenant, ix),
            is_influx: arrival.is_some(),
            absence: draw_absence(rng, tenant),
            factor: draw_factor(rng, tenant),
            activity: rng.log_normal(people.activity_median, people.activity_spread),
        };
        if is_keyed {
            person.wardrobe.bind(mix(tenant.config.seed, 41, i64::from(ix)));
        }
        Some(person)
    }

    /// The home line at a time, and when it began.
    pub(crate) fn home(&self, ms: i64) -> Option<(i64, &Line)> {
        let lines = self.homes.iter().rev();
        let mut lines = lines.filter(|(from, _)| *from <= ms);
        lines.next().map(|(from, line)| (*from, line))
    }

    /// The trip under way at a time.
    pub(crate) fn trip(&self, ms: i64) -> Option<&Trip> {
        self.trips
            .iter()
            .find(|trip| trip.from_ms <= ms && ms < trip.to_ms)
    }

    /// Minutes east of UTC where the person is.
    pub(crate) fn offset_minutes(&self, ms: i64) -> i64 {
        let country = self.trip(ms).map_or(self.country, |trip| trip.country);
        atlas::country(country).offset_minutes
    }
}

fn draw_place(rng: &mut Rng, tenant: &Tenant, ix: u32) -> (CountryIx, usize) {
    if let Some(office) = tenant.customer(ix).and_then(|nth| tenant.offices.get(nth)) {
        return (office.country, office.city);
    }
    let country = rng
        .weighted(&tenant.homes, |home| home.1)
        .map_or(0, |home| home.0);
    // Cities are listed by size; the first ones have more people (Zipf's law for cities).
    let cities = 0..atlas::country(country).cities.len();
    let city = rng.weighted(cities, |ix| 1.0 / (math::from_usize(*ix) + 1.0));
    (country, city.unwrap_or(0))
}

fn draw_homes(
    rng: &mut Rng,
    tenant: &Tenant,
    place: (CountryIx, usize),
    flatmate: Option<&Person>,
) -> Option<Vec<(i64, Line)>> {
    let params = &tenant.params.networks;
    if let Some(other) = flatmate {
        return Some(other.homes.clone());
    }
    let mut homes = vec![(i64::MIN, Line::home(rng, &tenant.networks, params, place)?)];
    let moves = rng.poisson(params.moves_per_year * tenant.years());
    let period = math::from_i64(tenant.end_ms - tenant.start_ms);
    for _ in 0..moves {
        let from = tenant.start_ms + math::to_i64(rng.unit() * period);
        homes.extend(Line::home(rng, &tenant.networks, params, place).map(|line| (from, line)));
    }
    homes.sort_by_key(|(from, _)| *from);
    Some(homes)
}

/// Half of the consumers also log in from work or school (assumed).
fn draw_work(rng: &mut Rng, tenant: &Tenant, place: (CountryIx, usize)) -> Option<Line> {
    if tenant.config.regime != Regime::Consumer || !rng.chance(0.5) {
        return None;
    }
    let provider = tenant.networks.pick(rng, place.0, &[Kind::Fixed])?;
    Line::fixed(rng, &tenant.networks, provider, place)
}

/// The office in the person's city, else one in the country for half of the people (assumed).
fn draw_office(
    rng: &mut Rng,
    tenant: &Tenant,
    ((country, city), ix): ((CountryIx, usize), u32),
) -> Option<(usize, f64)> {
    let mut offices = tenant.offices.iter().enumerate();
    let here = offices.find(|(_, office)| office.country == country && office.city == city);
    let near = || {
        let offices = tenant.offices.iter();
        offices.enumerate().find(|(_, office)| office.country == country)
    };
    let ix = match (tenant.customer(ix), here) {
        (Some(own), _) => own,
        (None, Some((ix, _))) => ix,
        (None, None) => near().filter(|_| rng.chance(0.5))?.0,
    };
    let mean = tenant.params.networks.office_share;
    Some((ix, (mean + rng.normal(0.0, 0.25)).clamp(0.0, 1.0)))
}

fn draw_gateway(rng: &mut Rng, tenant: &Tenant, country: CountryIx) -> Option<Line> {
    if !rng.chance(tenant.params.networks.gateway_share) {
        return None;
    }
    let here = |line: &&Line| {
        let provider = tenant.networks.get(line.provider);
        provider.is_some_and(|p| p.sites_in(country).next().is_some())
    };
    let near = tenant.gateways.iter().find(here);
    near.or_else(|| tenant.gateways.first()).copied()
}

/// A favourite exit at home or in a popular country, and three others (assumed).
fn draw_vpn(rng: &mut Rng, tenant: &Tenant, home: CountryIx) -> Option<VpnHabit> {
    if !rng.chance(tenant.params.networks.vpn_share) {
        return None;
    }
    let networks = &tenant.networks;
    // Some VPNs, and people's own, exit from ordinary servers (assumed 15 %).
    let kind = if rng.chance(0.15) {
        Kind::Hosting
    } else {
        Kind::Vpn
    };
    // Every VPN and most hosters have servers there.
    let provider = networks.pick(rng, atlas::by_code("US")?, &[kind])?;
    let owner = networks.get(provider)?;
    let mut exits = Vec::new();
    for nth in 0..4 {
        let homely = nth == 0 && rng.chance(0.4) && owner.sites_in(home).next().is_some();
        let country = if homely {
            home
        } else {
            rng.pick(&owner.sites)?.country
        };
        exits.extend(Line::exit(rng, networks, provider, country));
    }
    Some(VpnHabit {
        exits,
        use_share: rng.between(0.15, 0.9),
    })
}

fn draw_relay(rng: &mut Rng, tenant: &Tenant, country: CountryIx) -> Option<Line> {
    if !rng.chance(tenant.params.networks.relay_share) {
        return None;
    }
    let provider = tenant.networks.pick(rng, country, &[Kind::Relay])?;
    Line::exit(rng, &tenant.networks, provider, country)
}

/// Half of those who run scripts run them on servers, in the country if there are any, else in Germany (assumed).
fn draw_server(rng: &mut Rng, tenant: &Tenant, country: CountryIx) -> Option<Line> {
    if rng.chance(0.5) {
        return None;
    }
    let here = tenant.networks.pick(rng, country, &[Kind::Hosting]);
    let place = if here.is_some() {
        country
    } else {
        atlas::by_code("DE")?
    };
    let provider = here.or_else(|| tenant.networks.pick(rng, place, &[Kind::Hosting]))?;
    Line::fixed(rng, &tenant.networks, provider, (place, 0))
}

/// When a person leaves; [`i64::MAX`] for those who stay.
fn draw_end(tenant: &Tenant, ix: u32) -> i64 {
    let share = tenant.activity.as_ref().map_or(0.0, |params| params.leaver_share);
    if fraction(mix(u64::from(ix), 32, 0)) >= share {
        return i64::MAX;
    }
    let span = math::from_i64(tenant.end_ms - tenant.start_ms);
    tenant.start_ms + math::to_i64((0.3 + 0.6 * fraction(mix(u64::from(ix), 33, 0))) * span)
}

fn draw_absence(rng: &mut Rng, tenant: &Tenant) -> Option<(i64, i64)> {
    if !rng.chance(tenant.params.people.dormant_share) {
        return None;
    }
    let days = i64::from(tenant.config.days.max(1));
    let length = tenant.dormant_ms() / DAY_MS;
    let latest = usize::try_from((days - length).max(1)).unwrap_or(1);
    let from = tenant.start_ms + i64::try_from(rng.below(latest)).unwrap_or(0) * DAY_MS;
    Some((from, from + length * DAY_MS))
}

/// Factors by popularity (Okta, Secure Sign-in Trends 2023, rounded).
fn draw_factor(rng: &mut Rng, tenant: &Tenant) -> Option<Factor> {
    let people = &tenant.params.people;
    if !rng.chance(people.mfa_share) {
        return None;
    }
    if rng.chance(people.webauthn_share) {
        return Some(Factor::WebAuthn);
    }
    let factors = [(Factor::Push, 0.45), (Factor::Otp, 0.35), (Factor::Sms, 0.20)];
    rng.weighted(factors, |factor| factor.1).map(|factor| factor.0)
}
