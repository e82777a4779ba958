//! Findings to a SIEM: batches, items that fail alone, acknowledgements.

use crate::injection::CORPUS;
use crate::world::http::{Seen, answer, site};
use crate::world::{Room, built, exporter_toml, finding, quick};
use habitus_responders::{Exporter, Fault, Outcome};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn exporter(kind: &str, fields: &str) -> Arc<dyn Exporter> {
    let registry = built(&exporter_toml(kind, fields), &quick());
    let (_, exporter) = registry.exporters().next().unwrap();
    Arc::clone(exporter)
}

fn fields(room: &Room, kind: &str, url: &str) -> String {
    room.http_exporters(url)
        .into_iter()
        .find(|(other, _)| *other == kind)
        .unwrap()
        .1
}

/// Findings that differ by their number.
fn findings(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| {
            let mut finding = finding();
            finding["metadata"]["uid"] = format!("fnd-7f3a:{number}").into();
            finding
        })
        .collect()
}

fn lines(seen: &Seen) -> Vec<Value> {
    let text = std::str::from_utf8(&seen.body).unwrap();
    assert!(text.ends_with('\n'), "the last line ends too");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn names(outcomes: &[Outcome]) -> Vec<&'static str> {
    outcomes.iter().map(Outcome::name).collect()
}

/// An index that takes each id once, as Elasticsearch does with `create`.
fn index(taken: &std::sync::Mutex<Vec<String>>, seen: &Seen, busy: &[&str]) -> Value {
    let mut taken = taken.lock().unwrap();
    let items: Vec<Value> = lines(seen)
        .iter()
        .step_by(2)
        .map(|action| {
            let id = action["create"]["_id"].as_str().unwrap();
            if busy.contains(&id) && !taken.iter().any(|t| t == "calm") {
                return json!({"create": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}});
            }
            if id == "fnd-7f3a:3" {
                let error = json!({"type": "document_parsing_exception", "reason": "jane.doe@example.com"});
                return json!({"create": {"status": 400, "error": error}});
            }
            if taken.iter().any(|other| other == id) {
                return json!({"create": {"status": 409, "error": {"type": "version_conflict_engine_exception"}}});
            }
            taken.push(id.to_owned());
            json!({"create": {"status": 201}})
        })
        .collect();
    json!({"errors": true, "items": items})
}

