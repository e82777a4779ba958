//! The tenant: where its people live, its offices and gateways.

use crate::activity_parameters::ActivityParameters;
use crate::atlas::{self, COUNTRIES, CountryIx};
use crate::clock;
use crate::config::{Regime, Scope, WorldConfig};
use crate::network::{Edition, Networks, Site};
use crate::parameters::Parameters;
use crate::providers::Kind;
use crate::releases::{DAY_MS, date};
use crate::rng::Rng;
use crate::spot::Line;
use crate::upheaval::Upheavals;
use habitus_model::math;
use std::ops::Range;

/// An office with the addresses it shows to the world.
#[derive(Debug)]
pub(crate) struct Office {
    pub country: CountryIx,
    pub city: usize,
    pub egress: Vec<Line>,
}

/// Everything the people of a world share.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub config: WorldConfig,
    pub params: Parameters,
    pub networks: Networks,
    /// A Monday, midnight UTC.
    pub start_ms: i64,
    /// The end of the period, exclusive.
    pub end_ms: i64,
    /// Countries of its people, with their shares.
    pub homes: Vec<(CountryIx, f64)>,
    /// Enterprise: its offices.
    pub offices: Vec<Office>,
    /// Enterprise: the company's gateways.
    pub gateways: Vec<Line>,
    /// Enterprise: a new gateway that replaces the others, and when its roll-out begins.
    pub rollout: Option<(i64, Line)>,
    /// With [`Scope::Activity`]: the figures of what goes on beyond logins.
    pub activity: Option<ActivityParameters>,
    /// What befalls everybody at once; nothing in worlds of logins only.
    pub upheavals: Upheavals,
}

impl Tenant {
    /// Draws the tenant of a world.
    pub(crate) fn draw(config: &WorldConfig) -> Self {
        let rng = &mut Rng::new(config.seed, "tenant", 0);
        let params = Parameters::draw(config);
        let mut networks = Networks::draw(config.seed, &params.networks);
        let homes = draw_homes(rng, params.people.home_country_share);
        let weeks = i64::try_from(rng.below(26)).unwrap_or(0);
        let start_ms = date(2025, 1, 6) + weeks * 7 * DAY_MS;
        let (offices, gateways) = match config.regime {
            Regime::Consumer => (Vec::new(), Vec::new()),
            Regime::Business => (
                draw_customers(rng, &networks, &homes, config.accounts),
                Vec::new(),
            ),
            Regime::Enterprise => draw_company(rng, &mut networks, &homes),
        };
        let end_ms = start_ms + i64::from(config.days.max(1)) * DAY_MS;
        let rollout = draw_rollout(rng, &networks, &homes, start_ms..end_ms);
        let activity = (config.scope == Scope::Activity).then(|| ActivityParameters::draw(config));
        let office = offices.first().map(|office| (office.country, office.city));
        let upheavals = activity
            .as_ref()
            .map(|params| Upheavals::draw(config, params, (&networks, &homes), (start_ms..end_ms, office)));
        Self {
            config: config.clone(),
            params,
            networks,
            start_ms,
            end_ms,
            homes,
            offices,
            gateways,
            rollout: rollout.filter(|_| config.regime == Regime::Enterprise),
            activity,
            upheavals: upheavals.unwrap_or_default(),
        }
    }

    /// Which of the tenant's customers an account belongs to; only business customers are companies.
    pub(crate) fn customer(&self, account: u32) -> Option<usize> {
        let business = self.config.regime == Regime::Business && !self.offices.is_empty();
        let nth = usize::try_from(account / CUSTOMER_ACCOUNTS).unwrap_or(0);
        business.then(|| nth % self.offices.len())
    }

    /// The edition of the location database in use at a time.
    pub(crate) fn edition(&self, ms: i64) -> Edition {
        match (&self.activity, self.upheavals.database) {
            (Some(params), Some(from_ms)) if from_ms <= ms => Edition::Second {
                moved: params.relocated_share,
            },
            _ => Edition::First,
        }
    }

    /// The lines of an office at a time: the first one may have moved.
    pub(crate) fn egress(&self, office: usize, ms: i64) -> &[Line] {
        match &self.upheavals.office_move {
            Some((from_ms, lines)) if office == 0 && *from_ms <= ms => lines,
            _ => self.offices.get(office).map_or(&[], |office| &office.egress),
        }
    }

    /// Silence after which an account counts as dormant: 90 days, or a third of a shorter period.
    pub(crate) fn dormant_ms(&self) -> i64 {
        90.min(i64::from(self.config.days.max(1)) / 3).max(1) * DAY_MS
    }

    /// Whether a country is one the tenant's people live in.
    pub(crate) fn is_home(&self, country: CountryIx) -> bool {
        self.homes.iter().any(|home| home.0 == country)
    }

    /// First day of the period, counted from the epoch.
    pub(crate) fn first_day(&self) -> i64 {
        self.start_ms.div_euclid(DAY_MS)
    }

    /// The length of the period in years.
    pub(crate) fn years(&self) -> f64 {
        f64::from(self.config.days.max(1)) / 365.25
    }
}

impl Office {
    /// Whether people are at work at this moment in this office's country.
    pub(crate) fn is_open(&self, ms: i64) -> bool {
        let offset = atlas::country(self.country).offset_minutes;
        let day = (ms + offset * 60_000).div_euclid(DAY_MS);
        !clock::is_weekend(day) && (7..19).contains(&clock::local_hour(ms, offset))
    }
}

