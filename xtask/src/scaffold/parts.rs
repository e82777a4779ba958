//! The kinds of parts, and what each consists of. `NAME` and `TYPE` stand for the part's name.

use std::path::{Path, PathBuf};

/// A kind of part.
#[derive(Debug)]
pub struct Kind {
    /// What the command line calls it.
    pub name: &'static str,
    /// The folder of its files, with the list in `mod.rs`.
    folder: &'static str,
    /// Whether the list has a `const ALL` besides its `mod` lines.
    pub has_catalogue: bool,
    /// New files: path and template.
    pub files: &'static [(&'static str, &'static str)],
    /// Files that grow: path and template of what is put at the end.
    pub appended: &'static [(&'static str, &'static str)],
}

impl Kind {
    /// The file with the list.
    pub fn list(&self) -> PathBuf {
        Path::new(self.folder).join("mod.rs")
    }
}

/// Every kind.
pub const KINDS: &[Kind] = &[FORMAT, FEATURE, DETECTOR];

const FORMAT: Kind = Kind {
    name: "format",
    folder: "crates/normalize/src/formats",
    has_catalogue: true,
    files: &[
        (
            "crates/normalize/src/formats/NAME.rs",
            include_str!("templates/format.rs.txt"),
        ),
        (
            "fixtures/formats/NAME/sample.log",
            include_str!("templates/sample.log.txt"),
        ),
        ("fixtures/formats/NAME/expected.ndjson", ""),
        (
            "fixtures/formats/NAME/SOURCE.md",
            include_str!("templates/source.md.txt"),
        ),
        (
            "fuzz/fuzz_targets/NAME.rs",
            include_str!("templates/fuzz_target.rs.txt"),
        ),
    ],
    appended: &[("fuzz/Cargo.toml", include_str!("templates/fuzz_bin.toml.txt"))],
};

const FEATURE: Kind = Kind {
    name: "feature",
    folder: "crates/profile/src/features",
    has_catalogue: false,
    files: &[(
        "crates/profile/src/features/NAME.rs",
        include_str!("templates/feature.rs.txt"),
    )],
    appended: &[],
};

const DETECTOR: Kind = Kind {
    name: "detector",
    folder: "crates/detect/src/detectors",
    has_catalogue: true,
    files: &[
        (
            "crates/detect/src/detectors/NAME.rs",
            include_str!("templates/detector.rs.txt"),
        ),
        (
            "fixtures/detectors/NAME/history.ndjson",
            include_str!("templates/history.ndjson.txt"),
        ),
        (
            "fixtures/detectors/NAME/cases.ndjson",
            include_str!("templates/cases.ndjson.txt"),
        ),
        (
            "fixtures/detectors/NAME/expected.ndjson",
            include_str!("templates/expected.ndjson.txt"),
        ),
        (
            "fixtures/detectors/NAME/SOURCE.md",
            include_str!("templates/detector_source.md.txt"),
        ),
    ],
    appended: &[],
};
