//! Findings reach SIEMs: through kills, through targets that fail, and once by id where the target keeps ids.

use crate::server::{Server, signal, token};
use crate::siem::{Mood, Siem};
use crate::support::{Place, history, lines, ndjson, takeover};
use serde_json::Value;
use std::collections::BTreeSet;

/// A configuration that exports to everything: over `_bulk`, HEC, and into a file.
fn configured(place: &Place, siem: &Siem) {
    let port = siem.port;
    place.write("token", "11111111-2222-3333-4444-555555555555");
    place.write(
        "habitus.toml",
        format!(
            "[serve]\nlateness_seconds = 1\n\n\
             [[exporter]]\nname = \"elastic\"\nkind = \"ecs_bulk\"\nurl = \"http://127.0.0.1:{port}\"\n\
             allow_networks = [\"127.0.0.1/32\"]\n\n\
             [[exporter]]\nname = \"splunk\"\nkind = \"splunk_hec\"\nurl = \"http://127.0.0.1:{port}\"\n\
             token = \"file:{}\"\nallow_networks = [\"127.0.0.1/32\"]\n\n\
             [[exporter]]\nname = \"disk\"\nkind = \"ocsf\"\npath = \"findings.ndjson\"\n",
            place.path("token").display()
        ),
    );
}

fn start(place: &Place) -> Server {
    Server::start(place, &["--config", "habitus.toml"])
}

/// One takeover, and what it makes: the id of its finding.
fn taken_over(server: &Server, token: &str) -> String {
    let answer = server.post("/v1/events", token, &ndjson(&history()));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let event = takeover("odd", "p3@example.com").to_string();
    assert_eq!(server.post("/v1/events", token, &event).json()["accepted"], 1);
    let about = |page: &Value| {
        let items = page["items"].as_array().unwrap();
        items.iter().any(|row| row["account"] == "p3@example.com")
    };
    let page = server.wait_until(token, "/v1/findings", about);
    let items = page["items"].as_array().unwrap();
    let ours = items.iter().find(|row| row["account"] == "p3@example.com");
    ours.unwrap()["id"].as_str().unwrap().to_owned()
}

/// What is told of a finding under a path of the SIEM, by activity.
fn activities(siem: &Siem, path: &str, finding: &str) -> Vec<String> {
    let of = |document: &Value| {
        let (uid, activity) = if path.starts_with("/_bulk") {
            (&document["labels"]["finding_uid"], &document["event"]["action"])
        } else {
            let event = &document["event"];
            (&event["finding_info"]["uid"], &event["activity_name"])
        };
        (uid == finding).then(|| activity.as_str().unwrap().to_owned())
    };
    let mut all: Vec<String> = siem.documents(path).iter().filter_map(of).collect();
    all.sort();
    all
}

const BULK: &str = "/_bulk";
const HEC: &str = "/services/collector/event";

/// What the audit says became of the tries to tell Elasticsearch of a finding.
fn results(server: &Server, token: &str, finding: &str) -> BTreeSet<String> {
    let audit = server.get("/v1/audit?action=finding.export&limit=200", token);
    let audit = audit.json();
    let entries = audit["items"].as_array().unwrap().iter();
    let ours = entries.filter(|entry| entry["object"] == finding);
    let details = ours.map(|entry| serde_json::from_str(entry["detail"].as_str().unwrap()).unwrap());
    details
        .filter(|detail: &Value| detail["exporter"] == "elastic")
        .map(|detail| detail["result"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn findings_reach_siems_through_kills_and_failures_once_by_id() {
    let place = Place::new();
    let token = token(&place, "ingest,read,triage,admin");
    let siem = Siem::start(Mood::Away);
    configured(&place, &siem);
    let mut server = start(&place);
    let finding = taken_over(&server, &token);
    // What is not yet in the audit when the process dies is not in it afterwards.
    siem.wait("a first try", |_| {
        results(&server, &token, &finding).contains("retry")
    });
    server.kill();
    assert!(siem.documents("/").is_empty());

    // What it takes now it does not answer: whether it was taken is not known.
    siem.turn(Mood::Mute);
    let mut server = start(&place);
    siem.wait("a second try", |siem| {
        !activities(siem, BULK, &finding).is_empty() && !activities(siem, HEC, &finding).is_empty()
    });
    server.kill();

    siem.turn(Mood::Well);
    let server = start(&place);
    let verdict = format!("/v1/findings/{finding}/verdict");
    let judged = server.post(&verdict, &token, r#"{"verdict":"true_positive"}"#);
    assert_eq!(judged.status, 200, "{}", judged.body);
    for path in [BULK, HEC] {
        let all = ["Close", "Create"];
        siem.wait("both records", |siem| activities(siem, path, &finding) == all);
    }
    // Nothing waits any more: every try has its answer.
    let scrape = |server: &Server| server.get("/metrics", &token).body;
    siem.wait("all is done", |_| {
        scrape(&server).contains("habitus_export_records 0")
    });
    let told = scrape(&server);
    assert!(
        told.contains("habitus_exports_total{exporter=\"elastic\",result=\"done\"} "),
        "{told}"
    );
    assert!(told.contains("habitus_export_dead 0"), "{told}");
    assert_eq!(siem.most_often(BULK), 1, "once by id");
    // Splunk keeps copies: one for the answer that was lost, and none for the kills.
    assert!(siem.most_often(HEC) <= 2, "{}", siem.most_often(HEC));
    server.terminate();

    // A file may have a record twice after a kill, and by its id it is one.
    let written = lines(&place.read("findings.ndjson"));
    let ids: BTreeSet<&str> = written
        .iter()
        .filter(|record| record["finding_info"]["uid"] == finding.as_str())
        .map(|record| record["metadata"]["uid"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2, "{written:#?}");
    assert!(ids.contains(finding.as_str()), "the first has the finding's id");

    // Everything that went out is in the audit, under the finding.
    let server = start(&place);
    let results = results(&server, &token, &finding);
    assert!(
        results.contains("done") && results.contains("retry"),
        "{results:?}"
    );
    server.terminate();
    let verified = place.run(&["verify", "--config", "habitus.toml", "--data-dir", "data"]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
}

#[test]
fn what_a_siem_refuses_is_kept_and_goes_out_when_the_configuration_is_read_again() {
    let place = Place::new();
    let token = token(&place, "ingest,read,admin");
    let siem = Siem::start(Mood::Refusing);
    configured(&place, &siem);
    let server = start(&place);
    let finding = taken_over(&server, &token);
    let dead = |server: &Server, count: &str| {
        let line = format!("habitus_export_dead {count}\n");
        server.get("/metrics", &token).body.contains(&line)
    };
    siem.wait("both targets refuse", |_| dead(&server, "2"));
    // The file, which works, is not held up by those that do not.
    let written = lines(&place.read("findings.ndjson"));
    assert!(
        written
            .iter()
            .any(|record| record["finding_info"]["uid"] == finding.as_str())
    );
    siem.turn(Mood::Well);
    signal("HUP", &server.child.id().to_string());
    for path in [BULK, HEC] {
        siem.wait("it goes out", |siem| {
            activities(siem, path, &finding) == ["Create"]
        });
    }
    siem.wait("none is given up", |_| dead(&server, "0"));
    server.terminate();
}
