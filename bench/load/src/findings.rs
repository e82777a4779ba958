//! From a stranger's login to its finding, as a console sees it: over the live stream.

use crate::http::{Connection, Failed, request};
use crate::latency::Latencies;
use crate::people;
use crate::server::Server;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Strangers in one run: as many findings as begin in ten minutes without becoming a storm, and some to spare.
const STRANGERS: u32 = 40;
/// How long a finding may take at most before it counts as missed.
const PATIENCE: Duration = Duration::from_secs(10);

type Heard = Arc<Mutex<BTreeMap<String, Instant>>>;

/// Listens to the live stream.
#[derive(Debug)]
pub struct Findings {
    heard: Heard,
    sent: Mutex<BTreeMap<String, Instant>>,
}

impl Findings {
    /// Begins to listen.
    ///
    /// # Errors
    /// The stream cannot be had.
    pub fn listen(server: &Server) -> Result<Self, Failed> {
        let mut stream = Connection::open(&server.address)?;
        stream.send(&request(("GET", "/v1/stream"), &server.token, ""))?;
        while !stream.line()?.is_empty() {}
        let heard = Heard::default();
        let ours = Arc::clone(&heard);
        // It ends with the server.
        thread::spawn(move || {
            while let Ok(line) = stream.line() {
                let now = Instant::now();
                if let Some(account) = account_of(&line) {
                    let mut heard = ours.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.entry(account).or_insert(now);
                }
            }
        });
        Ok(Self {
            heard,
            sent: Mutex::default(),
        })
    }

    /// Sends strangers at fixed times, spread over the time given.
    ///
    /// # Errors
    /// No answer.
    pub fn send_strangers(&self, server: &Server, time: Duration) -> Result<(), Failed> {
        let (start, pause) = (Instant::now(), time / (STRANGERS + 2));
        let mut connection = Connection::open(&server.address)?;
        for number in 0..STRANGERS {
            let due = start + pause * (number + 1);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let person = u64::from(number) * 7 + 3;
            let event = people::strange(&format!("strange-{number}"), people::now(), person);
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.insert(format!("person{person}"), due);
            drop(sent);
            connection.ask(&request(("POST", "/v1/events"), &server.token, &event))?;
        }
        Ok(())
    }

    /// Waits for what is still to come; the latencies, and how many strangers were missed.
    pub fn end(self) -> (Latencies, usize) {
        let sent = self.sent.into_inner().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + PATIENCE;
        loop {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let missed = sent
                .keys()
                .filter(|account| !heard.contains_key(*account))
                .count();
            if missed == 0 || Instant::now() > until {
                let mut latencies = Latencies::default();
                for (account, due) in &sent {
                    if let Some(at) = heard.get(account) {
                        latencies.add(at.saturating_duration_since(*due));
                    }
                }
                return (latencies, missed);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The account that a line of the stream is about.
fn account_of(line: &str) -> Option<String> {
    let data = line.strip_prefix("data:")?;
    let value: serde_json::Value = serde_json::from_str(data.trim()).ok()?;
    Some(value.get("account")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_from_the_stream() {
        let line = r#"data: {"id":"1","account":"person3"}"#;
        assert_eq!(account_of(line).as_deref(), Some("person3"));
        for other in [
            "event: finding",
            "data: {}",
            r#"data: {"account":null}"#,
            "",
            "1f",
        ] {
            assert_eq!(account_of(other), None, "{other}");
        }
    }
}
