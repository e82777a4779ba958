//! One person's life as it is written down: logins, and in worlds with all activity what follows each of them.

use crate::act::{Act, Outcome, Registry};
use crate::client::{Device, Form, Shop};
use crate::deed::Deed;
use crate::label::{Cohort, Label};
use crate::life;
use crate::people::{Factor, Person};
use crate::rng::Rng;
use crate::session::Company;
use crate::tenant::Tenant;
use crate::whereabouts;
use habitus_model::math;
use std::collections::BTreeSet;

/// Logins with a device, or from a new home, that still count as new (see [`Cohort::NewNetwork`]); and logins of
/// somebody who has just come (see [`Cohort::Influx`]).
const NEW_LOGINS: u32 = 3;
/// How much likelier a borrowed device is on a trip: the hotel's computer, a friend's phone (assumed).
const BORROWED_AWAY: f64 = 4.0;
/// How long after a reset of everybody's passwords a login is one of the wave.
const WAVE_MS: i64 = 3 * 86_400_000;

/// One person's acts as they are written.
pub(crate) struct Diary<'a> {
    tenant: &'a Tenant,
    person: &'a Person,
    registry: &'a mut Registry,
    /// What follows logins; `None` in worlds of logins only.
    company: Option<Company<'a>>,
    acts: Vec<Act>,
    devices: BTreeSet<(usize, usize, bool)>,
    last_ms: Option<i64>,
    logins: u32,
    home_since_ms: i64,
    home_logins: u32,
}

impl<'a> Diary<'a> {
    pub(crate) fn new(tenant: &'a Tenant, person: &'a Person, registry: &'a mut Registry) -> Self {
        Self {
            tenant,
            person,
            company: Company::draw(tenant, person, &registry.catalogue),
            registry,
            acts: Vec::new(),
            devices: BTreeSet::new(),
            last_ms: None,
            logins: 0,
            home_since_ms: i64::MIN,
            home_logins: NEW_LOGINS,
        }
    }

    /// The whole period. Acts are in no order yet.
    pub(crate) fn live(mut self) -> Vec<Act> {
        let rng = &mut Rng::new(self.tenant.config.seed, "life", u64::from(self.person.ix));
        let mut moments = life::moments(rng, self.tenant, self.person);
        if let Some(company) = &mut self.company {
            moments.extend(company.nights());
            moments.sort_unstable();
        }
        for ms in moments {
            self.log_in(rng, ms);
        }
        self.acts
    }

    /// One successful login, perhaps after a failed one; nothing if no device or network is at hand.
    fn log_in(&mut self, rng: &mut Rng, ms: i64) -> Option<()> {
        let person = self.person;
        let at_work = person.trip(ms).is_none().then_some(person.office.is_some());
        let used = person.wardrobe.choose(rng, ms, at_work)?;
        let away = person.trip(ms).is_some();
        let borrowing = if away { BORROWED_AWAY } else { 1.0 } * self.tenant.params.devices.borrowed_share;
        let borrowed = rng.chance(borrowing);
        let device = if borrowed {
            self.borrow(rng, ms)
        } else {
            used.device.clone()
        };
        let place = whereabouts::draw(rng, self.tenant, person, (ms, &device))?;
        let is_new = !borrowed && self.devices.insert(used.id) && self.last_ms.is_some();
        let cohort = self.cohort(ms, place.cohort, (borrowed, is_new));
        let mut login = Act {
            ms,
            account: person.ix,
            spot: place.spot,
            agent: self.registry.agents.intern(device.user_agent(ms)),
            factor: self.factor(rng, &device, is_new || borrowed || self.last_ms.is_none()),
            device_uid: device.uid.clone(),
            outcome: Outcome::Success,
            deed: Deed::Login,
            session: None,
            label: Label::Legitimate(cohort),
            uid: rng.bits(),
        };
        if rng.chance(self.tenant.params.people.failure_share) {
            self.fail_before(rng, &login);
        }
        if let Some(company) = &mut self.company {
            let around = company.follow(&mut login, (&device, place.line), &self.registry.catalogue);
            self.acts.extend(around);
        }
        self.acts.push(login);
        self.last_ms = Some(ms);
        self.logins += 1;
        Some(())
    }

    /// Somebody else's device, as they are popular in the person's country.
    fn borrow(&self, rng: &mut Rng, ms: i64) -> Device {
        let form = if rng.chance(0.5) {
            Form::Computer
        } else {
            Form::Phone
        };
        let params = &self.tenant.params.devices;
        let shop = Shop {
            params,
            country: self.person.country,
            at_ms: ms,
            stuck_share: params.stuck_share,
        };
        Device::draw(rng, form, shop)
    }

    /// A second factor for each new device, now and then for a known one; scripts cannot show one.
    fn factor(&self, rng: &mut Rng, device: &Device, unknown: bool) -> Option<Factor> {
        let factor = self.person.factor.filter(|_| device.form != Form::Tool)?;
        let asked = unknown || rng.chance(self.tenant.params.people.mfa_prompt_share);
        // Keys are forgotten at home now and then (assumed 7 %).
        let fallback = factor == Factor::WebAuthn && rng.chance(0.07);
        asked.then_some(if fallback { Factor::Otp } else { factor })
    }

    fn cohort(&mut self, ms: i64, place: Cohort, (borrowed, new_device): (bool, bool)) -> Cohort {
        let moved = self.has_moved(ms, place);
        let influx = self.person.is_influx && self.logins < NEW_LOGINS;
        let wave = self.tenant.upheavals.reset_wave;
        let wave = wave.is_some_and(|from| from <= ms && ms < from + WAVE_MS);
        let on_call = self.company.as_ref().is_some_and(|company| company.is_night(ms));
        let Some(last_ms) = self.last_ms else {
            return if influx { Cohort::Influx } else { Cohort::First };
        };
        let of_place = if moved { Cohort::NewNetwork } else { place };
        let candidates = [
            wave.then_some(Cohort::ResetWave),
            influx.then_some(Cohort::Influx),
            (ms - last_ms >= self.tenant.dormant_ms()).then_some(Cohort::Dormant),
            on_call.then_some(Cohort::OnCall),
            borrowed.then_some(Cohort::Borrowed),
            new_device.then_some(Cohort::NewDevice),
            Some(of_place),
        ];
        // `Cohort` is ordered by precedence.
        candidates.into_iter().flatten().min().unwrap_or(of_place)
    }

    /// Whether this is one of the first logins from a new home.
    fn has_moved(&mut self, ms: i64, place: Cohort) -> bool {
        let since = self.person.home(ms).map_or(i64::MIN, |(from, _)| from);
        if since != self.home_since_ms {
            self.home_logins = 0;
            self.home_since_ms = since;
        }
        let at_home = place == Cohort::Usual;
        self.home_logins += u32::from(at_home);
        at_home && self.home_logins <= NEW_LOGINS
    }

    /// A failed attempt of the owner some seconds before, from the same place.
    fn fail_before(&mut self, rng: &mut Rng, login: &Act) {
        let ms = login.ms - 1_000 - math::to_i64(rng.exponential(20_000.0));
        let mut failed = login.again(ms, rng.bits());
        failed.outcome = Outcome::WrongPassword;
        failed.factor = None;
        failed.label = Label::Legitimate(Cohort::FailedByOwner);
        self.acts.push(failed);
    }
}
