//! `habitus replay INPUT…`: score and learn every event in order of time.

use crate::cli::{self, Ordering, Reading};
use crate::failure::{Failure, Outcome, Trouble};
use crate::findings::{Grouping, to_ocsf};
use crate::pipeline::{Plan, Scored, Scorer, Spare, intake};
use crate::report::{self, Account};
use crate::summary::Summary;
use crate::terminal::Talk;
use crate::verdict;
use clap::Args;
use habitus_findings::{Finding, Hit, Told, View};
use habitus_model::RiskLevel;
use habitus_sources::parallel_ordered;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
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
    let mut scorer = Scorer::new(&plan, sieved.ordered);
    let bar = talk.progress("scoring", Some(sieved.waiting));
    let mut gathered = Gathered::new(&plan);
    let want = Want {
        verdicts: outputs.verdicts.is_some(),
        grouping: gathered.grouping(),
        spare: Spare::default(),
    };
    let worker = || {
        let mut writer = verdict::Writer::default();
        let want = &want;
        move |scored: Result<Scored, Failure>| scored.map(|scored| render(&scored, want, &mut writer))
    };
    parallel_ordered(
        plan.threads,
        scorer.by_ref(),
        worker,
        |rendered: Result<Rendered, Failure>| {
            let mut rendered = rendered?;
            outputs.verdicts(&rendered.verdicts)?;
            want.spare.give(std::mem::take(&mut rendered.verdicts));
            gathered.take(rendered, &mut outputs)?;
            bar.to(gathered.summary.events + gathered.summary.probes);
            Ok::<(), Failure>(())
        },
    )?;
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

/// What is to be made of each event.
struct Want {
    verdicts: bool,
    grouping: Grouping,
    /// Buffers for lines, handed back once they are written.
    spare: Spare,
}

/// What one batch gave.
struct Rendered {
    verdicts: Vec<u8>,
    summary: Summary,
    flagged: Vec<Hit>,
}

fn render(scored: &Scored, want: &Want, writer: &mut verdict::Writer) -> Rendered {
    let mut rendered = Rendered {
        verdicts: want.spare.take(),
        summary: Summary::default(),
        flagged: Vec::new(),
    };
    let all = scored
        .records
        .iter()
        .zip(&scored.sources)
        .zip(&scored.assessments);
    for ((record, source), assessment) in all {
        if want.verdicts {
            writer.line(record, assessment, &mut rendered.verdicts);
        }
        rendered.summary.count(record, assessment);
        if want.grouping.wants(record, assessment) {
            rendered
                .flagged
                .push(Hit::new(&record.context, assessment, source));
        }
    }
    rendered
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

    fn take(&mut self, rendered: Rendered, outputs: &mut Outputs) -> Result<(), Failure> {
        self.summary.add(rendered.summary);
        for flagged in rendered.flagged {
            self.grouping.push(&flagged, &mut self.closed);
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
            if outputs.html.is_some() && view.told == Told::ByItself {
                report::keep(&mut self.worst, view.finding);
            }
        }
        Ok(())
    }
}

/// The files that were asked for, open before anything is read, so that a typing error shows at once.
struct Outputs {
    verdicts: Option<Output>,
    findings: Option<Output>,
    html: Option<Output>,
}

type Output = BufWriter<Box<dyn Write>>;

impl Outputs {
    fn open(asked: &Replay) -> Result<Self, Failure> {
        let files = [&asked.verdicts, &asked.findings, &asked.html];
        let is_stdout = |file: &&&Option<PathBuf>| file.as_deref() == Some(Path::new("-"));
        if files.iter().filter(is_stdout).count() + usize::from(asked.json) > 1 {
            let failure = Failure::new(Trouble::Usage, "more than one result is to go to standard output");
            return Err(failure
                .help("give only one of --verdicts, --findings and --html as `-`, and --json without them"));
        }
        let open = |path: &Option<PathBuf>| path.as_deref().map(create).transpose();
        Ok(Self {
            verdicts: open(&asked.verdicts)?,
            findings: open(&asked.findings)?,
            html: open(&asked.html)?,
        })
    }

    fn verdicts(&mut self, lines: &[u8]) -> Result<(), Failure> {
        if let Some(out) = &mut self.verdicts {
            out.write_all(lines)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &View) -> Result<(), Failure> {
        if let Some(out) = &mut self.findings {
            serde_json::to_writer(&mut *out, &to_ocsf(finding))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn html(&mut self, account: &Account<'_>) -> Result<(), Failure> {
        if let Some(out) = &mut self.html {
            out.write_all(report::page(account)?.as_bytes())?;
        }
        Ok(())
    }

    fn close(self) -> Result<(), Failure> {
        for mut out in [self.verdicts, self.findings, self.html].into_iter().flatten() {
            out.flush()?;
        }
        Ok(())
    }
}

fn create(path: &Path) -> Result<Output, Failure> {
    if path == Path::new("-") {
        return Ok(BufWriter::new(Box::new(std::io::stdout())));
    }
    match File::create(path) {
        Ok(file) => Ok(BufWriter::with_capacity(1 << 16, Box::new(file))),
        Err(error) => {
            let failure = Failure::new(
                Trouble::Unavailable,
                format!("cannot write `{}`: {error}", path.display()),
            );
            Err(failure.help("check that the directory exists and may be written to"))
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "shown to the person who waits, part of no result"
)]
fn now() -> Instant {
    Instant::now()
}
