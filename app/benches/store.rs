//! Figures of the store: how long it takes to check an audit, to come back, to take a snapshot. They are measured on the real
//! binary over real directories, and written into `docs/reliability.md`.
//!
//! ```text
//! cargo bench -p habitus --bench store              the sizes of a release: about 3 GB of disk and 4 GB of memory
//! cargo bench -p habitus --bench store -- --small   a hundredth of it, printed and not written
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement: what goes wrong ends it, and time is what it measures"
)]

use habitus_journal::audit::{Audit, AuditKey, Draft};
use habitus_journal::log::{Entry, Log, Settings};
use habitus_journal::storage::RealFs;
use habitus_model::{IngestTime, TenantId};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Sizes.
#[derive(Debug, Clone, Copy)]
struct Size {
    audit_entries: u64,
    log_bytes: u64,
    accounts: u64,
    /// Entries after the last snapshot: as many as there can be with the defaults.
    tail_entries: u64,
}

const RELEASE: Size = Size {
    audit_entries: 1_000_000,
    log_bytes: 1 << 30,
    accounts: 1_000_000,
    tail_entries: 1_000_000,
};
const SMALL: Size = Size {
    audit_entries: 10_000,
    log_bytes: 10 << 20,
    accounts: 10_000,
    tail_entries: 10_000,
};
const START: &str = "<!-- figures of the store: written by `cargo bench -p habitus --bench store` -->";
const END: &str = "<!-- end of the figures of the store -->";

/// One line of the table.
struct Figure {
    what: String,
    measured: String,
    /// Processor time of all threads until then; a busy machine makes the time longer, and this hardly.
    cpu: String,
    goal: &'static str,
}

