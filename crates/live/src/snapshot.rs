//! The state as bytes, in two steps: a picture is taken at once, and any thread makes bytes of it while the reducer goes on.

use crate::clocks::Clocks;
use crate::entry::{Arrival, Origin};
use crate::people::{self, People};
use crate::reducer::Reducer;
use crate::room::{self, Room, Ticket, Times, Whose};
use crate::rules::{self, Rules, Said};
use crate::settings::Settings;
use habitus_engine::{Ahead, Engine, Learning, Record};
use habitus_findings::Findings;
use habitus_model::hash::content_digest;
use habitus_model::{Context, EventUid};
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

/// Version of the layout.
const VERSION: u32 = 6;

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

/// What is read behind the version; [`Writing`] has the same fields in the same order.
#[derive(Deserialize)]
struct Layout<'b> {
    #[serde(borrow)]
    engine: &'b [u8],
    #[serde(borrow)]
    findings: &'b [u8],
    clocks: Clocks,
    times: Vec<(Whose, Times)>,
    waiting: Vec<Kept>,
    policy: String,
}

#[derive(Serialize)]
struct Writing<'p> {
    version: u32,
    /// Written at once: byte by byte, as a list of numbers is, they come to the same and take ten times as long.
    engine: &'p Bytes,
    findings: &'p Bytes,
    clocks: &'p Clocks,
    times: &'p [(Whose, Times)],
    waiting: Vec<KeptHere<'p>>,
    policy: &'p str,
}

/// An event that waits.
#[derive(Deserialize)]
struct Kept {
    origin: Origin,
    uid: EventUid,
    context: Context,
    said: Said,
}

/// The same, where it stands.
#[derive(Serialize)]
struct KeptHere<'p> {
    origin: &'p Origin,
    uid: &'p EventUid,
    context: &'p Context,
    said: &'p Said,
}

impl<'p> KeptHere<'p> {
    fn of(arrival: &'p Arrival) -> Self {
        Self {
            origin: &arrival.origin,
            uid: &arrival.record.uid,
            context: &arrival.record.context,
            said: &arrival.said,
        }
    }
}

/// A reducer as it was, shared with the reducer as far as that has not changed since.
#[derive(Debug)]
pub struct Picture {
    engine: habitus_engine::Picture,
    findings: habitus_findings::Picture,
    clocks: Clocks,
    room: room::Picture,
    policy: String,
    people: people::Picture,
    rules: rules::Kept,
}

impl Picture {
    /// The state as bytes, the same bytes for the same state. Cost: linear in the state.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`] if the encoder refuses, which no state of a reducer makes it do.
    pub fn state(&self) -> Result<Vec<u8>, SnapshotError> {
        let (engine, findings) = (self.engine.bytes()?, self.findings.bytes()?);
        let layout = Writing {
            version: VERSION,
            engine: Bytes::new(&engine),
            findings: Bytes::new(&findings),
            clocks: &self.clocks,
            times: &self.room.times,
            waiting: self.room.waiting().map(KeptHere::of).collect(),
            policy: &self.policy,
        };
        Ok(postcard::to_stdvec(&layout)?)
    }

    /// What is kept with a snapshot and is no part of the state, as bytes: what can be shown, and the budgets, which count
    /// what was ordered when it was ordered. Cost: linear in what is shown.
    ///
    /// # Errors
    /// As [`Picture::state`].
    pub fn view(&self) -> Result<Vec<u8>, SnapshotError> {
        Ok(postcard::to_stdvec(&(&self.people, &self.rules))?)
    }

    /// The engine's part.
    #[must_use]
    pub fn engine(&self) -> &habitus_engine::Picture {
        &self.engine
    }
}

impl Reducer {
    /// Everything as it is now. Cost: a pointer for every 64 accounts, events that wait, findings and people, one for each tenant,
    /// and copies of what is small; the first change of anything after it costs a copy of its 64.
    #[must_use]
    pub fn picture(&self) -> Picture {
        Picture {
            engine: self.engine.picture(),
            findings: self.findings.picture(),
            clocks: self.clocks.clone(),
            room: self.room.picture(),
            policy: self.rules.text().to_owned(),
            people: self.people.picture(),
            rules: self.rules.keep(),
        }
    }

    /// The state as bytes, as [`Picture::state`] makes them.
    ///
    /// # Errors
    /// As [`Picture::state`].
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        self.picture().state()
    }

    /// What is shown as bytes, as [`Picture::view`] makes them.
    ///
    /// # Errors
    /// As [`Picture::state`].
    pub fn view(&self) -> Result<Vec<u8>, SnapshotError> {
        self.picture().view()
    }

    /// The reducer that [`Reducer::snapshot`] and [`Reducer::view`] wrote; without a view, or with a damaged one, people are
    /// shown as they are seen again. What waits is judged ahead anew, without telling.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn restore(settings: Settings, bytes: &[u8], view: Option<&[u8]>) -> Result<Self, SnapshotError> {
        let (found, rest) = postcard::take_from_bytes::<u32>(bytes)?;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let layout: Layout<'_> = postcard::from_bytes(rest)?;
        let mut reducer = Self {
            engine: Engine::restore(settings.engine.clone(), layout.engine)?,
            clocks: layout.clocks,
            room: Room::at(layout.times),
            ahead: Ahead::default(),
            people: People::default(),
            findings: Findings::restore(settings.findings, layout.findings)?,
            rules: Rules::default(),
            behind: Vec::new(),
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

    /// A digest of the state, 32 hexadecimal digits. What is counted of clocks until the hour is over has decided nothing yet,
    /// and is no part of it. Cost: as [`Reducer::snapshot`].
    ///
    /// # Errors
    /// As [`Reducer::snapshot`].
    pub fn digest(&self) -> Result<String, SnapshotError> {
        let picture = Picture {
            clocks: self.clocks.decided(),
            ..self.picture()
        };
        Ok(content_digest(&picture.state()?))
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
