//! Problem documents, headers and hosts.

use super::{header, json, problem, server, server_with, with_json, with_token};
use crate::access::{Role, Scope};
use crate::product::Refusal;
use crate::settings::Settings;

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_a_problem_document() {
    let server = server().await;
    let admin = server.token(&[Scope::Admin, Scope::Triage, Scope::Ingest, Scope::Read]);
    let get = |path: &str| with_token(server.get(path), &admin);
    let post = |path: &str| with_token(server.post(path), &admin);

    problem(server.get("/v1/findings"), 401, "unauthenticated").await;
    problem(get("/v1/nothing"), 404, "not_found").await;
    problem(get("/v1/findings/unknown"), 404, "not_found").await;
    problem(get("/v1/findings?limit=x"), 400, "bad_query").await;
    problem(get("/v1/findings?surprise=1"), 400, "bad_query").await;
    problem(get("/v1/findings?limit=0"), 422, "invalid").await;
    problem(get("/v1/findings?min_score=NaN"), 422, "invalid").await;
    problem(get("/v1/events"), 405, "wrong_method").await;
    problem(
        post("/v1/findings/known/verdict").body("{}"),
        415,
        "unsupported_type",
    )
    .await;
    problem(
        with_json(post("/v1/findings/known/verdict"), "{"),
        400,
        "malformed",
    )
    .await;
    problem(
        with_json(post("/v1/findings/known/verdict"), "{}"),
        422,
        "invalid",
    )
    .await;
    problem(
        with_json(
            post("/v1/findings/known/verdict"),
            "{\"verdict\":\"benign\",\"x\":1}",
        ),
        422,
        "invalid",
    )
    .await;
    problem(
        with_json(post("/v1/findings/unknown/verdict"), "{\"verdict\":\"benign\"}"),
        404,
        "not_found",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_about_bodies_and_credentials_is_one_too() {
    let server = server().await;
    let admin = server.token(&[Scope::Ingest, Scope::Triage]);
    let post = |path: &str| with_token(server.post(path), &admin);
    let nothing = with_json(post("/v1/findings/known/undo"), "null")
        .send()
        .await
        .unwrap();
    assert_eq!(nothing.status(), 200);
    problem(
        post("/v1/events").header("content-encoding", "br").body("x"),
        415,
        "unsupported_encoding",
    )
    .await;
    problem(
        post("/v1/events")
            .header("content-encoding", "gzip, gzip")
            .body("x"),
        415,
        "unsupported_encoding",
    )
    .await;
    problem(
        post("/v1/events").header("content-encoding", "gzip").body("x"),
        400,
        "broken_body",
    )
    .await;
    problem(post("/v1/events?source=a%20b").body("x"), 422, "invalid").await;
    problem(
        server.get("/livez").header("host", "evil.example"),
        421,
        "unknown_host",
    )
    .await;
    let denied = problem(
        with_token(server.get("/v1/me"), "hbt_wrong"),
        401,
        "bad_credentials",
    )
    .await;
    assert!(!denied.to_string().contains("hbt_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_is_told_the_right_ones() {
    let server = server().await;
    let response = server
        .client
        .delete(server.url("/v1/events"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(header(&response, "allow"), Some("POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_says_when_to_come_again() {
    let server = server().await;
    let token = server.token(&[Scope::Ingest]);
    for (refusal, code) in [
        (Refusal::Overloaded { retry_after: 3 }, "overloaded"),
        (Refusal::Full { retry_after: 0 }, "storage_full"),
        (Refusal::ShuttingDown, "shutting_down"),
    ] {
        *server.fake.refusal.lock() = Some(refusal);
        problem(with_token(server.post("/v1/events"), &token).body("x"), 503, code).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_are_slowed_down_and_right_ones_are_not() {
    let server = server().await;
    let wrong = format!("hbt_{}", "A".repeat(43));
    for _ in 0..4 {
        problem(with_token(server.get("/v1/me"), &wrong), 401, "bad_credentials").await;
    }
    problem(with_token(server.get("/v1/me"), &wrong), 429, "throttled").await;
    let right = server.token(&[Scope::Read]);
    assert_eq!(
        with_token(server.get("/v1/me"), &right)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_security_headers() {
    let https = Settings {
        https: true,
        ..Settings::default()
    };
    for (server, is_https) in [(server().await, false), (server_with(https).await, true)] {
        for path in [
            "/livez",
            "/sign-in",
            "/",
            "/v1/findings",
            "/nothing",
            "/assets/console.css",
        ] {
            let response = server.get(path).send().await.unwrap();
            let csp = header(&response, "content-security-policy").unwrap();
            assert!(
                csp.contains("default-src 'none'") && csp.contains("frame-ancestors 'none'"),
                "{path}"
            );
            assert!(!csp.contains("unsafe"), "{path}");
            assert_eq!(
                header(&response, "x-content-type-options"),
                Some("nosniff"),
                "{path}"
            );
            assert_eq!(
                header(&response, "referrer-policy"),
                Some("same-origin"),
                "{path}"
            );
            assert_eq!(header(&response, "x-frame-options"), Some("DENY"), "{path}");
            assert!(header(&response, "cache-control").is_some(), "{path}");
            assert!(
                header(&response, "access-control-allow-origin").is_none(),
                "{path}"
            );
            assert_eq!(
                header(&response, "strict-transport-security").is_some(),
                is_https,
                "{path}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_trusted_proxies_name_the_client_and_the_request() {
    let trusting = Settings {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Settings::default()
    };
    for (server, believed) in [(server().await, false), (server_with(trusting).await, true)] {
        let browser = server.browser(Role::Viewer);
        let request = server
            .get("/v1/findings/known")
            .header("cookie", &browser.cookie)
            .header("x-forwarded-for", "198.51.100.1, 203.0.113.9")
            .header("x-request-id", "mine-1");
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "x-request-id") == Some("mine-1"), believed);
        let note = server.fake.notes.lock().last().cloned().unwrap();
        let expected = if believed { "203.0.113.9" } else { "127.0.0.1" };
        assert_eq!(note.address, Some(expected.parse().unwrap()));
        assert_eq!(note.action, "finding.read");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_is_not_shown() {
    let server = server().await;
    let token = server.token(&[Scope::Read, Scope::Admin]);
    *server.fake.audit_fails.lock() = true;
    problem(
        with_token(server.get("/v1/accounts/known"), &token),
        503,
        "storage_full",
    )
    .await;
    let before = server.access.tokens(server.now()).len();
    let command = "{\"name\":\"x\",\"scopes\":[\"read\"]}";
    problem(
        with_json(with_token(server.post("/v1/tokens"), &token), command),
        503,
        "storage_full",
    )
    .await;
    assert_eq!(server.access.tokens(server.now()).len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_answer() {
    let server = server().await;
    assert_eq!(
        server.get("/livez").send().await.unwrap().text().await.unwrap(),
        "ok\n"
    );
    assert_eq!(server.get("/readyz").send().await.unwrap().status(), 200);
    *server.fake.refusal.lock() = Some(Refusal::ShuttingDown);
    let response = server.get("/readyz").send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(json(response).await["checks"][0]["name"], "journal");
    let token = server.token(&[Scope::Read]);
    let text = with_token(server.get("/metrics"), &token)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.contains("habitus_http_requests_total{method=\"GET\",route=\"/readyz\",code=\"5xx\"} 1\n"));
    assert!(text.ends_with("habitus_build_info 1\n"));
}
