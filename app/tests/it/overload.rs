//! More than the server can do, and more names than it should remember (RELIABILITY R-09, S-06).
//!
//! `HABITUS_OVERLOAD_SECONDS` and `HABITUS_INVENTED` make longer runs, of a release build: half an hour, ten million names.

use crate::serve::{HOME, login, past};
use crate::server::{Answer, Server, token};
use crate::support::{DAY, MONDAY, Place};
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Events of one request.
const BATCH: usize = 50;
/// What requests under way may take, as configured.
const INTAKE_BYTES: u64 = 4 << 20;
/// Events that may wait for earlier ones, as configured, and what one takes (`crates/live/src/settings.rs`).
const WAITING: u64 = 2_000;
const WAITING_BYTES: u64 = 4 << 10;
/// What findings may take (docs/findings.md).
const FINDINGS_BYTES: u64 = 256 << 20;
/// What the allocator, threads, caches and the profiles of the few who are known may take besides.
const BESIDES: u64 = 64 << 20;

fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(usual)
}

fn small(place: &Place) -> (Server, String) {
    let token = token(place, "ingest,read");
    place.write(
        "habitus.toml",
        format!(
            "[serve]\nintake_memory = \"{}M\"\nwaiting_max = {WAITING}\n",
            INTAKE_BYTES >> 20
        ),
    );
    (Server::start(place, &["--config", "habitus.toml"]), token)
}

