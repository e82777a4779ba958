//! Whether an account is a machine, and what it keeps to: networks, tools, credentials, jobs.
//!
//! An account is taken for a machine where a source says so, or once all but a few of its events came from tools or keys.
//! Machines change nothing by chance, so that what is new to them is counted strictly. Fails for people who live on a
//! command line: they are taken for machines until a browser shows. About 200 bytes, and nothing for accounts that no tool
//! ever used.

use crate::known::{Arrival, Familiarity, Known, Retention, Visit};
use habitus_model::math::to_f32;
use habitus_model::{AccountKind, Context, DeviceType, Grant, PromptOutcome};
use serde::{Deserialize, Serialize};

/// Events from which on an account can be taken for a machine that no source calls one.
const EVENTS_MIN: f32 = 20.0;
/// Largest share of events by hand that a machine may show: somebody sets it up.
const BY_HAND_MAX: f32 = 0.02;
/// Events after which older ones weigh a half.
const MEMORY: f32 = 4_096.0;
/// Strength of the population's hazard behind the account's own, in novelties.
const SHAPE: f64 = 0.5;
const RETENTION: Retention = Retention {
    capacity: 8,
    half_life_days: 90.0,
    floor_recent: 2,
};

/// What a machine keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Keeps {
    /// Its networks, by autonomous system and country.
    Network,
    /// Its tools.
    Tool,
    /// Its credentials.
    Credential,
    /// Its jobs: who vouches for it, and for which workload.
    Job,
    /// No hands on it.
    Hands,
}

/// Trials and novelties of one thing kept to, with forgetting.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Steady {
    trials: f32,
    novel: f32,
}

/// What is counted of an account that tools use.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Machine {
    events: f32,
    by_hand: f32,
    steady: [Steady; Keeps::COUNT],
    credentials: Known,
    jobs: Known,
}

/// An event held against what a machine keeps to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineSeen {
    /// The account is taken for a machine.
    pub is_machine: bool,
    /// Events behind that.
    pub events: f64,
    /// Whether each of what it keeps to is new. Absent: not shown, or nothing to compare with.
    pub new: [Option<bool>; Keeps::COUNT],
    /// The account's own trials and novelties of each.
    pub steady: [Steady; Keeps::COUNT],
}

impl Keeps {
    /// Number of things kept to.
    pub const COUNT: usize = 5;
    /// All of them, in order.
    pub const ALL: [Keeps; Self::COUNT] = [
        Keeps::Network,
        Keeps::Tool,
        Keeps::Credential,
        Keeps::Job,
        Keeps::Hands,
    ];

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Keeps::Network => 0,
            Keeps::Tool => 1,
            Keeps::Credential => 2,
            Keeps::Job => 3,
            Keeps::Hands => 4,
        }
    }
}

impl Steady {
    /// Probability that the next is new, given the population's, in `(0, 1)`.
    #[must_use]
    pub fn novelty(self, population: f64) -> f64 {
        let (trials, novel) = (f64::from(self.trials), f64::from(self.novel));
        ((novel + SHAPE) / (trials + SHAPE / population)).clamp(1e-6, 0.98)
    }

    /// Times it was looked at, with forgetting.
    #[must_use]
    pub fn trials(self) -> f64 {
        f64::from(self.trials)
    }

    fn count(&mut self, new: bool) {
        let keep = if self.trials >= MEMORY { 0.5 } else { 1.0 };
        self.trials = to_f32(f64::from(self.trials) * keep + 1.0);
        self.novel = to_f32(f64::from(self.novel) * keep + f64::from(u8::from(new)));
    }
}

/// Whether an event bears the marks of a tool or a key.
#[must_use]
pub fn is_by_tool(context: &Context) -> bool {
    let grant = context.conduct.as_ref().and_then(|conduct| conduct.grant);
    context.kind == AccountKind::Service
        || context.client.device == DeviceType::Automation
        || grant == Some(Grant::Key)
}

/// Whether a person sat there: a browser on a computer or phone, an interactive logon, a second factor satisfied.
#[must_use]
pub fn is_by_hand(context: &Context) -> bool {
    let conduct = context.conduct.as_ref();
    let on_screen = matches!(
        context.client.device,
        DeviceType::Desktop | DeviceType::Mobile | DeviceType::Tablet
    ) && context.client.browser.is_some();
    let interactive = conduct.is_some_and(|conduct| {
        conduct.interactive == Some(true) || conduct.prompted() == Some(PromptOutcome::Satisfied)
    });
    on_screen || interactive
}

impl Machine {
    /// Holds an event against what the account keeps to. `new` says whether network and tool are new to it.
    #[must_use]
    pub fn sight(&self, kind: AccountKind, context: &Context, new: [Option<bool>; 2]) -> MachineSeen {
        let now = context.time.minutes();
        let [network, tool] = new;
        let conduct = context.conduct.as_ref();
        // What waits in quarantine is not known yet: it accuses as long as it waits.
        let is_new = |known: &Known, key: u64| {
            !matches!(known.look_up(key, now, &RETENTION), Familiarity::Known { .. })
        };
        let credential = conduct
            .and_then(|conduct| conduct.credential)
            .filter(|_| !self.credentials.is_empty())
            .map(|key| is_new(&self.credentials, key));
        // A workload that is always vouched for and comes without is another job too.
        let job = (!self.jobs.is_empty()).then(|| {
            conduct
                .and_then(|conduct| conduct.job)
                .is_none_or(|key| is_new(&self.jobs, key))
        });
        MachineSeen {
            is_machine: self.is_machine(kind),
            events: f64::from(self.events),
            new: [network, tool, credential, job, Some(is_by_hand(context))],
            steady: self.steady,
        }
    }

