//! Isolation forest: Liu, Ting, Zhou, "Isolation Forest", ICDM 2008, grown anew from the recent past as the log goes on.
//!
//! Written here because the crates that have it draw entropy or start threads.

use super::features::{COUNT, Features, Histories};
use super::levels::learnable;
use crate::scorer::{Login, Scorer};
use habitus_model::math;
use oorandom::Rand64;
use std::collections::VecDeque;

/// Trees and logins in each (the paper's), and depth: the logarithm of the latter.
const TREES: u64 = 100;
const SAMPLE: usize = 256;
const DEPTH: u32 = 8;
/// Logins remembered to draw from, and after how many the forest grows anew.
const RECENT: usize = 8_192;
const ANEW: u64 = 4_096;

#[derive(Debug)]
enum Node {
    Split(usize, f64, Box<(Node, Node)>),
    /// Number of logins that ended here.
    Leaf(usize),
}

/// How soon random cuts separate a login from the recent past; the sooner, the stranger.
#[derive(Debug, Default)]
pub struct IsolationForest {
    histories: Histories,
    recent: VecDeque<Features>,
    trees: Vec<Node>,
    learned: u64,
}

impl Scorer for IsolationForest {
    fn name(&self) -> &str {
        "isolation forest"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let Some(features) = self.histories.features(login).filter(|_| !self.trees.is_empty()) else {
            return f64::NEG_INFINITY;
        };
        let depths = self.trees.iter().map(|tree| depth(tree, &features, 0.0));
        let mean = depths.sum::<f64>() / math::from_u64(TREES);
        math::exp2(-mean / average_depth(SAMPLE))
    }

    fn learn(&mut self, login: Login<'_>) {
        if let (Some(_), Some(features)) = (learnable(login), self.histories.features(login)) {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(features);
            self.learned += 1;
            // At 256, 512, … and then regularly.
            let early = self.learned < ANEW && self.learned >= 256 && self.learned.is_power_of_two();
            if early || self.learned.is_multiple_of(ANEW) {
                self.grow();
            }
        }
        self.histories.learn(login);
    }
}

impl IsolationForest {
    fn grow(&mut self) {
        let many = u64::try_from(self.recent.len()).unwrap_or(1);
        let tree = |nth: u64| {
            let mut rng = Rand64::new(u128::from(self.learned) << 64 | u128::from(nth));
            let sample = (0..SAMPLE).filter_map(|_| {
                let at = usize::try_from(rng.rand_range(0..many)).unwrap_or(0);
                self.recent.get(at).copied()
            });
            let sample: Vec<Features> = sample.collect();
            grown(&mut rng, sample, 0)
        };
        self.trees = (0..TREES).map(tree).collect();
    }
}

/// Cuts at random between the least and the greatest value of a random feature.
fn grown(rng: &mut Rand64, sample: Vec<Features>, depth: u32) -> Node {
    let many = u64::try_from(COUNT).unwrap_or(1);
    let feature = usize::try_from(rng.rand_range(0..many)).unwrap_or(0);
    let values = sample
        .iter()
        .filter_map(|features| features.get(feature).copied());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if depth >= DEPTH || sample.len() <= 1 {
        return Node::Leaf(sample.len());
    }
    if low >= high {
        // All alike in this feature: another one further down.
        return match depth + 1 {
            deeper if deeper < DEPTH => grown(rng, sample, deeper),
            _ => Node::Leaf(sample.len()),
        };
    }
    let at = low + (high - low) * rng.rand_float();
    let (left, right) = sample
        .into_iter()
        .partition(|features| features.get(feature).is_some_and(|value| *value < at));
    Node::Split(
        feature,
        at,
        Box::new((grown(rng, left, depth + 1), grown(rng, right, depth + 1))),
    )
}

fn depth(node: &Node, features: &Features, so_far: f64) -> f64 {
    match node {
        Node::Leaf(many) => so_far + average_depth(*many),
        Node::Split(feature, at, halves) => {
            let left = features.get(*feature).is_some_and(|value| value < at);
            depth(if left { &halves.0 } else { &halves.1 }, features, so_far + 1.0)
        }
    }
}

/// Mean depth of an unsuccessful search in a binary tree of so many (the paper's `c(n)`).
fn average_depth(many: usize) -> f64 {
    match many {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let n = math::from_usize(many);
            2.0 * (math::ln(n - 1.0) + 0.577_215_664_9) - 2.0 * (n - 1.0) / n
        }
    }
}
