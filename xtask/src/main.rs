//! Developer commands: `cargo xtask test [--fast]`, `cargo xtask new KIND NAME`, `cargo xtask tidy`, `cargo xtask bench`,
//! `cargo xtask crash`, `cargo xtask deb`.
//!
//! A tool for people at a terminal and for CI; nothing of the product depends on it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer command talks on the terminal"
)]

mod bench;
mod counts;
mod crash;
mod deb;
mod packages;
mod python;
mod run;
mod scaffold;
mod steps;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--fast]                       every check; --fast leaves out what takes minutes
  new format|feature|detector NAME    a new part: its file, its line in the list, its fixtures
  tidy                                the style rules that neither rustfmt nor clippy knows
  bench [OPTION…]                     replay beside bare parsers of the same file; the table goes to docs/speed.md
  bench --peers [OPTION…]             replay beside DuckDB and Python's detectors; the table goes to docs/peers.md
  bench --footprint [OPTION…]         cost and memory by number and kind of accounts; the table goes to docs/footprint.md
  crash [KILLS]                       the tests that kill servers, with so many kills; 1,000 if not given
  deb [--binary FILE] [--out DIR]     the Debian package, of a release build or of a program that is there";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test"] => run::all(&workspace_root(), run::Extent::Full),
        ["test", "--fast"] => run::all(&workspace_root(), run::Extent::Fast),
        ["tidy"] => run::tidy_alone(&workspace_root()),
        ["bench", options @ ..] => bench::command(&workspace_root(), options),
        ["crash"] => crash::command(&workspace_root(), crash::KILLS),
        ["crash", kills] => match kills.replace([',', '_'], "").parse() {
            Ok(kills) => crash::command(&workspace_root(), kills),
            Err(_) => {
                eprintln!("`{kills}` is no number of kills");
                ExitCode::from(2)
            }
        },
        ["deb", options @ ..] => deb::command(&workspace_root(), options),
        ["new", kind, name] => scaffold::command(&workspace_root(), kind, name),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The folder of the workspace's `Cargo.toml`: the parent of this package.
fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}
