//! The state as bytes.

use crate::entry::{Arrival, Origin};
use crate::people::People;
use crate::reducer::Reducer;
use crate::room::{Room, Ticket, Times, Whose};
use crate::rules::{self, Rules, Said};
use crate::settings::Settings;
use habitus_engine::{Ahead, Engine, Learning, Record};
use habitus_findings::Findings;
use habitus_model::hash::content_digest;
use habitus_model::{Context, EventUid};
use serde::{Deserialize, Serialize};

/// Version of the layout.
const VERSION: u32 = 2;

/// Why a state cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The engine's part.
    #[error(transparent)]
    Engine(#[from] habitus_engine::SnapshotError),
    /// The findings' part.
    #[error(transparent)]
    Findings(#[from] habitus_findings::SnapshotError),
    /// The bytes are no snapshot, or a damaged one.
    #[error("the snapshot is damaged or not a snapshot: {0}")]
    Damaged(#[from] postcard::Error),
    /// The layout is of another version.
    #[error(
        "the snapshot has layout {found}, this habitus reads {VERSION}: restore it with the version that wrote it"
    )]
    Version {
        /// The version found.
        found: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Layout {
    version: u32,
    engine: Vec<u8>,
    findings: Vec<u8>,
    times: Vec<(Whose, Times)>,
    waiting: Vec<Kept>,
    policy: String,
}

/// An event that waits.
#[derive(Serialize, Deserialize)]
struct Kept {
    origin: Origin,
    uid: EventUid,
    context: Context,
    said: Said,
}

impl Reducer {
    /// The state as bytes, the same bytes for the same state. Cost: linear in the state, which is copied.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`] if the encoder refuses, which no state of a reducer makes it do.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let kept = |arrival: &Arrival| Kept {
            origin: arrival.origin.clone(),
            uid: arrival.record.uid.clone(),
            context: arrival.record.context.clone(),
            said: arrival.said.clone(),
        };
        let layout = Layout {
            version: VERSION,
            engine: self.engine.snapshot()?,
            findings: self.findings.snapshot()?,
            times: self.room.times(),
            waiting: self.room.waiting().map(kept).collect(),
            policy: self.rules.text().to_owned(),
        };
        Ok(postcard::to_stdvec(&layout)?)
    }

    /// What is kept with a snapshot and is no part of the state, as bytes: what can be shown, and the budgets, which count
    /// what was ordered when it was ordered.
    ///
    /// # Errors
    /// As [`Reducer::snapshot`].
    pub fn view(&self) -> Result<Vec<u8>, SnapshotError> {
        Ok(postcard::to_stdvec(&(&self.people, self.rules.keep()))?)
    }

    /// The reducer that [`Reducer::snapshot`] and [`Reducer::view`] wrote; without a view, or with a damaged one, people are
    /// shown as they are seen again. What waits is judged ahead anew, without telling.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn restore(settings: Settings, bytes: &[u8], view: Option<&[u8]>) -> Result<Self, SnapshotError> {
        let (found, _) = postcard::take_from_bytes::<u32>(bytes)?;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let layout: Layout = postcard::from_bytes(bytes)?;
        let mut reducer = Self {
            engine: Engine::restore(settings.engine.clone(), &layout.engine)?,
            room: Room::at(layout.times),
            ahead: Ahead::default(),
            people: People::default(),
            findings: Findings::restore(settings.findings, &layout.findings)?,
            rules: Rules::default(),
            settings,
        };
        let tickets: Vec<Ticket> = layout
            .waiting
            .into_iter()
            .map(|kept| reducer.put_back(kept))
            .collect();
        // The policy in force was accepted when it came; one that this version refuses gives way to none.
        let _ = reducer.rules.replace(layout.policy);
        reducer.foresee(tickets, &mut Vec::new());
        let view = view.and_then(|bytes| postcard::from_bytes::<(People, rules::Kept)>(bytes).ok());
        if let Some((people, rules)) = view {
            reducer.people = people;
            reducer.rules = Rules::restore(rules);
        }
        Ok(reducer)
    }

    /// A digest of the state, 32 hexadecimal digits. Cost: as [`Reducer::snapshot`].
    ///
    /// # Errors
    /// As [`Reducer::snapshot`].
    pub fn digest(&self) -> Result<String, SnapshotError> {
        Ok(content_digest(&self.snapshot()?))
    }

    fn put_back(&mut self, kept: Kept) -> Ticket {
        let record = Record {
            uid: kept.uid,
            context: kept.context,
            learning: Learning::Learn,
        };
        let arrival = Arrival {
            origin: kept.origin,
            record,
            said: kept.said,
        };
        self.room.put_back(arrival)
    }
}
