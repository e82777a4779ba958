//! A running server, and requests to it.

use crate::support::Place;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server.
pub struct Server {
    pub child: Child,
    pub address: String,
    pub link: Option<String>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }
}

impl Server {
    /// Starts in a place, with its data in `data`.
    pub fn start(place: &Place, more: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"];
        arguments.extend(more);
        let mut child = place.command(&arguments).stdin(Stdio::null()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let (mut address, mut link, mut all) = (String::new(), None, String::new());
        loop {
            let mut line = String::new();
            let read = told.read_line(&mut line).unwrap();
            assert!(read > 0, "the server ended: {all}");
            all.push_str(&line);
            if let Some(url) = line.split("listening on http://").nth(1) {
                address = url.trim().to_owned();
            }
            if line.contains("nobody can sign in") {
                line.clear();
                told.read_line(&mut line).unwrap();
                link = line.split(&address).nth(1).map(|path| path.trim().to_owned());
                break;
            }
            // With somebody who can sign in, the address is the last line.
            if !address.is_empty() && place.path("data/told").exists() {
                break;
            }
        }
        place.write("data/told", "");
        // What is logged later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        Self { child, address, link }
    }

    /// One request over a connection of its own.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_ask(method, path, headers, body).unwrap()
    }

    /// The same where the server may be gone.
    pub fn try_ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw).ok()?;
        let text = String::from_utf8_lossy(&raw).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    pub fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let kind = if path.starts_with("/v1/events") {
            "application/x-ndjson"
        } else {
            "application/json"
        };
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        self.ask("POST", path, &headers, body.as_bytes())
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.ask("GET", path, &[("authorization", bearer.as_str())], b"")
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator does.
    pub fn terminate(mut self) {
        let pid = self.child.id().to_string();
        assert!(signal("TERM", &pid).success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }

    pub fn wait_until(&self, token: &str, path: &str, what: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.get(path, token).json();
            if what(&answer) {
                return answer;
            }
            assert!(Instant::now() < until, "{path}: {answer:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal, with the shell's own `kill`: the program of that name is not everywhere.
pub fn signal(name: &str, pid: &str) -> std::process::ExitStatus {
    let line = format!("kill -{name} {pid}");
    Command::new("sh").args(["-c", &line]).status().unwrap()
}

/// A token made before the server runs.
pub fn token(place: &Place, scopes: &str) -> String {
    let made = place.run(&["token", "create", "test", "--scope", scopes, "--data-dir", "data"]);
    made.ok().trim().to_owned()
}
