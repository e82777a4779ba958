//! What is measured, in which order.

use crate::disk::Disk;
use crate::findings::Findings;
use crate::http::Failed;
use crate::latency::{Latencies, float};
use crate::people::{self, BATCH, Batches, Questions};
use crate::schedule::{Outcome, Pace, Since, run};
use crate::server::Server;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Connections of the generator: enough that none waits for another at the latencies that are allowed.
const CONNECTIONS: usize = 16;
/// Connections while more is due than the server can do: so many requests are under way that it has to refuse some.
const CROWD: usize = 512;
/// What is due then, by the capacity (RELIABILITY R-09).
pub const OVERLOAD: f64 = 2.0;
/// The share of the capacity at which latency is measured (issue 3, RELIABILITY 5.3).
pub const LOAD: f64 = 0.7;

/// What came of all.
#[derive(Debug)]
pub struct Measured {
    /// Decisions a second that the server gives at most.
    pub decisions: f64,
    /// Decisions at 70 % of that.
    pub assess: Outcome,
    /// Events a second that it acknowledges and judges at most.
    pub events: f64,
    /// Acknowledgements at 70 % of that.
    pub acknowledge: Outcome,
    /// What the disk needs for one sync meanwhile.
    pub sync: Latencies,
    /// From a stranger's login to its finding on the live stream, meanwhile.
    pub finding: Latencies,
    /// Strangers whose finding never came.
    pub missed: usize,
    /// Acknowledgements of what is accepted when twice the capacity is due, from when it was sent.
    pub overload: Outcome,
}

/// Measures everything, each for so long.
///
/// # Errors
/// A server that does not start or breaks off.
pub fn all(program: &Path, dir: &Path, time: Duration) -> Result<Measured, Failed> {
    let server = Server::start(program, dir)?;
    learn_the_past(&server)?;
    let closed = Pace {
        rate: None,
        time,
        connections: CONNECTIONS / 2,
        since: Since::Due,
    };
    let open = |capacity: f64| Pace {
        rate: Some(capacity * LOAD),
        time: time * 2,
        connections: CONNECTIONS,
        since: Since::Due,
    };
    let questions = Questions(&server.token);
    let asked = run(&server.address, &questions, (closed, 0))?;
    let decisions = float(asked.latencies.count()) / asked.seconds;
    let assess = run(&server.address, &questions, (open(decisions), 1 << 32))?;

    let batches = Batches(&server.token);
    let requests = ingest_capacity(&server, &batches, closed)?;
    let findings = Findings::listen(&server)?;
    let disk = Disk::probe(dir)?;
    let acknowledge = thread::scope(|scope| {
        let strangers = scope.spawn(|| findings.send_strangers(&server, time * 2));
        let acknowledge = run(&server.address, &batches, (open(requests), 1 << 32));
        strangers
            .join()
            .map_err(|_| Failed::new("a thread of the generator ended"))??;
        acknowledge
    })?;
    let (finding, missed) = findings.end();
    let crowd = Pace {
        rate: Some(requests * OVERLOAD),
        time,
        connections: CROWD,
        since: Since::Sent,
    };
    let overload = run(&server.address, &batches, (crowd, 1 << 33))?;
    Ok(Measured {
        decisions,
        assess,
        events: requests * people_in(BATCH),
        acknowledge,
        sync: disk.end()?,
        finding,
        missed,
        overload,
    })
}

fn people_in(batch: u64) -> f64 {
    float(usize::try_from(batch).unwrap_or(usize::MAX))
}

fn learn_the_past(server: &Server) -> Result<(), Failed> {
    let today = people::now();
    for day in 0..people::DAYS {
        let answer = server.ask(("POST", "/v1/events"), &people::past(day, today))?;
        if answer.status != 200 {
            return Err(Failed::new(format!(
                "the past was refused with {}",
                answer.status
            )));
        }
    }
    settle(server)
}

/// Requests a second that come through: what is acknowledged must be judged, too, or it would only pile up.
fn ingest_capacity(server: &Server, batches: &Batches<'_>, pace: Pace) -> Result<f64, Failed> {
    let (before, began) = (server.judged()?, Instant::now());
    let outcome = run(&server.address, batches, (pace, 0))?;
    let (after, took) = (server.judged()?, began.elapsed().as_secs_f64());
    settle(server)?;
    let judged = usize::try_from(after - before).unwrap_or(usize::MAX);
    let judged = float(judged) / people_in(BATCH) / took;
    Ok(judged.min(float(outcome.latencies.count()) / outcome.seconds))
}

/// Waits until everything that was acknowledged is judged.
fn settle(server: &Server) -> Result<(), Failed> {
    let mut last = server.judged()?;
    loop {
        thread::sleep(Duration::from_millis(300));
        let now = server.judged()?;
        if now == last {
            return Ok(());
        }
        last = now;
    }
}
