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
const AT_THE_ROOT: &[&str] = &["app", "testkit", "sim", "evaluate", "fuzz", "xtask"];

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
    let names = |part: &str| {
        // Marked as code or as a folder, so that `score` in running text is not taken for the crate.
        map.contains(&format!("`{part}`")) || map.contains(&format!("{part}/"))
    };
    for part in parts(root).iter().filter(|part| !names(part)) {
        report.error(MAP, 1, &format!("`{part}` is not in the map"));
    }
}

/// Folders of the crates, relative to the root, sorted.
fn parts(root: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root.join("crates"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| format!("crates/{}", entry.file_name().to_string_lossy()))
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
            fs::write(
                root.join(name),
                "`app` `testkit` `sim` `evaluate` `fuzz` xtask/ `crates/model` score\n",
            )
            .unwrap();
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
                "ARCHITECTURE.md:1: `crates/score` is not in the map"
            ]
        );
    }
}
