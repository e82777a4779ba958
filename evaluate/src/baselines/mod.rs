//! What a detector must beat. One file each; [`all`] is the list.

mod features;
mod freeman;
mod half_space_trees;
mod isolation_forest;
mod levels;
mod paper_style;
mod siem_rules;
mod unseen_values;
mod volume_rule;

pub use freeman::Freeman;
pub use half_space_trees::HalfSpaceTrees;
pub use isolation_forest::IsolationForest;
pub use paper_style::PaperStyle;
pub use siem_rules::SiemRules;
pub use unseen_values::UnseenValues;
pub use volume_rule::VolumeRule;

use crate::scorer::Scorer;

/// A fresh one of each baseline.
#[must_use]
pub fn all() -> Vec<Box<dyn Scorer>> {
    vec![
        Box::<Freeman>::default(),
        Box::<PaperStyle>::default(),
        Box::<UnseenValues>::default(),
        Box::<SiemRules>::default(),
        Box::<IsolationForest>::default(),
        Box::<HalfSpaceTrees>::default(),
        Box::<VolumeRule>::default(),
    ]
}
