//! What happens to a whole tenant at once and is nobody's attack.

use crate::activity_parameters::ActivityParameters;
use crate::atlas::{COUNTRIES, CountryIx};
use crate::config::{Regime, WorldConfig};
use crate::network::Networks;
use crate::providers::Kind;
use crate::releases::DAY_MS;
use crate::rng::{Rng, fraction, mix};
use crate::spot::Line;
use habitus_model::math;
use std::ops::Range;

/// The upheavals of a world: each may or may not come, at most once.
#[derive(Debug, Default)]
pub(crate) struct Upheavals {
    /// The first office moves: when, and its lines from then on.
    pub office_move: Option<(i64, Vec<Line>)>,
    /// Many accounts come at once: when, and from where (a merger); consumers come from anywhere (a campaign).
    pub influx: Option<(i64, Option<CountryIx>)>,
    /// Passwords are reset: when.
    pub reset_wave: Option<i64>,
    /// The location database is updated: when.
    pub database: Option<i64>,
    /// An authorised test of passwords: when, and from where.
    pub pentest: Option<(i64, Line)>,
    /// Days, counted from the epoch, on which hardly anybody works.
    pub holidays: Vec<i64>,
}

/// Days over which an influx spreads (assumed).
const INFLUX_DAYS: f64 = 3.0;

impl Upheavals {
    /// Draws what befalls a world in its period.
    pub(crate) fn draw(
        config: &WorldConfig,
        params: &ActivityParameters,
        (networks, homes): (&Networks, &[(CountryIx, f64)]),
        (period, office): (Range<i64>, Option<(CountryIx, usize)>),
    ) -> Self {
        let rng = &mut Rng::new(config.seed, "upheavals", 0);
        let when = |rng: &mut Rng| {
            let span = math::from_i64(period.end - period.start);
            let ms = period.start + math::to_i64(rng.between(0.35, 0.95) * span);
            rng.chance(params.upheaval_share).then_some(ms)
        };
        let company = config.regime != Regime::Consumer;
        let moved = when(rng).filter(|_| company);
        let influx = when(rng);
        let partner = (0..COUNTRIES.len()).filter(|ix| homes.iter().all(|home| home.0 != *ix));
        let partner = rng
            .weighted(partner, |ix| crate::atlas::country(*ix).homes)
            .filter(|_| company);
        let reset_wave = when(rng);
        let database = when(rng);
        let pentest = when(rng).and_then(|ms| {
            let provider = networks.pick(rng, homes.first()?.0, &[Kind::Hosting, Kind::Fixed])?;
            Some((ms, Line::fixed(rng, networks, provider, (homes.first()?.0, 0))?))
        });
        let lines = |rng: &mut Rng| -> Vec<Line> {
            let Some(place) = office else {
                return Vec::new();
            };
            let provider = networks.pick(rng, place.0, &[Kind::Fixed]);
            let line = provider.and_then(|provider| Line::fixed(rng, networks, provider, place));
            line.into_iter().collect()
        };
        let lines = lines(rng);
        let day = |share: f64| {
            let days = math::from_i64((period.end - period.start) / DAY_MS);
            period.start.div_euclid(DAY_MS) + math::to_i64(share * days)
        };
        let holidays = (0..2).map(|_| day(rng.between(0.4, 0.99))).collect();
        Self {
            office_move: moved.filter(|_| !lines.is_empty()).map(|ms| (ms, lines)),
            influx: influx.map(|ms| (ms, partner)),
            reset_wave,
            database,
            pentest,
            holidays,
        }
    }

    /// When a person who came with the influx begins; `None` for all others.
    pub(crate) fn arrival(
        &self,
        params: &ActivityParameters,
        person: u32,
    ) -> Option<(i64, Option<CountryIx>)> {
        let (ms, country) = self.influx?;
        let luck = fraction(mix(u64::from(person), 21, 0));
        let within = fraction(mix(u64::from(person), 22, 0)) * INFLUX_DAYS;
        let begin = ms + math::to_i64(within * math::from_i64(DAY_MS));
        (luck < params.influx_share).then_some((begin, country))
    }

    /// Whether the day (counted from the epoch) is a public holiday.
    pub(crate) fn is_holiday(&self, day: i64) -> bool {
        self.holidays.contains(&day)
    }
}
