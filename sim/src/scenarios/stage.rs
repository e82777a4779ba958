//! What a scenario is played on: the world as the attackers meet it, and where their acts go.

use crate::act::{AccountIx, Act, Outcome, Registry};
use crate::atlas::CountryIx;
use crate::attack::{self, Underworld, Victim};
use crate::catalogue::Habits;
use crate::client::{Device, Form, Platform, Shop};
use crate::deed::{Answer, Deed, Verb};
use crate::label::{Label, Planted};
use crate::machines::Machine;
use crate::people::Person;
use crate::rng::Rng;
use crate::session;
use crate::spot::Line;
use crate::tenant::Tenant;
use habitus_model::{Text, math};

/// The world while attacks are played.
pub(crate) struct Stage<'a> {
    pub tenant: &'a Tenant,
    pub underworld: &'a Underworld,
    /// People with the time of their first success.
    pub victims: &'a [Victim<'a>],
    pub machines: &'a [Machine],
    /// The owners' successful logins, in order of time.
    pub logins: &'a [Act],
    pub registry: &'a mut Registry,
    pub planted: Planted,
    pub acts: Vec<Act>,
}

/// Where an attacker sits and with what.
#[derive(Debug, Clone)]
pub(crate) struct Gear {
    pub line: Line,
    pub agent: u32,
    pub device_uid: Option<Text>,
}

/// How near an attacker is to the victim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nearness {
    Foreign,
    SameCountry,
    SameProvider,
}

/// Share of the period in which owners are left alone: before it there is nothing that anyone could call normal. It is
/// what evaluations do not measure.
const QUIET: f64 = 0.32;

impl<'a> Stage<'a> {
    /// The first moment at which attacks are played.
    pub(crate) fn opens_ms(&self) -> i64 {
        let span = math::from_i64(self.tenant.end_ms - self.tenant.start_ms);
        self.tenant.start_ms + math::to_i64(QUIET * span)
    }

    /// A moment after the opening that leaves so much time to the end.
    pub(crate) fn moment(&self, rng: &mut Rng, needed_ms: i64) -> i64 {
        let from = self.opens_ms();
        let span = (self.tenant.end_ms - needed_ms - from).max(1);
        from + math::to_i64(rng.unit() * math::from_i64(span))
    }

