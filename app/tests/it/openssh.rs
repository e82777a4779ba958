//! From end to end without a stand-in: a real sshd is attacked from a network of its own, rsyslog sends what it logs, and the
//! server makes findings of it.
//!
//! Needs root, and from Debian openssh-server, openssh-client, rsyslog and iproute2; says so where one is missing.

use crate::server::{Server, token};
use crate::support::{DAY, Place};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Everybody's password but for those who guess: `bluebird`, as crypt(5) keeps it.
const PASSWORD: &str = "bluebird";
const SHADOW: &str =
    "$6$habitus$.fnROf1sKNcHQZo8..PKD8ry.5oUov6B7Y7BrdsnR.BblVJT2k0GOKM6IGzPKc71oGH2hH6iEFcNisfjuOwml/";
const PEOPLE: [&str; 5] = ["ana", "bob", "carla", "dan", "eve"];
/// Where people come from, where passwords are guessed from, and where the guessed ones are used.
const OFFICE: &str = "192.0.2.10";
const GUESSER: &str = "198.51.100.7";
const THIEF: &str = "203.0.113.99";

const SSHD: &str = "\
ListenAddress 192.0.2.1:22
HostKey host_key
PidFile none
UsePAM no
UseDNS no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PubkeyAuthentication no
MaxAuthTries 6
MaxStartups 100
";

/// The host under attack. Dropping it ends all of it: its processes are in a PID namespace whose first one reads from us.
struct Host {
    rig: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Host {
    fn start(place: &Place, syslog_port: u16) -> Self {
        std::fs::create_dir(place.path("host")).unwrap();
        let dir = place.path("host").display().to_string();
        write_host(place, &dir, syslog_port);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rigs/openssh.sh");
        let mut rig = isolated()
            .args(["--fork", "--mount-proc", "sh", script, &dir])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(place.path("host/rig.log")).unwrap())
            .spawn()
            .unwrap();
        let commands = rig.stdin.take();
        let answers = BufReader::new(rig.stdout.take().unwrap());
        let mut host = Self {
            rig,
            commands,
            answers,
        };
        assert_eq!(host.answer(), "ready", "{}", place.read("host/rig.log"));
        host
    }

    /// Tries to log in; a wrong password is tried three times over one connection.
    fn attempt(&mut self, address: &str, user: &str, password: &str) -> String {
        let commands = self.commands.as_mut().unwrap();
        writeln!(commands, "{address} {user} {password}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.rig.wait();
    }
}

fn isolated() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--kill-child"]);
    command
}

fn write_host(place: &Place, dir: &str, syslog_port: u16) {
    let users = |line: &dyn Fn(usize, &str) -> String| -> String {
        PEOPLE
            .iter()
            .enumerate()
            .map(|(at, name)| line(2_000 + at, name) + "\n")
            .collect()
    };
    let passwd = users(&|id, name| format!("{name}:x:{id}:{id}::/:/bin/sh"));
    let group = users(&|id, name| format!("{name}:x:{id}:"));
    let shadow = users(&|_, name| format!("{name}:{SHADOW}:20000:0:99999:7:::"));
    place.write(
        "host/passwd",
        format!("root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n{passwd}"),
    );
    place.write("host/group", format!("root:x:0:\nnogroup:x:65534:\n{group}"));
    place.write("host/shadow", format!("root:*:20000:0:99999:7:::\n{shadow}"));
    place.write("host/addresses", format!("{OFFICE}\n{GUESSER}\n{THIEF}\n"));
    place.write(
        "host/sshd_config",
        SSHD.replace("host_key", &format!("{dir}/host_key")),
    );
    let rsyslog = format!(
        "global(workDirectory=\"{dir}\")\n\
         module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         input(type=\"imuxsock\" Socket=\"{dir}/log.sock\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{syslog_port}\" protocol=\"tcp\" TCP_Framing=\"octet-counted\" \
         template=\"RSYSLOG_SyslogProtocol23Format\" action.resumeRetryCount=\"-1\")\n"
    );
    place.write("host/rsyslog.conf", rsyslog);
    let askpass = place.write("host/askpass", "#!/bin/sh\necho \"$GIVEN\"\n");
    std::fs::set_permissions(askpass, std::fs::Permissions::from_mode(0o755)).unwrap();
    let key = format!("{dir}/host_key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f", &key])
        .status();
    assert!(made.unwrap().success());
}

