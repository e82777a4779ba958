//! A real nginx asks before it lets visitors pass, with the configuration of docs/api.md.
//!
//! Needs nginx of Debian's nginx-light; says so where it is missing.

use crate::server::{Server, token};
use crate::support::{CHROME, HOUR, Place, history, ndjson};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const HOME: &str = "93.184.216.13";
const ABROAD: &str = "103.21.244.9";
const VISITOR: &str = "p3@example.com";

/// nginx in the foreground; dropping it ends it.
struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    /// Before an application of one page, asking a server on the way.
    fn start(place: &Place, server: &Server, token: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let dir = place.dir().display().to_string();
        place.write("site.txt", "welcome");
        // The visitor's address comes from a balancer before nginx, and who it is from the login in front of it.
        let asks = documented()
            .replace("127.0.0.1:7171", &server.address)
            .replace("hbt_…", token)
            .replace("$authenticated_email", "$http_x_test_email")
            // Tests run on busy machines; what they ask is not how fast it is.
            .replace(
                "internal;",
                "internal; proxy_set_header Habitus-Deadline-Ms 5000;",
            );
        let config = format!(
            "daemon off;\nmaster_process off;\npid {dir}/nginx.pid;\nerror_log {dir}/nginx.log;\n\
             events {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path {dir}/t1;\nproxy_temp_path {dir}/t2;\n\
             fastcgi_temp_path {dir}/t3;\nuwsgi_temp_path {dir}/t4;\nscgi_temp_path {dir}/t5;\n\
             server {{\nlisten 127.0.0.1:{port};\nset_real_ip_from 127.0.0.1;\nreal_ip_header X-Balancer;\n\
             location / {{\nauth_request /habitus;\nauth_request_set $risk $upstream_http_habitus_risk_level;\n\
             auth_request_set $mode $upstream_http_habitus_mode;\nauth_request_set $late $upstream_http_habitus_degraded;\n\
             add_header X-Risk $risk;\nadd_header X-Mode $mode;\nadd_header X-Late $late always;\n\
             root {dir};\n}}\n{asks}\n}}\n}}\n"
        );
        place.write("nginx.conf", config);
        let conf = place.path("nginx.conf");
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&conf)
            .args(["-p", &dir])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self { child, port };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{}", place.read("nginx.log"));
            std::thread::sleep(Duration::from_millis(20));
        }
        nginx
    }

    /// Status and head of the answer to a visitor.
    fn visit(&self, address: &str, agent: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = format!(
            "GET /site.txt?secret=1 HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\nX-Balancer: {address}\r\n\
             X-Test-Email: {VISITOR}\r\nUser-Agent: {agent}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.to_ascii_lowercase())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What docs/api.md tells to put into nginx.
fn documented() -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md")).unwrap();
    let after = page.split("```nginx\n").nth(1).unwrap();
    after.split("```").next().unwrap().to_owned()
}

fn is_missing() -> bool {
    let version = Command::new("nginx").arg("-v").stderr(Stdio::null()).status();
    !version.is_ok_and(|status| status.success())
}

/// The past of a company, moved so that it ends an hour ago: a visit through nginx happens now. It says where from by address
/// only, as nginx does.
fn recent_history() -> String {
    let mut events = history();
    let last = events
        .iter()
        .filter_map(|event| event["time"].as_i64())
        .max()
        .unwrap();
    let shift = jiff::Timestamp::now().as_millisecond() - HOUR - last;
    for event in &mut events {
        event["time"] = json!(event["time"].as_i64().unwrap() + shift);
        event["src_endpoint"] = json!({ "ip": event["src_endpoint"]["ip"] });
    }
    ndjson(&events)
}

fn serve(place: &Place, mode: &str) -> (Server, String) {
    let token = token(place, "ingest,read");
    place.write(
        "data/policy.toml",
        format!(
            "mode = \"{mode}\"\n\n[[rule]]\nname = \"strangers\"\nwhen = 'score >= 80'\ndisposition = \"deny\"\n"
        ),
    );
    let server = Server::start(place, &[]);
    let answer = server.post("/v1/events", &token, &recent_history());
    assert_eq!(answer.json()["accepted"], 840, "{}", answer.body);
    server.wait_until(&token, &format!("/v1/accounts/{VISITOR}"), |account| {
        account["events"]
            .as_array()
            .is_some_and(|events| !events.is_empty())
    });
    (server, token)
}

#[test]
fn a_real_nginx_turns_strangers_away() {
    if is_missing() {
        println!("skipped: nginx is not installed (Debian: nginx-light)");
        return;
    }
    let place = Place::new();
    let (server, token) = serve(&place, "enforce");
    let nginx = Nginx::start(&place, &server, &token);
    let (status, answer) = nginx.visit(HOME, CHROME);
    assert_eq!(status, 200, "{answer}");
    assert!(
        answer.contains("x-risk: ") && answer.contains("x-mode: enforce"),
        "{answer}"
    );
    assert!(answer.ends_with("welcome"), "{answer}");
    let (status, answer) = nginx.visit(ABROAD, "python-requests/2.32.3");
    assert_eq!(status, 403, "{answer}");
    assert!(
        !answer.contains("welcome") && !answer.contains("x-risk"),
        "{answer}"
    );
    // Whoever asks without a token that is good gets in nowhere: nginx takes 401 for a refusal.
    drop(nginx);
    let stranger = Nginx::start(&place, &server, "hbt_wrong");
    assert_eq!(stranger.visit(HOME, CHROME).0, 401);
    server.terminate();
}

#[test]
fn before_the_policy_enforces_nginx_lets_everybody_pass() {
    if is_missing() {
        println!("skipped: nginx is not installed (Debian: nginx-light)");
        return;
    }
    let place = Place::new();
    let (server, token) = serve(&place, "observe");
    let nginx = Nginx::start(&place, &server, &token);
    let (status, answer) = nginx.visit(ABROAD, "python-requests/2.32.3");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("x-mode: observe"), "{answer}");
    server.terminate();
}
