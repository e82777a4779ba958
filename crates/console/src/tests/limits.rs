//! What slow, greedy and broken clients get.

use super::{Server, problem, server_with, with_token};
use crate::access::Scope;
use crate::settings::{Limits, Settings};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

fn settings(limits: Limits) -> Settings {
    Settings {
        limits,
        ..Settings::default()
    }
}

fn impatient() -> Limits {
    Limits {
        head_time: Duration::from_millis(400),
        body_pause: Duration::from_millis(400),
        body_time: Duration::from_millis(1_500),
        ..Limits::default()
    }
}

/// Sends bytes and reads what comes until the server closes; an error after five seconds.
async fn converse(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer));
    // A reset is an end too.
    let _ = read.await.expect("the server does not let go");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_heads_are_cut_off() {
    let server = server_with(settings(impatient())).await;
    for begin in [
        "",
        "P",
        "PRI",
        "GET /livez HTT",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    ] {
        converse(&server, begin.as_bytes()).await;
    }
    assert_eq!(server.get("/livez").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_bodies_are_refused() {
    let server = server_with(settings(impatient())).await;
    let token = server.token(&[Scope::Ingest]);
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nabc"
    );
    let answer = converse(&server, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(server.fake.submissions.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_drip_end_with_the_time_for_all_of_it() {
    let server = server_with(settings(impatient())).await;
    let token = server.token(&[Scope::Ingest]);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let started = Instant::now();
    let (mut read, mut write) = stream.into_split();
    let drip = tokio::spawn(async move {
        while write.write_all(b"1\r\nx\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut begin = [0; 12];
    tokio::time::timeout(Duration::from_secs(10), read.read_exact(&mut begin))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&begin, b"HTTP/1.1 408");
    assert!(started.elapsed() < Duration::from_secs(8));
    drip.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn large_heads_are_refused() {
    let server = server_with(settings(impatient())).await;
    let long = format!(
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let many = format!(
        "GET /livez HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
        "a: b\r\n".repeat(500)
    );
    let path = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(200_000));
    for head in [long, many, path] {
        let answer = converse(&server, head.as_bytes()).await;
        // The answer may be lost with the reset that follows unread bytes.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(server.get("/livez").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_could_be_read_in_two_ways_are_refused() {
    let server = server_with(settings(impatient())).await;
    for head in [
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "GET /livez HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET /livez\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let answer = converse(&server, head.as_bytes()).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{head:?}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_allowed_are_refused_and_probes_are_not() {
    let server = server_with(settings(Limits {
        requests: 1,
        ..Limits::default()
    }))
    .await;
    let token = server.token(&[Scope::Ingest]);
    *server.fake.delay.lock() = Duration::from_secs(2);
    let slow = with_token(server.post("/v1/assess"), &token)
        .header("habitus-deadline-ms", "3000")
        .body("{}");
    let slow = tokio::spawn(async move { slow.send().await.unwrap().status() });
    while server.fake.questions.lock().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    problem(with_token(server.get("/v1/me"), &token), 503, "overloaded").await;
    assert_eq!(server.get("/livez").send().await.unwrap().status(), 200);
    assert_eq!(slow.await.unwrap(), 200);
    assert_eq!(
        with_token(server.get("/v1/me"), &token)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_share_one_memory() {
    let server = server_with(settings(Limits {
        bodies_bytes: 1024 * 1024,
        ..Limits::default()
    }))
    .await;
    let token = server.token(&[Scope::Ingest]);
    let large = with_token(server.post("/v1/events"), &token).body(vec![b'x'; 2 * 1024 * 1024]);
    problem(large, 503, "overloaded").await;
    let small = with_token(server.post("/v1/events"), &token).body(vec![b'x'; 900 * 1024]);
    assert_eq!(small.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_at_shutdown_is_finished() {
    let mut server = server_with(Settings::default()).await;
    let token = server.token(&[Scope::Ingest]);
    *server.fake.delay.lock() = Duration::from_millis(500);
    let slow = with_token(server.post("/v1/assess"), &token)
        .header("habitus-deadline-ms", "3000")
        .body("{}");
    let slow = tokio::spawn(async move { slow.send().await.unwrap().status() });
    while server.fake.questions.lock().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.stop.take().unwrap().send(()).unwrap();
    let running = std::mem::replace(&mut server.running, tokio::spawn(async {}));
    tokio::time::timeout(Duration::from_secs(5), running)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(slow.await.unwrap(), 200);
    assert!(
        server.get("/livez").send().await.is_err(),
        "nothing new is accepted"
    );
}
