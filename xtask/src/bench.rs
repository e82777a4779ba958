//! `cargo xtask bench`: builds the release program and measures it beside its peers.

use std::path::Path;
use std::process::{Command, ExitCode};

/// `cargo xtask bench [OPTION…]`; options go to `habitus-bench table`.
pub fn command(root: &Path, options: &[&str]) -> ExitCode {
    let built = [
        "build",
        "--release",
        "--locked",
        "--package",
        "habitus",
        "--package",
        "habitus-bench",
    ];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    if !succeeds(Command::new(cargo).current_dir(root).args(built)) {
        return ExitCode::FAILURE;
    }
    let mut table = Command::new(root.join("target/release/habitus-bench"));
    table
        .current_dir(root)
        .args(["table", "--page", "docs/speed.md"])
        .args(options);
    if succeeds(&mut table) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
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
