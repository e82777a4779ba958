//! Measures the baselines alone on development seeds: `cargo run --release -p habitus-evaluate --example baselines -- 1 3`.

use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::{Plan, baselines, run};
use habitus_model::Event;
use std::sync::Arc;

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() {
    let mut seeds = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let first = seeds.next().unwrap_or(1);
    let plan = Plan::development(first..=seeds.next().unwrap_or(first));
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let report = run(&plan, &mut baselines::all, &mut |event: &Event| {
        enricher.context(event)
    });
    println!("{}", report.markdown());
}
