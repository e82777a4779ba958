//! OTLP as a collector receives it: a small HTTP server, and the protocol read by its numbers alone, without our own messages.

use crate::server::{Server, token};
use crate::support::{MONDAY, Place};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A request: path, content type, body.
type Request = (String, String, Vec<u8>);

/// Takes requests; the first one is refused as if the collector were busy.
fn collector() -> (String, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
            let header = |name: &str| {
                let line = head
                    .lines()
                    .find(|line| line.to_lowercase().starts_with(&format!("{name}:")));
                line.map(|line| line[name.len() + 1..].trim().to_owned())
                    .unwrap_or_default()
            };
            let Ok(length) = header("content-length").parse() else {
                continue;
            };
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let status = if number == 0 {
                "503 Service Unavailable"
            } else {
                "200 OK"
            };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            if number > 0 && send.send((path, header("content-type"), body)).is_err() {
                return;
            }
        }
    });
    (address, receive)
}

/// A field of a message: its number, and its bytes or its number's.
type Field = (u64, Vec<u8>);

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

/// The fields of a message (protobuf's wire types 0, 1 and 2).
fn fields(mut bytes: &[u8]) -> Vec<Field> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let content = match key & 7 {
            0 => varint(&mut bytes).to_le_bytes().to_vec(),
            1 => {
                let (fixed, rest) = bytes.split_at(8);
                bytes = rest;
                fixed.to_vec()
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (content, rest) = bytes.split_at(length);
                bytes = rest;
                content.to_vec()
            }
            other => panic!("wire type {other}"),
        };
        all.push((key >> 3, content));
    }
    all
}

/// All messages that a path of numbers leads to.
fn at(message: &[u8], path: &[u64]) -> Vec<Vec<u8>> {
    path.iter().fold(vec![message.to_vec()], |found, number| {
        let within = found.iter().flat_map(|message| fields(message));
        within
            .filter(|(of, _)| of == number)
            .map(|(_, content)| content)
            .collect()
    })
}

fn text(message: &[u8], path: &[u64]) -> String {
    String::from_utf8(at(message, path).concat()).unwrap()
}

fn fixed(message: &[u8], number: u64) -> u64 {
    u64::from_le_bytes(at(message, &[number]).remove(0).try_into().unwrap())
}

/// Attributes as their names and their values' only field.
fn attributes(message: &[u8], number: u64) -> Vec<(String, Field)> {
    let all = at(message, &[number]);
    all.iter()
        .map(|one| (text(one, &[1]), fields(&at(one, &[2]).concat()).remove(0)))
        .collect()
}

fn login(number: usize) -> String {
    let event = json!({
        "class_uid": 3002, "activity_id": 1, "category_uid": 3, "type_uid": 300_201, "severity_id": 1, "status_id": 1,
        "time": MONDAY + i64::try_from(number).unwrap(), "metadata": { "uid": format!("private-{number}"), "version": "1.8.0" },
        "user": { "uid": "ana@example.com", "name": "ana@example.com" }, "src_endpoint": { "ip": "203.0.113.7" },
    });
    event.to_string() + "\n"
}

/// Sends events to a server that exports, ends it, and gives what the collector got.
fn exported(place: &Place) -> Vec<Request> {
    let (address, requests) = collector();
    place.write(
        "habitus.toml",
        format!("[telemetry]\notlp_endpoint = \"{address}\"\n"),
    );
    let token = token(place, "ingest,read");
    let server = Server::start(place, &["--config", "habitus.toml"]);
    let body: String = (0..17).map(login).collect();
    assert_eq!(server.post("/v1/events", &token, &body).status, 200);
    assert_eq!(server.post("/v1/assess", &token, &login(99)).status, 200);
    // One export at least while it runs, and the rest when it ends.
    std::thread::sleep(Duration::from_secs(5));
    server.terminate();
    let mut all = Vec::new();
    while let Ok(request) = requests.recv_timeout(Duration::from_secs(1)) {
        all.push(request);
    }
    all
}

