//! Senders from Debian: `logger` (bsdutils), rsyslog. Where one is not installed its test says so and passes.

use crate::support::{Started, listen};
use habitus_sources::live::{SourceKind, SourceSettings};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The program, if it is there: as named in the environment, or by its name.
pub fn program(name: &str, variable: &str) -> Option<String> {
    let program = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    let version = Command::new(&program)
        .arg(if name == "rsyslogd" { "-v" } else { "--version" })
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if version.is_err() {
        println!("skipped: {name} is not installed");
        return None;
    }
    Some(program)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logger_sends_every_way_it_knows() {
    let Some(logger) = program("logger", "HABITUS_LOGGER") else {
        return;
    };
    let tcp = Started::one(listen(SourceSettings::new(SourceKind::SyslogTcp, "tcp"))).await;
    let udp = Started::one(listen(SourceSettings::new(SourceKind::SyslogUdp, "udp"))).await;
    let ways: [(&Started, &[&str]); 5] = [
        (&tcp, &["--tcp", "--rfc5424"]),
        (&tcp, &["--tcp", "--rfc3164"]),
        (&tcp, &["--tcp", "--octet-count", "--rfc5424"]),
        (&udp, &["--udp", "--rfc5424"]),
        (&udp, &["--udp", "--rfc3164"]),
    ];
    for (n, (started, way)) in ways.into_iter().enumerate() {
        let mut command = Command::new(&logger);
        let address = started.address();
        command
            .args(["--server", &address.ip().to_string()])
            .args(["--port", &address.port().to_string()])
            .args(way)
            .args(["-t", "sshd", &format!("Accepted password for root number {n}")]);
        let status = tokio::task::spawn_blocking(move || command.status().unwrap());
        assert!(status.await.unwrap().success());
    }
    let mut lines = tcp.sink.wait_for(3, 10).await;
    lines.extend(udp.sink.wait_for(2, 10).await);
    lines.sort_by_key(|line| line.chars().last());
    for (n, line) in lines.iter().enumerate() {
        assert!(line.starts_with('<'), "{line}");
        assert!(
            line.ends_with(&format!("Accepted password for root number {n}")),
            "{line}"
        );
        assert!(line.contains("sshd"), "{line}");
    }
}

/// A child that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rsyslog_forwards_a_file() {
    let Some(rsyslogd) = program("rsyslogd", "HABITUS_RSYSLOGD") else {
        return;
    };
    let started = Started::one(listen(SourceSettings::new(SourceKind::SyslogTcp, "lan"))).await;
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("auth.log");
    std::fs::write(&log, "").unwrap();
    let modules = std::env::var("HABITUS_RSYSLOG_MODULES").unwrap_or_default();
    let config = format!(
        "global(workDirectory=\"{work}\")\n\
         module(load=\"imfile\" mode=\"polling\" pollingInterval=\"1\")\n\
         input(type=\"imfile\" file=\"{log}\" tag=\"sshd\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{port}\" protocol=\"tcp\" TCP_Framing=\"octet-counted\"\n\
         template=\"RSYSLOG_SyslogProtocol23Format\" action.resumeRetryCount=\"-1\")\n",
        work = dir.path().display(),
        log = log.display(),
        port = started.address().port(),
    );
    let path = dir.path().join("rsyslog.conf");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new(rsyslogd);
    command.arg("-n").arg("-f").arg(&path);
    command.arg("-i").arg(dir.path().join("pid"));
    if !modules.is_empty() {
        command.args(["-M", &modules]);
    }
    let _daemon = Daemon(command.spawn().unwrap());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let text: String = (0..1_000)
        .map(|n| format!("Failed password for invalid user number{n}\n"))
        .collect();
    std::fs::write(&log, text).unwrap();
    let mut lines = started.sink.wait_for(1_000, 30).await;
    lines.retain(|line| line.contains("number"));
    assert_eq!(lines.len(), 1_000);
    assert!(
        lines[0].starts_with('<') && lines[0].contains(">1 "),
        "{}",
        lines[0]
    );
    assert!(lines.iter().all(|line| line.contains("sshd")), "{}", lines[0]);
}
