//! The list of checks: what `cargo xtask test` runs, in this order.
//!
//! To add a check, add a step. Performance and evaluation tests are `release(…)` steps: they build with
//! optimisation and so belong to the full run.

use crate::packages::DebianPackage;
use crate::python::{self, Environment};

/// What a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `cargo` with these arguments.
    Cargo(&'static [&'static str]),
    /// The workspace's unit and integration tests, with cargo-nextest where it is installed: the same tests,
    /// with one process for each.
    WorkspaceTests,
    /// `cargo xtask tidy`, in this process.
    Tidy,
}

/// What a step needs beyond Rust, gcc and git. Where it is absent the step is skipped by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing more.
    Nothing,
    /// A cargo subcommand: the arguments that must succeed, and how to install it.
    Tool {
        /// Arguments to `cargo` that succeed where the tool is there.
        probe: &'static [&'static str],
        /// The command that installs it.
        install: &'static str,
    },
    /// A virtual environment, which is made below `target` if Python and its package index are there.
    Python(Environment),
}

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The name, as the output shows it.
    pub name: &'static str,
    /// What runs.
    pub action: Action,
    /// Whether `--fast` runs it too.
    pub fast: bool,
    /// Environment variables for the command.
    pub env: &'static [(&'static str, &'static str)],
    /// What it needs.
    pub needs: Needs,
}

/// Every check, cheapest first, so that a slip of the pen is told in seconds.
pub const STEPS: &[Step] = &[
    fast("format", &["fmt", "--all", "--check"]),
    fast(
        "format of the fuzz targets",
        &["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"],
    ),
    TIDY,
    fast(
        "clippy",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ),
    TESTS,
    slow(
        "doc tests",
        &["test", "--workspace", "--doc", "--locked", "--no-fail-fast"],
    ),
    DOCUMENTATION,
    SCHEMATHESIS,
    PEERS,
    slow(
        "scaffolds compile",
        &["test", "--package", "xtask", "--locked", "--", "--ignored"],
    ),
    FUZZ,
    INSTRUCTIONS,
    SUPPLY_CHAIN,
];

/// Debian packages that tests need. Installed when this runs as root and they are missing, otherwise named.
pub const DEBIAN_PACKAGES: &[DebianPackage] = &[
    needed("openssh-server", "app/tests/it/openssh.rs attacks a real sshd"),
    needed(
        "openssh-client",
        "app/tests/it/openssh.rs guesses passwords with ssh",
    ),
    needed(
        "rsyslog",
        "app/tests/it/openssh.rs and the live sources' tests send through it",
    ),
    needed("iproute2", "app/tests/it/openssh.rs makes networks"),
    needed("nginx-light", "app/tests/it/nginx.rs puts a real nginx in front"),
    needed("chromium", "app/tests/it/browser.rs looks at the console's pages"),
    needed("chromium-driver", "app/tests/it/browser.rs drives Chromium"),
    needed(
        "python3-venv",
        "the steps `schemathesis` and `peers` install what they run below target",
    ),
    needed(
        "valgrind",
        "bench/replay/tests/instructions.rs counts the instructions of each stage",
    ),
];

const TIDY: Step = Step {
    name: "tidy",
    action: Action::Tidy,
    fast: true,
    env: &[],
    needs: Needs::Nothing,
};

const TESTS: Step = Step {
    name: "unit and integration tests",
    action: Action::WorkspaceTests,
    ..TIDY
};

const DOCUMENTATION: Step = Step {
    env: &[("RUSTDOCFLAGS", "-D warnings")],
    ..slow("documentation", &["doc", "--workspace", "--no-deps", "--locked"])
};

/// The fuzz bodies run in the unit tests with few mutations already; here with many, optimised.
const FUZZ: Step = Step {
    env: &[("HABITUS_FUZZ_MUTATIONS", "20000")],
    ..release(
        "fuzz smoke",
        &[
            "test",
            "--release",
            "--locked",
            "--package",
            "habitus-fuzzing",
            "--no-fail-fast",
        ],
    )
};

const SCHEMATHESIS: Step = Step {
    needs: Needs::Python(python::SCHEMATHESIS),
    ..slow(
        "schemathesis",
        &[
            "test",
            "--package",
            "habitus",
            "--test",
            "it",
            "--locked",
            "--",
            "--ignored",
            "schemathesis",
        ],
    )
};

/// What replay is measured beside does what the table says, at a small size.
const PEERS: Step = Step {
    needs: Needs::Python(python::PEERS),
    ..slow(
        "peers",
        &[
            "test",
            "--package",
            "habitus-peers",
            "--test",
            "peers",
            "--locked",
            "--",
            "--ignored",
        ],
    )
};

/// Instructions of each stage against a baseline in the repository.
const INSTRUCTIONS: Step = release(
    "instructions of each stage",
    &[
        "test",
        "--release",
        "--locked",
        "--package",
        "habitus-bench",
        "--test",
        "instructions",
    ],
);

/// `testkit/tests/supply_chain` holds the same file everywhere; cargo-deny says more, where it is installed.
/// Advisories are left out: they come from GitHub, and a build needs nothing but package registries.
const SUPPLY_CHAIN: Step = Step {
    needs: Needs::Tool {
        probe: &["deny", "--version"],
        install: "cargo install cargo-deny --locked",
    },
    ..slow(
        "cargo-deny",
        &["deny", "--all-features", "check", "bans", "licenses", "sources"],
    )
};

const fn needed(name: &'static str, reason: &'static str) -> DebianPackage {
    DebianPackage { name, reason }
}

const fn slow(name: &'static str, cargo: &'static [&'static str]) -> Step {
    Step {
        name,
        action: Action::Cargo(cargo),
        fast: false,
        ..TIDY
    }
}

/// A step that builds with optimisation: fuzzing, performance, evaluation.
const fn release(name: &'static str, cargo: &'static [&'static str]) -> Step {
    slow(name, cargo)
}

const fn fast(name: &'static str, cargo: &'static [&'static str]) -> Step {
    Step {
        fast: true,
        ..slow(name, cargo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_every_step_does_something() {
        let names: BTreeSet<&str> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
        for step in STEPS {
            assert_ne!(step.action, Action::Cargo(&[]), "{}", step.name);
        }
    }

    #[test]
    fn nothing_optimised_runs_in_the_fast_set() {
        for step in STEPS.iter().filter(|step| step.fast) {
            if let Action::Cargo(arguments) = step.action {
                assert!(!arguments.contains(&"--release"), "{}", step.name);
            }
        }
    }
}
