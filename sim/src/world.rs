//! The world: people and machines live their period, attackers try their accounts.

use crate::act::{Act, Registry};
use crate::activity_parameters::ActivityParameters;
use crate::attack::{self, Underworld, Victim};
use crate::bulk;
use crate::catalogue::Catalogue;
use crate::config::WorldConfig;
use crate::deed::Deed;
use crate::diary::Diary;
use crate::label::{AttackKind, Labelled, Planted};
use crate::machines::{self, Machine};
use crate::noise;
use crate::parameters::Parameters;
use crate::people::Person;
use crate::rng::Rng;
use crate::scenarios::{LIST, Stage};
use crate::session;
use crate::tenant::Tenant;
use habitus_model::AccountKind;

/// A generated world: about 150 bytes per event; events are written when they are asked for.
#[derive(Debug)]
pub struct World {
    tenant: Tenant,
    people: Vec<Person>,
    machines: Vec<Machine>,
    registry: Registry,
    acts: Vec<Act>,
    planted: Vec<Act>,
    attacks: Vec<Act>,
}

/// Generates a world. O(accounts × days + events × log events); about a million events in a few seconds.
#[must_use]
pub fn generate(config: &WorldConfig) -> World {
    let tenant = Tenant::draw(config);
    let mut world = World {
        people: Vec::new(),
        machines: Vec::new(),
        registry: Registry::default(),
        acts: Vec::new(),
        planted: Vec::new(),
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

    /// What was drawn for what goes on beyond logins; absent in worlds of logins only.
    #[must_use]
    pub fn activity_parameters(&self) -> Option<&ActivityParameters> {
        self.tenant.activity.as_ref()
    }

    /// What owners and machines did, failed logins among it, in order of time (then uid).
    pub fn legitimate(&self) -> impl Iterator<Item = Labelled> + '_ {
        self.written(&self.acts)
    }

    /// The attacks of several events, in order of time (then uid). They stand in the log and are learned from.
    pub fn planted(&self) -> impl Iterator<Item = Labelled> + '_ {
        self.written(&self.planted)
    }

    /// The log: what owners did and what was planted, in order of time (then uid).
    pub fn stream(&self) -> impl Iterator<Item = Labelled> + '_ {
        let (mut ours, mut theirs) = (self.acts.iter().peekable(), self.planted.iter().peekable());
        let merged = std::iter::from_fn(move || match (ours.peek(), theirs.peek()) {
            (Some(own), Some(other)) if (other.ms, other.uid) < (own.ms, own.uid) => theirs.next(),
            (Some(_), _) => ours.next(),
            (None, _) => theirs.next(),
        });
        merged.filter_map(|act| act.labelled(&self.tenant, &self.registry))
    }

    /// The single takeovers, in order of time (then uid). They are probes: to be scored, not learned.
    pub fn attacks(&self) -> impl Iterator<Item = Labelled> + '_ {
        self.written(&self.attacks)
    }

    /// The period: first and last instant in milliseconds since the epoch, the last exclusive.
    #[must_use]
    pub fn period_ms(&self) -> (i64, i64) {
        (self.tenant.start_ms, self.tenant.end_ms)
    }

    fn written<'a>(&'a self, acts: &'a [Act]) -> impl Iterator<Item = Labelled> + 'a {
        acts.iter()
            .filter_map(|act| act.labelled(&self.tenant, &self.registry))
    }

    fn populate(&mut self) {
        let seed = self.tenant.config.seed;
        for number in 0..self.tenant.config.accounts.max(1) {
            let rng = &mut Rng::new(seed, "person", u64::from(number));
            let ix = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
            let person = Person::draw(rng, &self.tenant, ix, self.people.last());
            self.people.extend(person);
        }
        self.registry.users = self.people.iter().map(|person| person.user.clone()).collect();
        if self.tenant.activity.is_none() {
            return;
        }
        for (user, person) in self.registry.users.iter_mut().zip(&self.people) {
            if session::is_admin(&self.tenant, person.ix) {
                user.kind = AccountKind::Privileged;
            }
        }
        let config = &self.tenant.config;
        let rng = &mut Rng::new(seed, "catalogue", 0);
        self.registry.catalogue = Catalogue::draw(rng, config.regime, config.accounts);
        self.machines = machines::draw_all(&self.tenant, &mut self.registry);
    }

    fn live(&mut self) {
        for person in &self.people {
            self.acts
                .extend(Diary::new(&self.tenant, person, &mut self.registry).live());
        }
        sort(&mut self.acts);
        if self.tenant.activity.is_none() {
            return;
        }
        let logins = logins(&self.acts);
        self.acts
            .extend(noise::draw(&self.tenant, &mut self.registry, &logins));
        self.acts.extend(bulk::draw(
            &self.tenant,
            &mut self.registry,
            (&logins, &self.machines),
        ));
        for (nth, machine) in (0..).zip(&self.machines) {
            let rng = &mut Rng::new(self.tenant.config.seed, "machine life", nth);
            self.acts
                .extend(machine.live(rng, &self.tenant, &mut self.registry));
        }
        sort(&mut self.acts);
    }

    fn attack(&mut self) {
        let rng = &mut Rng::new(self.tenant.config.seed, "underworld", 0);
        let logins = logins(&self.acts);
        let firsts = first_successes(&logins, self.people.len());
        let victims = self.people.iter().zip(firsts);
        let victims: Vec<Victim<'_>> = victims.filter_map(|(person, ms)| Some((person, ms?))).collect();
        let Some(underworld) = Underworld::draw(rng, &self.tenant) else {
            return;
        };
        let mut nth = 0;
        for kind in AttackKind::ALL {
            for _ in 0..self.tenant.config.attacks_per_kind {
                let rng = &mut Rng::new(self.tenant.config.seed, "attack", nth);
                let stage = (&underworld, victims.as_slice(), &mut self.registry.agents);
                self.attacks.extend(attack::draw(rng, &self.tenant, stage, kind));
                nth += 1;
            }
        }
        sort(&mut self.attacks);
        if self.tenant.activity.is_some() {
            let stage = Stage {
                tenant: &self.tenant,
                underworld: &underworld,
                victims: &victims,
                machines: &self.machines,
                logins: &logins,
                registry: &mut self.registry,
                planted: Planted {
                    kind: crate::scenarios::ScenarioKind::SessionTheft,
                    campaign: 0,
                },
                acts: Vec::new(),
            };
            self.planted = play_all(stage);
        }
    }
}

