//! The state as bytes.

use crate::entry::{Arrival, Origin, Turn};
use crate::people::People;
use crate::reducer::Reducer;
use crate::room::{Room, Times};
use crate::settings::Settings;
use habitus_engine::{Ahead, Engine, Learning, Record};
use habitus_findings::Findings;
use habitus_model::hash::content_digest;
use habitus_model::{Context, EventUid};
use serde::{Deserialize, Serialize};

/// Version of the layout.
const VERSION: u32 = 1;

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
    times: Times,
    waiting: Vec<Kept>,
}

/// An event that waits.
#[derive(Serialize, Deserialize)]
struct Kept {
    origin: Origin,
    uid: EventUid,
    context: Context,
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
        };
        let layout = Layout {
            version: VERSION,
            engine: self.engine.snapshot()?,
            findings: self.findings.snapshot()?,
            times: self.room.times,
            waiting: self.room.waiting().map(kept).collect(),
        };
        Ok(postcard::to_stdvec(&layout)?)
    }

    /// What can be shown, as bytes: kept with a snapshot, and no part of the state.
    ///
    /// # Errors
    /// As [`Reducer::snapshot`].
    pub fn view(&self) -> Result<Vec<u8>, SnapshotError> {
        Ok(postcard::to_stdvec(&self.people)?)
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
            settings,
        };
        let turns: Vec<Turn> = layout
            .waiting
            .into_iter()
            .map(|kept| reducer.put_back(kept))
            .collect();
        reducer.foresee(turns, &mut Vec::new());
        if let Some(people) = view.and_then(|bytes| postcard::from_bytes(bytes).ok()) {
            reducer.people = people;
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

    fn put_back(&mut self, kept: Kept) -> Turn {
        let record = Record {
            uid: kept.uid,
            context: kept.context,
            learning: Learning::Learn,
        };
        let arrival = Arrival {
            origin: kept.origin,
            record,
        };
        let turn = Turn::of(&arrival);
        self.room.put_back(arrival);
        turn
    }
}
