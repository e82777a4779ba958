//! `--into`: attacks planted into somebody's own log.

use crate::cli::Reading;
use crate::failure::{Failure, Outcome, Trouble};
use crate::pipeline::intake::each_record;
use crate::pipeline::{Plan, Tally};
use crate::terminal::Talk;
use habitus_model::Event;
use habitus_sim::{Graft, Labelled, graft};
use std::path::PathBuf;

use super::{Simulate, create, write_label, write_one};

/// Most events that are held at once: about 1 KiB each.
const EVENTS_MAX: usize = 5_000_000;

/// Reads the log, plants, and writes the whole in order of time, the truth of what was planted beside it.
pub(super) fn run(asked: &Simulate, inputs: &[PathBuf], talk: Talk) -> Result<Outcome, Failure> {
    let own = read(inputs, talk)?;
    let what = Graft {
        seed: asked.seed,
        per_kind: asked.attacks_per_kind.unwrap_or(1),
    };
    let planted = graft(&what, &own);
    if planted.is_empty() {
        let failure = Failure::new(Trouble::Data, "the log has no successful login to begin with");
        return Err(failure.help("give a log with logins of people in it"));
    }
    let mut out = create(&asked.events)?;
    let mut left_out = 0;
    let mut write = |event: &Event| -> Result<(), Failure> {
        left_out += u64::from(!write_one(event, asked.format, &mut *out)?);
        Ok(())
    };
    let mut coming = planted.iter().peekable();
    for event in &own {
        while let Some(next) = coming.next_if(|next| next.event.time < event.time) {
            write(&next.event)?;
        }
        write(event)?;
    }
    for next in coming {
        write(&next.event)?;
    }
    out.flush()?;
    beside(asked, &planted)?;
    talk.line(format_args!(
        "{} events, {} planted among them",
        own.len(),
        planted.len()
    ));
    Ok(Outcome::Done)
}

/// What was planted, alone, and the truth about it.
fn beside(asked: &Simulate, planted: &[Labelled]) -> Result<(), Failure> {
    if let Some(path) = &asked.attacks {
        super::write_events(path, asked.format, planted.iter().cloned())?;
    }
    if let Some(path) = &asked.labels {
        let mut out = create(path)?;
        for labelled in planted {
            write_label(labelled, &mut *out)?;
        }
        out.flush()?;
    }
    Ok(())
}

/// The whole log in order of time.
fn read(inputs: &[PathBuf], talk: Talk) -> Result<Vec<Event>, Failure> {
    // Each record is recognised by itself: `--format` is that of what is written.
    let reading = Reading {
        format: None,
        config: None,
        threads: None,
        assume_year: None,
    };
    let plan = Plan::new(&reading, None, talk)?.inputs(inputs, &[])?;
    let normalizers = plan.normalizers();
    let mut tally = Tally::default();
    let mut own: Vec<Event> = Vec::new();
    for batch in plan.batches() {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                Talk::On.note(error);
                continue;
            }
        };
        let take = |events: &[Event]| {
            own.extend_from_slice(events);
            Ok(())
        };
        each_record(&batch, &normalizers, &mut tally, (take, |_: &_, _| {}))?;
        if own.len() > EVENTS_MAX {
            let failure = Failure::new(
                Trouble::Data,
                format!("the log has more than {EVENTS_MAX} events"),
            );
            return Err(failure.help("give a shorter period"));
        }
    }
    own.sort_by(|a, b| (a.time, &a.uid).cmp(&(b.time, &b.uid)));
    Ok(own)
}