    /// A random victim who was there at a moment and has logged in before; people all alike however active.
    pub(crate) fn victim(&self, rng: &mut Rng, ms: i64) -> Option<&'a Person> {
        let there = |(person, first): &Victim<'_>| *first < ms && ms < person.end_ms;
        let mut victims = (0..50).filter_map(|_| rng.pick(self.victims).copied());
        victims.find(there).map(|(person, _)| person)
    }

    /// Who an account belongs to; absent for machines and for those who never logged in.
    pub(crate) fn person(&self, account: AccountIx) -> Option<&'a Person> {
        let found = self
            .victims
            .binary_search_by_key(&account, |(person, _)| person.ix);
        self.victims.get(found.ok()?).map(|(person, _)| *person)
    }

    /// A random owner's login after the opening; by activity, as thieves of sessions meet them.
    pub(crate) fn login(&self, rng: &mut Rng) -> Option<&Act> {
        let from = self.logins.partition_point(|login| login.ms < self.opens_ms());
        rng.pick(self.logins.get(from..)?)
    }

    /// A random distance: mostly from abroad or from elsewhere in the country.
    pub(crate) fn nearness(rng: &mut Rng) -> Nearness {
        let near = [
            (Nearness::Foreign, 0.45),
            (Nearness::SameCountry, 0.40),
            (Nearness::SameProvider, 0.15),
        ];
        rng.weighted(near, |near| near.1)
            .map_or(Nearness::Foreign, |near| near.0)
    }

    /// A line and a device for an attack on a person.
    pub(crate) fn gear(
        &mut self,
        rng: &mut Rng,
        (victim, ms): (&Person, i64),
        near: Nearness,
    ) -> Option<Gear> {
        let tenant = self.tenant;
        let (line, country) = match near {
            Nearness::Foreign => self.abroad(rng)?,
            Nearness::SameCountry => (attack::other_provider(rng, tenant, victim, ms)?, victim.country),
            Nearness::SameProvider => (attack::same_provider(rng, tenant, victim, ms)?, victim.country),
        };
        Some(self.equipped(rng, (line, country), ms))
    }

    /// A line in a country that attacks come from.
    pub(crate) fn abroad(&self, rng: &mut Rng) -> Option<(Line, CountryIx)> {
        let (provider, country) = self.underworld.place(rng, self.tenant)?;
        Some((attack::line_of(rng, self.tenant, provider, country)?, country))
    }

    /// A browser that is popular where the line is; a tool as often as attackers use them.
    pub(crate) fn equipped(&mut self, rng: &mut Rng, (line, country): (Line, CountryIx), ms: i64) -> Gear {
        let params = &self.tenant.params;
        let shop = Shop {
            params: &params.devices,
            country,
            at_ms: ms,
            stuck_share: params.attackers.stuck_share,
        };
        let form = match rng.unit() {
            luck if luck < params.attackers.automation_share => Form::Tool,
            luck if luck < 0.75 => Form::Computer,
            _ => Form::Phone,
        };
        let device = Device::draw(rng, form, shop);
        self.holding(line, device.user_agent(ms))
    }

    /// A tool and nothing else.
    pub(crate) fn scripted(&mut self, rng: &mut Rng, (line, country): (Line, CountryIx), ms: i64) -> Gear {
        let params = &self.tenant.params;
        let shop = Shop {
            params: &params.devices,
            country,
            at_ms: ms,
            stuck_share: 0.0,
        };
        let device = Device::with_platform(rng, Platform::Tool, shop);
        self.holding(line, device.user_agent(ms))
    }

    /// A line with a user agent.
    pub(crate) fn holding(&mut self, line: Line, agent: String) -> Gear {
        Gear {
            line,
            agent: self.registry.agents.intern(agent),
            device_uid: None,
        }
    }

    /// Plays one act; nothing after the end of the period.
    pub(crate) fn act(
        &mut self,
        rng: &mut Rng,
        (account, ms): (AccountIx, i64),
        gear: &Gear,
        deed: Deed,
    ) -> Option<&mut Act> {
        if ms >= self.tenant.end_ms {
            return None;
        }
        self.acts.push(Act {
            ms,
            account,
            spot: gear.line.at(&self.tenant.networks, ms)?,
            agent: gear.agent,
            device_uid: gear.device_uid.clone(),
            factor: None,
            outcome: Outcome::Success,
            deed,
            session: None,
            label: Label::Scenario(self.planted),
            uid: rng.bits(),
        });
        self.acts.last_mut()
    }

    /// A login of the attacker with what the victim's factor asks for, relayed; gives its session.
    pub(crate) fn log_in(&mut self, rng: &mut Rng, (victim, ms): (&Person, i64), gear: &Gear) -> Option<u64> {
        let session = rng.bits();
        if let Some(factor) = victim.factor {
            let prompt = self.act(rng, (victim.ix, ms - 4_000), gear, Deed::Prompt(Answer::Approved))?;
            (prompt.factor, prompt.session) = (Some(factor), Some(session));
        }
        let login = self.act(rng, (victim.ix, ms), gear, Deed::Login)?;
        (login.factor, login.session) = (victim.factor, Some(session));
        Some(session)
    }

    /// A failed attempt at a password.
    pub(crate) fn fail(&mut self, rng: &mut Rng, (account, ms): (AccountIx, i64), gear: &Gear) -> Option<()> {
        let attempt = self.act(rng, (account, ms), gear, Deed::Login)?;
        attempt.outcome = if account >= crate::act::GHOSTS {
            Outcome::NoSuchUser
        } else {
            Outcome::WrongPassword
        };
        Some(())
    }

    /// A look around in a session: requests some tens of seconds apart, for what the victim uses and what is sensitive.
    pub(crate) fn look_around(
        &mut self,
        rng: &mut Rng,
        (victim, from_ms): (AccountIx, i64),
        gear: &Gear,
        (session, steps): (u64, usize),
    ) -> Option<()> {
        let habits = self.habits(victim);
        let mut ms = from_ms;
        for _ in 0..steps {
            ms += 5_000 + math::to_i64(rng.exponential(40_000.0));
            let deed = if rng.chance(0.15) {
                Deed::Refresh
            } else {
                let curious = rng.chance(0.35);
                let secret = self
                    .registry
                    .catalogue
                    .pick(rng, crate::catalogue::Class::Sensitive, None);
                let resource = if curious { secret } else { habits.usual(rng) };
                Deed::Request(
                    resource.or(secret)?,
                    if curious { Verb::List } else { Verb::Read },
                )
            };
            self.act(rng, (victim, ms), gear, deed)?.session = Some(session);
        }
        Some(())
    }

    /// What an account was used to.
    pub(crate) fn habits(&self, account: AccountIx) -> Habits {
        session::habits(self.tenant, account, &self.registry.catalogue)
    }
}
