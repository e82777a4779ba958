//! `cargo xtask crash`: real servers killed over and over under load, as often as one likes (RELIABILITY R-01 asks for 100 with
//! every change, 1,000 a night and 10,000 for a release).

use std::path::Path;
use std::process::{Command, ExitCode};

/// Kills if nobody says how many.
pub const KILLS: u32 = 1_000;

/// Runs the tests that kill servers. Not with nextest, which would take what runs for an hour for one that hangs.
pub fn command(root: &Path, kills: u32) -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = Command::new(cargo);
    tests
        .current_dir(root)
        .args(["test", "--workspace", "--locked", "--test", "it", "--", "kill"])
        .env("HABITUS_KILLS", kills.to_string());
    match tests.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{tests:?} cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}