/// The first country with its share, and up to five others for the rest.
fn draw_homes(rng: &mut Rng, first_share: f64) -> Vec<(CountryIx, f64)> {
    let mut homes: Vec<(CountryIx, f64)> = Vec::new();
    let others = 1 + rng.below(5);
    let mut left = 1.0;
    for nth in 0..=others {
        let free = (0..COUNTRIES.len()).filter(|ix| homes.iter().all(|home| home.0 != *ix));
        let Some(country) = rng.weighted(free, |ix| atlas::country(*ix).homes) else {
            break;
        };
        let share = match nth {
            0 => first_share,
            _ if nth == others => left,
            _ => left * rng.between(0.3, 0.7),
        };
        left -= share;
        homes.push((country, share));
    }
    homes
}

/// Accounts of one business customer (assumed; most companies have fewer than ten employees: Eurostat 2022).
const CUSTOMER_ACCOUNTS: u32 = 8;

/// One office with one line for each customer, where the tenant's people are.
fn draw_customers(
    rng: &mut Rng,
    networks: &Networks,
    homes: &[(CountryIx, f64)],
    accounts: u32,
) -> Vec<Office> {
    let customers = accounts.div_ceil(CUSTOMER_ACCOUNTS).max(1);
    let office = |rng: &mut Rng| {
        let country = rng.weighted(homes, |home| home.1)?.0;
        let city = rng.below(atlas::country(country).cities.len());
        let provider = networks.pick(rng, country, &[Kind::Fixed])?;
        let line = Line::fixed(rng, networks, provider, (country, city))?;
        Some(Office {
            country,
            city,
            egress: vec![line],
        })
    };
    (0..customers).filter_map(|_| office(rng)).collect()
}

fn draw_company(
    rng: &mut Rng,
    networks: &mut Networks,
    homes: &[(CountryIx, f64)],
) -> (Vec<Office>, Vec<Line>) {
    let places: Vec<(CountryIx, usize)> = homes.iter().flat_map(|home| office_places(rng, *home)).collect();
    // Half of the companies have a number of their own; the others' offices sit on business lines (assumed).
    let own = rng.chance(0.5).then(|| {
        let sites = places.iter().map(|&(country, city)| Site { country, city });
        networks.add_corporate(rng, sites.collect())
    });
    let mut offices = Vec::new();
    for (country, city) in places {
        let Some(provider) = own.or_else(|| networks.pick(rng, country, &[Kind::Fixed])) else {
            continue;
        };
        let lines = 1 + rng.below(3);
        let egress = (0..lines).filter_map(|_| Line::fixed(rng, networks, provider, (country, city)));
        offices.push(Office {
            country,
            city,
            egress: egress.collect(),
        });
    }
    let gateways = draw_gateways(rng, networks, homes, &offices);
    (offices, gateways)
}

/// Half of the companies change to another gateway within the period (assumed): one day many people come from a
/// network nobody came from before, a quarter of the time in another country.
fn draw_rollout(
    rng: &mut Rng,
    networks: &Networks,
    homes: &[(CountryIx, f64)],
    period: Range<i64>,
) -> Option<(i64, Line)> {
    let changes = rng.chance(0.5);
    let from_ms = period.start + math::to_i64(rng.unit() * math::from_i64(period.end - period.start));
    let elsewhere = rng.chance(0.25);
    let country = if elsewhere {
        atlas::by_code("NL")?
    } else {
        homes.first()?.0
    };
    let kinds = [Kind::Gateway, Kind::Hosting];
    let provider = networks.pick(rng, country, &kinds)?;
    let line = Line::fixed(rng, networks, provider, (country, 0))?;
    changes.then_some((from_ms, line))
}

/// One to three offices in the first country; in others, one with a probability that grows with the share.
fn office_places(rng: &mut Rng, (country, share): (CountryIx, f64)) -> Vec<(CountryIx, usize)> {
    let cities = atlas::country(country).cities.len();
    let count = if share > 0.3 {
        1 + rng.below(cities.min(3))
    } else {
        usize::from(rng.chance(0.4 + 2.0 * share))
    };
    (0..count).map(|city| (country, city)).collect()
}

/// Half of the companies send remote employees through a cloud gateway near them, the others through their first
/// office's country (assumed).
fn draw_gateways(
    rng: &mut Rng,
    networks: &Networks,
    homes: &[(CountryIx, f64)],
    offices: &[Office],
) -> Vec<Line> {
    let cloud = rng.chance(0.5);
    let mut gateways = Vec::new();
    for (country, _) in homes {
        let provider = networks.pick(rng, *country, &[Kind::Gateway]).filter(|_| cloud);
        let line = provider.and_then(|provider| Line::fixed(rng, networks, provider, (*country, 0)));
        gateways.extend(line);
    }
    if let (true, Some(office)) = (gateways.is_empty(), offices.first()) {
        let own = office.egress.first().map(|line| line.provider);
        let place = (office.country, office.city);
        let lines = 1 + rng.below(2);
        let line = |rng: &mut Rng| own.and_then(|provider| Line::fixed(rng, networks, provider, place));
        gateways.extend((0..lines).filter_map(|_| line(rng)));
    }
    gateways
}
