//! What `habitus evaluate` does without the rest of the binary, which builds faster: `cargo run --release -p
//! habitus-evaluate --example measure -- enterprise 1-3 [logins|streams] [baselines] [ablations]`.

#[path = "../../app/src/commands/evaluate/scorer.rs"]
mod scorer;

use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::{Plan, Scorer, baselines, run};
use habitus_model::Event;
use habitus_sim::Regime;
use std::sync::Arc;

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let says = |word: &str| args.iter().any(|arg| arg == word);
    let seeds = args.iter().find_map(|arg| {
        let (first, last) = arg.split_once('-').unwrap_or((arg, arg));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    let mut plan = Plan::development(seeds.unwrap_or(1..=1));
    for regime in Regime::ALL {
        if says(regime.name()) {
            plan.worlds.retain(|world| world.regime == regime);
            plan.streams.retain(|world| world.regime == regime);
        }
    }
    if says("streams") {
        plan.worlds.clear();
    }
    if says("logins") {
        plan.streams.clear();
    }
    let mut scorers = || {
        let mut all: Vec<Box<dyn Scorer>> = vec![Box::new(scorer::Habitus::new())];
        if says("ablations") {
            let ablated = scorer::Habitus::ablations().into_iter();
            all.extend(ablated.map(|scorer| Box::new(scorer) as Box<dyn Scorer>));
        }
        if says("baselines") {
            all.extend(baselines::all());
        }
        all
    };
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let report = run(&plan, &mut scorers, &mut |event: &Event| enricher.context(event));
    println!("{}", report.markdown());
}
