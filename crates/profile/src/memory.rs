//! What an account remembers of sessions, proofs and deeds, and an event held against it.
//!
//! All of it stands behind one pointer: accounts whose logs say nothing of these pay eight bytes.

use crate::edge_habits::{EdgeCell, EdgeTrial};
use crate::features::edges::{EdgeLevel, Edges, EdgesSeen};
use crate::features::machine::{Machine, MachineSeen, is_by_tool};
use crate::features::prompts::{Asked, Bout, PromptSeen};
use crate::features::session::{Relation, Scene, SessionSeen, Sessions};
use crate::keys::Keys;
use crate::known::Arrival;
use crate::prompt_habits::BoutEnded;
use crate::recall::Sighting;
use crate::session_habits::SessionTrial;
use crate::told::Told;
use habitus_model::activity::AuthenticationActivity;
use habitus_model::{AccountKind, Activity, Conduct, Context, Grant, Minutes, PromptOutcome, Status};
use serde::{Deserialize, Serialize};

/// From so many new things within a day on an account teaches its tenant no hazards (SCORING 13: influence is capped).
const BURST: f64 = 2.5;

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Memory {
    sessions: Option<Box<Sessions>>,
    bout: Option<Bout>,
    grants: [bool; Grant::COUNT],
    edges: Option<Box<Edges>>,
    machine: Option<Box<Machine>>,
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
}

impl Memory {
    /// Holds an event against what is remembered, if anything.
    #[must_use]
    pub fn sight(memory: Option<&Memory>, scene: &Scene<'_>) -> ConductSeen {
        let now = scene.context.time.minutes();
        let conduct = scene.conduct;
        let bout = memory.and_then(|memory| memory.bout.as_ref());
        ConductSeen {
            session: Sessions::sight(memory.and_then(|memory| memory.sessions.as_deref()), scene),
            prompt: asked(conduct, scene.keys, now).map(|asked| Bout::sight(bout, asked)),
            grant: conduct.grant.map(|grant| {
                let known = memory.is_some_and(|memory| memory.grants.get(grant.index()) == Some(&true));
                (grant, !known)
            }),
            edges: Edges::sight(
                memory.and_then(|memory| memory.edges.as_deref()),
                conduct,
                (now, scene.visits),
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

    /// Whether an event leaves anything to remember.
    #[must_use]
    pub fn is_worth(context: &Context) -> bool {
        let says = context.conduct.as_ref().is_some_and(|conduct| {
            conduct.continuity().is_some()
                || conduct.grant.is_some()
                || EdgeLevel::ALL.iter().any(|level| level.of(conduct).is_some())
        });
        says || is_by_tool(context)
    }

    /// Learns an event of a proven identity; `nats` is the evidence of what was new in what it used.
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
            self.learn_edges(seen, conduct, (arrival, nats), told);
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

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let sessions = self.sessions.as_ref();
        let edges = self.edges.as_ref();
        let machine = self.machine.as_ref();
        sessions.map_or(0, |held| std::mem::size_of::<Sessions>() + held.heap_bytes())
            + edges.map_or(0, |held| std::mem::size_of::<Edges>() + held.heap_bytes())
            + machine.map_or(0, |held| std::mem::size_of::<Machine>() + held.heap_bytes())
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
        conduct: &Conduct,
        (arrival, nats): (Arrival, f64),
        told: &mut Told,
    ) {
        let Some(held) = seen.conduct.and_then(|conduct| conduct.edges) else {
            return;
        };
        let mut known = [None; EdgeLevel::COUNT];
        let edges = self.edges.get_or_insert_default();
        edges.learn((conduct, nats), (seen.now, arrival), &mut |level, key| {
            if let Some(slot) = known.get_mut(level.index()) {
                *slot = Some(key);
            }
        });
        for (slot, (level, value)) in told.edges.iter_mut().zip(EdgeLevel::ALL.into_iter().zip(known)) {
            let edge = held.levels.get(level.index()).copied().flatten();
            if edge.is_none() && value.is_none() {
                continue;
            }
            let with_history = edge.filter(|edge| edge.trials.0 > 0.0 && held.lately < BURST);
            *slot = Some(EdgeTrial {
                level,
                value,
                cell: with_history.map(|edge| EdgeCell::of(level, held.lately, edge.trials.0)),
                new: edge.is_some_and(|edge| edge.is_new()),
            });
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
