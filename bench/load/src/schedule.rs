//! When requests are due, whatever the server does.
//!
//! Open loop: the times of all requests are fixed before the first, and the latency of each counts from when it was due. A
//! server that stalls delays what was due meanwhile, and all of it is seen (no coordinated omission). Closed loop: each
//! connection asks as soon as it is answered; what comes through is the capacity.

use crate::http::{Answer, Connection, Failed};
use crate::latency::Latencies;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What is asked, by number.
pub trait Ask: Sync {
    /// The bytes of a request.
    fn request(&self, number: u64) -> Vec<u8>;
    /// Whether the answer is what was wanted. An answer that is not counts as refused.
    fn is_good(&self, answer: &Answer) -> bool;
}

/// How much, for how long, over how many connections.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Requests a second; `None`: as fast as answers come.
    pub rate: Option<f64>,
    /// For how long.
    pub time: Duration,
    /// Connections, each with a thread.
    pub connections: usize,
    /// What a latency counts from.
    pub since: Since,
}

/// What a latency counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// When the request was due: what was late in being sent is seen, too.
    Due,
    /// When it was sent: what a server owes to those whom it accepts while more is due than it can do.
    Sent,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Of good answers.
    pub latencies: Latencies,
    /// Answers that were refusals.
    pub refused: u64,
    /// From the first request to the last answer, seconds.
    pub seconds: f64,
}

/// Runs requests against an address, numbered from `first` on.
///
/// # Errors
/// A connection that breaks.
pub fn run(address: &str, ask: &dyn Ask, (pace, first): (Pace, u64)) -> Result<Outcome, Failed> {
    let next = AtomicU64::new(0);
    let start = Instant::now();
    let mut outcome = Outcome::default();
    let parts: Vec<Result<Outcome, Failed>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..pace.connections)
            .map(|_| scope.spawn(|| one(address, ask, (pace, first, start, &next))))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|result| result.unwrap_or_else(|_| Err(Failed::new("a thread of the generator ended"))))
            .collect()
    });
    for part in parts {
        let part = part?;
        outcome.latencies.join(part.latencies);
        outcome.refused += part.refused;
    }
    outcome.seconds = start.elapsed().as_secs_f64();
    Ok(outcome)
}

/// One connection takes the next number, waits until it is due, asks, and takes the next.
fn one(
    address: &str,
    ask: &dyn Ask,
    (pace, first, start, next): (Pace, u64, Instant, &AtomicU64),
) -> Result<Outcome, Failed> {
    let mut connection = Connection::open(address)?;
    let mut outcome = Outcome::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let due = match pace.rate {
            Some(rate) => start + after(number, rate),
            None => Instant::now(),
        };
        if due.duration_since(start) >= pace.time {
            return Ok(outcome);
        }
        let request = ask.request(first + number);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let began = match pace.since {
            Since::Due => due,
            Since::Sent => Instant::now(),
        };
        let answer = connection.ask(&request)?;
        if ask.is_good(&answer) {
            outcome.latencies.add(began.elapsed());
        } else {
            outcome.refused += 1;
        }
    }
}

/// How long after the start a request is due.
fn after(number: u64, rate: f64) -> Duration {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    Duration::from_secs_f64(f64::from(number) / rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    struct Get;

    impl Ask for Get {
        fn request(&self, _: u64) -> Vec<u8> {
            b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()
        }

        fn is_good(&self, answer: &Answer) -> bool {
            answer.status == 200
        }
    }

    /// A server that answers at once, but for one stall.
    fn stalling(stall: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 1_024];
            for number in 0.. {
                if stream.read(&mut bytes).unwrap_or(0) == 0 {
                    return;
                }
                if number == 10 {
                    thread::sleep(stall);
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            }
        });
        address
    }

    #[test]
    fn a_stall_is_seen_by_all_that_was_due_meanwhile() {
        let address = stalling(Duration::from_millis(500));
        let pace = Pace {
            rate: Some(100.0),
            time: Duration::from_secs(1),
            connections: 1,
            since: Since::Due,
        };
        let mut outcome = run(&address, &Get, (pace, 0)).unwrap();
        assert_eq!(outcome.latencies.count(), 100);
        // Fifty requests were due in the stall; their delays go from half a second down to none. Who waits for answers
        // before asking again would have seen one.
        assert!(outcome.latencies.quantile(0.65) >= Duration::from_millis(100));
        assert!(outcome.latencies.quantile(0.99) >= Duration::from_millis(450));
        let sent = Pace {
            since: Since::Sent,
            ..pace
        };
        let mut outcome = run(&stalling(Duration::from_millis(500)), &Get, (sent, 0)).unwrap();
        assert!(outcome.latencies.quantile(0.9) < Duration::from_millis(100));
    }

    #[test]
    fn a_closed_loop_asks_as_often_as_it_is_answered() {
        let pace = Pace {
            rate: None,
            time: Duration::from_millis(200),
            connections: 1,
            since: Since::Due,
        };
        let outcome = run(&stalling(Duration::ZERO), &Get, (pace, 0)).unwrap();
        assert!(outcome.latencies.count() > 20, "{}", outcome.latencies.count());
    }
}
