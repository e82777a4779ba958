//! Which crate of the workspace uses which, and the rules over it.

use crate::rules;
use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Crates of the workspace with the crates of the workspace they use outside their tests. A build script's
/// dependencies count: it writes code of the crate.
#[derive(Debug, Default)]
pub struct Graph {
    uses: BTreeMap<String, BTreeSet<String>>,
    folders: BTreeMap<String, String>,
}

impl Graph {
    /// The graph of the workspace at `root`.
    pub fn of_workspace(root: &Path) -> Self {
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .exec()
            .expect("cargo metadata must describe the workspace");
        let mut graph = Graph::default();
        for package in &metadata.packages {
            let folder = package
                .manifest_path
                .parent()
                .expect("a manifest lies in a folder");
            graph.folders.insert(package.name.to_string(), folder.to_string());
            graph.uses.insert(package.name.to_string(), used_by(package));
        }
        graph
    }

    /// Names of the workspace's crates.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.uses.keys().map(String::as_str)
    }

    /// Where the crate lives.
    pub fn folder(&self, name: &str) -> &Path {
        Path::new(&self.folders[name])
    }
}

/// Crates of the workspace in the manifest's lists, optional ones too.
fn used_by(package: &Package) -> BTreeSet<String> {
    let outside_tests = package
        .dependencies
        .iter()
        .filter(|dep| dep.kind != DependencyKind::Development);
    outside_tests
        .filter(|dep| dep.path.is_some())
        .map(|dep| dep.name.clone())
        .collect()
}

/// Arrows that the rules do not allow, as sentences.
pub fn broken_arrows(graph: &Graph) -> Vec<String> {
    let mut broken = Vec::new();
    for (from, used) in &graph.uses {
        for to in used.iter().filter(|to| !rules::may_use(from, to)) {
            broken.push(format!("{from} must not use {to}"));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_arrow(from: &str, to: &str, allowed: bool) {
        let mut graph = Graph::default();
        graph
            .uses
            .insert(from.to_owned(), BTreeSet::from([to.to_owned()]));
        let broken = broken_arrows(&graph);
        assert_eq!(broken.is_empty(), allowed, "{from} > {to}: {broken:?}");
    }

    #[test]
    fn arrows_of_the_design() {
        check_arrow("habitus-normalize", "habitus-model", true);
        check_arrow("habitus-detect", "habitus-profile", true);
        check_arrow("habitus-engine", "habitus-score", true);
        check_arrow("habitus-evaluate", "habitus-sim", true);
        check_arrow("habitus-console", "habitus-journal", true);
        check_arrow("habitus", "habitus-sources", true);
    }

    #[test]
    fn arrows_against_the_design() {
        check_arrow("habitus-model", "habitus-score", false);
        check_arrow("habitus-profile", "habitus-detect", false);
        check_arrow("habitus-score", "habitus-profile", false);
        check_arrow("habitus-score", "habitus-engine", false);
        check_arrow("habitus-engine", "habitus-sources", false);
        check_arrow("habitus-engine", "habitus-sim", false);
        check_arrow("habitus-sources", "habitus-normalize", false);
        check_arrow("habitus-journal", "habitus-console", false);
        check_arrow("habitus-model", "habitus-testkit", false);
        check_arrow("habitus", "habitus-testkit", false);
        check_arrow("habitus-unheard-of", "habitus-model", false);
    }
}
