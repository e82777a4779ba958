//! Bytes of one log format to [`Event`](habitus_model::Event)s.
//!
//! Total: never panics, never fails as a whole. A record becomes events, nothing (understood, and no business of
//! identity), or a [`Rejection`](habitus_model::Rejection) that says what, where and how to mend it. One file per format in [`formats`].

pub mod envelope;
pub mod field;
pub mod format;
pub mod formats;
pub mod json;
pub mod limits;
mod normalizer;
pub mod ocsf_out;
pub mod stamp;
pub mod syslog;
pub mod unmapped;

pub use format::{Format, Options, Reading, Recognition, Record};
pub use limits::Limits;
pub use normalizer::{FormatChoice, Normalizer, UnknownFormat};