fn main() {
    let is_small = std::env::args().any(|argument| argument == "--small");
    let size = if is_small { SMALL } else { RELEASE };
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut figures = vec![audit(&dir.path().join("audit"), size)];
    figures.extend(log(&dir.path().join("log"), size));
    let table = table(&figures);
    println!("{table}");
    if !is_small {
        write(&table);
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn command(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_habitus"));
    command.args(arguments).arg("--data-dir").arg(data);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// How long `habitus verify --audit` takes.
fn audit(data: &Path, size: Size) -> Figure {
    fs::create_dir(data).unwrap();
    let key = AuditKey::load_or_create(&data.join("audit.key")).unwrap();
    let dir = Arc::new(RealFs::own(&data.join("audit")).unwrap());
    let at = |number: u64| IngestTime::from_millis(now_ms() + i64::try_from(number).unwrap()).unwrap();
    let (mut audit, _) = Audit::open(dir, key, at(0)).unwrap();
    for number in 0..size.audit_entries {
        let draft = Draft {
            actor: "habitus".into(),
            action: "event.decide".into(),
            subject: Some(format!("okta-{number:016x}").into()),
            detail: json!({ "tenant": "default", "position": number, "score": 71.4, "disposition": "review", "because": "threshold",
                "mode": "observe", "rules": [], "orders": [], "held": [], "errors": [], "finding": format!("f-{number:020x}") }),
            versions: [("model".to_owned(), "habitus-0.1.0/logins-2".to_owned())].into(),
        };
        audit.append(draft, at(0)).unwrap();
    }
    audit.checkpoint(at(0)).unwrap();
    drop(audit);
    let started = Instant::now();
    let before = cpu("self", CHILDREN);
    let output = command(&["verify", "--audit", "--json"], data).output().unwrap();
    let took = started.elapsed();
    let busy = cpu("self", CHILDREN) - before;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["audit"]["broken"].is_null(), "{report:#}");
    fs::remove_dir_all(data).unwrap();
    Figure {
        what: format!(
            "`habitus verify --audit`, {} entries",
            grouped(report["audit"]["entries"].as_u64().unwrap())
        ),
        measured: seconds(took),
        cpu: seconds(busy),
        goal: "10 s",
    }
}

/// Places of processor times in `/proc/PID/stat`, after the name: those of the process, and those of children it waited for.
const OWN: usize = 11;
const CHILDREN: usize = 13;

/// Processor time of a process, user and system, in hundredths of a second as Linux counts.
fn cpu(pid: &str, place: usize) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[place..place + 2]
        .iter()
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// Writes the log, piece by piece, as a server writes it.
struct Writer {
    data: PathBuf,
    number: u64,
    bytes: u64,
    accounts: u64,
}

impl Writer {
    /// Appends until there are so many entries and bytes.
    fn write(&mut self, until: impl Fn(&Self) -> bool) {
        let dir = Arc::new(RealFs::own(&self.data.join("log")).unwrap());
        let (mut log, _) = Log::open(dir, Settings::default()).unwrap();
        while !until(self) {
            let entries: Vec<Entry> = (0..1_000).map(|_| self.entry()).collect();
            self.bytes += entries
                .iter()
                .map(|entry| entry.payload.len() as u64)
                .sum::<u64>();
            log.append(&entries).unwrap();
            log.commit().unwrap();
        }
    }

    /// A login over thirty days, by accounts in turn.
    fn entry(&mut self) -> Entry {
        let number = self.number;
        self.number += 1;
        let account = number % self.accounts;
        let time = 1_767_600_000_000 + number * 1_000;
        let event = format!(
            "{{\"class_uid\":3002,\"activity_id\":1,\"category_uid\":3,\"type_uid\":300201,\"severity_id\":1,\"status_id\":1,\"time\":{time},\
             \"metadata\":{{\"uid\":\"e-{number}\",\"version\":\"1.8.0\",\"product\":{{\"name\":\"idp\"}}}},\
             \"user\":{{\"uid\":\"u{account}@example.com\",\"name\":\"u{account}@example.com\"}},\
             \"src_endpoint\":{{\"ip\":\"203.0.{}.{}\",\"location\":{{\"country\":\"DE\"}}}},\
             \"http_request\":{{\"user_agent\":\"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\"}}}}",
            account % 250,
            account % 199 + 1,
        );
        // The layout of `serve::kept`: version, no name of a format, occurrence 0, the record.
        let payload = [&[1, 0, 0, 0, 0, 0], event.as_bytes()].concat();
        Entry {
            kind: 1,
            tenant: TenantId::default(),
            source: "idp".into(),
            ingested: IngestTime::from_millis(now_ms()).unwrap(),
            payload,
        }
    }
}

/// How long starts take with and without a snapshot, and how long a snapshot takes.
fn log(data: &Path, size: Size) -> [Figure; 3] {
    fs::create_dir(data).unwrap();
    let mut writer = Writer {
        data: data.to_owned(),
        number: 0,
        bytes: 0,
        accounts: size.accounts,
    };
    let entry_bytes = writer.entry().payload.len() as u64;
    writer.number = 0;
    let tail_bytes = size.tail_entries * entry_bytes;
    writer.write(|writer| writer.bytes + tail_bytes >= size.log_bytes);
    let Run { snapshot: taken, .. } = run(data);
    let accounts = Figure {
        what: format!(
            "a snapshot of {} accounts, {}",
            grouped(size.accounts),
            bytes(&taken)
        ),
        measured: seconds(Duration::from_millis(taken["millis"].as_u64().unwrap())),
        cpu: String::new(),
        goal: "",
    };
    let before = writer.number;
    writer.write(|writer| writer.number >= before + size.tail_entries);
    // Both starts find the same.
    copy(data, &data.with_extension("copy"));
    let with = run(data);
    fs::remove_dir_all(data).unwrap();
    fs::rename(data.with_extension("copy"), data).unwrap();
    for derived in ["snapshots", "seen"] {
        fs::remove_dir_all(data.join(derived)).unwrap();
    }
    let without = run(data);
    let log = format!("{} entries, {} MiB", grouped(writer.number), writer.bytes >> 20);
    [
        accounts,
        Figure {
            what: format!(
                "start on a log of {log}, {} entries after the snapshot",
                grouped(size.tail_entries)
            ),
            measured: seconds(with.took),
            cpu: seconds(with.cpu),
            goal: "10 s",
        },
        Figure {
            what: "start on the same log without a snapshot, and without what was seen".to_owned(),
            measured: seconds(without.took),
            cpu: seconds(without.cpu),
            goal: "60 s",
        },
    ]
}

/// A server that was started and ended.
struct Run {
    /// Until it listened.
    took: Duration,
    cpu: Duration,
    /// What its last snapshot said of itself.
    snapshot: Value,
}

fn run(data: &Path) -> Run {
    let mut command = command(&["serve", "--listen", "127.0.0.1:0"], data);
    let started = Instant::now();
    let mut child = command.env("HABITUS_LOG_FORMAT", "json").spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    line_with(&mut told, "listening on");
    let took = started.elapsed();
    let cpu = cpu(&child.id().to_string(), OWN);
    end(&child);
    let mut snapshot = Value::Null;
    let mut line = String::new();
    while told.read_line(&mut line).unwrap() > 0 {
        let logged: Value = serde_json::from_str(&line).unwrap_or_default();
        if logged["fields"]["message"] == "snapshot taken" {
            snapshot = logged["fields"].clone();
        }
        line.clear();
    }
    assert!(child.wait().unwrap().success());
    Run { took, cpu, snapshot }
}

fn line_with(told: &mut BufReader<ChildStderr>, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "the server ended");
    }
}

/// As an operator does.
fn end(child: &Child) {
    let kill = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn bytes(snapshot: &Value) -> String {
    format!("{} MiB", snapshot["bytes"].as_u64().unwrap_or(0) >> 20)
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn table(figures: &[Figure]) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut out = format!(
        "Measured on {cores} cores, release build:\n\n| what | took | of processors | goal |\n|---|---|---|---|\n"
    );
    for figure in figures {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            figure.what, figure.measured, figure.cpu, figure.goal
        );
    }
    out
}

/// Puts the table in the place of the last one.
fn write(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    fs::write(&path, format!("{before}{START}\n{table}{END}{after}")).unwrap();
}
