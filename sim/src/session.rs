//! What a person does around and after a login: prompts, requests, refreshes, now and then a directory action.

use crate::act::{Act, Outcome};
use crate::activity_parameters::ActivityParameters;
use crate::catalogue::{Catalogue, Habits};
use crate::client::{Device, Form};
use crate::config::Regime;
use crate::deed::{Answer, Deed, Verb};
use crate::label::{Cohort, Label};
use crate::people::{Factor, Person};
use crate::releases::DAY_MS;
use crate::rng::{Rng, fraction, mix};
use crate::spot::Line;
use crate::tenant::Tenant;
use habitus_model::math;

/// What keeps a person company after logins: habits, rights, duties. Has a stream of chance of its own, so that the
/// logins of a world do not depend on what follows them.
pub(crate) struct Company<'a> {
    tenant: &'a Tenant,
    params: &'a ActivityParameters,
    person: &'a Person,
    rng: Rng,
    habits: Habits,
}

/// Most steps of one session that are logged.
const STEPS_MAX: f64 = 40.0;
/// Longest session, hours: a working day with its evening.
const HOURS_MAX: f64 = 12.0;

/// A person's habits: the same whoever asks, so that attackers of a world meet what the owner was used to.
pub(crate) fn habits(tenant: &Tenant, person: u32, catalogue: &Catalogue) -> Habits {
    Habits::draw(
        &mut Rng::new(tenant.config.seed, "habits", u64::from(person)),
        catalogue,
    )
}

/// Whether a person has administrative rights: the first of a tenant with activity has, so that somebody does.
pub(crate) fn is_admin(tenant: &Tenant, person: u32) -> bool {
    let Some(params) = tenant
        .activity
        .as_ref()
        .filter(|_| tenant.config.regime != Regime::Consumer)
    else {
        return false;
    };
    person == 0 || fraction(mix(u64::from(person), 51, 0)) < params.admin_share
}

impl<'a> Company<'a> {
    pub(crate) fn draw(tenant: &'a Tenant, person: &'a Person, catalogue: &Catalogue) -> Option<Self> {
        Some(Self {
            tenant,
            params: tenant.activity.as_ref()?,
            person,
            rng: Rng::new(tenant.config.seed, "company", u64::from(person.ix)),
            habits: habits(tenant, person.ix, catalogue),
        })
    }

    /// Nights on call: a week of each six, one night in three (assumed), some hours after midnight.
    pub(crate) fn nights(&mut self) -> Vec<i64> {
        if fraction(mix(u64::from(self.person.ix), 52, 0)) >= self.params.on_call_share {
            return Vec::new();
        }
        let first = self.tenant.first_day();
        let days = first..first + i64::from(self.tenant.config.days);
        let mine = |day: &i64| day.div_euclid(7).rem_euclid(6) == i64::from(self.person.ix % 6);
        let mut nights = Vec::new();
        for day in days.filter(mine) {
            if self.rng.chance(0.33) {
                let local = math::to_i64(self.rng.between(0.5, 5.0) * 3_600_000.0);
                let ms = day * DAY_MS + local - self.person.offset_minutes(day * DAY_MS) * 60_000;
                nights.push(ms);
            }
        }
        nights.retain(|ms| self.person.begin_ms <= *ms && *ms < self.tenant.end_ms.min(self.person.end_ms));
        nights
    }

    /// Whether a moment lies in the hours of those who are on call, and this person is.
    pub(crate) fn is_night(&self, ms: i64) -> bool {
        let on_call = fraction(mix(u64::from(self.person.ix), 52, 0)) < self.params.on_call_share;
        on_call && crate::clock::local_hour(ms, self.person.offset_minutes(ms)) < 5
    }

    /// Everything around one login, which gets its session: prompts before it, steps after it.
    pub(crate) fn follow(
        &mut self,
        login: &mut Act,
        (device, line): (&Device, Line),
        catalogue: &Catalogue,
    ) -> Vec<Act> {
        login.session = Some(self.rng.bits());
        let mut acts = self.prompts(login);
        if device.form != Form::Tool {
            self.steps(login, (device, line), catalogue, &mut acts);
        }
        acts.extend(self.duty(login));
        acts
    }

    /// The prompt that the login's factor answered, after those that the owner let pass or denied by mistake.
    fn prompts(&mut self, login: &Act) -> Vec<Act> {
        let Some(factor) = login.factor else {
            return Vec::new();
        };
        let seconds = |rng: &mut Rng, mean: f64| 1_000 + math::to_i64(rng.exponential(mean * 1_000.0));
        let mut ms = login.ms - seconds(&mut self.rng, 3.0);
        let mut acts = vec![self.prompt(login, (ms, Answer::Approved))];
        while acts.len() < 4 && self.rng.chance(self.params.ignored_share) {
            // A prompt ends after a minute or so (Okta, Duo: 60 s; Entra: 60 s).
            ms -= 60_000 + seconds(&mut self.rng, 10.0);
            acts.push(self.prompt(login, (ms, Answer::Ignored)));
        }
        if factor == Factor::Push && self.rng.chance(self.params.denied_share) {
            ms -= seconds(&mut self.rng, 20.0);
            acts.push(self.prompt(login, (ms, Answer::Denied)));
        }
        acts
    }

    fn prompt(&mut self, login: &Act, (ms, answer): (i64, Answer)) -> Act {
        let mut prompt = login.again(ms, self.rng.bits());
        prompt.deed = Deed::Prompt(answer);
        if answer != Answer::Approved {
            prompt.outcome = Outcome::NoFactor;
            prompt.label = Label::Legitimate(Cohort::UnansweredByOwner);
        }
        prompt
    }

