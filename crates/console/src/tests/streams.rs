//! Live messages.

use super::{Server, header, problem, server, server_with, with_token};
use crate::access::Scope;
use crate::settings::{Limits, Settings};
use reqwest::Response;
use std::time::Duration;

async fn open(server: &Server, token: &str, after: Option<&str>) -> Response {
    let mut request = with_token(server.get("/v1/stream"), token);
    if let Some(after) = after {
        request = request.header("last-event-id", after);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), Some("text/event-stream"));
    response
}

/// Reads until `end` was seen.
async fn until(response: &mut Response, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let chunk = tokio::time::timeout(Duration::from_secs(5), response.chunk())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    text
}

fn ids(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumes_after_the_last_message_that_was_seen() {
    let server = server().await;
    let token = server.token(&[Scope::Read]);
    let text = until(&mut open(&server, &token, None).await, "\"f5\"}\n\n").await;
    assert_eq!(ids(&text), ["1", "2", "3", "4", "5"]);
    assert!(
        text.contains("event: finding\ndata: {\"id\":\"f1\"}\n") || text.contains("data: {\"id\":\"f1\"}\n")
    );
    let text = until(&mut open(&server, &token, Some("3")).await, "\"f5\"}\n\n").await;
    assert_eq!(ids(&text), ["4", "5"]);
    let wrong = with_token(server.get("/v1/stream"), &token).header("last-event-id", "x");
    problem(wrong, 400, "bad_header").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_few_and_end_with_the_server() {
    let server = server_with(Settings {
        limits: Limits {
            streams: 1,
            ..Limits::default()
        },
        ..Settings::default()
    })
    .await;
    let token = server.token(&[Scope::Read]);
    let mut first = open(&server, &token, None).await;
    until(&mut first, "\"f5\"}\n\n").await;
    problem(
        with_token(server.get("/v1/stream"), &token),
        503,
        "too_many_streams",
    )
    .await;
    let stopped = tokio::time::timeout(Duration::from_secs(5), server.stop());
    stopped.await.expect("an open stream holds the shutdown up");
    assert_eq!(first.chunk().await.unwrap(), None);
}
