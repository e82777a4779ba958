//! Running the binary, and logs to run it over.

use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A directory of its own for one test.
pub struct Place {
    dir: tempfile::TempDir,
}

/// How a run ended.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `habitus` here.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    /// Runs `habitus` here with something on standard input.
    pub fn run_with(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ended {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let bytes = stdin.as_ref().to_vec();
        // A command that does not read its input closes the pipe.
        let feeder = std::thread::spawn(move || drop(input.write_all(&bytes)));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_habitus"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HABITUS_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(self.dir.path());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Verdicts of a replay that must succeed.
    pub fn verdicts(&self, arguments: &[&str]) -> String {
        let mut all = vec!["replay", "--quiet", "--verdicts", "-"];
        all.extend(arguments);
        self.run(&all).ok()
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

impl Ended {
    /// Standard output of a run that ended with 0.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self.stdout
    }
}

pub fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The verdict on an event.
pub fn of<'v>(verdicts: &'v [Value], uid: &str) -> &'v Value {
    verdicts.iter().find(|verdict| verdict["uid"] == uid).unwrap()
}

/// Names of the signals in a verdict.
pub fn signals(verdict: &Value) -> Vec<&str> {
    verdict["contributions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["signal"].as_str().unwrap())
        .collect()
}

/// 2026-01-05, a Monday, 08:00 UTC.
pub const MONDAY: i64 = 1_767_600_000_000;
pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;

pub const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";
pub const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Mobile/15E148 Safari/604.1";

/// Somewhere to log in from: country, city, latitude, longitude, autonomous system, address.
pub type Spot = (&'static str, &'static str, f64, f64, u32, &'static str);
pub const BERLIN: Spot = ("DE", "Berlin", 52.52, 13.405, 64_500, "93.184.216.10");
pub const GREENWICH: Spot = ("GB", "Greenwich", 51.48, 0.0, 64_501, "93.184.217.10");
pub const SYDNEY: Spot = ("AU", "Sydney", -33.87, 151.21, 64_502, "93.184.218.10");

/// A login as OCSF writes it.
pub fn login(uid: &str, account: &str, time: i64, spot: Spot) -> Value {
    let (country, city, lat, long, asn, ip) = spot;
    json!({
        "class_uid": 3002, "category_uid": 3, "activity_id": 1, "type_uid": 300_201, "severity_id": 1,
        "time": time, "status_id": 1, "user": { "name": account },
        "src_endpoint": { "ip": ip, "autonomous_system": { "number": asn, "name": format!("Provider {asn}") },
            "location": { "country": country, "city": city, "lat": lat, "long": long } },
        "http_request": { "user_agent": CHROME },
        "service": { "name": "mail" },
        "metadata": { "version": "1.8.0", "product": { "name": "test" }, "uid": uid },
    })
}

pub fn ndjson(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// Ten people who log in from Berlin twice a day for six weeks, some from their phones: events `h-<n>`.
pub fn history() -> Vec<Value> {
    let mut events = Vec::new();
    for day in 0..42 {
        for person in 0..10 {
            for (half, hour) in [(0, 0), (1, 5)] {
                let time = MONDAY + day * DAY + hour * HOUR + person * 61_003 + (day * 37 % 11) * 60_000;
                let uid = format!("h-{}", events.len());
                let mut event = login(&uid, &format!("p{person}@example.com"), time, BERLIN);
                let host = 10 + person;
                event["src_endpoint"]["ip"] = json!(format!("93.184.216.{host}"));
                if (day + person + half) % 3 == 0 {
                    event["http_request"]["user_agent"] = json!(PHONE);
                }
                events.push(event);
            }
        }
    }
    events
}

/// A login after the history that nobody would take for the owner's.
pub fn takeover(uid: &str, account: &str) -> Value {
    let mut event = login(uid, account, MONDAY + 42 * DAY + 30 * 60_000, SYDNEY);
    event["http_request"]["user_agent"] = json!("python-requests/2.32.3");
    event
}