/// What is missing here, if anything.
fn missing() -> Option<String> {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() != b"0" {
        return Some("this is not root".to_owned());
    }
    for (program, package) in [
        ("/usr/sbin/sshd", "openssh-server"),
        ("ssh-keyscan", "openssh-client"),
        ("rsyslogd", "rsyslog"),
        ("ip", "iproute2"),
        ("nsenter", "util-linux"),
    ] {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .unwrap();
        if !found.status.success() {
            return Some(format!("{program} is not installed (Debian: {package})"));
        }
    }
    let probe = isolated()
        .args([
            "--net",
            "--fork",
            "--mount-proc",
            "sh",
            "-c",
            "mount -t tmpfs none /run && ip link add probe type veth",
        ])
        .stderr(Stdio::null())
        .status();
    let is_given = probe.is_ok_and(|status| status.success());
    (!is_given).then(|| "this machine gives no namespaces, or no veth in them".to_owned())
}

/// Six weeks in which everybody logs in from the office, as sshd would have written it.
fn past() -> String {
    let now = jiff::Timestamp::now().as_millisecond();
    let mut lines = String::new();
    for day in (1..=42).rev() {
        for (at, name) in PEOPLE.iter().enumerate() {
            let time = now - day * DAY + i64::try_from(at).unwrap() * 61_000;
            let stamp = jiff::Timestamp::from_millisecond(time).unwrap();
            lines.push_str(&format!(
                "{stamp} host sshd[{}]: Accepted password for {name} from {OFFICE} port 40022 ssh2\n",
                4_000 + day
            ));
        }
    }
    lines
}

fn listening(place: &Place) -> (Server, String, u16) {
    let token = token(place, "ingest,read");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    place.write(
        "habitus.toml",
        format!("[[source]]\nkind = \"syslog_tcp\"\nname = \"host\"\nformat = \"sshd\"\nlisten = \"127.0.0.1:{port}\"\n"),
    );
    let server = Server::start(place, &["--config", "habitus.toml"]);
    (server, token, port)
}

fn titles(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["title"].as_str().unwrap()).collect()
}

#[test]
fn attempts_on_a_real_sshd_become_findings() {
    if let Some(missing) = missing() {
        println!("skipped: {missing}");
        return;
    }
    let place = Place::new();
    let (server, token, port) = listening(&place);
    let answer = server.post("/v1/events?format=sshd&source=host", &token, &past());
    assert_eq!(answer.json()["accepted"], 210, "{}", answer.body);

    let mut host = Host::start(&place, port);
    let told = || place.read("host/ssh.log");
    assert_eq!(host.attempt(OFFICE, "ana", PASSWORD), "in", "{}", told());
    for user in ["root", "oracle", "ana", "bob", "carla", "dan", "postgres"] {
        assert_eq!(host.attempt(GUESSER, user, "123456"), "refused", "{user}");
    }
    assert_eq!(host.attempt(GUESSER, "dan", PASSWORD), "in", "{}", told());
    for user in ["ana", "bob", "carla"] {
        assert_eq!(host.attempt(THIEF, user, PASSWORD), "in", "{}", told());
    }
    drop(host);

    let wanted = [
        "Campaign over 3 accounts: from 203.0.113.0/24",
        "Unusually many attempts: from 198.51.100.7",
        "Access from an unusual network or place: ana",
        "Access from an unusual network or place: bob",
        "Access from an unusual network or place: carla",
    ];
    server.wait_until(&token, "/v1/findings", |page| {
        let told = titles(page);
        wanted.iter().all(|title| told.contains(title))
            && told.iter().any(|title| title.contains("from 198.51.100.0/24"))
    });
    nobody_else_is_accused(&server, &token);
    server.terminate();
}

/// The guess that hit is the owner's worst access, and who came from the office as ever has none.
fn nobody_else_is_accused(server: &Server, token: &str) {
    let has_all = |account: &Value| account["events"].to_string().contains(GUESSER);
    let dan = server.wait_until(token, "/v1/accounts/dan", has_all);
    let events = dan["events"].as_array().unwrap();
    let hit =
        |event: &&Value| event["text"] == "Logon succeeded" && event["facts"].to_string().contains(GUESSER);
    let hit = events.iter().find(hit).unwrap();
    assert!(hit["risk_score"].as_f64().unwrap() > 90.0, "{hit:#}");
    let ana = server.get("/v1/accounts/ana", token).json();
    let usual = ana["events"].as_array().unwrap().iter();
    for event in usual.filter(|event| event["facts"].to_string().contains(OFFICE)) {
        assert!(event["risk_score"].as_f64().unwrap() < 40.0, "{event:#}");
    }
}
