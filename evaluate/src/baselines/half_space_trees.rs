//! Half-space trees: Tan, Ting, Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011.
//!
//! Written here because the crates that have them draw entropy or start threads.

use super::features::{COUNT, Features, Histories};
use super::levels::learnable;
use crate::scorer::{Login, Scorer};
use habitus_model::math;
use oorandom::Rand64;

/// Trees, their depth, and events of a window (the paper's: 25, 15 and 250; a depth of 10 does for 12 features).
const TREES: u64 = 25;
const DEPTH: u32 = 10;
const WINDOW: u64 = 250;

/// A full tree: node `n` has the children `2n + 1` and `2n + 2`.
#[derive(Debug)]
struct Tree {
    splits: Vec<(usize, f64)>,
    /// Mass of the last window, and of the one that is filling.
    reference: Vec<f64>,
    latest: Vec<f64>,
}

/// Mass of the regions a login falls into, over all trees; the less, the stranger.
#[derive(Debug)]
pub struct HalfSpaceTrees {
    histories: Histories,
    trees: Vec<Tree>,
    filled: u64,
    windows: u64,
}

impl Default for HalfSpaceTrees {
    fn default() -> Self {
        Self {
            histories: Histories::default(),
            trees: (0..TREES)
                .map(|seed| Tree::draw(&mut Rand64::new(u128::from(seed) + 1)))
                .collect(),
            filled: 0,
            windows: 0,
        }
    }
}

impl Scorer for HalfSpaceTrees {
    fn name(&self) -> &str {
        "half-space trees"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let Some(features) = self.histories.features(login).filter(|_| self.windows > 0) else {
            return f64::NEG_INFINITY;
        };
        -self.trees.iter().map(|tree| tree.mass(&features)).sum::<f64>()
    }

    fn learn(&mut self, login: Login<'_>) {
        if let (Some(_), Some(features)) = (learnable(login), self.histories.features(login)) {
            self.trees.iter_mut().for_each(|tree| tree.learn(&features));
            self.filled += 1;
            if self.filled == WINDOW {
                self.trees.iter_mut().for_each(Tree::turn);
                (self.filled, self.windows) = (0, self.windows + 1);
            }
        }
        self.histories.learn(login);
    }
}

impl Tree {
    /// Splits each half again along a random feature; the ranges are drawn as the paper does.
    fn draw(rng: &mut Rand64) -> Self {
        let ranges: [(f64, f64); COUNT] = std::array::from_fn(|_| {
            let middle = rng.rand_float();
            let reach = 2.0 * middle.max(1.0 - middle);
            (middle - reach, middle + reach)
        });
        let mut splits = Vec::new();
        let mut boxes = vec![ranges];
        for _ in 0..DEPTH {
            let mut halves = Vec::with_capacity(boxes.len() * 2);
            for whole in boxes {
                let feature = usize::try_from(rng.rand_range(0..12)).unwrap_or(0);
                let (low, high) = whole.get(feature).copied().unwrap_or((0.0, 1.0));
                let at = f64::midpoint(low, high);
                splits.push((feature, at));
                halves.push(replaced(whole, feature, (low, at)));
                halves.push(replaced(whole, feature, (at, high)));
            }
            boxes = halves;
        }
        let nodes = splits.len() + boxes.len();
        Self {
            splits,
            reference: vec![0.0; nodes],
            latest: vec![0.0; nodes],
        }
    }

    /// The nodes that a login passes, from the root to a leaf.
    fn path(&self, features: &Features) -> impl Iterator<Item = usize> {
        let mut node = Some(0);
        std::iter::from_fn(move || {
            let here = node?;
            node = self.splits.get(here).map(|(feature, at)| {
                let right = features.get(*feature).is_some_and(|value| value >= at);
                2 * here + 1 + usize::from(right)
            });
            Some(here)
        })
    }

    fn mass(&self, features: &Features) -> f64 {
        // Small regions end the walk: a tenth of a window, as in the paper.
        let least = 0.1 * math::from_u64(WINDOW);
        let mut last = 0.0;
        for (depth, node) in (0..=DEPTH).zip(self.path(features)) {
            let mass = self.reference.get(node).copied().unwrap_or(0.0);
            last = mass * math::exp2(f64::from(depth));
            if mass <= least {
                break;
            }
        }
        last
    }

    fn learn(&mut self, features: &Features) {
        let path: Vec<usize> = self.path(features).collect();
        for node in path {
            if let Some(mass) = self.latest.get_mut(node) {
                *mass += 1.0;
            }
        }
    }

    fn turn(&mut self) {
        std::mem::swap(&mut self.reference, &mut self.latest);
        self.latest.fill(0.0);
    }
}

fn replaced(mut ranges: [(f64, f64); COUNT], feature: usize, range: (f64, f64)) -> [(f64, f64); COUNT] {
    if let Some(place) = ranges.get_mut(feature) {
        *place = range;
    }
    ranges
}