#[tokio::test]
async fn each_item_of_a_bulk_has_its_own_outcome_and_a_repeat_doubles_nothing() {
    let taken = Arc::new(std::sync::Mutex::new(Vec::new()));
    let store = Arc::clone(&taken);
    let site = site(move |seen, _| {
        assert!(seen.target.starts_with("/_bulk?filter_path="), "{}", seen.target);
        assert_eq!(seen.header("content-type"), "application/x-ndjson");
        answer(200, &[], index(&store, seen, &["fnd-7f3a:1"]).to_string())
    })
    .await;
    let room = Room::new();
    let exporter = exporter("ecs_bulk", &fields(&room, "ecs_bulk", &site.url()));
    let batch = findings(5);
    let outcomes = exporter.export(&batch).await;
    assert_eq!(names(&outcomes), ["done", "retry", "done", "failed", "done"]);
    let said = format!("{outcomes:?}");
    assert!(
        said.contains("document_parsing_exception") && !said.contains("jane"),
        "{said}"
    );

    taken.lock().unwrap().push("calm".to_owned());
    let outcomes = exporter.export(&batch).await;
    assert_eq!(names(&outcomes), ["done", "done", "done", "failed", "done"]);
    assert_eq!(
        outcomes[0],
        Outcome::Done {
            detail: "already there".to_owned()
        }
    );
    assert_eq!(
        taken
            .lock()
            .unwrap()
            .iter()
            .filter(|id| id.starts_with("fnd"))
            .count(),
        4
    );
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_and_keeps_its_order() {
    let taken = Arc::new(std::sync::Mutex::new(Vec::new()));
    let store = Arc::clone(&taken);
    let site = site(move |seen, _| {
        let actions = lines(seen).len() / 2;
        if actions > 3 {
            answer(413, &[], "")
        } else {
            answer(200, &[], index(&store, seen, &[]).to_string())
        }
    })
    .await;
    let room = Room::new();
    let exporter = exporter("ecs_bulk", &fields(&room, "ecs_bulk", &site.url()));
    let outcomes = exporter.export(&findings(20)).await;
    let failed: Vec<usize> = (0..20).filter(|at| !outcomes[*at].is_done()).collect();
    assert_eq!((outcomes.len(), failed), (20, vec![3]));
    let expected: Vec<String> = (0..20)
        .filter(|n| *n != 3)
        .map(|n| format!("fnd-7f3a:{n}"))
        .collect();
    assert_eq!(*taken.lock().unwrap(), expected);
}

#[tokio::test]
async fn one_finding_that_is_too_large_fails_alone() {
    let site = site(|_, _| answer(413, &[], "")).await;
    let room = Room::new();
    let exporter = exporter("ecs_bulk", &fields(&room, "ecs_bulk", &site.url()));
    assert_eq!(names(&exporter.export(&findings(3)).await), ["failed"; 3]);
}

#[tokio::test]
async fn answers_of_bulk_that_make_no_sense_say_nothing() {
    for body in [
        "",
        "[]",
        "{\"items\":[]}",
        "{\"items\":[{\"index\":{\"status\":200}},{}]}",
        "{\"errors\":false}",
    ] {
        let site = site(move |_, _| answer(200, &[], body)).await;
        let room = Room::new();
        let exporter = exporter("ecs_bulk", &fields(&room, "ecs_bulk", &site.url()));
        assert_eq!(
            names(&exporter.export(&findings(2)).await),
            ["unknown"; 2],
            "{body}"
        );
    }
}

#[tokio::test]
async fn batches_are_bounded() {
    let site = site(|_, _| answer(200, &[], "")).await;
    let room = Room::new();
    let exporter = exporter("ocsf", &fields(&room, "ocsf", &site.url()));
    let mut batch = findings(1_200);
    for finding in &mut batch {
        finding["message"] = "x".repeat(10_000).into();
    }
    assert_eq!(exporter.export(&batch).await.len(), 1_200);
    let seen = site.seen();
    assert!(seen.len() >= 3, "{}", seen.len());
    assert!(seen.iter().all(|seen| seen.body.len() <= 5_242_880));
    let sent: Vec<Value> = seen.iter().flat_map(lines).collect();
    assert_eq!(sent, batch);
    assert!(exporter.export(&[]).await.is_empty());
}

#[tokio::test]
async fn ocsf_goes_as_lines_an_array_or_a_file() {
    let site = site(|_, _| answer(204, &[], "")).await;
    let room = Room::new();
    let token = room.secret("token", "Bearer abc");
    let more = format!(
        "{}\nauthorization = {token}\nencoding = \"array\"",
        fields(&room, "ocsf", &site.url())
    );
    assert!(
        exporter("ocsf", &more)
            .export(&findings(2))
            .await
            .iter()
            .all(Outcome::is_done)
    );
    let seen = site.one();
    assert_eq!(seen.header("authorization"), "Bearer abc");
    assert_eq!(seen.json().as_array().unwrap().as_slice(), findings(2));

    let path = room.path("findings.ndjson");
    let file = exporter("ocsf", &format!("path = \"{}\"", path.display()));
    assert!(file.export(&findings(2)).await.iter().all(Outcome::is_done));
    assert!(file.export(&findings(1)).await.iter().all(Outcome::is_done));
    let written = std::fs::read_to_string(path).unwrap();
    let read: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read, [findings(2), findings(1)].concat());
}

