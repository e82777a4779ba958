//! Style rules that neither rustfmt nor clippy knows. STYLE.md gives the reasons.
//!
//! Files are those that git tracks or would track, so that build output is never read.

mod documents;
mod rust;
mod text;

use std::path::Path;
use std::process::Command;

/// What was found. Errors fail the build, warnings do not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Broken rules, as `path:line: sentence`.
    pub errors: Vec<String>,
    /// What may become a broken rule.
    pub warnings: Vec<String>,
}

impl Report {
    fn error(&mut self, path: &str, line: usize, message: &str) {
        self.errors.push(format!("{path}:{line}: {message}"));
    }

    fn warning(&mut self, path: &str, line: usize, message: &str) {
        self.warnings.push(format!("{path}:{line}: {message}"));
    }
}

/// Checks every file of the workspace.
///
/// # Errors
/// A sentence, when git cannot list the files.
pub fn check(root: &Path) -> Result<Report, String> {
    let mut report = Report::default();
    documents::check(root, &mut report);
    for path in files(root)? {
        // A file deleted in the working tree is still listed; bytes that are no text have no style.
        let Ok(bytes) = std::fs::read(root.join(&path)) else {
            continue;
        };
        let Ok(content) = String::from_utf8(bytes) else {
            continue;
        };
        report.files += 1;
        text::check(&path, &content, &mut report);
        if Path::new(&path)
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            rust::check(&path, &content, &mut report);
        }
    }
    Ok(report)
}

/// Paths relative to the root, with `/`.
fn files(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .current_dir(root)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ])
        .output()
        .map_err(|error| format!("git cannot run: {error}"))?;
    if !output.status.success() {
        return Err("`git ls-files` reports errors: tidy needs a git checkout".to_owned());
    }
    let names = output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect())
}
