//! Shippers that speak Splunk's or Elasticsearch's protocol.

use super::{Server, header, json, server};
use crate::access::Scope;
use crate::product::{Content, Record, Refusal};
use reqwest::Response;

async fn hec(server: &Server, path: &str, token: &str, body: &'static str) -> Response {
    let request = server
        .post(path)
        .header("authorization", format!("Splunk {token}"));
    request.body(body).send().await.unwrap()
}

fn records(server: &Server) -> Vec<Record> {
    let submission = server.fake.submissions.lock().pop().unwrap();
    match submission.content {
        Content::Records(records) => records,
        Content::Whole(_) => panic!("a shipper's records came as one piece"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn splunk_events_become_records() {
    let server = server().await;
    let token = server.token(&[Scope::Ingest]);
    let body = r#"{"time":1767323045.123,"host":"h","sourcetype":"linux_secure","event":"Failed password"}{"event":{"a":1}}"#;
    let response = hec(&server, "/services/collector/event", &token, body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        json(response).await,
        serde_json::json!({"text": "Success", "code": 0})
    );
    let kept = records(&server);
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].content.as_ref(), b"Failed password");
    assert_eq!(kept[0].label.as_deref(), Some("linux_secure"));
    assert_eq!(kept[0].host.as_deref(), Some("h"));
    assert_eq!(kept[0].time.unwrap().as_millis(), 1_767_323_045_123);
    assert_eq!(kept[1].content.as_ref(), br#"{"a":1}"#);

    let response = hec(
        &server,
        "/services/collector/raw?sourcetype=sshd&host=h",
        &token,
        "one\n\ntwo\r\n",
    )
    .await;
    assert_eq!(response.status(), 200);
    let kept = records(&server);
    assert_eq!(kept.len(), 2);
    assert_eq!(
        (kept[1].content.as_ref(), kept[1].label.as_deref()),
        (&b"two"[..], Some("sshd"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn splunk_refusals_have_splunk_s_codes() {
    let server = server().await;
    let token = server.token(&[Scope::Ingest]);
    let path = "/services/collector/event";
    for (body, code) in [("", 5), ("{", 6), ("{\"time\":1}", 12), ("{\"event\":\"\"}", 13)] {
        let response = hec(&server, path, &token, body).await;
        assert_eq!(response.status(), 400, "{body}");
        assert_eq!(json(response).await["code"], code, "{body}");
    }
    let response = hec(&server, path, &token, "{\"event\":1}{\"time\":1}").await;
    assert_eq!(json(response).await["invalid-event-number"], 1);
    assert_eq!(records(&server).len(), 1, "what stood before the fault is kept");

    let response = server.post(path).body("{\"event\":1}").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), json(response).await["code"].clone()),
        (401, 2.into())
    );
    let response = hec(&server, path, "wrong", "{\"event\":1}").await;
    assert_eq!(
        (response.status().as_u16(), json(response).await["code"].clone()),
        (403, 4.into())
    );
    *server.fake.refusal.lock() = Some(Refusal::Full { retry_after: 7 });
    let response = hec(&server, path, &token, "{\"event\":1}").await;
    assert_eq!(response.status(), 503);
    assert_eq!(header(&response, "retry-after"), Some("7"));
    assert_eq!(json(response).await["code"], 9);
    assert_eq!(
        server
            .get("/services/collector/health")
            .send()
            .await
            .unwrap()
            .status(),
        503
    );
    *server.fake.refusal.lock() = None;
    let health = json(server.get("/services/collector/health").send().await.unwrap()).await;
    assert_eq!(health["code"], 17);
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_shippers_are_at_home() {
    let server = server().await;
    let token = server.token(&[Scope::Ingest]);
    let key = format!("ApiKey {token}");
    let greeting = server
        .get("/")
        .header("authorization", &key)
        .send()
        .await
        .unwrap();
    assert_eq!(header(&greeting, "x-elastic-product"), Some("Elasticsearch"));
    assert!(
        json(greeting).await["version"]["number"]
            .as_str()
            .unwrap()
            .starts_with("8.")
    );
    let head = server
        .client
        .head(server.url("/"))
        .header("authorization", &key)
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 200);

    let body = "{\"create\":{\"_index\":\"logs-okta\",\"_id\":\"1\"}}\n{\"a\":1}\n{\"index\":{}}\nbad\n";
    let request = server
        .post("/logs/_bulk")
        .header("authorization", &key)
        .header("content-type", "application/x-ndjson");
    let response = request.body(body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "x-elastic-product"), Some("Elasticsearch"));
    let answer = json(response).await;
    assert_eq!(answer["errors"], true);
    assert_eq!(answer["items"][0]["create"]["status"], 201);
    assert_eq!(answer["items"][0]["create"]["_id"], "1");
    assert_eq!(answer["items"][1]["index"]["status"], 400);
    assert_eq!(answer["items"][1]["index"]["_index"], "logs");
    let kept = records(&server);
    assert_eq!(kept[0].label.as_deref(), Some("logs-okta"));
    assert_eq!(kept[0].content.as_ref(), b"{\"a\":1}");
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_shippers_understand_refusals() {
    let server = server().await;
    let token = server.token(&[Scope::Ingest]);
    let response = server.post("/_bulk").body("{}").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(json(response).await["error"]["type"], "security_exception");
    let send = |body: &'static str| {
        server
            .post("/_bulk")
            .basic_auth("any", Some(&token))
            .body(body)
            .send()
    };
    let response = send("nonsense\n").await.unwrap();
    assert_eq!(response.status(), 400);
    *server.fake.refusal.lock() = Some(Refusal::Overloaded { retry_after: 2 });
    let response = send("{\"create\":{}}\n{}\n").await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(header(&response, "retry-after"), Some("2"));
    assert_eq!(
        json(response).await["error"]["type"],
        "es_rejected_execution_exception"
    );
}
