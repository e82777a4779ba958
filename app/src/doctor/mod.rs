//! What is wrong with an installation, or soon will be, and how to mend it. Each check looks at the real thing; none changes
//! anything but a file of its own that it removes again.

mod data;
mod machine;
mod outside;

use crate::config::Loaded;
use crate::serve::{Layout, now};
use habitus_model::IngestTime;
use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and should be looked at.
    Warn,
    /// It does not work, or will stop working.
    Fail,
    /// There is nothing to look at.
    Skip,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, as scripts know it.
    pub name: &'static str,
    /// How it ended.
    pub state: State,
    /// What was found.
    pub found: String,
    /// How to mend it; absent if there is nothing to mend.
    pub fix: Option<String>,
}

impl Check {
    /// Nothing to mend.
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, (State::Ok, found), None)
    }

    /// Nothing to look at.
    pub fn skip(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, (State::Skip, found), None)
    }

    /// Something to look at.
    pub fn warn(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(name, (State::Warn, found), Some(fix.into()))
    }

    /// Something to mend.
    pub fn fail(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(name, (State::Fail, found), Some(fix.into()))
    }

    fn new(name: &'static str, (state, found): (State, impl Into<String>), fix: Option<String>) -> Self {
        Self {
            name,
            state,
            found: found.into(),
            fix,
        }
    }
}

/// Whether connections to other machines may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Settings are looked at, and nothing is asked of the network.
    Offline,
    /// Names are resolved and connections opened, and closed again without a byte.
    Online,
}

/// What is looked at.
pub struct Patient<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// The data directory.
    pub layout: &'a Layout,
    /// The time by this machine's clock.
    pub now: IngestTime,
}

/// Looks at everything, in the order in which things are needed.
pub fn examine(loaded: &Loaded, layout: &Layout, reach: Reach) -> Vec<Check> {
    let patient = Patient {
        loaded,
        layout,
        now: now(),
    };
    let mut checks = vec![
        machine::files(),
        machine::directory(&patient),
        machine::space(&patient),
        machine::fsync(&patient),
        outside::policy(&patient),
        outside::tls(&patient),
        outside::tables(&patient),
        outside::checkpoints(&patient),
        outside::responders(&patient, reach),
    ];
    checks.extend(data::all(&patient));
    checks
}