    /// Whether the account is taken for a machine.
    #[must_use]
    pub fn is_machine(&self, kind: AccountKind) -> bool {
        let behaves = self.events >= EVENTS_MIN && self.by_hand <= self.events * BY_HAND_MAX;
        match kind {
            AccountKind::Service => self.by_hand <= self.events * 0.5,
            AccountKind::Unknown => behaves,
            AccountKind::Human | AccountKind::Privileged | AccountKind::Shared | AccountKind::Vendor => false,
        }
    }

    /// Learns an event of a proven identity.
    pub fn learn(&mut self, seen: &MachineSeen, context: &Context, arrival: Arrival) {
        let now = context.time.minutes();
        if self.events >= MEMORY {
            self.events *= 0.5;
            self.by_hand *= 0.5;
        }
        self.events += 1.0;
        // What is suspicious makes no machine a person.
        if arrival != Arrival::Suspicious && is_by_hand(context) {
            self.by_hand += 1.0;
        }
        for (steady, new) in self.steady.iter_mut().zip(seen.new) {
            if let Some(new) = new.filter(|_| arrival != Arrival::Suspicious) {
                steady.count(new);
            }
        }
        let Some(conduct) = &context.conduct else { return };
        for (known, key) in [
            (&mut self.credentials, conduct.credential),
            (&mut self.jobs, conduct.job),
        ] {
            if let Some(key) = key {
                let visit = Visit {
                    key,
                    now,
                    arrival,
                    child_is_new: false,
                };
                known.learn(&visit, &RETENTION);
            }
        }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.credentials.heap_bytes() + self.jobs.heap_bytes()
    }
}

/// Strength of [`PRIOR`], visits.
const PRIOR_WEIGHT: f64 = 300.0;
/// Probability that a machine's visit shows something new, in the order of [`Keeps`]. Assumed.
const PRIOR: [f64; Keeps::COUNT] = [0.003, 0.002, 0.01, 0.01, 0.0005];

/// What the machines of a population show.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MachineHabits {
    counts: [(f64, f64); Keeps::COUNT],
}

impl MachineHabits {
    /// Probability that a machine's visit shows something new, in `(0, 1)`.
    #[must_use]
    pub fn novelty(&self, keeps: Keeps) -> f64 {
        let (new, all) = self.counts.get(keeps.index()).copied().unwrap_or_default();
        let prior = PRIOR.get(keeps.index()).copied().unwrap_or(0.01);
        (new + PRIOR_WEIGHT * prior) / (all + PRIOR_WEIGHT)
    }

    /// Counts a visit of a machine.
    pub fn learn(&mut self, new: &[Option<bool>; Keeps::COUNT]) {
        for ((count, all), new) in self.counts.iter_mut().zip(new) {
            if let Some(new) = new {
                *count += f64::from(u8::from(*new));
                *all += 1.0;
            }
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for (new, all) in &mut self.counts {
            *new *= factor;
            *all *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(machine: &mut Machine, device: DeviceType, times: usize) {
        for _ in 0..times {
            let context = context(device);
            let seen = machine.sight(AccountKind::Unknown, &context, [Some(false), Some(false)]);
            machine.learn(&seen, &context, Arrival::Clean);
        }
    }

    fn context(device: DeviceType) -> Context {
        Context {
            tenant: habitus_model::TenantId::default(),
            account: None,
            kind: AccountKind::Unknown,
            time: habitus_model::EventTime::from_millis(0).unwrap(),
            utc_offset: None,
            activity: habitus_model::Activity::from_ocsf(6003, 2),
            status: habitus_model::Status::Success,
            failure: None,
            strong_factor: false,
            second_factor: None,
            place: habitus_model::Place::default(),
            network: habitus_model::Network::default(),
            client: habitus_model::Client {
                device,
                browser: Some(habitus_model::Text::new("x")),
                ..habitus_model::Client::default()
            },
            conduct: None,
        }
    }

    #[test]
    fn who_only_tools_use_becomes_a_machine_and_people_do_not() {
        let mut machine = Machine::default();
        used(&mut machine, DeviceType::Automation, 10);
        assert!(!machine.is_machine(AccountKind::Unknown));
        used(&mut machine, DeviceType::Automation, 90);
        assert!(machine.is_machine(AccountKind::Unknown));
        assert!(
            !machine.is_machine(AccountKind::Human),
            "a source that says human is believed"
        );
        used(&mut machine, DeviceType::Desktop, 5);
        assert!(!machine.is_machine(AccountKind::Unknown));
    }

    #[test]
    fn what_never_changed_is_strict() {
        let mut steady = Steady::default();
        let before = steady.novelty(0.003);
        for _ in 0..2_000 {
            steady.count(false);
        }
        assert!(steady.novelty(0.003) < before / 5.0);
        for _ in 0..2_000 {
            steady.count(true);
        }
        assert!(steady.novelty(0.003) > 0.3);
    }
}
