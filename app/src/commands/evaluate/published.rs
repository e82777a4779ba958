//! `--dataset`: what is found in the public data sets.

use super::{Evaluate, scorers};
use crate::failure::{Failure, Outcome, Trouble};
use crate::terminal::Talk;
use habitus_engine::MODEL;
use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::campaigns::{run_stream, summarise_streams};
use habitus_evaluate::datasets::{Dataset, Input};
use habitus_evaluate::{Plan, Report};
use habitus_model::Event;
use habitus_sim::Regime;
use habitus_sources::Limits;
use habitus_sources::decompress::Decompressed;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Seed of the bootstrap's streams: a data set has none of its own.
const SEED: u64 = 1;

/// Reads the files, measures, and writes Markdown or JSON to standard output.
pub(super) fn run(dataset: Dataset, asked: &Evaluate, talk: Talk) -> Result<Outcome, Failure> {
    let inputs: Result<Vec<Input>, Failure> = asked.files.iter().map(|path| open(path)).collect();
    let unread = |error: habitus_evaluate::datasets::DatasetError| {
        let help = format!("`{}` takes {}", dataset.name, dataset.files);
        Failure::new(Trouble::Data, error.to_string()).help(help)
    };
    let rows = (dataset.open)(inputs?).map_err(unread)?;
    let plan = Plan::of(Vec::new());
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let bar = talk.progress("reading", None);
    let mut events = 0;
    let counted = rows.inspect(|_| {
        events += 1;
        bar.to(events);
    });
    let enrich = &mut |event: &Event| enricher.context(event);
    let outcome = run_stream(&plan, SEED, counted, (scorers(asked), enrich)).map_err(unread)?;
    bar.done();
    // RBA is of consumers; the others are of workforces.
    let regime = if dataset.name == "rba" {
        Regime::Consumer
    } else {
        Regime::Enterprise
    };
    let report = Report {
        streams: vec![summarise_streams(&plan, regime, &[outcome])],
        regimes: Vec::new(),
        plan,
    };
    let mut out = std::io::stdout().lock();
    if asked.json {
        writeln!(out, "{}", report.json()?)?;
    } else {
        let (name, text) = (dataset.name, report.markdown());
        writeln!(
            out,
            "# Evaluation on `{name}`\n\nModel `{MODEL}`.\n\n{}",
            text.trim_end()
        )?;
    }
    Ok(Outcome::Done)
}

fn open(path: &Path) -> Result<Input, Failure> {
    let name = path.display().to_string();
    let refused = |error: habitus_sources::Error| Failure::new(Trouble::Unavailable, error.to_string());
    let file = File::open(path).map_err(|error| {
        let message = format!("cannot read `{name}`: {error}");
        Failure::new(Trouble::Unavailable, message).help("name a file that exists and can be read")
    })?;
    let consumed = Arc::new(AtomicU64::new(0));
    let bytes = Decompressed::new(&name, Box::new(file), &Limits::local(), consumed).map_err(refused)?;
    let own = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    Ok(Input {
        name: own.unwrap_or_default(),
        bytes: Box::new(bytes),
    })
}
