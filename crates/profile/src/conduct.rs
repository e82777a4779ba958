//! How an account learns what its events say of sessions, proofs and deeds.

use crate::account::Profile;
use crate::aftermath_habits::Followed;
use crate::features::session::Scene;
use crate::habits::Habits;
use crate::known::{Arrival, Familiarity};
use crate::memory::{ConductSeen, Memory};
use crate::recall::{LevelSeen, Sighting};
use crate::recovery::{Recovered, RecoveryCell};
use crate::told::Told;
use habitus_model::{AccountKind, Conduct, Context, Deed, Minutes, Status};

impl<'a> Scene<'a> {
    /// The scene of an event that was held against the account.
    #[must_use]
    pub fn of(context: &'a Context, conduct: &'a Conduct, seen: &'a Sighting) -> Self {
        Self {
            context,
            conduct,
            keys: &seen.keys,
            network: seen.network_novelty,
            new_family: seen.device.is_some_and(|device| device.seen.is_new()),
            visits: seen.visits,
        }
    }
}

impl Sighting {
    /// The change of factor or password that went before, with what is new about this event.
    #[must_use]
    pub fn recovered(&self) -> Option<Recovered> {
        let new_client = self.device.is_some_and(|device| device.seen.is_new());
        let cell = RecoveryCell::of(self.network_novelty, new_client);
        Recovered::of(self.notice.as_ref()?, self.now, cell)
    }

    /// Whether network and client family are new to the account or wait in quarantine; absent where they are not shown.
    #[must_use]
    pub fn novelties(&self) -> [Option<bool>; 2] {
        // Where no table places the address, the prefix stands for the network.
        let network = self.asn.or(self.country).or(self.prefix);
        let unknown = |level: LevelSeen| !matches!(level.familiarity, Familiarity::Known { .. });
        [
            network.map(unknown),
            self.device.map(|device| unknown(device.seen)),
        ]
    }
}

impl Profile {
    /// Minutes since something of the account was suspicious; absent: never.
    #[must_use]
    pub fn suspected_minutes(&self, now: Minutes) -> Option<f64> {
        self.suspected.map(|at| now.since(at))
    }

    /// What sort of account it is: as sources say, else by its behaviour.
    #[must_use]
    pub fn behaves_as(&self) -> AccountKind {
        let machine = self
            .memory
            .as_ref()
            .is_some_and(|memory| memory.is_machine(self.kind));
        if machine && self.kind == AccountKind::Unknown {
            AccountKind::Service
        } else {
            self.kind
        }
    }

    /// Learns sessions, proofs and deeds of an event that proved the account's identity; `nats` is the evidence of what
    /// it used and did. Gives what the population learns from it.
    pub fn learn_conduct(
        &mut self,
        seen: &Sighting,
        context: &Context,
        (arrival, nats): (Arrival, f64),
    ) -> Option<Box<Told>> {
        if arrival == Arrival::Suspicious {
            self.suspected = Some(seen.now);
        }
        let mut told = Told::default();
        if self.memory.is_some() || Memory::is_worth(context) {
            let memory = self.memory.get_or_insert_default();
            memory.learn(seen, context, (arrival, nats), &mut told);
        }
        if seen.is_visit && seen.joint_is_known() && arrival != Arrival::Suspicious {
            told.recovery = seen.recovered().map(|recovered| (recovered.cell, recovered.deed));
        }
        told.followed = seen
            .deed_within(context)
            .map(|deed| Followed::new(deed, seen.doubt.map(|doubt| doubt.nats)));
        (!told.is_empty()).then(|| Box::new(told))
    }

    /// Takes note of a prompt that failed. Nothing else is learned from failures.
    pub fn note_failed_prompt(&mut self, seen: &Sighting, context: &Context) {
        if let (Some(conduct), Some(held)) = (&context.conduct, &seen.conduct) {
            let memory = self.memory.get_or_insert_default();
            memory.note_failure(conduct, &seen.keys, (held, seen.now));
        }
    }
}

impl Sighting {
    /// What attackers come for, if the event is that and not the way somebody comes in. Absent: it is something else.
    #[must_use]
    pub fn deed_within(&self, context: &Context) -> Option<Deed> {
        let comes_in = self.is_visit && self.keys.prefix.is_some();
        let goes_on = context.status == Status::Success && !comes_in && !context.activity.is_authentication();
        context.conduct.as_ref()?.deed.filter(|_| goes_on)
    }

    fn joint_is_known(&self) -> bool {
        self.network_novelty.is_some() && self.device.is_some()
    }

    /// Holds an event against what the account remembers of sessions, proofs and deeds.
    pub(crate) fn see_conduct(&mut self, (profile, habits): (Option<&Profile>, &Habits), context: &Context) {
        let memory = profile.and_then(|profile| profile.memory.as_deref());
        if let Some(conduct) = &context.conduct {
            let seen: ConductSeen = Memory::sight(memory, &Scene::of(context, conduct, self), habits);
            self.conduct = Some(seen);
        }
        if let Some((memory, profile)) = memory.zip(profile) {
            self.machine = memory.sight_machine(profile.kind, context, self.novelties());
        }
    }
}