    /// Requests and refreshes over the hours of the session, over the networks that the device passes.
    fn steps(
        &mut self,
        login: &Act,
        (device, line): (&Device, Line),
        catalogue: &Catalogue,
        acts: &mut Vec<Act>,
    ) {
        let rng = &mut self.rng;
        let count = rng
            .log_normal(self.params.requests_median, 0.8)
            .clamp(1.0, STEPS_MAX);
        let hours = rng
            .log_normal(self.params.session_hours_median, 0.8)
            .clamp(0.03, HOURS_MAX);
        let span = math::to_i64(hours * 3_600_000.0);
        let mut moments: Vec<i64> = (0..math::to_u32(count))
            .map(|_| login.ms + 2_000 + math::to_i64(rng.unit() * math::from_i64(span)))
            .filter(|ms| *ms < self.tenant.end_ms)
            .collect();
        moments.sort_unstable();
        let mut now = line;
        for ms in moments {
            now = self.moved((line, now), device);
            acts.extend(self.step((login, ms), (line, now), catalogue));
        }
    }

    /// The line of the next step: mostly the same; a phone changes between Wi-Fi and carrier, a computer switches its
    /// tunnel on or off.
    fn moved(&mut self, (first, now): (Line, Line), device: &Device) -> Line {
        let phone = matches!(device.form, Form::Phone | Form::Tablet);
        if phone && self.rng.chance(self.params.handover_share) {
            return self.person.phone.filter(|_| now == first).unwrap_or(first);
        }
        if self.rng.chance(self.params.toggle_share) {
            let tunnel = self
                .person
                .gateway
                .or_else(|| self.person.vpn.as_ref()?.exits.first().copied());
            return tunnel.filter(|_| now == first).unwrap_or(first);
        }
        now
    }

    fn step(
        &mut self,
        (login, ms): (&Act, i64),
        (first, now): (Line, Line),
        catalogue: &Catalogue,
    ) -> Option<Act> {
        let mut step = login.again(ms, self.rng.bits());
        step.factor = None;
        step.spot = now.at(&self.tenant.networks, ms)?;
        let mut cohorts = vec![match login.label {
            // What began as the first login goes on as anything does.
            Label::Legitimate(Cohort::First) => Cohort::Usual,
            Label::Legitimate(cohort) => cohort,
            Label::Attack(_) | Label::Scenario(_) => Cohort::Usual,
        }];
        if now != first {
            cohorts.push(Cohort::SessionMoved);
        }
        let rng = &mut self.rng;
        if rng.chance(self.params.refresh_share) {
            step.deed = Deed::Refresh;
        } else {
            let new = rng
                .chance(self.params.new_resource_share)
                .then(|| self.habits.new_one(rng, catalogue));
            let resource = match new.flatten() {
                Some(resource) => {
                    cohorts.push(Cohort::NewResource);
                    self.habits.take_up(resource, 0.2);
                    resource
                }
                None => self.habits.usual(rng)?,
            };
            step.deed = self.use_of(resource);
            if self.rng.chance(self.params.refused_share) {
                step.outcome = Outcome::Denied;
            }
        }
        step.label = Label::Legitimate(cohorts.into_iter().min().unwrap_or(Cohort::Usual));
        Some(step)
    }

    /// Engineers log in to one of their hosts now and then; everything else is a request.
    fn use_of(&mut self, resource: u32) -> Deed {
        if self.rng.chance(0.3)
            && let Some(host) = self.rng.pick(&self.habits.hosts)
        {
            return Deed::Host(*host);
        }
        let verbs = [(Verb::Read, 0.7), (Verb::Write, 0.2), (Verb::List, 0.1)];
        let verb = self
            .rng
            .weighted(verbs, |verb| verb.1)
            .map_or(Verb::Read, |verb| verb.0);
        Deed::Request(resource, verb)
    }

    /// A directory action in the session: an administrator's for others, or an owner's on the own account.
    fn duty(&mut self, login: &Act) -> Option<Act> {
        let rng = &mut self.rng;
        let others = u64::from(self.tenant.config.accounts.max(1));
        let deed = if is_admin(self.tenant, self.person.ix) {
            if !rng.chance(self.params.admin_actions / self.person.activity.max(0.5)) {
                return None;
            }
            let target = u32::try_from(rng.below(usize::try_from(others).unwrap_or(1))).unwrap_or(0);
            match rng.below(10) {
                0..=3 => Deed::Grant(target, u32::try_from(rng.below(4)).unwrap_or(0)),
                4 => Deed::Grant(target, 4),
                5 | 6 => Deed::ResetPassword(target),
                7 | 8 => Deed::ResetFactors(target),
                _ => Deed::NewKey(target),
            }
        } else {
            // Owners add factors on new devices and let applications in (assumed: on one login in a few hundred).
            let new_device = login.label == Label::Legitimate(Cohort::NewDevice);
            match self.person.factor {
                Some(factor) if new_device && rng.chance(0.5) => Deed::Enrol(factor),
                _ if rng.chance(0.002) => Deed::Consent(self.habits.usual(rng)?),
                _ => return None,
            }
        };
        let ms = login.ms + 5_000 + math::to_i64(rng.exponential(600_000.0));
        let mut act = login.again(ms, rng.bits());
        act.factor = None;
        act.deed = deed;
        act.label = Label::Legitimate(Cohort::Administration);
        (ms < self.tenant.end_ms).then_some(act)
    }
}
