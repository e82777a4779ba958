//! `habitus replay INPUT…`: score and learn every event in order of time.

mod clerk;
mod outputs;

use crate::cli::{self, Ordering, Reading};
use crate::failure::{Failure, Outcome, Trouble};
use crate::findings::Grouping;
use crate::pipeline::ordered::{Opened, Sealed};
use crate::pipeline::{Plan, Scorer, intake};
use crate::report::{self, Account};
use crate::summary::Summary;
use crate::terminal::Talk;
use clap::Args;
use clerk::{Note, ShardClerk, Written};
use habitus_findings::{Finding, Hit, Told, View};
use habitus_model::RiskLevel;
use habitus_sources::parallel_ordered;
use outputs::Outputs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

const EXAMPLES: &str = "\
Examples:
  habitus replay okta.json                       what stands out, as a table
  habitus replay 2025/*.json.gz --html report.html
  habitus replay auth.log --verdicts - | jq 'select(.risk_score >= 60)'
  habitus replay history.ndjson --probes tonight.ndjson --fail-on high";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Replay {
    /// Files or directories to read; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    ordering: Ordering,
    /// Events scored against the state just before their time and never learned; may be given again
    #[arg(long, value_name = "FILE", env = "HABITUS_PROBES")]
    probes: Vec<PathBuf>,
    /// Write the verdict on each event, one JSON object a line; `-` is standard output
    #[arg(long, value_name = "FILE", env = "HABITUS_VERDICTS")]
    verdicts: Option<PathBuf>,
    /// Write only verdicts of at least this score, 0 to 100, and those on probes
    #[arg(long, value_name = "SCORE", env = "HABITUS_VERDICTS_FROM", value_parser = cli::score, requires = "verdicts")]
    verdicts_from: Option<f64>,
    /// Write findings as OCSF Detection Findings, one JSON object a line; `-` is standard output
    #[arg(long, value_name = "FILE", env = "HABITUS_FINDINGS")]
    findings: Option<PathBuf>,
    /// Write a report as one self-contained page; `-` is standard output
    #[arg(long, value_name = "FILE", env = "HABITUS_HTML")]
    html: Option<PathBuf>,
    /// Exit with 1 if an event or probe reaches this level: low, medium, high, critical
    #[arg(long, value_name = "LEVEL", env = "HABITUS_FAIL_ON", value_parser = cli::level)]
    fail_on: Option<RiskLevel>,
    /// Print the summary as JSON on standard output
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Replays.
pub fn run(asked: &Replay, talk: Talk) -> Result<Outcome, Failure> {
    let started = now();
    let plan =
        Plan::new(&asked.reading, Some(&asked.ordering), talk)?.inputs(&asked.inputs, &asked.probes)?;
    let mut outputs = Outputs::open(asked)?;
    let sieved = intake::read(&plan, None)?;
    let mut gathered = Gathered::new(&plan);
    let written = asked.written(&outputs);
    let mut scorer = Scorer::new(&plan, |number| {
        ShardClerk::new(number, written, gathered.grouping())
    });
    let bar = talk.progress("scoring", Some(sieved.waiting));
    let batches = sieved.ordered.into_batches();
    let spares = batches.spares();
    let key = plan.config().engine(plan.threads).hash_key;
    let open = || |sealed: Result<Sealed, Failure>| sealed.and_then(|sealed| spares.open(sealed, Some(key)));
    parallel_ordered(plan.threads, batches, open, |batch: Result<Opened, Failure>| {
        let mut batch = batch?;
        scorer.take(&mut batch);
        clerk::in_order(&scorer.notes, &scorer.clerks, |lines| outputs.verdicts(lines))?;
        gathered.take((&batch, &scorer.notes), &mut scorer.clerks, &mut outputs)?;
        spares.give(batch);
        bar.to(gathered.summary.events + gathered.summary.probes);
        Ok::<(), Failure>(())
    })?;
    bar.done();
    let (summary, findings, worst) = gathered.finish(&mut outputs)?;
    let account = Account {
        plan: &plan,
        tally: &sieved.tally,
        summary: &summary,
        duplicates: scorer.duplicates(),
        accounts: scorer.engine().accounts(),
        findings,
        worst: &worst,
        elapsed: started.elapsed(),
    };
    outputs.html(&account)?;
    outputs.close()?;
    conclude(asked, &account, talk)
}

impl Replay {
    fn written(&self, outputs: &Outputs) -> Written {
        match self.verdicts_from {
            _ if !outputs.wants_verdicts() => Written::None,
            Some(from) => Written::From(from),
            None => Written::All,
        }
    }
}

/// The last words and the exit code.
fn conclude(asked: &Replay, account: &Account<'_>, talk: Talk) -> Result<Outcome, Failure> {
    for sentence in &account.tally.broken {
        Talk::On.note(sentence);
    }
    report::talk(account, talk);
    if asked.json {
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, &report::json(account))?;
        writeln!(out)?;
    }
    if account.tally.is_hopeless() {
        let failure = Failure::new(Trouble::Data, "nothing could be understood");
        return Err(
            failure.help("name the format with --format; `habitus normalize` shows each line's reason")
        );
    }
    if !account.tally.broken.is_empty() {
        return Err(Failure::new(
            Trouble::Data,
            "not all inputs could be read to their end",
        ));
    }
    let found = asked
        .fail_on
        .is_some_and(|level| account.summary.at_least(level) > 0);
    Ok(if found { Outcome::Found } else { Outcome::Done })
}

/// What is gathered over all batches.
struct Gathered {
    summary: Summary,
    grouping: Grouping,
    findings: u64,
    /// The findings with the highest scores, for the report.
    worst: Vec<Finding>,
    closed: Vec<View>,
    settings: (f64, u16),
}

impl Gathered {
    fn new(plan: &Plan) -> Self {
        let findings = &plan.config().findings;
        let settings = (findings.from_score, findings.window_hours);
        Self {
            summary: Summary::default(),
            grouping: Grouping::new(settings.0, settings.1),
            findings: 0,
            worst: Vec::new(),
            closed: Vec::new(),
            settings,
        }
    }

    /// A grouping with the same settings, to ask what belongs to findings.
    fn grouping(&self) -> Grouping {
        Grouping::new(self.settings.0, self.settings.1)
    }

    fn take(
        &mut self,
        (batch, notes): (&Opened, &[Note]),
        clerks: &mut [ShardClerk],
        outputs: &mut Outputs,
    ) -> Result<(), Failure> {
        let all = batch.records.iter().zip(&batch.sources).zip(notes);
        for ((record, source), note) in all {
            let kept = note.kept.as_deref();
            self.summary.count(record, note.level, kept);
            if let Some(kept) = kept
                && self.grouping.wants(record.learning, kept.score)
            {
                let hit = Hit::new(&record.context, kept, source);
                self.grouping.push(&hit, &mut self.closed);
            }
        }
        for clerk in clerks {
            clerk.clear();
            clerk.raise(self.summary.outdone_below());
        }
        self.write(outputs)
    }

    fn finish(mut self, outputs: &mut Outputs) -> Result<(Summary, u64, Vec<Finding>), Failure> {
        self.grouping.finish(&mut self.closed);
        self.write(outputs)?;
        Ok((self.summary, self.findings, self.worst))
    }

    fn write(&mut self, outputs: &mut Outputs) -> Result<(), Failure> {
        for view in self.closed.drain(..) {
            self.findings += 1;
            outputs.finding(&view)?;
            if outputs.wants_html() && view.told == Told::ByItself {
                report::keep(&mut self.worst, view.finding);
            }
        }
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "shown to the person who waits, part of no result"
)]
fn now() -> Instant {
    Instant::now()
}
