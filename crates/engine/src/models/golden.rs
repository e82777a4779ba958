//! Attacks that nobody here has labelled, nor can: the evidence of the simulator's, as the engine had it on development seeds.
//!
//! A candidate that finds fewer of them is refused, whatever labels say (RELIABILITY 6.2). The file is made by
//! `cargo run --release -p habitus-evaluate --example golden`.

use habitus_model::{AccountKind, Grounds, Text};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// One attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attack {
    /// Its kind, as the simulator names it.
    pub kind: Text,
    /// Kind of account it is against.
    pub account: AccountKind,
    /// Its evidence.
    pub grounds: Grounds,
}

static ATTACKS: LazyLock<Vec<Attack>> =
    LazyLock::new(|| postcard::from_bytes(include_bytes!("golden.postcard")).unwrap_or_default());

/// The attacks, by kind.
pub(super) fn attacks() -> &'static [Attack] {
    &ATTACKS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn there_are_hundreds_of_many_kinds() {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for attack in attacks() {
            *kinds.entry(&attack.kind).or_default() += 1;
        }
        assert!(attacks().len() >= 500 && kinds.len() >= 10, "{kinds:?}");
    }
}
