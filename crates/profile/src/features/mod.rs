//! Features of an account beyond the sets of known values. Adding one: a file here and a line below.

pub mod clock;
pub mod doubt;
pub mod edges;
pub mod gap;
pub mod machine;
pub mod motion;
pub mod positions;
pub mod prompts;
pub mod sequence;
pub mod session;
pub mod strangers;
pub mod volume;
