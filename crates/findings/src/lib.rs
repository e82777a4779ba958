//! From flagged events to findings that people work on.
//!
//! Pure: no I/O, no clock, no entropy. [`Findings::settle`] takes flagged events in any order and groups them by account,
//! behaviour and window, by guessing source, by campaign, and by storm; [`Findings::apply`] takes what people ask. The same
//! calls give the same state, byte for byte, and the same events in another order give the same findings.

pub mod accounts;
mod act;
pub mod behaviour;
mod cells;
pub mod command;
mod effect;
mod finding;
mod hit;
mod index;
mod judge;
mod key;
pub mod list;
mod loss;
mod news;
mod ocsf;
pub mod overlay;
mod snapshot;
mod store;
mod triage;
mod view;
mod words;

pub use accounts::Accounts;
pub use behaviour::Behaviour;
pub use command::{Act, Ask, Command, CommandId, Reach, Refused};
pub use effect::{Effects, Label, Preview, Stood};
pub use finding::{EVENTS_MAX, EVIDENCES_MAX, Finding, PARTS_MAX};
pub use hit::{Hit, Line};
pub use judge::{Applied, COMMANDS_MAX, Outcome, PARKED_MAX, SIMILAR_MAX};
pub use key::{FindingId, Key, Neighbourhood, Novelty};
pub use list::{Cursor, Filter, Judged, Page, Scope, Tally};
pub use loss::Loss;
pub use news::{News, Occasion};
pub use ocsf::{Lifecycle, Writer};
pub use snapshot::{Picture, SnapshotError};
pub use store::{CAMPAIGN_ACCOUNTS_MIN, Change, Counts, Findings, Settings, What};
pub use triage::{Deed, Entry, HISTORY_MAX, NOTES_MAX, Note, Ruling, State, Taught, Triage, UNDO_MAX};
pub use view::{Told, View};
pub use words::{POINTS_PER_NAT, points, score, sentence, sentences};
