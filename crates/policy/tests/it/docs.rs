//! What docs/policy.md says is so.

use crate::fixtures::root;
use habitus_policy::{Policy, variables};
use std::fmt::Write;

fn page() -> String {
    std::fs::read_to_string(root().join("docs/policy.md")).unwrap()
}

#[test]
fn the_examples_hold_and_their_tests_pass() {
    let page = page();
    let blocks: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(blocks.len() >= 8, "{}", blocks.len());
    for block in blocks {
        let policy = Policy::parse(block).unwrap_or_else(|problems| panic!("{problems:?}\n{block}"));
        assert!(policy.warnings().is_empty(), "{:?}\n{block}", policy.warnings());
        assert!(
            policy.failing_tests().is_empty(),
            "{:?}\n{block}",
            policy.failing_tests()
        );
    }
}

/// After a change, `HABITUS_BLESS=1 cargo test -p habitus-policy` writes the table anew.
#[test]
fn the_table_of_variables_is_current() {
    let mut table = String::from("| variable | is | may be null | means |\n|---|---|---|---|\n");
    for variable in variables() {
        let null = if variable.may_be_null { "yes" } else { "" };
        let _ = writeln!(
            table,
            "| `{}` | {} | {null} | {} |",
            variable.name, variable.kind, variable.means
        );
    }
    let page = page();
    let (before, rest) = page.split_once("## Variables\n\n").unwrap();
    let (current, after) = rest.split_once("\n## ").unwrap();
    if std::env::var_os("HABITUS_BLESS").is_some() {
        let anew = format!("{before}## Variables\n\n{table}\n## {after}");
        std::fs::write(root().join("docs/policy.md"), anew).unwrap();
    } else {
        assert_eq!(
            current, table,
            "run this test with HABITUS_BLESS=1 to write the table anew"
        );
    }
}
