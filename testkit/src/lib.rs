//! Helpers shared by tests: where the fixtures are, and where reference data may be.
//!
//! For tests only: these functions panic where a test should fail.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "test code: a missing fixture fails the test, a skipped test says so"
)]

pub mod ocsf;

use std::path::{Path, PathBuf};

/// Names the folder of reference data; without it `../shared/data` beside the workspace is looked at.
pub const REFERENCE_DATA_VARIABLE: &str = "HABITUS_REFERENCE_DATA";

/// The folder of the workspace's `Cargo.toml`.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// A path below `fixtures/`, such as `formats/sshd/sample.log`.
///
/// # Panics
/// When there is nothing at the path: a test that reads a misspelt fixture must not pass.
#[must_use]
pub fn fixture(path: &str) -> PathBuf {
    let full = workspace_root().join("fixtures").join(path);
    assert!(full.exists(), "no fixture `{path}`");
    full
}

/// The bytes of a fixture.
///
/// # Panics
/// When the fixture is missing or cannot be read.
#[must_use]
pub fn fixture_bytes(path: &str) -> Vec<u8> {
    match std::fs::read(fixture(path)) {
        Ok(bytes) => bytes,
        Err(error) => panic!("fixture `{path}` cannot be read: {error}"),
    }
}

/// The folder with reference data that independent projects wrote. It is not part of the repository; where it is
/// absent this prints `skipped: …` and gives `None`, and the test that asked passes:
///
/// ```
/// let Some(data) = habitus_testkit::reference_data() else { return };
/// assert!(data.is_dir());
/// ```
#[must_use]
pub fn reference_data() -> Option<PathBuf> {
    let named = std::env::var_os(REFERENCE_DATA_VARIABLE).map(PathBuf::from);
    let folder = named.unwrap_or_else(|| workspace_root().join("../shared/data"));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no reference data; set {REFERENCE_DATA_VARIABLE} to its folder");
    None
}

/// A file of the reference data, such as `parser_oracle/okta.ndjson`; like [`reference_data`] where it is absent.
#[must_use]
pub fn reference_file(path: &str) -> Option<PathBuf> {
    let file = reference_data()?.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: the reference data has no `{path}`");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_where_the_workspace_is() {
        let manifest = std::fs::read_to_string(workspace_root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    #[should_panic(expected = "no fixture `formats/none.log`")]
    fn a_misspelt_fixture_fails() {
        let _ = fixture("formats/none.log");
    }
}
