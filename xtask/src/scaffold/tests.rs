//! The command over copies of the real lists, and over names that must be refused.

use super::*;
use std::fs;

/// A folder with copies of the files that the kinds change.
fn copy_of_the_lists() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = crate::workspace_root();
    let appended = KINDS
        .iter()
        .flat_map(|kind| kind.appended)
        .map(|(path, _)| PathBuf::from(path));
    for path in KINDS.iter().map(Kind::list).chain(appended) {
        let target = folder.path().join(&path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(root.join(&path), target).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    folder
}

fn check_refused(name: &str, part_of_the_reason: &str) {
    let folder = copy_of_the_lists();
    let message = create(folder.path(), "format", name).unwrap_err();
    assert!(message.contains(part_of_the_reason), "{name}: {message}");
}

#[test]
fn every_kind_gives_files_that_parse_and_a_list_that_names_them() {
    let folder = copy_of_the_lists();
    for kind in KINDS {
        let written = create(folder.path(), kind.name, "made_up").unwrap();
        for path in &written {
            let content = fs::read_to_string(folder.path().join(path)).unwrap();
            assert!(
                !content.contains("NAME") && !content.contains("TYPE"),
                "{}",
                path.display()
            );
            if path.extension().is_some_and(|extension| extension == "rs") {
                assert!(
                    syn::parse_file(&content).is_ok(),
                    "{}:\n{content}",
                    path.display()
                );
            }
        }
        let list = fs::read_to_string(folder.path().join(kind.list())).unwrap();
        assert!(list.contains("mod made_up;"), "{list}");
        assert_eq!(list.contains("&made_up::MadeUp"), kind.has_catalogue, "{list}");
    }
}

#[test]
fn a_part_is_never_written_over() {
    let folder = copy_of_the_lists();
    create(folder.path(), "format", "made_up").unwrap();
    let before = fs::read(folder.path().join("crates/normalize/src/formats/mod.rs")).unwrap();
    assert!(
        create(folder.path(), "format", "made_up")
            .unwrap_err()
            .contains("already")
    );
    assert_eq!(
        fs::read(folder.path().join("crates/normalize/src/formats/mod.rs")).unwrap(),
        before
    );
    check_refused("sshd", "there is a format `sshd` already");
}

#[test]
fn a_file_in_the_way_stops_everything_before_it_starts() {
    let folder = copy_of_the_lists();
    let fixture = folder.path().join("fixtures/formats/made_up/sample.log");
    fs::create_dir_all(fixture.parent().unwrap()).unwrap();
    fs::write(&fixture, "kept").unwrap();
    assert!(
        create(folder.path(), "format", "made_up")
            .unwrap_err()
            .contains("exists already")
    );
    assert!(
        !folder
            .path()
            .join("crates/normalize/src/formats/made_up.rs")
            .exists()
    );
    assert_eq!(fs::read_to_string(fixture).unwrap(), "kept");
}

#[test]
fn names_are_snake_case() {
    for name in [
        "OneLogin",
        "one-login",
        "1password",
        "_x",
        "x_",
        "one__login",
        "",
        "é",
        "a/b",
        "..",
    ] {
        check_refused(name, "not snake_case");
    }
    for name in ["type", "mod", "auto"] {
        check_refused(name, "reserved");
    }
    check_refused(&"x".repeat(33), "more than 32");
    let message = create(Path::new("."), "panel", "x").unwrap_err();
    assert!(message.contains("no kind `panel`"));
    assert_eq!(type_name("one_login2"), "OneLogin2");
}

/// The slow proof: what the templates say is Rust that these crates accept. The full set runs it.
#[test]
#[ignore = "compiles copies of four crates"]
fn every_kind_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let root = crate::workspace_root();
    for name in [
        "crates",
        "fuzz",
        "fixtures",
        "Cargo.lock",
        "Cargo.toml",
        "clippy.toml",
        "testkit",
    ] {
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .arg(root.join(name))
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(copied.success(), "{name}");
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let only_crates: String = manifest
        .lines()
        .map(|line| {
            if line.starts_with("members = ") {
                "members = [\"crates/*\", \"testkit\"]"
            } else {
                line
            }
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::write(folder.path().join("Cargo.toml"), only_crates).unwrap();
    for kind in KINDS {
        create(folder.path(), kind.name, "made_up").unwrap();
    }
    let checked = std::process::Command::new("cargo")
        .current_dir(folder.path())
        .args(["check", "--tests", "--package", "habitus-normalize"])
        .args(["--package", "habitus-profile", "--package", "habitus-detect"])
        .env("CARGO_TARGET_DIR", target_folder(&root).join("scaffold"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
    assert!(!said.contains("made_up"), "a template gives warnings:\n{said}");
}

/// Where this build puts its output, so that a second run of the slow proof is a fast one.
fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}
