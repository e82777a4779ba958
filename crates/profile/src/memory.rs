//! What an account remembers of sessions, proofs and deeds, and an event held against it.
//!
//! All of it stands behind one pointer: accounts whose logs say nothing of these pay eight bytes.

use crate::belief::{Belief, BeliefSeen, Window};
use crate::edge_habits::{EdgeCell, EdgeTrial};
use crate::features::edges::{Around, EdgeLevel, EdgeSeen, Edges, EdgesSeen};
use crate::features::machine::{Machine, MachineSeen, is_by_tool};
use crate::features::prompts::{Asked, Bout, PromptSeen};
use crate::features::sequence::{Sequence, StepSeen};
use crate::features::session::{Relation, Scene, SessionSeen, Sessions};
use crate::features::volume::{Volumes, VolumesSeen};
use crate::habits::Habits;
use crate::keys::Keys;
use crate::known::Arrival;
use crate::prompt_habits::BoutEnded;
use crate::recall::Sighting;
use crate::sequence_habits::StepTold;
use crate::session_habits::SessionTrial;
use crate::told::Told;
use habitus_model::activity::AuthenticationActivity;
use habitus_model::hash::symbol;
use habitus_model::math::from_usize;
use habitus_model::{
    AccountId, AccountKind, Activity, Conduct, Context, Grant, Minutes, PromptOutcome, Status,
};
use serde::{Deserialize, Serialize};

/// From so many new things within a day on an account teaches its tenant hazards only by what is not suspicious (SCORING 13:
/// influence is capped).
const BURST: f64 = 2.5;

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Memory {
    sessions: Option<Box<Sessions>>,
    bout: Option<Bout>,
    grants: [bool; Grant::COUNT],
    edges: Option<Box<Edges>>,
    sequence: Option<Box<Sequence>>,
    belief: Belief,
    machine: Option<Box<Machine>>,
    volumes: Option<Box<Volumes>>,
}

/// An event held against it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ConductSeen {
    /// Its session.
    pub session: Option<SessionSeen>,
    /// Its prompt for a second factor.
    pub prompt: Option<PromptSeen>,
    /// The way in, and whether it is new to the account.
    pub grant: Option<(Grant, bool)>,
    /// What it uses.
    pub edges: Option<EdgesSeen>,
    /// What it does after what. Absent: the event names no action.
    pub step: Option<StepSeen>,
    /// What the account's own conduct has said against it of late, before this event, in the order of [`Window::ALL`].
    pub belief: [BeliefSeen; Window::COUNT],
    /// How much is done. Absent: the event does nothing, as logons do.
    pub volumes: Option<VolumesSeen>,
}

impl Memory {
    /// Holds an event against what is remembered, if anything.
    #[must_use]
    pub fn sight(memory: Option<&Memory>, scene: &Scene<'_>, habits: &Habits) -> ConductSeen {
        let now = scene.context.time.minutes();
        let conduct = scene.conduct;
        let around = Around {
            habits: habits.edges(),
            now,
            visits: scene.visits,
        };
        let sequence = memory.and_then(|memory| memory.sequence.as_deref());
        let bout = memory.and_then(|memory| memory.bout.as_ref());
        ConductSeen {
            session: Sessions::sight(memory.and_then(|memory| memory.sessions.as_deref()), scene),
            prompt: asked(conduct, scene.keys, now).map(|asked| Bout::sight(bout, asked)),
            grant: conduct.grant.map(|grant| {
                let known = memory.is_some_and(|memory| memory.grants.get(grant.index()) == Some(&true));
                (grant, !known)
            }),
            edges: Edges::sight(memory.and_then(|memory| memory.edges.as_deref()), conduct, around),
            step: conduct
                .action
                .as_ref()
                .map(|action| Sequence::sight(sequence, action.key, now)),
            belief: memory.map_or_else(Default::default, |memory| memory.belief.at(now)),
            volumes: Volumes::sight(
                memory.and_then(|memory| memory.volumes.as_deref()),
                (scene.context.activity, conduct.count),
                (now, Self::acts_as_machine(memory, scene.context.kind)),
                habits.volumes(),
            ),
        }
    }

    /// Holds an event against what a machine keeps to; absent if no tool ever used the account.
    #[must_use]
    pub fn sight_machine(
        &self,
        kind: AccountKind,
        context: &Context,
        new: [Option<bool>; 2],
    ) -> Option<MachineSeen> {
        let machine = self.machine.as_ref()?;
        Some(machine.sight(kind, context, new))
    }

    /// Whether the account is taken for a machine.
    #[must_use]
    pub fn is_machine(&self, kind: AccountKind) -> bool {
        self.machine
            .as_ref()
            .is_some_and(|machine| machine.is_machine(kind))
    }

