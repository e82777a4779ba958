//! Rules for every text file.

use super::Report;
use std::path::Path;

/// Folders of developer machines that must not leak into the repository. Written in halves, so that this file
/// obeys its own rule.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tmp/", "t-"),
    concat!("/tmp/", "briefs"),
];

/// Files whose layout people write. Samples of logs keep the bytes their vendors send.
const WRITTEN_BY_HAND: &[&str] = &[
    "rs", "toml", "md", "yml", "yaml", "sh", "py", "css", "js", "html", "json",
];

/// Checks one file.
pub fn check(path: &str, content: &str, report: &mut Report) {
    let strict = is_written_by_hand(path);
    for (index, line) in content.lines().enumerate() {
        if let Some(machine) = MACHINE_PATHS.iter().find(|machine| mentions(line, machine)) {
            report.error(path, index + 1, &format!("`{machine}` is a path of one machine"));
        }
        if strict && line.ends_with([' ', '\t', '\r']) {
            report.error(path, index + 1, "white space at the end of the line");
        }
    }
    if strict && !content.is_empty() && !content.ends_with('\n') {
        let last = content.lines().count();
        report.error(path, last, "no line end at the end of the file");
    }
}

fn is_written_by_hand(path: &str) -> bool {
    if path.starts_with("fixtures/") {
        return false;
    }
    let extension = Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| WRITTEN_BY_HAND.contains(&extension)) || path == ".ci/run"
}

/// Whether the line names the machine path at its root: `https://host/…` and `a/b/…` are other things.
fn mentions(line: &str, machine: &str) -> bool {
    line.match_indices(machine).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '}')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(path: &str, content: &str) -> Vec<String> {
        let mut report = Report::default();
        check(path, content, &mut report);
        report.errors
    }

    #[test]
    fn machine_paths_are_found_and_addresses_are_not() {
        let inside = concat!("see /wo", "rk/main\n");
        assert_eq!(errors("docs/a.md", inside).len(), 1);
        assert_eq!(errors("fixtures/a.log", inside).len(), 1, "also in fixtures");
        assert_eq!(
            errors("docs/a.md", "https://example.com/work/a and ../work/b\n").len(),
            0
        );
    }

    #[test]
    fn white_space_at_the_end_is_found_where_people_write() {
        assert_eq!(errors("a.rs", "let a = 1; \n").len(), 1);
        assert_eq!(errors("a.rs", "let a = 1;").len(), 1);
        assert_eq!(errors("fixtures/formats/sshd/sample.log", "x \ny").len(), 0);
        assert_eq!(errors("a.rs", "let a = 1;\n").len(), 0);
    }
}
