//! The rules as data.

/// What a crate of the workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The nouns. Uses no other crate of the workspace.
    Model,
    /// One stage of an event's way; knows the model.
    Stage,
    /// Knows the stages and their order.
    Engine,
    /// Drives the pure crates to generate or measure; pure itself.
    Laboratory,
    /// I/O; knows the model.
    Edge,
    /// The binary; knows everything.
    App,
    /// Tests and developer commands; nothing depends on them but tests.
    Tool,
}

/// The role of each crate of the workspace.
const ROLES: &[(&str, Role)] = &[
    ("habitus-model", Role::Model),
    ("habitus-normalize", Role::Stage),
    ("habitus-enrich", Role::Stage),
    ("habitus-profile", Role::Stage),
    ("habitus-detect", Role::Stage),
    ("habitus-score", Role::Stage),
    ("habitus-policy", Role::Stage),
    ("habitus-findings", Role::Stage),
    ("habitus-engine", Role::Engine),
    ("habitus-live", Role::Engine),
    ("habitus-sim", Role::Laboratory),
    ("habitus-evaluate", Role::Laboratory),
    ("habitus-sources", Role::Edge),
    ("habitus-responders", Role::Edge),
    ("habitus-journal", Role::Edge),
    ("habitus-console", Role::Edge),
    ("habitus", Role::App),
    ("habitus-testkit", Role::Tool),
    ("habitus-bench", Role::Tool),
    ("habitus-footprint", Role::Tool),
    ("habitus-fuzzing", Role::Tool),
    ("habitus-load", Role::Tool),
    ("habitus-peers", Role::Tool),
    ("xtask", Role::Tool),
];

/// Arrows beyond those the roles give.
const EXTRA_ARROWS: &[(&str, &str)] = &[
    // Detectors read what is remembered.
    ("habitus-detect", "habitus-profile"),
    // The reducer of the log drives the engine.
    ("habitus-live", "habitus-engine"),
    // The console shows what the journal keeps.
    ("habitus-console", "habitus-journal"),
];

/// Crates that a pure crate must not reach over normal dependencies, with the reason.
const FORBIDDEN: &[(&str, &str)] = &[
    ("tokio", "async runtime"),
    ("async-std", "async runtime"),
    ("smol", "async runtime"),
    ("async-executor", "async runtime"),
    ("futures-executor", "async runtime"),
    ("mio", "sockets"),
    ("polling", "sockets"),
    ("socket2", "sockets"),
    ("reqwest", "network"),
    ("hyper", "network"),
    ("ureq", "network"),
    ("curl", "network"),
    ("getrandom", "entropy"),
    ("rand", "entropy"),
    ("rand_os", "entropy"),
    ("fastrand", "entropy"),
    ("ahash", "entropy: its default state is random"),
    ("const-random", "entropy"),
    ("uuid", "entropy"),
    ("tempfile", "file system"),
    ("walkdir", "file system"),
    ("memmap2", "file system"),
    ("notify", "file system"),
    ("iana-time-zone", "clock and the machine's time zone"),
    ("time", "clock"),
    ("web-time", "clock"),
    ("quanta", "clock"),
    ("coarsetime", "clock"),
    ("rayon", "threads"),
    ("crossbeam-channel", "threads"),
    ("num_cpus", "the machine's size"),
];

/// Features of reached crates that a pure crate must not have on, with the reason.
const FORBIDDEN_FEATURES: &[(&str, &str, &str)] = &[
    ("chrono", "clock", "clock"),
    ("chrono", "now", "clock"),
    ("jiff", "tz-system", "the machine's time zone"),
    ("jiff", "tzdb-zoneinfo", "the machine's files"),
    ("foldhash", "std", "entropy: its default state is random"),
];

/// The crate's role; `None` for a crate the rules do not know.
pub fn role(name: &str) -> Option<Role> {
    ROLES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, role)| *role)
}

/// Whether the crate must be free of I/O, clock and entropy.
pub fn is_pure(name: &str) -> bool {
    matches!(
        role(name),
        Some(Role::Model | Role::Stage | Role::Engine | Role::Laboratory)
    )
}

/// Whether `from` may use `to` outside its tests. Both are crates of the workspace.
pub fn may_use(from: &str, to: &str) -> bool {
    let (Some(user), Some(used)) = (role(from), role(to)) else {
        return false;
    };
    if EXTRA_ARROWS.contains(&(from, to)) {
        return true;
    }
    match user {
        Role::Model => false,
        Role::Stage | Role::Edge => used == Role::Model,
        Role::Engine => matches!(used, Role::Model | Role::Stage),
        Role::Laboratory => {
            matches!(used, Role::Model | Role::Stage | Role::Engine | Role::Laboratory)
        }
        Role::App => used != Role::Tool,
        Role::Tool => true,
    }
}

/// Why the crate with these features must not be reached from a pure crate; `None` when it may.
pub fn forbidden(name: &str, features: &[&str]) -> Option<String> {
    if let Some((_, why)) = FORBIDDEN.iter().find(|(known, _)| *known == name) {
        return Some((*why).to_owned());
    }
    FORBIDDEN_FEATURES
        .iter()
        .find(|(known, feature, _)| *known == name && features.contains(feature))
        .map(|(_, feature, why)| format!("feature `{feature}`: {why}"))
}
