//! The documents a reader expects, and the map that names every crate.

use super::Report;
use std::path::Path;

/// Documents at the root.
const REQUIRED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "STYLE.md",
    "CHANGELOG.md",
    "LICENSE",
    "deny.toml",
];

/// The map of the code.
const MAP: &str = "ARCHITECTURE.md";

/// Parts of the workspace that stand at the root.
const AT_THE_ROOT: &[&str] = &["app", "testkit", "sim", "fuzz", "xtask"];

/// Checks that the documents exist and that the map names each crate.
pub fn check(root: &Path, report: &mut Report) {
    for name in REQUIRED {
        if !root.join(name).is_file() {
            report.error(name, 1, "this document is missing");
        }
    }
    let Ok(map) = std::fs::read_to_string(root.join(MAP)) else {
        return;
    };
    for name in parts(root) {
        // Folders carry a slash in the map, so that `score` in running text is not taken for `crates/score`.
        if !map.contains(&format!("{name}/")) {
            report.error(MAP, 1, &format!("`{name}/` is not in the map"));
        }
    }
}

/// Folder names of the crates, sorted.
fn parts(root: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root.join("crates"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .chain(AT_THE_ROOT.iter().map(|name| (*name).to_owned()))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_missing_document_and_an_unnamed_crate_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in REQUIRED {
            fs::write(root.join(name), "app/ testkit/ sim/ fuzz/ xtask/ model/\n").unwrap();
        }
        for name in ["model", "score"] {
            fs::create_dir_all(root.join("crates").join(name)).unwrap();
            fs::write(root.join("crates").join(name).join("Cargo.toml"), "").unwrap();
        }
        fs::remove_file(root.join("LICENSE")).unwrap();
        let mut report = Report::default();
        check(root, &mut report);
        assert_eq!(
            report.errors,
            [
                "LICENSE:1: this document is missing",
                "ARCHITECTURE.md:1: `score/` is not in the map"
            ]
        );
    }
}
