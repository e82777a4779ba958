//! Events as the lines of real log formats, so that readers and other tools can be measured with simulated worlds.
//!
//! Adding one: a file here with a `write`, and a line in [`LOG_FORMATS`]. A format carries what its source logs: a sshd log
//! knows no prompts, an Entra sign-in log no requests; what a format cannot carry is left out, and the writer says so.

mod cloudtrail;
mod entra;
mod github;
mod keycloak;
mod kubernetes;
mod o365;
mod ocsf;
mod okta;
mod sshd;
mod stamp;
mod windows;

use habitus_model::{Event, User};
use serde_json::Value;

/// A log format that events can be written in.
#[derive(Debug, Clone, Copy)]
pub struct LogFormat {
    /// Its name, as the reader has it.
    pub name: &'static str,
    /// The line without its end; `None` if the format cannot carry the event.
    pub write: fn(&Event) -> Option<String>,
}

/// Every format, in alphabetical order.
pub const LOG_FORMATS: [LogFormat; 10] = [
    LogFormat {
        name: "cloudtrail",
        write: cloudtrail::write,
    },
    LogFormat {
        name: "entra",
        write: entra::write,
    },
    LogFormat {
        name: "github",
        write: github::write,
    },
    LogFormat {
        name: "keycloak",
        write: keycloak::write,
    },
    LogFormat {
        name: "kubernetes",
        write: kubernetes::write,
    },
    LogFormat {
        name: "o365",
        write: o365::write,
    },
    LogFormat {
        name: "ocsf",
        write: ocsf::write,
    },
    LogFormat {
        name: "okta",
        write: okta::write,
    },
    LogFormat {
        name: "sshd",
        write: sshd::write,
    },
    LogFormat {
        name: "windows",
        write: windows::write,
    },
];

impl LogFormat {
    /// The format of a name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        LOG_FORMATS.into_iter().find(|format| format.name == name)
    }
}

/// Adds a member to an object.
fn add(line: &mut Value, name: &str, value: Value) {
    if let Some(members) = line.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The name that a source logs: the address, where there is one.
fn login_name(user: &User) -> Option<&str> {
    user.email
        .as_deref()
        .or(user.name.as_deref())
        .or(user.uid.as_deref())
}
