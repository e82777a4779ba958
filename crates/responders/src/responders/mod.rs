//! One file a responder. A new one is its file, its `mod` line and its line in the list below.

pub mod email;
pub mod file;
pub mod pagerduty;
pub mod slack;
pub mod syslog;
pub mod webhook;

use crate::guard::{Reach, Unreached};
use crate::settings::{Tools, Wrong};
use crate::{Fault, Outcome, Responder};
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// What the settings of every responder can do.
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
    fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Responder>, Wrong>;
}

macro_rules! list {
    ($($(#[$doc:meta])* $variant:ident = $module:ident,)*) => {
        /// One responder; `kind` tells which.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum ResponderSettings {
            $($(#[$doc])* $variant($module::Settings),)*
        }

        impl ResponderSettings {
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
    /// A signed HTTP request.
    Webhook = webhook,
    /// A message in a Slack channel.
    Slack = slack,
    /// An alert at PagerDuty.
    Pagerduty = pagerduty,
    /// A mail.
    Email = email,
    /// A syslog message.
    Syslog = syslog,
    /// A line in a file.
    File = file,
}

impl ResponderSettings {
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

    pub(crate) fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        self.part().build(tools)
    }
}

/// What no connection means for an order.
pub(crate) fn unreached(unreached: &Unreached) -> Outcome {
    match unreached {
        Unreached::Refused(_) => Outcome::failed(Fault::Responder, unreached.to_string()),
        Unreached::Failed(_) | Unreached::Late => Outcome::retry(unreached.to_string()),
    }
}

/// A `host` that is an address must be one that may be reached: better told at start than at the first order.
pub(crate) fn literal_may_be_reached(reach: &Reach, host: &str) -> Result<(), Wrong> {
    let help = "name its network in `allow_networks` if it is meant";
    let Ok(literal) = host.parse() else {
        // Whatever else resolves is checked when it does.
        let is_name = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        let help = "write a host name or an address, the port in `port`";
        return if is_name {
            Ok(())
        } else {
            Err(Wrong::new("host", "is no host", help))
        };
    };
    reach
        .check(literal)
        .map_err(|why| Wrong::new("host", format!("is an address that is refused: {why}"), help))
}

/// The name that the server's certificate must be for.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, Wrong> {
    let help = "write the name that stands in the server's certificate";
    ServerName::try_from(host.to_owned())
        .map_err(|_| Wrong::new("host", "is no name that a certificate can be for", help))
}

/// What a failed handshake was about, without what the other side wrote.
pub(crate) fn tls_words(error: &std::io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    inner.map_or_else(|| error.kind().to_string(), ToString::to_string)
}
