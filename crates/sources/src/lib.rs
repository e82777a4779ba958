//! Where bytes come from: files and standard input, decompressed, cut into records, ordered, handed to threads.
//!
//! An edge: it reads files and starts threads, and knows nothing of log formats beyond where a record ends. No
//! async runtime, no clock.
//!
//! The usual way through it:
//!
//! ```text
//! input::resolve(args) ─Location─▶ records::Batches ─Batch─▶ batch::parallel_ordered ─▶ order::Sorter ─▶ in time order
//!                                   │ decompress, then frame or evtx
//! ```

pub mod batch;
pub mod decompress;
pub mod error;
pub mod evtx;
pub mod frame;
pub mod input;
pub mod limits;
pub mod live;
pub mod order;
pub mod records;

pub use batch::parallel_ordered;
pub use error::Error;
pub use frame::{Batch, Framed, Framer, RawRecord};
pub use input::{Location, Progress};
pub use limits::Limits;
pub use order::{SortKey, Sorted, Sorter};
pub use records::{Batches, Records, Settings, SpareBatches};
