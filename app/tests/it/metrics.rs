//! What is scraped: everything that alert rules and the dashboard name, and values that are right.

use crate::server::{Server, token};
use crate::siem::{Mood, Siem};
use crate::support::{Place, history, ndjson, takeover};
use std::io::Write;
use std::net::{TcpListener, TcpStream};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A server that has done everything once: sources of all sorts, an inline decision, a finding, an order, an export, a verdict.
fn busy(place: &Place, token: &str, siem: &Siem) -> Server {
    let wire = free_port();
    place.write(
        "habitus.toml",
        format!(
            "[serve]\nlateness_seconds = 1\n\n\
             [[source]]\nkind = \"tail\"\nname = \"auth\"\nformat = \"sshd\"\npaths = [\"auth.log\"]\n\n\
             [[source]]\nkind = \"syslog_tcp\"\nname = \"wire\"\nlisten = \"127.0.0.1:{wire}\"\n\n\
             [[source]]\nkind = \"syslog_udp\"\nname = \"never\"\nlisten = \"127.0.0.1:0\"\n\n\
             [[responder]]\nkind = \"file\"\nname = \"soc\"\npath = \"notices.ndjson\"\n\n\
             [[exporter]]\nname = \"elastic\"\nkind = \"ecs_bulk\"\nurl = \"http://127.0.0.1:{}\"\n\
             allow_networks = [\"127.0.0.1/32\"]\n",
            siem.port
        ),
    );
    place.write(
        "data/policy.toml",
        "mode = \"recommend\"\n\n[[rule]]\nname = \"tell\"\nwhen = 'score >= 60'\ndisposition = \"review\"\n\
         actions = [{ action = \"notify\", responder = \"soc\", expires_after = \"30d\" }]\n",
    );
    place.write("auth.log", "");
    let server = Server::start(place, &["--config", "habitus.toml"]);
    // Orders about what is long past have expired: this happens today.
    let mut events = history();
    events.push(takeover("odd", "p3@example.com"));
    let last = events[events.len() - 1]["time"].as_i64().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let later = i64::try_from(now.unwrap().as_millis()).unwrap() - last - 1_000;
    for event in &mut events {
        event["time"] = (event["time"].as_i64().unwrap() + later).into();
    }
    let event = events.pop().unwrap().to_string();
    let past = server.post("/v1/events?source=idp", token, &ndjson(&events));
    assert_eq!(past.status, 200);
    assert_eq!(server.post("/v1/assess", token, &event).status, 200);
    assert_eq!(server.post("/v1/events?source=idp", token, &event).status, 200);
    let page = server.wait_until(token, "/v1/findings", |page| page["items"][0]["id"].is_string());
    let id = page["items"][0]["id"].as_str().unwrap();
    let verdict = format!("/v1/findings/{id}/verdict");
    assert_eq!(
        server.post(&verdict, token, r#"{"verdict":"benign"}"#).status,
        200
    );
    siem.wait("an export", |siem| !siem.documents("/_bulk").is_empty());
    let mut stream = TcpStream::connect(("127.0.0.1", wire)).unwrap();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(place.path("auth.log"))
        .unwrap();
    for second in 10..35 {
        let line = format!(
            "2026-01-05T08:00:{second}+00:00 web01 sshd[4]: Accepted publickey for ana from 203.0.113.7 port 4{second} ssh2: ED25519 SHA256:abc\n"
        );
        stream.write_all(format!("<38>{line}").as_bytes()).unwrap();
        file.write_all(line.as_bytes()).unwrap();
        // Arrivals of their own, so that a gap between them is known.
        std::thread::sleep(std::time::Duration::from_millis(80));
    }
    server
}

/// The names that a text uses, without the suffixes of histograms.
fn names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let mut names: Vec<String> = words
        .filter(|word| word.starts_with("habitus_"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn everything_that_rules_and_dashboard_name_is_scraped() {
    let place = Place::new();
    let token = token(&place, "ingest,read,triage,admin");
    let siem = Siem::start(Mood::Well);
    let server = busy(&place, &token, &siem);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let has = |scrape: &str, name: &str| {
        let begins =
            |line: &str, sign: char| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(sign));
        scrape.lines().any(|line| begins(line, ' ') || begins(line, '{'))
    };
    let packaging = habitus_testkit::workspace_root().join("packaging");
    let mut missing = Vec::new();
    for file in [
        "prometheus/habitus.rules.yml",
        "grafana/habitus.json",
        "prometheus/metrics.md",
    ] {
        let text = std::fs::read_to_string(packaging.join(file)).unwrap();
        let used = names(&text);
        assert!(used.len() > 15, "{file}: {used:?}");
        loop {
            let scrape = server.get("/metrics", &token).body;
            let histogram = |name: &str| scrape.contains(&format!("\n# TYPE {name} histogram\n"));
            missing = used
                .iter()
                .filter(|name| !has(&scrape, name) && !histogram(name))
                .map(|name| format!("{name} of {file}"))
                .collect();
            // Some things come a moment later: an order, the first arrivals of a file.
            if missing.is_empty() || std::time::Instant::now() > until {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert!(
            missing.is_empty(),
            "{missing:?}\n{}",
            server.get("/metrics", &token).body
        );
    }
    assert!(missing.is_empty());
    server.terminate();
}

#[test]
fn sources_are_scraped_with_their_silence_and_their_clocks() {
    let place = Place::new();
    let token = token(&place, "ingest,read,triage,admin");
    let siem = Siem::start(Mood::Well);
    let server = busy(&place, &token, &siem);
    let value = |name: &str, source: &str| {
        let scrape = server.get("/metrics", &token).body;
        let start = format!("habitus_source_{name}{{source=\"{source}\"}} ");
        let line = scrape
            .lines()
            .find_map(|line| line.strip_prefix(&start).map(str::to_owned));
        line.map(|value| value.parse::<f64>().unwrap())
    };
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    for source in ["auth", "wire"] {
        // The clock of these events stands on a day in the past, and when they came is now.
        let event = 1_767_600_022.0;
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while value("skew_seconds", source).is_none() {
            assert!(std::time::Instant::now() < until, "{source}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let skew = value("skew_seconds", source).unwrap();
        assert!((skew - (now - event)).abs() < 120.0, "{source}: {skew}");
        assert!((value("last_event_timestamp_seconds", source).unwrap() - now).abs() < 60.0);
        assert_eq!(
            (value("dropped_total", source), value("refused_total", source)),
            (Some(0.0), Some(0.0))
        );
    }
    let gap = value("expected_gap_seconds", "wire").unwrap();
    assert!((0.05..10.0).contains(&gap), "{gap}");
    let gap = value("expected_gap_seconds", "wire").unwrap();
    assert!((0.05..10.0).contains(&gap), "{gap}");
    assert_eq!(value("last_event_timestamp_seconds", "never"), None);
    assert_eq!(
        value("dropped_total", "never"),
        Some(0.0),
        "alerts need a beginning to count from"
    );
    let sources = server.get("/v1/sources", &token).json();
    let of = |name: &str| {
        let all = sources.as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    };
    assert_eq!(of("never")["state"], "waiting");
    assert_eq!(of("never")["live"]["kind"], "syslog_udp");
    assert!(of("auth")["live"]["received"].as_u64().unwrap() >= 20);
    assert_eq!(of("wire")["live"]["last_fault"], serde_json::Value::Null);
    assert!(of("idp")["live"].is_null());
    let auth = of("auth");
    assert!(auth["skew_seconds"].as_f64().unwrap() < -60.0, "{auth:#}");
    assert!(auth["lag_seconds"].as_f64().unwrap() > 60.0 && auth["per_minute"].as_f64().unwrap() > 0.0);
    let fields: Vec<&str> = auth["missing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert!(
        fields.contains(&"http_request.user_agent") && !fields.contains(&"user"),
        "{auth:#}"
    );
    server.terminate();
}

#[test]
fn a_restart_does_not_forget_how_long_a_source_is_silent() {
    let place = Place::new();
    let token = token(&place, "ingest,read");
    let server = Server::start(&place, &[]);
    for n in 0..25 {
        let event = crate::support::login(
            &format!("s-{n}"),
            "ana@example.com",
            crate::support::MONDAY + n,
            crate::support::BERLIN,
        );
        server.post("/v1/events?source=idp", &token, &event.to_string());
    }
    let expected = |server: &Server| {
        let sources = server.get("/v1/sources", &token).json();
        let idp = sources
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == "idp");
        idp.unwrap()["expected_gap_seconds"].as_f64()
    };
    let before = expected(&server);
    assert!(before.is_some());
    server.terminate();
    let server = Server::start(&place, &[]);
    assert_eq!(expected(&server), before);
    server.terminate();
}
