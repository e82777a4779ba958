//! The server: what comes in is put on stable storage, then judged and learned in the order of the log, while people and
//! machines ask.
//!
//! ```text
//! HTTP, syslog, files ─▶ reading ─▶ intake ─▶ journal ─▶ reduce (one thread: the reducer) ─▶ findings, orders, exports, live messages
//!                                                            ▲ read lock
//!                                              judge, desk, directory
//! ```

mod answer;
mod clock;
mod core;
mod desk;
mod directory;
mod exception;
mod exports;
mod gaps;
mod gate;
mod health;
mod intake;
mod judge;
mod kept;
mod load;
mod made;
mod memory;
mod metrics;
mod models;
pub mod offline;
mod offsite;
mod operations;
mod orders;
mod patience;
mod reading;
mod records;
mod recovery;
mod reduce;
mod run;
mod shown;
mod snapshots;
mod start;
mod store;
mod stream;
mod turns;

pub use clock::now;
pub use kept::Kind;
pub use made::{check_policy, check_responders};
pub use run::{Running, tls};
pub use store::{Layout, failure, keyring};
