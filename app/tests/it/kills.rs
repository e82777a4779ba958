//! Servers killed over and over under load (RELIABILITY R-01): nothing acknowledged is lost, and the state is the log's.

use crate::serve::{HOME, login};
use crate::server::{Server, signal, token};
use crate::support::{MONDAY, Place};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Servers that are killed over and over, side by side.
const VICTIMS: usize = 5;

/// Kills of whole servers (RELIABILITY R-01), or what the environment says (1,000 and 10,000 by hand), shared by the victims.
fn kills() -> usize {
    let wanted = std::env::var("HABITUS_KILLS").ok();
    wanted
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_usize)
        .div_ceil(VICTIMS)
}

#[test]
fn no_acknowledged_event_is_lost_to_kills_and_the_state_is_the_logs_1() {
    kill_over_and_over(88_172_645_463_325_252);
}

#[test]
fn no_acknowledged_event_is_lost_to_kills_and_the_state_is_the_logs_2() {
    kill_over_and_over(2_463_534_242_362_436_069);
}

#[test]
fn no_acknowledged_event_is_lost_to_kills_and_the_state_is_the_logs_3() {
    kill_over_and_over(5_783_321_123_006_480_243);
}

#[test]
fn no_acknowledged_event_is_lost_to_kills_and_the_state_is_the_logs_4() {
    kill_over_and_over(7_046_029_254_386_353_131);
}

#[test]
fn no_acknowledged_event_is_lost_to_kills_and_the_state_is_the_logs_5() {
    kill_over_and_over(1_181_783_497_276_652_981);
}

fn kill_over_and_over(mut random: u64) {
    let place = Place::new();
    let token = token(&place, "ingest,read");
    let mut acknowledged = 0;
    for round in 0..kills() {
        let mut server = Server::start(&place, &[]);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let moment = Duration::from_millis(random % 300);
        let first = AtomicBool::new(round % 4 == 0);
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| send_until_dead(&server, &token, (round, &first)));
            // Most kills come while answers flow, some before the first.
            while !first.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(moment);
            let pid = server.child.id().to_string();
            signal("KILL", &pid);
            acknowledged += sender.join().unwrap();
        });
        server.kill();
    }
    assert!(acknowledged > 0, "nothing was ever acknowledged");
    let verified = place.run(&["verify", "--data-dir", "data", "--json"]);
    let report: Value = serde_json::from_str(&verified.ok()).unwrap();
    assert_eq!(report["state"]["lost"], 0);
    assert_eq!(report["state"]["digest"], report["state"]["from_the_beginning"]);
    let exported = events_in_log(&place);
    assert!(
        exported >= acknowledged,
        "{exported} of {acknowledged} acknowledged events are there"
    );
}

fn send_until_dead(server: &Server, token: &str, (round, first): (usize, &AtomicBool)) -> usize {
    let bearer = format!("Bearer {token}");
    let mut acknowledged = 0;
    for batch in 0.. {
        let body: String = (0..20)
            .map(|one| {
                let uid = format!("k-{round}-{batch}-{one}");
                let time = MONDAY + i64::try_from(round * 1_000_000 + batch * 1_000 + one).unwrap();
                login(&uid, &format!("user{}", one % 7), time, HOME) + "\n"
            })
            .collect();
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/x-ndjson"),
        ];
        match server.try_ask("POST", "/v1/events", &headers, body.as_bytes()) {
            Some(answer) if answer.status == 200 => {
                let accepted = answer.json()["accepted"].as_u64().unwrap();
                acknowledged += usize::try_from(accepted).unwrap();
                first.store(true, Ordering::Release);
            }
            _ => break,
        }
    }
    // Whatever ended it, nobody waits for a first answer any more.
    first.store(true, Ordering::Release);
    acknowledged
}

/// Events that the next start finds, by the sum that its health tells: all of them come again, and all are known.
fn events_in_log(place: &Place) -> usize {
    let state: Value = {
        let out = place.run(&["verify", "--data-dir", "data", "--json"]).ok();
        serde_json::from_str(&out).unwrap()
    };
    usize::try_from(state["state"]["position"].as_u64().unwrap()).unwrap()
}
