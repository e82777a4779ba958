//! Place, network and device of an event, from immutable tables.
//!
//! [`Enricher::context`] turns an `Event` into a `Context`. It is pure: it reads no file and no clock, and equal
//! events under equal [`Tables`] give equal contexts, whatever was seen before. Tables are built from bytes that the
//! edge has read ([`Tables::builder`]), carry their editions and the texts their licences ask for, and are replaced
//! as a whole. Nothing here fails at lookup: what cannot be told is unknown, and stays unknown.
//!
//! ```
//! use habitus_enrich::{Enricher, IpList, IpListKind, Tables};
//! use habitus_model::{Activity, Event, EventTime, EventUid, NetworkClass, SourceName, Text};
//! use std::sync::Arc;
//!
//! let offices = IpList::parse("offices", "2026-03", IpListKind::Corporate, "198.51.100.0/24 # Berlin")?;
//! let tables = Tables::builder().ip_list(offices)?.build();
//! let mut enricher = Enricher::new(Arc::new(tables));
//!
//! let time = EventTime::from_millis(1_767_225_600_000).ok_or("time")?;
//! let mut event = Event::new(EventUid::new("1"), time, SourceName::new("okta"), Activity::from_ocsf(3002, 1), "login");
//! event.src.ip = Some("198.51.100.7".parse()?);
//! event.src.country = Some(Text::new("Germany"));
//! event.client.user_agent = Some(Text::new("kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc"));
//!
//! let context = enricher.context(&event);
//! assert_eq!(context.network.class, NetworkClass::Corporate);
//! assert_eq!(context.place.label(), "DE");
//! assert_eq!(context.client.label(), "kubectl 1 on Linux");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod account;
mod cache;
pub mod client;
pub mod conduct;
pub mod country;
#[cfg(feature = "embedded-geoip")]
mod embedded;
mod enricher;
pub mod ip_list;
mod mmdb;
mod network;
mod place;
mod rules;
pub mod special;
mod tables;

pub use enricher::{CACHED_ADDRESSES_MAX, CACHED_USER_AGENTS_MAX, Enricher};
pub use ip_list::{IpList, IpListError, IpListKind};
pub use tables::{IP_LISTS_MAX, TableError, TableVersion, Tables, TablesBuilder};
