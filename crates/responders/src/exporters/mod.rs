//! One file an exporter. A new one is its file, its `mod` line and its line in the list below.

mod ecs;
pub mod ecs_bulk;
pub mod ocsf;
pub mod splunk_hec;

use crate::Exporter;
use crate::settings::{Tools, Wrong};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;

/// Largest body of one request, bytes: half of what Elasticsearch advises against, and below the limits of common proxies.
pub(crate) const BODY_BYTES_MAX: usize = 5_242_880;
/// Most findings in one request.
pub(crate) const BATCH_MAX: usize = 1_000;

/// What the settings of every exporter can do.
pub(crate) trait Part {
    /// The configured name.
    fn name(&self) -> &str;
    /// The file it writes, if it writes one.
    fn path(&self) -> Option<&PathBuf> {
        None
    }
    /// The paths in it, to be completed.
    fn paths_mut(&mut self) -> Vec<&mut PathBuf>;
    /// Builds it.
    fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Exporter>, Wrong>;
}

macro_rules! list {
    ($($(#[$doc:meta])* $variant:ident = $module:ident,)*) => {
        /// One exporter; `kind` tells which.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum ExporterSettings {
            $($(#[$doc])* $variant($module::Settings),)*
        }

        impl ExporterSettings {
            /// Every kind.
            pub const KINDS: &[&str] = &[$(stringify!($module)),*];

            /// The kind, as the configuration writes it.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($module),)*
                }
            }

            fn part(&self) -> &dyn Part {
                match self {
                    $(Self::$variant(settings) => settings,)*
                }
            }

            fn part_mut(&mut self) -> &mut dyn Part {
                match self {
                    $(Self::$variant(settings) => settings,)*
                }
            }
        }
    };
}

list! {
    /// OCSF as it is, over HTTP or into a file.
    Ocsf = ocsf,
    /// Elastic Common Schema into Elasticsearch or OpenSearch.
    EcsBulk = ecs_bulk,
    /// Splunk's HTTP Event Collector.
    SplunkHec = splunk_hec,
}

impl ExporterSettings {
    /// The configured name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.part().name()
    }

    pub(crate) fn path(&self) -> Option<&PathBuf> {
        self.part().path()
    }

    pub(crate) fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.part_mut().paths_mut()
    }

    pub(crate) fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Exporter>, Wrong> {
        self.part().build(tools)
    }
}

/// How many of the bodies, from the first, fit into one request; at least one, so that the target judges what is too large.
pub(crate) fn fitting(bodies: &[Vec<u8>]) -> usize {
    let mut bytes = 0_usize;
    let fits = bodies.iter().take(BATCH_MAX).take_while(|body| {
        bytes = bytes.saturating_add(body.len() + 1);
        bytes <= BODY_BYTES_MAX
    });
    fits.count().max(1)
}

/// A key that is the same for the same record of a finding: `metadata.uid`, or the SHA-256 of what there is.
pub(crate) fn record_key(finding: &Value) -> String {
    let uid = finding.pointer("/metadata/uid").and_then(Value::as_str);
    match uid {
        // 512 bytes is what Elasticsearch takes as `_id`.
        Some(uid) if !uid.is_empty() && uid.len() <= 512 && !uid.chars().any(crate::text::acts) => {
            uid.to_owned()
        }
        _ => crate::text::hex(&Sha256::digest(crate::json::line(finding))),
    }
}