#[tokio::test]
async fn splunk_takes_objects_one_after_another() {
    let site = site(|_, _| answer(200, &[], r#"{"text":"Success","code":0}"#)).await;
    let room = Room::new();
    let more = format!(
        "{}\nindex = \"sec\"\nhost = \"h1\"",
        fields(&room, "splunk_hec", &site.url())
    );
    assert_eq!(
        names(&exporter("splunk_hec", &more).export(&findings(2)).await),
        ["done"; 2]
    );
    let seen = site.one();
    assert_eq!(seen.target, "/services/collector/event");
    assert_eq!(seen.header("authorization"), "Splunk t0ken");
    let events: Vec<Value> = serde_json::Deserializer::from_slice(&seen.body)
        .into_iter::<Value>()
        .map(Result::unwrap)
        .collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["event"], findings(2)[1]);
    assert_eq!(
        (&events[0]["index"], &events[0]["host"]),
        (&json!("sec"), &json!("h1"))
    );
}

#[tokio::test]
async fn the_codes_of_splunk_say_who_is_at_fault() {
    for (status, code, expected) in [
        (503, 9, "retry"),
        (500, 8, "retry"),
        (503, 18, "retry"),
        (503, 20, "retry"),
        (503, 23, "retry"),
        (403, 4, "responder"),
        (401, 2, "responder"),
        (400, 7, "responder"),
        (400, 10, "responder"),
        (400, 5, "order"),
        (400, 6, "order"),
        (400, 12, "order"),
    ] {
        let site = site(move |_, _| answer(status, &[], json!({"text": "", "code": code}).to_string())).await;
        let room = Room::new();
        let outcomes = exporter("splunk_hec", &fields(&room, "splunk_hec", &site.url()))
            .export(&findings(1))
            .await;
        let found = match &outcomes[0] {
            Outcome::Failed {
                fault: Fault::Responder,
                ..
            } => "responder",
            Outcome::Failed {
                fault: Fault::Order, ..
            } => "order",
            other => other.name(),
        };
        assert_eq!(found, expected, "{code}: {outcomes:?}");
    }
}

#[tokio::test]
async fn with_acknowledgement_done_means_indexed() {
    let site = site(|seen, number| {
        let channel = seen.header("x-splunk-request-channel");
        assert_eq!(channel.len(), 36, "{channel}");
        match seen.target.as_str() {
            "/services/collector/event" => answer(200, &[], r#"{"text":"Success","code":0,"ackId":7}"#),
            "/services/collector/ack" => {
                assert_eq!(seen.json(), json!({"acks": [7]}));
                answer(200, &[], json!({"acks": {"7": number >= 3}}).to_string())
            }
            other => panic!("{other}"),
        }
    })
    .await;
    let room = Room::new();
    let more = format!("{}\nacknowledge = true", fields(&room, "splunk_hec", &site.url()));
    let outcomes = exporter("splunk_hec", &more).export(&findings(1)).await;
    assert_eq!(
        outcomes,
        [Outcome::Done {
            detail: "indexed".to_owned()
        }]
    );
    assert_eq!(site.seen().len(), 4);
}

#[tokio::test]
async fn an_acknowledgement_that_never_comes_leaves_it_open() {
    let site = site(|seen, _| {
        let is_ack = seen.target.ends_with("/ack");
        answer(
            200,
            &[],
            if is_ack {
                r#"{"acks":{"7":false}}"#
            } else {
                r#"{"text":"","code":0,"ackId":7}"#
            },
        )
    })
    .await;
    let room = Room::new();
    let more = format!("{}\nacknowledge = true", fields(&room, "splunk_hec", &site.url()));
    let waiting = exporter("splunk_hec", &more);
    let waited = tokio::time::timeout(Duration::from_secs(30), async move {
        waiting.export(&findings(1)).await
    });
    assert_eq!(names(&waited.await.unwrap()), ["unknown"]);
}

/// What the exporters make of findings that are none, and of text that would leave its place.
#[tokio::test]
async fn hostile_findings_stay_data() {
    let mut batch: Vec<Value> = vec![Value::Null, json!([]), json!({}), json!("x"), json!(1e300)];
    batch.push(json!({"metadata": 1, "evidences": {"0": 1}, "finding_info": [], "time": "now", "risk_score": "high"}));
    batch.push(json!({"time": i64::MAX, "severity_id": -1, "evidences": [1, null, {"src_endpoint": {"ip": "not an ip"}}]}));
    for text in CORPUS {
        let mut finding = finding();
        finding["metadata"]["uid"] = (*text).into();
        finding["message"] = (*text).into();
        finding["evidences"][0]["user"]["name"] = (*text).into();
        finding["evidences"][0]["src_endpoint"]["ip"] = (*text).into();
        batch.push(finding);
    }
    let site = site(|seen, _| {
        assert!(!String::from_utf8_lossy(&seen.body).contains(['<', '>', '\u{1b}', '\u{202e}', '\0']));
        let count = seen.body.iter().filter(|byte| **byte == b'\n').count() / 2;
        let items = vec![json!({"create": {"status": 201}}); count];
        answer(200, &[], json!({"code": 0, "items": items}).to_string())
    })
    .await;
    let room = Room::new();
    for (kind, fields) in room.http_exporters(&site.url()) {
        let outcomes = exporter(kind, &fields).export(&batch).await;
        assert_eq!(outcomes.len(), batch.len(), "{kind}");
        assert!(outcomes.iter().all(Outcome::is_done), "{kind}: {outcomes:?}");
    }
    let seen = site.seen();
    assert_eq!(lines(&seen[0]), batch);
    let bulk = lines(&seen[1]);
    assert_eq!(bulk.len(), 2 * batch.len());
    for (number, text) in CORPUS.iter().enumerate() {
        let (action, document) = (&bulk[2 * (7 + number)], &bulk[2 * (7 + number) + 1]);
        let id = action["create"]["_id"].as_str().unwrap();
        assert!(!id.is_empty() && id.len() <= 512);
        // The other evidence has an address and nothing else; the port of this one is not put beside it.
        assert_eq!(
            document["source"],
            json!({"ip": "2001:db8::9", "address": "2001:db8::9"})
        );
        if !text.is_empty() {
            assert_eq!(
                (&document["message"], &document["user"]["name"]),
                (&json!(text), &json!(text))
            );
        }
    }
    let ids: std::collections::BTreeSet<_> = bulk
        .iter()
        .step_by(2)
        .map(|a| a["create"]["_id"].to_string())
        .collect();
    assert_eq!(ids.len(), batch.len(), "two findings became one document");
}
