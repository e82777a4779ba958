//! How an order is carried out, and how findings reach a SIEM.
//!
//! A [`Responder`] carries out one [`habitus_model::Order`] at a time and says how it went; an [`Exporter`] sends findings
//! in batches. Neither keeps a queue, repeats anything or waits between attempts: the outbox does that, and reads from
//! [`Outcome`] what to do next. [`Settings`] is their configuration, [`build`] makes a [`Registry`] of it.
//!
//! Everything that leaves passes the [`Guard`], which looks at the address that is really connected to; all text from
//! logs is escaped for its target; secrets are references in the configuration and live in memory that is wiped.
//! `docs/responders.md` shows how to set each part up.

mod cef;
mod clock;
mod exporter;
pub mod exporters;
pub mod guard;
mod http;
mod json;
mod lines;
mod notice;
mod outcome;
mod registry;
mod responder;
pub mod responders;
mod secret;
mod settings;
mod syslog_frame;
mod text;
mod tls;

pub use clock::Clock;
pub use exporter::Exporter;
pub use exporters::ExporterSettings;
pub use guard::{Guard, Limits, Names};
pub use outcome::{Fault, Outcome};
pub use registry::{Registry, build};
pub use responder::Responder;
pub use responders::ResponderSettings;
pub use secret::SecretRef;
pub use settings::{BuildError, Settings};
