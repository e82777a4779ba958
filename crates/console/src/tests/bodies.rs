//! Events on their way in.

use super::{header, json, problem, server, with_token};
use crate::access::Scope;
use crate::product::Content;
use std::io::Write as _;
use std::time::Duration;
use tokio::time::Instant;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_as_they_were_whatever_the_compression() {
    let server = server().await;
    let token = server.token_for(&[Scope::Ingest], Some("okta"));
    let content = b"{\"a\":1}\nbad\n{\"b\":2}\n".to_vec();
    for (encoding, body) in [
        ("identity", content.clone()),
        ("gzip", gzip(&content)),
        ("zstd", zstd::encode_all(content.as_slice(), 3).unwrap()),
    ] {
        let request = with_token(server.post("/v1/events?format=okta"), &token);
        let response = request
            .header("content-encoding", encoding)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{encoding}");
        assert_eq!(header(&response, "content-type"), Some("application/json"));
        let answer = json(response).await;
        assert_eq!(answer["accepted"], 2);
        assert_eq!(answer["duplicates"], 0);
        assert_eq!(answer["rejected"][0]["line"], 2);
        let kept = server.fake.submissions.lock().pop().unwrap();
        assert_eq!(kept.content, Content::Whole(content.clone().into()));
        assert_eq!(kept.format.as_deref(), Some("okta"));
        assert_eq!(kept.source.as_deref(), Some("okta"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_token_gives_no_other_source_s_events() {
    let server = server().await;
    let bound = server.token_for(&[Scope::Ingest], Some("okta"));
    let other = with_token(server.post("/v1/events?source=entra"), &bound).body("x");
    problem(other, 403, "forbidden").await;
    let free = server.token(&[Scope::Ingest]);
    let named = with_token(server.post("/v1/events?source=entra"), &free).body("x");
    assert_eq!(named.send().await.unwrap().status(), 200);
    assert_eq!(server.fake.submissions.lock()[0].source.as_deref(), Some("entra"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused_fast() {
    let server = server().await;
    let token = server.token(&[Scope::Ingest]);
    let zeros = vec![0; 200 * 1024 * 1024];
    let bombs = [
        ("gzip", gzip(&zeros)),
        ("zstd", zstd::encode_all(zeros.as_slice(), 1).unwrap()),
    ];
    drop(zeros);
    for (encoding, bomb) in bombs {
        let started = Instant::now();
        let request = with_token(server.post("/v1/events"), &token);
        problem(
            request.header("content-encoding", encoding).body(bomb),
            413,
            "too_large",
        )
        .await;
        // The goal is 100 ms of CPU; the wall clock of a busy machine is given more.
        assert!(started.elapsed() < Duration::from_secs(2), "{encoding}");
    }
    assert!(server.fake.submissions.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_are_refused_before_they_are_sent() {
    let server = server().await;
    let token = server.token(&[Scope::Ingest]);
    let body = vec![b'x'; 16 * 1024 * 1024 + 1];
    // The server may close before it has read all: the client then sees either.
    let request = with_token(server.post("/v1/events"), &token).body(body);
    if let Ok(response) = request.send().await {
        assert_eq!(response.status(), 413);
    }
    let fits = vec![b'x'; 16 * 1024 * 1024];
    let request = with_token(server.post("/v1/events"), &token).body(fits);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_small() {
    let server = server().await;
    let token = server.token(&[Scope::Triage]);
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(100_000));
    let request = super::with_json(with_token(server.post("/v1/findings/known/notes"), &token), &body);
    problem(request, 413, "too_large").await;
    let deep = "[".repeat(60_000);
    let request = super::with_json(with_token(server.post("/v1/findings/known/notes"), &token), &deep);
    let status = request.send().await.unwrap().status();
    assert!(status.is_client_error(), "{status}");
}