    /// The same of an account that may have no memory: then as the source says.
    fn acts_as_machine(memory: Option<&Memory>, kind: AccountKind) -> bool {
        match memory.and_then(|memory| memory.machine.as_ref()) {
            Some(machine) => machine.is_machine(kind),
            None => kind == AccountKind::Service,
        }
    }

    /// Whether an event leaves anything to remember.
    #[must_use]
    pub fn is_worth(context: &Context) -> bool {
        let says = context.conduct.as_ref().is_some_and(|conduct| {
            conduct.continuity().is_some()
                || conduct.grant.is_some()
                || EdgeLevel::ALL.iter().any(|level| level.key(conduct).is_some())
        });
        says || is_by_tool(context)
    }

    /// Learns an event of a proven identity; `nats` is the evidence of what it used and did, its belief excepted.
    pub fn learn(
        &mut self,
        seen: &Sighting,
        context: &Context,
        (arrival, nats): (Arrival, f64),
        told: &mut Told,
    ) {
        if let Some(conduct) = &context.conduct {
            self.learn_prompt(seen, conduct, arrival, told);
            if is_question(context) {
                return;
            }
            self.learn_session(seen, (context, conduct), arrival, told);
            self.learn_edges(seen, (context, conduct), arrival, told);
            self.learn_step(seen, (arrival, nats), told);
            self.learn_volume(seen, arrival, told);
            self.learn_grant(seen, arrival, told);
        }
        if self.machine.is_some() || is_by_tool(context) {
            let machine = self.machine.get_or_insert_default();
            let fresh = || machine.sight(context.kind, context, [None, None]);
            let held = seen.machine.unwrap_or_else(fresh);
            machine.learn(&held, context, arrival);
            if held.is_machine && seen.is_visit {
                told.machine = Some(held.new);
            }
        }
    }

    /// Takes note of a prompt that failed: whoever failed it, it belongs to the bout.
    pub fn note_failure(&mut self, conduct: &Conduct, keys: &Keys, (seen, now): (&ConductSeen, Minutes)) {
        if let Some((asked, seen)) = asked(conduct, keys, now).zip(seen.prompt) {
            self.bout = Bout::after(self.bout.as_ref(), seen, asked);
        }
    }

    /// Bytes on the heap of sessions, of what is used, of what a machine keeps to, and of volumes.
    #[must_use]
    pub fn heap_bytes_by_part(&self) -> [usize; 4] {
        let (sessions, edges) = (self.sessions.as_deref(), self.edges.as_deref());
        let (machine, sequence) = (self.machine.as_deref(), self.sequence.as_deref());
        [
            sessions.map_or(0, |held| size_of_val(held) + held.heap_bytes()),
            edges.map_or(0, |held| size_of_val(held) + held.heap_bytes())
                + sequence.map_or(0, |held| size_of_val(held) + held.heap_bytes()),
            machine.map_or(0, |held| size_of_val(held) + held.heap_bytes()),
            self.volumes
                .as_deref()
                .map_or(0, |held| size_of_val(held) + held.heap_bytes()),
        ]
    }

    fn learn_prompt(&mut self, seen: &Sighting, conduct: &Conduct, arrival: Arrival, told: &mut Told) {
        let asked = asked(conduct, &seen.keys, seen.now);
        let Some((asked, held)) = asked.zip(seen.conduct.and_then(|conduct| conduct.prompt)) else {
            return;
        };
        let owns = arrival != Arrival::Suspicious && !held.elsewhere;
        if asked.prompt.outcome == PromptOutcome::Satisfied && owns {
            told.bout = Some(BoutEnded {
                kind: held.kind,
                failed: held.failed,
                denied: held.denied,
            });
        }
        self.bout = Bout::after(self.bout.as_ref(), held, asked);
    }

    fn learn_session(
        &mut self,
        seen: &Sighting,
        (context, conduct): (&Context, &Conduct),
        arrival: Arrival,
        told: &mut Told,
    ) {
        let Some(held) = seen.conduct.and_then(|conduct| conduct.session) else {
            return;
        };
        let scene = Scene::of(context, conduct, seen);
        self.sessions
            .get_or_insert_default()
            .learn(&held, &scene, arrival);
        let is_news = held.relation != Relation::Kept || held.shifted.is_some_and(|shift| shift.is_other);
        let news = is_news && arrival != Arrival::Suspicious;
        if (seen.is_visit || news) && !held.goes_on {
            told.session = Some(SessionTrial {
                cell: held.cell,
                relation: held.relation,
                grip: held.grip.map(|grip| (grip, held.proof)),
                at_once: held.at_once,
                relayed: (held.relation == Relation::Moved).then_some(held.relayed),
                passage: held.passage,
                shifted: held.shifted,
            });
        }
    }