/// Memory of the process, bytes: `VmRSS` now, `VmHWM` at most so far.
fn memory(server: &Server, what: &str) -> u64 {
    let path = format!("/proc/{}/status", server.child.id());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

/// One value of the metrics, which have neither names nor addresses.
fn metric(server: &Server, token: &str, name: &str) -> u64 {
    let text = server.get("/metrics", token).body;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{name}: {text}"))
        .trim()
        .parse()
        .unwrap()
}

fn batch(number: usize) -> String {
    let each = |one| {
        let event = number * BATCH + one;
        let time = MONDAY + i64::try_from(event).unwrap();
        login(
            &format!("o-{event}"),
            &format!("user{}@example.com", event % 40),
            time,
            HOME,
        ) + "\n"
    };
    (0..BATCH).map(each).collect()
}

/// What was answered to batches, and when.
#[derive(Default)]
struct Answered {
    good: Vec<usize>,
    refused: usize,
    seconds: f64,
}

/// Sends batches that are due at fixed times, or as fast as answers come, and checks each answer.
fn send(server: &Server, token: &str, (first, rate, time): (usize, Option<f64>, Duration)) -> Answered {
    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let all = Mutex::new(Answered::default());
    std::thread::scope(|scope| {
        for _ in 0..if rate.is_some() { 48 } else { 4 } {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let due = rate.map_or(start.elapsed(), |rate| {
                        Duration::from_secs_f64(f64::from(u32::try_from(number).unwrap()) / rate)
                    });
                    if due >= time {
                        return;
                    }
                    let body = batch(first + number);
                    std::thread::sleep(due.saturating_sub(start.elapsed()));
                    let answer = server.post("/v1/events", token, &body);
                    let mut all = all.lock().unwrap();
                    if is_accepted(&answer) {
                        all.good.push(first + number);
                    } else {
                        all.refused += 1;
                    }
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap();
    all.seconds = start.elapsed().as_secs_f64();
    all
}

/// Accepted as a whole, or refused with the time to come again; nothing else.
fn is_accepted(answer: &Answer) -> bool {
    if answer.status == 200 {
        assert_eq!(answer.json()["accepted"], BATCH, "{}", answer.body);
        return true;
    }
    assert!(
        [429, 503].contains(&answer.status),
        "{} {}",
        answer.status,
        answer.body
    );
    assert!(
        answer.head.to_ascii_lowercase().contains("retry-after: "),
        "{}",
        answer.head
    );
    false
}

#[test]
fn twice_the_capacity_is_refused_in_part_and_nothing_acknowledged_is_lost() {
    let place = Place::new();
    let (mut server, token) = small(&place);
    // Everybody is known before, so that what is learned under load takes nothing new.
    server.post("/v1/events", &token, &past(40, 3));
    let settled = |server: &Server| {
        let until = Instant::now() + Duration::from_secs(30);
        while metric(server, &token, "habitus_intake_bytes ") > 0 {
            assert!(Instant::now() < until, "it does not recover within 30 s");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let began = Instant::now();
    let warm = send(&server, &token, (0, None, Duration::from_secs(3)));
    settled(&server);
    let capacity = f64::from(u32::try_from(warm.good.len()).unwrap()) / began.elapsed().as_secs_f64();
    let before = memory(&server, "VmHWM:");

    let seconds = u64::try_from(setting("HABITUS_OVERLOAD_SECONDS", 10)).unwrap();
    let load = (1_000_000, Some(capacity * 2.0), Duration::from_secs(seconds));
    let over = send(&server, &token, load);
    println!(
        "capacity {capacity:.1} batches/s; {} accepted, {} refused in {:.1} s; {} MiB before, {} MiB at most",
        over.good.len(),
        over.refused,
        over.seconds,
        before >> 20,
        memory(&server, "VmHWM:") >> 20
    );
    assert!(over.refused > 0, "twice the capacity was taken whole");
    assert!(!over.good.is_empty(), "nothing was taken");
    let ceiling = before + INTAKE_BYTES + WAITING * WAITING_BYTES + BESIDES;
    let most = memory(&server, "VmHWM:");
    assert!(most <= ceiling, "{most} of {ceiling} bytes");
    settled(&server);
    assert_eq!(server.post("/v1/events", &token, &batch(9_000_000)).status, 200);

    // Killed and started again, it knows every event that it acknowledged.
    server.kill();
    let server = Server::start(&place, &["--config", "habitus.toml"]);
    for number in warm.good.iter().chain(&over.good) {
        let again = server.post("/v1/events", &token, &batch(*number));
        assert_eq!(again.json()["duplicates"], BATCH, "{number}: {}", again.body);
    }
    server.terminate();
}

/// A failure of a name and from an address that nobody has.
fn invented(number: usize) -> String {
    let [_, a, b, c] = u32::try_from(number).unwrap().to_be_bytes();
    json!({
        "class_uid": 3002, "activity_id": 1, "category_uid": 3, "type_uid": 300_201, "severity_id": 1, "status_id": 2,
        "time": MONDAY + 40 * DAY + i64::try_from(number).unwrap(),
        "metadata": { "uid": format!("i-{number}"), "version": "1.8.0", "product": { "name": "idp" } },
        "user": { "uid": format!("nobody{number}"), "name": format!("nobody{number}") },
        "src_endpoint": { "ip": format!("10.{a}.{b}.{c}") },
    })
    .to_string()
        + "\n"
}

#[test]
fn invented_names_and_addresses_push_nobody_out() {
    let place = Place::new();
    let (server, token) = small(&place);
    let people = 50;
    server.post("/v1/events", &token, &past(people, 39));
    let last = format!("/v1/accounts/user{}@example.com", people - 1);
    server.wait_until(&token, &last, |account| account["logins"] == 39);
    let before = memory(&server, "VmHWM:");
    let names = setting("HABITUS_INVENTED", 30_000);
    let began = Instant::now();
    for first in (0..names).step_by(2_000) {
        let body: String = (first..(first + 2_000).min(names)).map(invented).collect();
        while server.post("/v1/events", &token, &body).status != 200 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    // Whoever is real comes back, and is who they were.
    for person in 0..people {
        let uid = format!("back-{person}");
        let time = MONDAY + 41 * DAY + i64::try_from(person).unwrap();
        let account = format!("user{person}@example.com");
        assert_eq!(
            server
                .post("/v1/events", &token, &login(&uid, &account, time, HOME))
                .status,
            200
        );
    }
    for person in 0..people {
        let path = format!("/v1/accounts/user{person}@example.com");
        let account = server.wait_until(&token, &path, |account| account["logins"] == 40);
        let latest = &account["events"][0];
        assert!(
            latest["risk_score"].as_f64().unwrap() < 40.0,
            "{path}: {latest:#}"
        );
    }
    assert_eq!(server.get("/v1/accounts/nobody7", &token).status, 404);
    assert_eq!(
        metric(&server, &token, "habitus_accounts "),
        u64::try_from(people).unwrap()
    );
    let most = memory(&server, "VmHWM:");
    let ceiling = before + INTAKE_BYTES + WAITING * WAITING_BYTES + FINDINGS_BYTES + BESIDES;
    println!(
        "{names} names in {:.1} s; {} MiB before, {} MiB at most, {} allowed",
        began.elapsed().as_secs_f64(),
        before >> 20,
        most >> 20,
        ceiling >> 20
    );
    assert!(most <= ceiling, "{most} of {ceiling} bytes");
    server.terminate();
}

#[test]
fn above_its_memory_a_server_takes_nothing_in_and_goes_on_answering() {
    let place = Place::new();
    let token = token(&place, "ingest,read");
    place.write("habitus.toml", "[serve]\nmemory = \"1M\"\n");
    let server = Server::start(&place, &["--config", "habitus.toml"]);
    assert!(!is_accepted(&server.post("/v1/events", &token, &batch(0))));
    assert_eq!(metric(&server, &token, "habitus_memory_ceiling_bytes "), 1 << 20);
    assert!(metric(&server, &token, "habitus_memory_bytes ") > 1 << 20);
    let asked = server.post(
        "/v1/assess",
        &token,
        &login("a-1", "ana@example.com", MONDAY, HOME),
    );
    assert_eq!(asked.status, 200, "{}", asked.body);
    assert_eq!(server.get("/v1/findings", &token).status, 200);
    server.terminate();
}
