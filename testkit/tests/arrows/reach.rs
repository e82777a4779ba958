//! What a crate reaches over normal dependencies, with the features it turns on itself.
//!
//! `cargo metadata` gives features as the whole workspace turns them on: one edge crate that reads a clock would
//! blame every pure crate that shares a dependency with it. `cargo tree` resolves one crate alone.

use crate::rules;
use std::path::Path;
use std::process::Command;

/// Crates that the crate reaches and a pure crate must not, with the way there.
pub fn forbidden(root: &Path, name: &str) -> Vec<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["tree", "--locked", "--package", name, "--edges", "normal"])
        .args(["--all-features", "--target", "all"])
        .args(["--prefix", "depth", "--format", " {p}|{f}"])
        .output()
        .expect("cargo must run");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree of {name}: {problem}");
    forbidden_in(&String::from_utf8_lossy(&output.stdout))
}

/// Reads lines such as `2 getrandom v0.3.4|std`: depth, package, features.
fn forbidden_in(tree: &str) -> Vec<String> {
    let mut way: Vec<&str> = Vec::new();
    let mut broken = Vec::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let (depth, rest) = line.split_once(' ').expect("depth before package");
        let (package, features) = rest.split_once('|').expect("features after package");
        let depth: usize = depth.parse().expect("depth is a number");
        let name = package.split(' ').next().unwrap_or(package);
        // A package shown before carries ` (*)` behind its features.
        let features: Vec<&str> = features.split([',', ' ']).collect();
        way.truncate(depth);
        way.push(name);
        if let Some(why) = rules::forbidden(name, &features) {
            broken.push(format!("{}: {why}", way.join(" > ")));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_found_at_any_depth() {
        let tree = "0 habitus-enrich v0.1.0 (/x)|\n1 habitus-model v0.1.0 (/y)|default\n\
                    1 maps v1.0.0|\n2 hashes v2.0.0|std\n3 getrandom v0.3.4|std\n1 libm v0.2.16|\n";
        assert_eq!(
            forbidden_in(tree),
            ["habitus-enrich > maps > hashes > getrandom: entropy"]
        );
    }

    #[test]
    fn a_clock_behind_a_feature_is_found() {
        let tree = |features| format!("0 habitus-normalize v0.1.0 (/x)|\n1 chrono v0.4.45|{features} (*)\n");
        assert!(forbidden_in(&tree("alloc,std")).is_empty());
        assert_eq!(
            forbidden_in(&tree("alloc,clock")),
            ["habitus-normalize > chrono: feature `clock`: clock"]
        );
    }

    #[test]
    fn each_forbidden_crate_on_the_way_is_named() {
        let tree = "0 habitus-score v0.1.0 (/x)|\n1 tokio v1.0.0|rt\n2 mio v1.0.0|\n";
        assert_eq!(
            forbidden_in(tree),
            [
                "habitus-score > tokio: async runtime",
                "habitus-score > tokio > mio: sockets"
            ]
        );
    }
}
