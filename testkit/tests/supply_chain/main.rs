//! Holds the lock file to `deny.toml` where cargo-deny is not installed: licences, bans, sources.
//!
//! The file is read, not repeated: what it allows is allowed here.

#![expect(
    clippy::expect_used,
    reason = "helpers of a test: what cannot be read fails it"
)]

mod licence;

use cargo_metadata::{Metadata, MetadataCommand, Package};
use habitus_testkit::workspace_root;
use serde::Deserialize;

/// The parts of `deny.toml` that this test holds.
#[derive(Deserialize)]
struct Deny {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    allow: Vec<String>,
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

fn deny() -> Deny {
    let text = std::fs::read_to_string(workspace_root().join("deny.toml")).expect("deny.toml is there");
    toml::from_str(&text).expect("deny.toml has the parts this test reads")
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(workspace_root().join("Cargo.toml"))
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .expect("cargo metadata must describe the workspace")
}

/// Packages from outside the workspace.
fn foreign(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    let members = &metadata.workspace_members;
    metadata
        .packages
        .iter()
        .filter(|package| !members.contains(&package.id))
}

#[test]
fn licences_are_those_we_allow() {
    let deny = deny();
    let mut broken = Vec::new();
    for package in foreign(&metadata()) {
        let exceptions = deny
            .licenses
            .exceptions
            .iter()
            .filter(|known| package.name == known.name);
        let allowed: Vec<&str> = deny
            .licenses
            .allow
            .iter()
            .chain(exceptions.flat_map(|known| &known.allow))
            .map(String::as_str)
            .collect();
        let licence = package.license.as_deref().unwrap_or("none");
        if !licence::is_allowed(licence, &allowed) {
            broken.push(format!("{} {}: {licence}", package.name, package.version));
        }
    }
    assert!(
        broken.is_empty(),
        "licences that deny.toml does not allow:\n{}",
        broken.join("\n")
    );
}

#[test]
fn nothing_banned_is_in_the_lock_file() {
    let deny = deny();
    let mut broken = Vec::new();
    for package in foreign(&metadata()) {
        if let Some(ban) = deny.bans.deny.iter().find(|ban| package.name == ban.name) {
            broken.push(format!("{}: {}", ban.name, ban.reason));
        }
    }
    assert!(broken.is_empty(), "banned crates:\n{}", broken.join("\n"));
}

#[test]
fn everything_comes_from_a_known_registry() {
    let deny = deny();
    let mut broken = Vec::new();
    for package in foreign(&metadata()) {
        let source = package
            .source
            .as_ref()
            .map_or("a path outside the workspace", |s| s.repr.as_str());
        let known = deny
            .sources
            .allow_registry
            .iter()
            .any(|known| source == format!("registry+{known}"));
        if !known {
            broken.push(format!("{}: {source}", package.name));
        }
    }
    assert!(broken.is_empty(), "unknown sources:\n{}", broken.join("\n"));
}
