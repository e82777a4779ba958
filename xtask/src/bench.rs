//! `cargo xtask bench`: builds the release program and measures it beside its peers.

use crate::python;
use std::path::Path;
use std::process::{Command, ExitCode};

/// One bench: what is built, what is run, and the page it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bench {
    packages: &'static [&'static str],
    /// Program and arguments; what is asked on the command line follows.
    run: &'static [&'static str],
    needs_python: bool,
}

const SPEED: Bench = Bench {
    packages: &["habitus", "habitus-bench"],
    run: &["habitus-bench", "table", "--page", "docs/speed.md"],
    needs_python: false,
};

const PEERS: Bench = Bench {
    packages: &["habitus", "habitus-peers"],
    run: &["habitus-peers", "--page", "docs/peers.md"],
    needs_python: true,
};

const FOOTPRINT: Bench = Bench {
    packages: &["habitus-footprint"],
    run: &["habitus-footprint", "table", "--page", "docs/footprint.md"],
    needs_python: false,
};

/// `cargo xtask bench [--peers|--footprint] [OPTION…]`; options go to the program that measures.
pub fn command(root: &Path, options: &[&str]) -> ExitCode {
    let (bench, options) = chosen(options);
    if bench.needs_python
        && let Err(why) = python::prepare(root, python::PEERS)
    {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root).args(["build", "--release", "--locked"]);
    for package in bench.packages {
        build.args(["--package", package]);
    }
    if !succeeds(&mut build) {
        return ExitCode::FAILURE;
    }
    let [program, arguments @ ..] = bench.run else {
        return ExitCode::FAILURE;
    };
    let mut table = Command::new(root.join("target/release").join(program));
    table.current_dir(root).args(arguments).args(options);
    if succeeds(&mut table) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The bench that the first option names, and the other options.
fn chosen<'o>(options: &'o [&'o str]) -> (Bench, &'o [&'o str]) {
    match options {
        ["--peers", options @ ..] => (PEERS, options),
        ["--footprint", options @ ..] => (FOOTPRINT, options),
        options => (SPEED, options),
    }
}

fn succeeds(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("{command:?} cannot run: {error}");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_option_names_the_bench_and_the_others_are_passed_on() {
        assert_eq!(chosen(&["--rounds", "1"]), (SPEED, ["--rounds", "1"].as_slice()));
        assert_eq!(chosen(&["--peers", "--help"]), (PEERS, ["--help"].as_slice()));
        assert_eq!(chosen(&["--footprint"]), (FOOTPRINT, [].as_slice()));
    }
}
