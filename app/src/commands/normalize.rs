//! `habitus normalize INPUT…`: any known log as OCSF 1.8, in the order of the input.

use crate::cli::Reading;
use crate::failure::{Failure, Outcome, Trouble};
use crate::pipeline::intake::each_record;
use crate::pipeline::{Plan, Tally};
use crate::report::year_note;
use crate::terminal::Talk;
use clap::Args;
use habitus_model::Rejection;
use habitus_normalize::{Normalizer, ocsf_out};
use habitus_sources::{Batch, Error, parallel_ordered};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus normalize auth.log.gz > events.ndjson
  journalctl -o json -u ssh | habitus normalize - | jq .src_endpoint.ip
  habitus normalize cloudtrail/ --format cloudtrail --json-rejections";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Normalize {
    /// Files or directories to read; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Say what was rejected as JSON, one object a line
    #[arg(long, env = "HABITUS_JSON_REJECTIONS")]
    json_rejections: bool,
}

/// What one batch gave.
struct Written {
    ocsf: Vec<u8>,
    rejected: Vec<(u32, u64, Rejection)>,
    tally: Tally,
}

/// Reads, and writes OCSF to standard output.
pub fn run(asked: &Normalize, talk: Talk) -> Result<Outcome, Failure> {
    let plan = Plan::new(&asked.reading, None, talk)?
        .inputs(&asked.inputs, &[])?
        .keeping_unmapped();
    let normalizers = plan.normalizers();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut tally = Tally::default();
    let worker = || |batch: Result<Batch, Error>| write(batch, &normalizers);
    parallel_ordered(
        plan.threads,
        plan.batches(),
        worker,
        |written: Result<Written, Failure>| {
            let written = written?;
            out.write_all(&written.ocsf)?;
            for (input, line, rejection) in &written.rejected {
                complain(&plan, (*input, *line), rejection, asked.json_rejections);
            }
            tally.add(written.tally);
            Ok::<(), Failure>(())
        },
    )?;
    out.flush()?;
    close(&tally, &plan)
}

fn write(batch: Result<Batch, Error>, normalizers: &[Normalizer]) -> Result<Written, Failure> {
    let mut written = Written {
        ocsf: Vec::new(),
        rejected: Vec::new(),
        tally: Tally::default(),
    };
    let batch = match batch {
        Ok(batch) => batch,
        Err(error) => {
            written.tally.broken.push(error.to_string());
            return Ok(written);
        }
    };
    let (ocsf, rejected) = (&mut written.ocsf, &mut written.rejected);
    let take = |events: &[habitus_model::Event]| {
        for event in events.iter() {
            ocsf_out::write(event, ocsf);
            ocsf.push(b'\n');
        }
        Ok(())
    };
    let refuse = |rejection: &Rejection, line| rejected.push((batch.input, line, rejection.clone()));
    each_record(&batch, normalizers, &mut written.tally, (take, refuse))?;
    Ok(written)
}

fn complain(plan: &Plan, (input, line): (u32, u64), rejection: &Rejection, as_json: bool) {
    let file = plan.input_name(input);
    let text = if as_json {
        let kind = rejection.kind.name();
        serde_json::json!({ "file": file, "line": line, "kind": kind, "reason": rejection.reason.as_str() })
            .to_string()
    } else {
        format!("{file}:{line}: {}", rejection.reason)
    };
    // Rejections are results, not talk: --quiet keeps them.
    Talk::On.line(text);
}

fn close(tally: &Tally, plan: &Plan) -> Result<Outcome, Failure> {
    let talk = plan.talk;
    for sentence in &tally.broken {
        Talk::On.note(sentence);
    }
    let Tally {
        records,
        events,
        ignored,
        rejections,
        ..
    } = tally;
    let rejected = rejections.total();
    talk.line(format_args!(
        "{records} records: {events} events, {ignored} ignored, {rejected} rejected"
    ));
    if tally.assumed_times > 0 {
        talk.note(year_note(tally.assumed_times, plan));
    }
    if tally.is_hopeless() {
        return Err(
            Failure::new(Trouble::Data, "nothing could be understood").help("name the format with --format")
        );
    }
    if tally.broken.is_empty() {
        Ok(Outcome::Done)
    } else {
        Err(Failure::new(
            Trouble::Data,
            "not all inputs could be read to their end",
        ))
    }
}