/// Plays every scenario as often as the world asks for; one that gives up leaves nothing behind.
fn play_all(mut stage: Stage<'_>) -> Vec<Act> {
    let config = &stage.tenant.config;
    let (seed, multiple) = (config.seed, config.scenarios);
    let mut all = Vec::new();
    let mut campaign = 0;
    for scenario in &LIST {
        for nth in 0..scenario.usual * multiple {
            let rng = &mut Rng::new(seed, scenario.kind.name(), u64::from(nth));
            stage.planted = Planted {
                kind: scenario.kind,
                campaign,
            };
            let played = (scenario.play)(rng, &mut stage);
            let acts = std::mem::take(&mut stage.acts);
            if played.is_some() && !acts.is_empty() {
                all.extend(acts);
                campaign += 1;
            }
        }
    }
    sort(&mut all);
    all
}

fn sort(acts: &mut [Act]) {
    acts.sort_unstable_by_key(|act| (act.ms, act.uid));
}

/// The successful logins among acts, in their order.
fn logins(acts: &[Act]) -> Vec<Act> {
    let login = |act: &&Act| act.deed == Deed::Login && act.succeeded();
    acts.iter().filter(login).cloned().collect()
}

/// The time of each account's first successful login. `logins` are in order of time.
fn first_successes(logins: &[Act], accounts: usize) -> Vec<Option<i64>> {
    let mut firsts = vec![None; accounts];
    for login in logins {
        let ix = usize::try_from(login.account).unwrap_or(usize::MAX);
        if let Some(first) = firsts.get_mut(ix) {
            first.get_or_insert(login.ms);
        }
    }
    firsts
}
