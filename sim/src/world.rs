//! The world: people live their period, attackers try their accounts.

use crate::attack::{self, Underworld, Victim};
use crate::client::{Device, Form, Shop};
use crate::config::WorldConfig;
use crate::label::{AttackKind, Cohort, Label, Labelled};
use crate::life;
use crate::login::{Agents, Login};
use crate::parameters::Parameters;
use crate::people::{Factor, Person};
use crate::rng::Rng;
use crate::tenant::Tenant;
use crate::whereabouts;
use habitus_model::math;
use std::collections::BTreeSet;

/// A generated world: about 150 bytes per login; events are written when they are asked for.
#[derive(Debug)]
pub struct World {
    tenant: Tenant,
    people: Vec<Person>,
    agents: Agents,
    logins: Vec<Login>,
    attacks: Vec<Login>,
}

/// Generates a world. O(accounts × days + events × log events); about a million events in a few seconds.
#[must_use]
pub fn generate(config: &WorldConfig) -> World {
    let tenant = Tenant::draw(config);
    let mut world = World {
        people: Vec::new(),
        agents: Agents::default(),
        logins: Vec::new(),
        attacks: Vec::new(),
        tenant,
    };
    world.populate();
    world.live();
    world.attack();
    world
}

impl World {
    /// What it was asked for.
    #[must_use]
    pub fn config(&self) -> &WorldConfig {
        &self.tenant.config
    }

    /// What was drawn for it.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.tenant.params
    }

    /// The owners' logins, failed ones among them, in order of time (then uid).
    pub fn legitimate(&self) -> impl Iterator<Item = Labelled> + '_ {
        self.written(&self.logins)
    }

    /// The takeovers, in order of time (then uid). They are probes: to be scored, not learned.
    pub fn attacks(&self) -> impl Iterator<Item = Labelled> + '_ {
        self.written(&self.attacks)
    }

    /// The period: first and last instant in milliseconds since the epoch, the last exclusive.
    #[must_use]
    pub fn period_ms(&self) -> (i64, i64) {
        (self.tenant.start_ms, self.tenant.end_ms)
    }

    fn written<'a>(&'a self, logins: &'a [Login]) -> impl Iterator<Item = Labelled> + 'a {
        logins.iter().filter_map(|login| {
            let person = self.people.get(usize::try_from(login.person).ok()?)?;
            login.labelled(&self.tenant, person, &self.agents)
        })
    }

    fn populate(&mut self) {
        let seed = self.tenant.config.seed;
        for number in 0..self.tenant.config.accounts.max(1) {
            let rng = &mut Rng::new(seed, "person", u64::from(number));
            let ix = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
            let person = Person::draw(rng, &self.tenant, ix, self.people.last());
            self.people.extend(person);
        }
    }

    fn live(&mut self) {
        for person in &self.people {
            let rng = &mut Rng::new(self.tenant.config.seed, "life", u64::from(person.ix));
            let mut diary = Diary::new(&self.tenant, person, &mut self.agents);
            for ms in life::moments(rng, &self.tenant, person) {
                diary.log_in(rng, ms);
            }
            self.logins.append(&mut diary.logins);
        }
        self.logins.sort_unstable_by_key(|login| (login.ms, login.uid));
    }

    fn attack(&mut self) {
        let rng = &mut Rng::new(self.tenant.config.seed, "underworld", 0);
        let firsts = first_successes(&self.logins, self.people.len());
        let victims: Vec<Victim<'_>> = self
            .people
            .iter()
            .zip(firsts)
            .filter_map(|(p, ms)| Some((p, ms?)))
            .collect();
        let Some(underworld) = Underworld::draw(rng, &self.tenant) else {
            return;
        };
        let mut nth = 0;
        for kind in AttackKind::ALL {
            for _ in 0..self.tenant.config.attacks_per_kind {
                let rng = &mut Rng::new(self.tenant.config.seed, "attack", nth);
                let stage = (&underworld, victims.as_slice(), &mut self.agents);
                self.attacks.extend(attack::draw(rng, &self.tenant, stage, kind));
                nth += 1;
            }
        }
        self.attacks.sort_unstable_by_key(|login| (login.ms, login.uid));
    }
}

/// Logins with a device, or from a new home, that still count as new (see [`Cohort::NewNetwork`]).
const NEW_HOME_LOGINS: u32 = 3;
/// How much likelier a borrowed device is on a trip: the hotel's computer, a friend's phone (assumed).
const BORROWED_AWAY: f64 = 4.0;

/// One person's logins as they are written.
struct Diary<'a> {
    tenant: &'a Tenant,
    person: &'a Person,
    agents: &'a mut Agents,
    logins: Vec<Login>,
    devices: BTreeSet<(usize, usize, bool)>,
    last_ms: Option<i64>,
    home_since_ms: i64,
    home_logins: u32,
}

impl<'a> Diary<'a> {
    fn new(tenant: &'a Tenant, person: &'a Person, agents: &'a mut Agents) -> Self {
        Self {
            tenant,
            person,
            agents,
            logins: Vec::new(),
            devices: BTreeSet::new(),
            last_ms: None,
            home_since_ms: i64::MIN,
            home_logins: NEW_HOME_LOGINS,
        }
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
        let login = Login {
            ms,
            person: person.ix,
            spot: place.spot,
            agent: self.agents.intern(device.user_agent(ms)),
            factor: self.factor(rng, &device, is_new || borrowed || self.last_ms.is_none()),
            device_uid: device.uid,
            succeeded: true,
            label: Label::Legitimate(cohort),
            uid: rng.bits(),
        };
        if rng.chance(self.tenant.params.people.failure_share) {
            self.fail_before(rng, &login);
        }
        self.logins.push(login);
        self.last_ms = Some(ms);
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
        let Some(last_ms) = self.last_ms else {
            return Cohort::First;
        };
        let of_place = if moved { Cohort::NewNetwork } else { place };
        let candidates = [
            (ms - last_ms >= self.tenant.dormant_ms()).then_some(Cohort::Dormant),
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
        at_home && self.home_logins <= NEW_HOME_LOGINS
    }

    /// A failed attempt of the owner some seconds before, from the same place.
    fn fail_before(&mut self, rng: &mut Rng, login: &Login) {
        let mut failed = login.clone();
        failed.ms -= 1_000 + math::to_i64(rng.exponential(20_000.0));
        failed.succeeded = false;
        failed.factor = None;
        failed.label = Label::Legitimate(Cohort::FailedByOwner);
        failed.uid = rng.bits();
        self.logins.push(failed);
    }
}

/// The time of each account's first successful login. `logins` are in order of time.
fn first_successes(logins: &[Login], accounts: usize) -> Vec<Option<i64>> {
    let mut firsts = vec![None; accounts];
    for login in logins.iter().filter(|login| login.succeeded) {
        let ix = usize::try_from(login.person).unwrap_or(usize::MAX);
        if let Some(first) = firsts.get_mut(ix) {
            first.get_or_insert(login.ms);
        }
    }
    firsts
}