#[test]
fn a_collector_gets_spans_and_lines_and_nothing_personal() {
    let place = Place::new();
    let requests = exported(&place);
    let of = |path: &str| -> Vec<&Request> { requests.iter().filter(|request| request.0 == path).collect() };
    let (traces, logs) = (of("/v1/traces"), of("/v1/logs"));
    assert!(
        !traces.is_empty() && !logs.is_empty(),
        "{} requests",
        requests.len()
    );
    for (path, kind, body) in &requests {
        assert_eq!(kind, "application/x-protobuf", "{path}");
        let service = attributes(&at(body, &[1, 1]).concat(), 1);
        assert!(
            service.contains(&("service.name".to_owned(), (1, b"habitus".to_vec()))),
            "{service:?}"
        );
        let raw = String::from_utf8_lossy(body);
        for private in ["example.com", "203.0.113", "private-"] {
            assert!(!raw.contains(private), "{private} in {path}");
        }
    }
    let spans: Vec<Vec<u8>> = traces
        .iter()
        .flat_map(|request| at(&request.2, &[1, 2, 2]))
        .collect();
    let ingest = spans.iter().find(|span| text(span, &[5]) == "ingest").unwrap();
    assert_eq!((at(ingest, &[1])[0].len(), at(ingest, &[2])[0].len()), (16, 8));
    assert!(fixed(ingest, 7) <= fixed(ingest, 8) && fixed(ingest, 7) > 1_700_000_000_000_000_000);
    let records = attributes(ingest, 9)
        .into_iter()
        .find(|(name, _)| name == "records");
    assert_eq!(records.unwrap().1, (3, 17_u64.to_le_bytes().to_vec()));
    let assess = spans.iter().find(|span| text(span, &[5]) == "assess").unwrap();
    assert!(fixed(assess, 7) <= fixed(assess, 8));
    let degraded = attributes(assess, 9)
        .into_iter()
        .find(|(name, _)| name == "degraded");
    assert_eq!(degraded.unwrap().1, (2, 0_u64.to_le_bytes().to_vec()));
    let names: Vec<String> = spans.iter().map(|span| text(span, &[5])).collect();
    assert!(names.contains(&"snapshot".to_owned()), "{names:?}");
    let lines: Vec<Vec<u8>> = logs
        .iter()
        .flat_map(|request| at(&request.2, &[1, 2, 2]))
        .collect();
    let taken = lines
        .iter()
        .find(|line| text(line, &[5, 1]) == "snapshot taken")
        .unwrap();
    assert_eq!((at(taken, &[2])[0][0], text(taken, &[3])), (9, "INFO".to_owned()));
    // The line belongs to the span that it was written in.
    let snapshot = spans.iter().find(|span| text(span, &[5]) == "snapshot").unwrap();
    assert_eq!(at(taken, &[9]), at(snapshot, &[1]));
    assert_eq!(at(taken, &[10]), at(snapshot, &[2]));
}

#[test]
fn a_collector_that_is_gone_keeps_nobody_waiting() {
    let place = Place::new();
    place.write(
        "habitus.toml",
        "[telemetry]\notlp_endpoint = \"http://127.0.0.1:9\"\n",
    );
    let token = token(&place, "ingest");
    let server = Server::start(&place, &["--config", "habitus.toml"]);
    assert_eq!(server.post("/v1/events", &token, &login(1)).status, 200);
    let started = std::time::Instant::now();
    server.terminate();
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn an_address_that_is_none_is_refused_where_it_stands() {
    let place = Place::new();
    place.write(
        "habitus.toml",
        "[telemetry]\notlp_endpoint = \"localhost:4317\"\n",
    );
    let refused = place.run(&["check", "config", "habitus.toml"]);
    assert_eq!(refused.code, 78);
    assert!(
        refused.stderr.contains("otlp_endpoint") && refused.stderr.contains("habitus.toml:2"),
        "{}",
        refused.stderr
    );
}
