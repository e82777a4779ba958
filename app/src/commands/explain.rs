//! `habitus explain EVENT_UID --in FILE…`: why one event got its score.

mod habit;
mod text;

use crate::cli::{Ordering, Reading};
use crate::config::distance;
use crate::failure::{Failure, Outcome, Trouble};
use crate::pipeline::{Item, Ordered, Plan, intake};
use crate::terminal::{Talk, harmless};
use crate::verdict;
use clap::Args;
use habit::Habit;
use habitus_engine::{Engine, Learning, Record};
use habitus_model::{Assessment, Context, EventUid};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus explain e-1042 --in okta.json
  habitus explain 0d1e2f3a4b5c6d7e-118 --in auth.log.gz --json
  habitus explain probe-1 --in history.ndjson --probes tonight.ndjson";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Explain {
    /// Id of the event, as verdicts and findings name it
    #[arg(value_name = "EVENT_UID")]
    uid: String,
    /// Files or directories to read, with the history before the event; `-` is standard input
    #[arg(long = "in", required = true, value_name = "FILE", num_args = 1.., env = "HABITUS_IN")]
    inputs: Vec<PathBuf>,
    /// Events scored and never learned, as for replay
    #[arg(long, value_name = "FILE", env = "HABITUS_PROBES")]
    probes: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    ordering: Ordering,
    /// Print the explanation as JSON
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// An event with all that explains its score.
pub struct Explanation {
    /// The event.
    pub item: Item,
    /// Its assessment.
    pub assessment: Assessment,
    /// What the account did before.
    pub habit: Habit,
    /// What the score would be if one thing were as usual.
    pub what_if: Vec<WhatIf>,
}

/// A score under one change.
pub struct WhatIf {
    /// The change, completing "with …".
    pub change: String,
    /// The assessment then.
    pub assessment: Assessment,
}

/// Replays up to the event and explains it.
pub fn run(asked: &Explain, talk: Talk) -> Result<Outcome, Failure> {
    let plan =
        Plan::new(&asked.reading, Some(&asked.ordering), talk)?.inputs(&asked.inputs, &asked.probes)?;
    let uid = EventUid::new(asked.uid.as_str());
    let sieved = intake::read(&plan, Some(&uid))?;
    for sentence in &sieved.tally.broken {
        Talk::On.note(sentence);
    }
    let Some(owner) = sieved.watched else {
        return Err(unknown(&asked.uid, sieved.ordered)?);
    };
    let explanation = explain(&plan, sieved.ordered, &uid, Habit::of(owner))?;
    let mut out = anstream::AutoStream::new(std::io::stdout().lock(), anstream::ColorChoice::global());
    if asked.json {
        serde_json::to_writer_pretty(&mut out, &to_json(&explanation)?)?;
        writeln!(out)?;
    } else {
        out.write_all(text::render(&explanation).as_bytes())?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}

fn explain(
    plan: &Plan,
    mut ordered: Ordered,
    uid: &EventUid,
    mut habit: Habit,
) -> Result<Explanation, Failure> {
    let mut engine = Engine::new(plan.config().engine(1));
    while let Some(item) = ordered.next()? {
        if item.record.uid == *uid {
            let assessment = engine.assess(&item.record);
            let what_if = what_if(&engine, &item.record.context, &habit);
            return Ok(Explanation {
                item,
                assessment,
                habit,
                what_if,
            });
        }
        habit.see(&item);
        engine.handle(&item.record);
    }
    Err(Failure::new(
        Trouble::Bug,
        "the event was there while reading and is gone",
    ))
}

/// The score with the usual network, the usual client, and both: what would make the event normal.
fn what_if(engine: &Engine, context: &Context, habit: &Habit) -> Vec<WhatIf> {
    let Some(usual) = habit.usual() else {
        return Vec::new();
    };
    let here = |context: Context| Context {
        network: usual.network.clone(),
        place: usual.place.clone(),
        ..context
    };
    let with = |context: Context| Context {
        client: usual.client.clone(),
        ..context
    };
    let network = format!("its usual network ({})", habit::network_label(usual));
    let client = format!("its usual client ({})", usual.client.label());
    let mut changes = Vec::new();
    if habit::network_label(usual) != habit::network_label(context) {
        changes.push((network, here(context.clone())));
    }
    if usual.client.label() != context.client.label() {
        changes.push((client, with(context.clone())));
    }
    if changes.len() == 2 {
        changes.push(("both".to_owned(), with(here(context.clone()))));
    }
    let assess = |(change, context)| {
        let record = Record {
            uid: EventUid::new("what-if"),
            context,
            learning: Learning::Probe,
        };
        WhatIf {
            change,
            assessment: engine.assess(&record),
        }
    };
    changes.into_iter().map(assess).collect()
}

/// The error for an id that no event has, with the three nearest that there are.
fn unknown(uid: &str, mut ordered: Ordered) -> Result<Failure, Failure> {
    const SUGGESTIONS: usize = 3;
    let mut nearest: Vec<(usize, String)> = Vec::new();
    let mut events: u64 = 0;
    while let Some(item) = ordered.next()? {
        events += 1;
        let known = item.record.uid.as_str();
        let far = if known.starts_with(uid) {
            0
        } else {
            distance(uid, known)
        };
        if nearest.len() < SUGGESTIONS || nearest.last().is_some_and(|last| far < last.0) {
            nearest.push((far, known.to_owned()));
            nearest.sort();
            nearest.dedup();
            nearest.truncate(SUGGESTIONS);
        }
    }
    let failure = Failure::new(Trouble::Data, format!("no event has the id `{}`", harmless(uid)));
    let names: Vec<String> = nearest
        .iter()
        .map(|(_, known)| format!("`{}`", harmless(known)))
        .collect();
    Ok(match names.as_slice() {
        [] => failure.help("the input holds no events; `habitus normalize` shows why"),
        names => failure.help(format!(
            "did you mean {}? There are {events} events",
            names.join(", ")
        )),
    })
}

fn to_json(explanation: &Explanation) -> Result<Value, Failure> {
    let Explanation {
        item,
        assessment,
        habit,
        what_if,
    } = explanation;
    let mut line = Vec::new();
    verdict::Writer::default().line(&item.record, assessment.into(), &mut line);
    let context = &item.record.context;
    let what_if: Vec<Value> = what_if
        .iter()
        .map(|w| json!({ "with": w.change, "risk_score": verdict::score(&w.assessment), "risk_level": w.assessment.level.name() }))
        .collect();
    Ok(json!({
        "event": {
            "source": item.source.as_str(),
            "activity": context.activity.activity_name(),
            "class_uid": context.activity.class_uid(),
            "status": context.status.caption(),
            "ip": context.network.ip.map(|ip| ip.to_string()),
            "asn": context.network.asn.map(habitus_model::Asn::get),
            "organisation": context.network.organisation.as_deref(),
            "network_class": context.network.class.caption(),
            "country": context.place.country.map(|country| country.to_string()),
            "city": context.place.city.as_deref(),
            "latitude": context.place.coordinates.map(habitus_model::Coordinates::lat),
            "longitude": context.place.coordinates.map(habitus_model::Coordinates::lon),
            "client": context.client.label(),
        },
        "verdict": serde_json::from_slice::<Value>(&line)?,
        "attacker_profile": assessment.profile.name(),
        "because": assessment.decision.because,
        "baseline": habit.json(),
        "what_if": what_if,
    }))
}
