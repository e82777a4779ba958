//! The arrows of the design point one way: who may use whom, and what pure crates cannot reach.
//!
//! `graph` checks which crate of the workspace uses which, `reach` what pure crates reach in the end, `sources`
//! what their sources name.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of a test: what cannot be read fails it"
)]

mod graph;
mod reach;
mod rules;
mod sources;

use graph::Graph;
use habitus_testkit::workspace_root;
use std::collections::BTreeSet;

#[test]
fn every_crate_has_a_place_in_the_rules() {
    let graph = Graph::of_workspace(&workspace_root());
    let unknown: Vec<&str> = graph
        .members()
        .filter(|name| rules::role(name).is_none())
        .collect();
    assert!(
        unknown.is_empty(),
        "give these crates a role in rules.rs: {unknown:?}"
    );
}

#[test]
fn the_arrows_between_crates_point_one_way() {
    let broken = graph::broken_arrows(&Graph::of_workspace(&workspace_root()));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn pure_crates_reach_no_clock_no_entropy_and_no_io() {
    let root = workspace_root();
    let graph = Graph::of_workspace(&root);
    let pure = graph.members().filter(|name| rules::is_pure(name));
    let broken: Vec<String> = pure.flat_map(|name| reach::forbidden(&root, name)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn sources_of_pure_crates_name_no_clock_no_thread_and_no_io() {
    let root = workspace_root();
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    let graph = Graph::of_workspace(&root);
    for name in graph.members().filter(|name| rules::is_pure(name)) {
        seen.insert(name);
        broken.extend(sources::check_folder(&root, &graph.folder(name).join("src")));
    }
    assert!(
        seen.contains("habitus-model") && seen.contains("habitus-engine"),
        "scanned only {seen:?}"
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
