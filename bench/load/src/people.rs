//! Who logs in: people with one place and one client each, and strangers in their names.

use crate::http::{Answer, request};
use crate::schedule::Ask;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// Accounts with habits.
pub const PEOPLE: u64 = 1_000;
/// Days of their past that are learned before anything is measured.
pub const DAYS: u64 = 20;
/// Events in one request of the ingest measurements: what a shipper gathers in a moment.
pub const BATCH: u64 = 10;
const CLIENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";
const DAY_MS: u64 = 86_400_000;

/// Milliseconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(0)
}

fn login((uid, time): (&str, u64), person: u64, (country, ip, client): (&str, &str, &str)) -> String {
    json!({
        "class_uid": 3002, "activity_id": 1, "category_uid": 3, "type_uid": 300_201, "severity_id": 1, "status_id": 1,
        "time": time, "metadata": { "uid": uid, "version": "1.8.0", "product": { "name": "idp" } },
        "user": { "uid": format!("person{person}"), "name": format!("person{person}") },
        "src_endpoint": { "ip": ip, "location": { "country": country } },
        "http_request": { "user_agent": client },
    })
    .to_string()
        + "\n"
}

/// A login as ever.
pub fn usual(uid: &str, time: u64, person: u64) -> String {
    let person = person % PEOPLE;
    let ip = format!("100.64.{}.{}", person / 250, person % 250);
    login((uid, time), person, ("DE", &ip, CLIENT))
}

/// A login of a stranger, each from a network of its own.
pub fn strange(uid: &str, time: u64, person: u64) -> String {
    let ip = format!("198.18.{}.7", person % 250);
    login((uid, time), person, ("BR", &ip, "python-requests/2.32"))
}

/// One day of everybody's past.
pub fn past(day: u64, today: u64) -> String {
    let midnight = today - (DAYS - day + 1) * DAY_MS;
    let each = |person| {
        usual(
            &format!("past-{day}-{person}"),
            midnight + person * 10_000,
            person,
        )
    };
    (0..PEOPLE).map(each).collect()
}

/// Inline questions about usual logins.
#[derive(Debug)]
pub struct Questions<'t>(pub &'t str);

impl Ask for Questions<'_> {
    fn request(&self, number: u64) -> Vec<u8> {
        let event = usual(&format!("ask-{number}"), now(), number.wrapping_mul(7_919));
        request(("POST", "/v1/assess"), self.0, &event)
    }

    fn is_good(&self, answer: &Answer) -> bool {
        // An answer without a judgement is no decision.
        let is_degraded = answer.body.windows(15).any(|part| part == b"\"degraded\":true");
        answer.status == 200 && !is_degraded
    }
}

/// Batches of usual logins.
#[derive(Debug)]
pub struct Batches<'t>(pub &'t str);

impl Ask for Batches<'_> {
    fn request(&self, number: u64) -> Vec<u8> {
        let time = now();
        let each = |at| {
            let event = number * BATCH + at;
            usual(&format!("live-{event}"), time, event.wrapping_mul(7_919))
        };
        let body: String = (0..BATCH).map(each).collect();
        request(("POST", "/v1/events"), self.0, &body)
    }

    fn is_good(&self, answer: &Answer) -> bool {
        answer.status == 200
    }
}
