//! Measures how well scorers find takeovers, on simulated worlds and beside published baselines.
//!
//! The run is prequential: each login is scored before it is learned; takeovers are probes, scored at their time
//! and never learned. Ties count against the detector everywhere. The crate knows no engine: whatever implements
//! [`Scorer`] can be measured.
//!
//! ```no_run
//! # fn context_of(_: &habitus_model::Event) -> habitus_model::Context { unreachable!() }
//! use habitus_evaluate::{Plan, baselines, run};
//!
//! let plan = Plan::development(1..=3);
//! let report = run(&plan, &mut baselines::all, &mut context_of);
//! println!("{}", report.markdown());
//! ```

mod bars;
pub mod baselines;
mod bootstrap;
mod calibration;
pub mod campaigns;
mod cohorts;
pub mod datasets;
mod markdown;
pub mod metrics;
mod plan;
mod prequential;
mod reauthentication;
mod report;
mod scorer;
mod summary;
pub mod threshold;

pub use bars::BarRow;
pub use plan::{BUDGETS, HISTORY_BANDS, HistoryBand, Plan};
pub use prequential::{Cured, Point, ScorerPoints, Truth, WorldOutcome, run_world};
pub use reauthentication::{PRIOR, RECALL, Reauthentication};
pub use report::{
    Budgeted, CohortShare, Counted, Estimate, HistoryShare, KindReport, RegimeReport, Report, ScorerReport,
    WorldSummary,
};
pub use scorer::{Login, Said, Scorer};
pub use summary::summarise;

use habitus_model::{Context, Event};

/// Runs a plan: every scorer that `scorers` makes, fresh for each world, on every world.
///
/// `enrich` sees each event once, in order of time, probes included. O(worlds × events × scorers).
pub fn run(
    plan: &Plan,
    scorers: &mut dyn FnMut() -> Vec<Box<dyn Scorer>>,
    enrich: &mut dyn FnMut(&Event) -> Context,
) -> Report {
    let worlds = plan.worlds.iter();
    let outcomes = worlds.map(|config| run_world(plan, config, scorers(), enrich));
    let outcomes: Vec<WorldOutcome> = outcomes.collect();
    let mut report = summarise(plan, &outcomes);
    for regime in habitus_sim::Regime::ALL {
        let logs = plan.streams.iter().filter(|config| config.regime == regime);
        let outcomes = logs.map(|config| campaigns::run_activity(plan, config, scorers(), enrich));
        let outcomes: Vec<campaigns::StreamOutcome> = outcomes.collect();
        if !outcomes.is_empty() {
            report
                .streams
                .push(campaigns::summarise_streams(plan, regime, &outcomes));
        }
    }
    report
}
