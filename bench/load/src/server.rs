//! A real server, in a directory of its own.

use crate::http::{Answer, Connection, Failed, request};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server; dropping it ends it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
    /// May give events and read.
    pub token: String,
}

impl Server {
    /// Starts the program with its data in a directory.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(program: &Path, dir: &Path) -> Result<Self, Failed> {
        let data = dir.join("data");
        let mut make = Command::new(program);
        make.args(["token", "create", "load", "--scope", "ingest,read", "--data-dir"]);
        let made = make.arg(&data).output()?;
        if !made.status.success() {
            let told = String::from_utf8_lossy(&made.stderr);
            return Err(Failed::new(format!("no token could be made: {told}")));
        }
        let mut serve = Command::new(program);
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data);
        let mut child = serve.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take();
        let mut told = BufReader::new(stderr.ok_or_else(|| Failed::new("the server says nothing"))?);
        let address = loop {
            let mut line = String::new();
            if told.read_line(&mut line)? == 0 {
                return Err(Failed::new("the server ended before it listened"));
            }
            if let Some((_, address)) = line.split_once("listening on http://") {
                break address.trim().to_owned();
            }
        };
        // What is logged later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        Ok(Self {
            child,
            address,
            token: String::from_utf8_lossy(&made.stdout).trim().to_owned(),
        })
    }

    /// One request over a connection of its own.
    ///
    /// # Errors
    /// No answer.
    pub fn ask(&self, what: (&str, &str), body: &str) -> Result<Answer, Failed> {
        Connection::open(&self.address)?.ask(&request(what, &self.token, body))
    }

    /// Entries of the log that were judged so far.
    ///
    /// # Errors
    /// No answer.
    pub fn judged(&self) -> Result<u64, Failed> {
        let answer = self.ask(("GET", "/metrics"), "")?;
        let text = String::from_utf8_lossy(&answer.body);
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("habitus_journal_position "));
        let value = lines.filter_map(|value| value.trim().parse().ok()).next();
        value.ok_or_else(|| Failed::new("the metrics tell no position"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
