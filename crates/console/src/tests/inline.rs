//! Inline decisions.

use super::fake::Fake;
use super::{Server, header, json, problem, server_with, with_token};
use crate::access::Scope;
use crate::ext_authz::message::{
    Address, AttributeContext, CheckRequest, CheckResponse, HttpRequest, HttpResponse, Peer, Request,
    SocketAddress,
};
use crate::product::Refusal;
use crate::settings::{AuthorizeRoute, Fail, Inline, Settings};
use bytes::Bytes;
use habitus_model::{Disposition, Mode, Text};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;

fn two_routes() -> Settings {
    let route = |name: &str, fail| AuthorizeRoute {
        name: Text::new(name),
        fail,
        ..AuthorizeRoute::default()
    };
    Settings {
        inline: Inline {
            // Tests run on busy machines; what they ask is not how fast it is.
            deadline: Duration::from_secs(4),
            routes: vec![route("default", Fail::Closed), route("open", Fail::Open)],
            ..Inline::default()
        },
        ..Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_names_what_a_verdict_names() {
    let server = server_with(two_routes()).await;
    let token = server.token(&[Scope::Ingest]);
    let request =
        with_token(server.post("/v1/assess?format=okta"), &token).header("habitus-deadline-ms", "4000");
    let answer = json(request.body("{\"a\":1}").send().await.unwrap()).await;
    assert_eq!(answer["risk_score"], 91.5);
    assert_eq!(answer["risk_level"], "critical");
    assert_eq!(answer["disposition"], "allow");
    assert_eq!(answer["degraded"], false);
    assert_eq!(answer["contributions"][0]["signal"], "new_country");
    let asked = server.fake.questions.lock().pop().unwrap();
    assert!(asked.deadline <= Duration::from_secs(4));
    assert_eq!(asked.format.as_deref(), Some("okta"));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_an_answer_before_the_deadline_always() {
    let server = server_with(two_routes()).await;
    let token = server.token(&[Scope::Ingest]);
    *server.fake.delay.lock() = Duration::from_secs(30);
    let started = Instant::now();
    let request = with_token(server.post("/v1/assess"), &token).header("habitus-deadline-ms", "100");
    let answer = json(request.body("{}").send().await.unwrap()).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(answer["degraded"], true);
    assert_eq!(answer["disposition"], "review");
    assert_eq!(answer["risk_score"], serde_json::Value::Null);
    assert!(answer["degraded_reason"].as_str().unwrap().contains("deadline"));

    *server.fake.delay.lock() = Duration::ZERO;
    *server.fake.refusal.lock() = Some(Refusal::BadFormat {
        reason: "`time` is missing".to_owned(),
    });
    let answer = json(
        with_token(server.post("/v1/assess"), &token)
            .body("{}")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        answer["degraded_reason"],
        "the event cannot be read: `time` is missing"
    );
    for wrong in ["0", "-1", "x", "999999"] {
        let request = with_token(server.post("/v1/assess"), &token).header("habitus-deadline-ms", wrong);
        problem(request.body("{}"), 422, "invalid").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_get_only_what_they_understand() {
    let server = server_with(two_routes()).await;
    let token = server.token(&[Scope::Ingest]);
    for (disposition, status) in [
        (Disposition::Allow, 200),
        (Disposition::Review, 200),
        (Disposition::Challenge, 401),
        (Disposition::Deny, 403),
        (Disposition::Revoke, 403),
    ] {
        *server.fake.disposition.lock() = Some(disposition);
        let request = server
            .get("/v1/authorize")
            .header("habitus-token", &token)
            .header("authorization", "Bearer the-visitors-own")
            .header("x-real-ip", "203.0.113.9")
            .header("x-forwarded-email", "ana@example.com")
            .header("x-original-uri", "/private?secret=1")
            .header("x-original-method", "GET")
            .header("user-agent", "Firefox");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(header(&response, "habitus-disposition"), Some(disposition.name()));
        assert_eq!(header(&response, "habitus-failure-mode"), Some("closed"));
        assert_eq!(header(&response, "habitus-risk-level").is_some(), status == 200);
        assert_eq!(header(&response, "www-authenticate").is_some(), status == 401);
        let asked = server.fake.questions.lock().pop().unwrap();
        let event: serde_json::Value = serde_json::from_slice(&asked.event).unwrap();
        assert_eq!(event["class_uid"], 3002);
        assert_eq!(event["user"]["name"], "ana@example.com");
        assert_eq!(event["src_endpoint"]["ip"], "203.0.113.9");
        assert_eq!(event["http_request"]["user_agent"], "Firefox");
        assert_eq!(event["http_request"]["url"]["path"], "/private");
    }
    problem(
        server
            .get("/v1/authorize?route=unknown")
            .header("habitus-token", &token),
        404,
        "not_found",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_open_or_closed_is_chosen_for_each_route_and_shown() {
    let server = server_with(two_routes()).await;
    let token = server.token(&[Scope::Ingest]);
    *server.fake.refusal.lock() = Some(Refusal::Internal);
    for (path, status, mode) in [
        ("/v1/authorize", 403, "closed"),
        ("/v1/authorize?route=open", 200, "open"),
    ] {
        let response = with_token(server.post(path), &token).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(header(&response, "habitus-failure-mode"), Some(mode));
        assert_eq!(header(&response, "habitus-degraded"), Some("true"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_turned_away_unless_the_policy_enforces() {
    let server = server_with(two_routes()).await;
    let token = server.token(&[Scope::Ingest]);
    for mode in [Mode::Observe, Mode::Recommend] {
        *server.fake.mode.lock() = Some(mode);
        for disposition in [Disposition::Challenge, Disposition::Deny, Disposition::Revoke] {
            *server.fake.disposition.lock() = Some(disposition);
            let response = with_token(server.get("/v1/authorize"), &token)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 200, "{mode:?} {disposition:?}");
            assert_eq!(header(&response, "habitus-disposition"), Some(disposition.name()));
            assert_eq!(header(&response, "habitus-mode"), Some(mode.name()));
            let asked = check_request(None).encode_to_vec();
            let (checked, _) = call(&server, &token, &asked).await;
            assert_eq!(
                checked.unwrap().status.unwrap().code,
                0,
                "{mode:?} {disposition:?}"
            );
        }
    }
}

fn check_request(route: Option<&str>) -> CheckRequest {
    let headers = [
        ("user-agent", "Firefox"),
        ("x-auth-request-email", "ana@example.com"),
    ];
    let http = HttpRequest {
        method: "GET".to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        path: "/private?secret=1".to_owned(),
        host: "app.example.com".to_owned(),
    };
    let socket = SocketAddress {
        address: "203.0.113.9".to_owned(),
    };
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(Peer {
                address: Some(Address {
                    socket_address: Some(socket),
                }),
            }),
            request: Some(Request { http: Some(http) }),
            context_extensions: route
                .map(|route| ("route".to_owned(), route.to_owned()))
                .into_iter()
                .collect(),
        }),
    }
}

/// Calls over a real HTTP/2 connection; gives the message, and the status of gRPC wherever it stands.
async fn call(server: &Server, token: &str, message: &[u8]) -> (Option<CheckResponse>, String) {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    let request = http::Request::post(format!(
        "http://{}/envoy.service.auth.v3.Authorization/Check",
        server.address
    ))
    .header("content-type", "application/grpc")
    .header("te", "trailers")
    .header("authorization", format!("Bearer {token}"))
    .body(Full::<Bytes>::from(body))
    .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let at_head = response.headers().get("grpc-status").cloned();
    let collected = response.into_body().collect().await.unwrap();
    let in_trailers = collected
        .trailers()
        .and_then(|trailers| trailers.get("grpc-status"))
        .cloned();
    let status = at_head.or(in_trailers).unwrap().to_str().unwrap().to_owned();
    let bytes = collected.to_bytes();
    let message = bytes
        .get(5..)
        .map(|message| CheckResponse::decode(message).unwrap());
    (message, status)
}

fn names(headers: &[crate::ext_authz::message::HeaderOption]) -> Vec<String> {
    headers
        .iter()
        .map(|option| option.header.clone().unwrap().key)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_asks_over_grpc() {
    let server = server_with(two_routes()).await;
    let token = server.token(&[Scope::Ingest]);
    let asked = check_request(None).encode_to_vec();
    let (response, status) = call(&server, &token, &asked).await;
    assert_eq!(status, "0");
    let response = response.unwrap();
    assert_eq!(response.status.unwrap().code, 0);
    let Some(HttpResponse::Ok(ok)) = response.http_response else {
        panic!("allowed, and not said so");
    };
    assert!(names(&ok.headers).contains(&"habitus-risk-level".to_owned()));
    let question = server.fake.questions.lock().pop().unwrap();
    let event: serde_json::Value = serde_json::from_slice(&question.event).unwrap();
    assert_eq!(event["user"]["name"], "ana@example.com");
    assert_eq!(event["src_endpoint"]["ip"], "203.0.113.9");

    *server.fake.disposition.lock() = Some(Disposition::Challenge);
    let response = call(&server, &token, &asked).await.0.unwrap();
    assert_eq!(response.status.unwrap().code, 16);
    let Some(HttpResponse::Denied(denied)) = response.http_response else {
        panic!("challenged, and not said so");
    };
    assert_eq!(denied.status.unwrap().code, 401);
    assert!(names(&denied.headers).contains(&"www-authenticate".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_is_told_how_its_route_fails() {
    let server = server_with(two_routes()).await;
    let token = server.token(&[Scope::Ingest]);
    fail(&server.fake);
    let closed = call(&server, &token, &check_request(None).encode_to_vec())
        .await
        .0
        .unwrap();
    assert_eq!(closed.status.unwrap().code, 7);
    let open = call(&server, &token, &check_request(Some("open")).encode_to_vec())
        .await
        .0
        .unwrap();
    assert_eq!(open.status.unwrap().code, 0);
    assert_eq!(call(&server, "wrong", &[]).await.1, "16");
    assert_eq!(call(&server, &token, b"\xff\xff\xff").await.1, "3");
}

fn fail(fake: &Arc<Fake>) {
    *fake.refusal.lock() = Some(Refusal::Internal);
}