    fn learn_edges(
        &mut self,
        seen: &Sighting,
        (context, conduct): (&Context, &Conduct),
        arrival: Arrival,
        told: &mut Told,
    ) {
        let Some(held) = seen.conduct.and_then(|conduct| conduct.edges) else {
            return;
        };
        let mut known = [None; EdgeLevel::COUNT];
        let edges = self.edges.get_or_insert_default();
        let mut first = edges.has_no_things();
        edges.learn((conduct, &held), (seen.now, arrival), &mut |level, key| {
            if let Some(slot) = known.get_mut(level.index()) {
                *slot = Some(key);
            }
        });
        for (slot, (level, value)) in told.edges.iter_mut().zip(EdgeLevel::ALL.into_iter().zip(known)) {
            let edge = held.levels.get(level.index()).copied().flatten();
            if edge.is_none() && value.is_none() {
                continue;
            }
            let user = value.filter(|_| level.is_thing()).zip(context.account.as_ref());
            let user = user.map(|(_, account)| (user_hash(account), std::mem::take(&mut first)));
            *slot = Some(EdgeTrial {
                level,
                value,
                user,
                cell: trial_cell(edge, held.lately, arrival),
                new: edge.is_some_and(|edge| edge.is_new()),
            });
        }
    }

    fn learn_step(&mut self, seen: &Sighting, (arrival, nats): (Arrival, f64), told: &mut Told) {
        let Some(held) = &seen.conduct else { return };
        if let Some(step) = &held.step {
            if arrival != Arrival::Suspicious {
                told.step = Some(StepTold::of(step));
            }
            let sequence = self.sequence.get_or_insert_default();
            sequence.learn(step, (seen.now, arrival));
        }
        if let Some(edges) = &held.edges {
            let news = from_usize(edges.new_ones().count());
            self.belief.take_in((nats, news), seen.now);
        }
    }

    fn learn_volume(&mut self, seen: &Sighting, arrival: Arrival, told: &mut Told) {
        let held = seen.conduct.as_ref().and_then(|conduct| conduct.volumes.as_ref());
        if let Some(held) = held {
            let volumes = self.volumes.get_or_insert_default();
            volumes.learn(held, (seen.now, arrival), &mut told.volumes);
        }
    }

    fn learn_grant(&mut self, seen: &Sighting, arrival: Arrival, told: &mut Told) {
        let Some((grant, new)) = seen.conduct.and_then(|conduct| conduct.grant) else {
            return;
        };
        if new && arrival != Arrival::Suspicious {
            told.grant = Some(grant);
            if let Some(slot) = self.grants.get_mut(grant.index()) {
                *slot = true;
            }
        }
    }
}

/// Where a use is counted; absent where it is no trial.
fn trial_cell(edge: Option<EdgeSeen>, lately: f64, arrival: Arrival) -> Option<EdgeCell> {
    let counts = |edge: &EdgeSeen| edge.trials > 0.0 && (lately < BURST || arrival != Arrival::Suspicious);
    let edge = edge.filter(counts)?;
    Some(EdgeCell::of(edge.level, lately, edge.trials))
}

/// Hash of an account among the users of a thing. It keys no table: who could make two meet would gain nothing.
fn user_hash(account: &AccountId) -> u32 {
    let [a, b, c, d, ..] = symbol(account.as_str().as_bytes()).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The prompt of an event, with when and where it was asked for. An autonomous system is one place: phones and homes change
/// addresses within it.
fn asked(conduct: &Conduct, keys: &Keys, now: Minutes) -> Option<Asked> {
    let place = keys.asn.or(keys.prefix);
    conduct.prompt.map(|prompt| Asked { prompt, now, place })
}

/// Whether an event is a prompt for a second factor that stands in the log by itself. That it was satisfied is no login yet:
/// the login that follows teaches who came from where, and begins the session, or there would be nothing new about it.
#[must_use]
pub fn is_question(context: &Context) -> bool {
    let prompted = context
        .conduct
        .as_ref()
        .is_some_and(|conduct| conduct.prompt.is_some());
    prompted && context.activity == Activity::Authentication(AuthenticationActivity::Preauth)
}

/// Whether a failure is one of a prompt, which an account's bout remembers.
#[must_use]
pub fn is_failed_prompt(context: &Context) -> bool {
    let prompted = context.conduct.as_ref().and_then(|conduct| conduct.prompted());
    context.status != Status::Success && prompted.is_some_and(|outcome| outcome != PromptOutcome::Satisfied)
}
