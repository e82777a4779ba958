//! habitus.
fn main() {}
