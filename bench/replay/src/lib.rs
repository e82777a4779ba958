//! What the benches share: a seeded log of logins, what a whole process takes, and figures beside their limits.

pub mod bars;
pub mod line;
pub mod machine;
pub mod measure;
pub mod world;
