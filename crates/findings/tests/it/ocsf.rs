//! Findings are valid OCSF, in every state.

use crate::support::{by, command, findings, from, hit, judge, line, settled};
use habitus_findings::{Act, Lifecycle, Scope, Settings, View, Writer};
use habitus_findings::{Filter, Findings};
use habitus_model::{Family, Status, Verdict};
use serde_json::{Value, json};

const WRITER: Writer<'_> = Writer {
    model: "habitus-test/1",
    version: "0.0.0",
};

fn valid(finding: &View, lifecycle: Lifecycle) -> Value {
    let object = WRITER.to_ocsf(finding, lifecycle);
    assert_eq!(habitus_testkit::ocsf::validate(&object), [""; 0], "{object:#}");
    object
}

fn all(findings: &Findings) -> Vec<View> {
    let filter = Filter {
        scope: Scope::All,
        ..Filter::default()
    };
    findings.list(&filter, None, 500).findings
}

#[test]
fn every_sort_of_finding_is_valid() {
    let mut hits: Vec<_> = (0..5)
        .map(|n| hit(&format!("c{n}"), Some(&format!("user{n}")), n, 70.0))
        .collect();
    hits.push(hit("nobody", None, 3, 65.0));
    let mut burst = hit("burst", Some("bob"), 4, 90.0);
    by(&mut burst, Family::Burst);
    burst.context.status = Status::Failure;
    from(&mut burst, "198.51.100.9");
    hits.push(burst);
    let mut unexplained = hit("odd", Some("eve"), 4, 61.0);
    unexplained.lines.clear();
    unexplained.context.network.ip = None;
    hits.push(unexplained);
    let mut findings = Findings::new(Settings {
        storm_from: 2,
        ..Settings::default()
    });
    for hit in &hits {
        findings.settle(hit);
    }
    let found = all(&findings);
    let types: Vec<String> = found
        .iter()
        .map(|finding| {
            valid(finding, Lifecycle::Create)["finding_info"]["types"][0]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for kind in ["campaign", "burst", "access", "storm"] {
        assert!(types.contains(&format!("identity.{kind}")), "{kind} of {types:?}");
    }
}

#[test]
fn what_people_say_is_in_the_record() {
    let mut findings = findings();
    let event = hit("e1", Some("alice"), 0, 85.0);
    findings.settle(&event);
    let id = findings.id_of(&event);
    let created = valid(&findings.get(&id).unwrap(), Lifecycle::Create);
    findings
        .apply(&command(1, &id, Act::Assign(Some("ada".into()))))
        .unwrap();
    let updated = valid(&findings.get(&id).unwrap(), Lifecycle::Update);
    findings.apply(&judge(2, &id, Verdict::Test)).unwrap();
    let finding = findings.get(&id).unwrap();
    assert_eq!(Lifecycle::of(&finding), Lifecycle::Close);
    let closed = valid(&finding, Lifecycle::Close);
    assert_eq!(
        (&created["status"], &updated["status"]),
        (&"New".into(), &"In Progress".into())
    );
    assert_eq!(updated["assignee"]["name"], "ada");
    assert_eq!(
        (&closed["status_id"], &closed["verdict_id"]),
        (&4.into(), &6.into())
    );
    let uids = [&created, &updated, &closed].map(|record| record["metadata"]["uid"].as_str().unwrap());
    assert!(
        uids[0] != uids[1] && uids[1] != uids[2] && uids[0] != uids[2],
        "{uids:?}"
    );
    let same = [&created, &updated, &closed].map(|record| record["finding_info"]["uid"].as_str().unwrap());
    assert_eq!(same, [id.as_str(); 3]);
}

#[test]
fn a_finding_names_its_events_and_technique() {
    let findings = settled(&[
        hit("e1", Some("alice"), 0, 70.0),
        hit("e2", Some("alice"), 60, 85.0),
    ]);
    let object = valid(&all(&findings)[0], Lifecycle::Create);
    assert_eq!(object["risk_score"], 85);
    assert_eq!(object["evidences"][0]["uid"], "e1");
    assert_eq!(object["count"], 2);
    assert_eq!(
        object["finding_info"]["attacks"][0]["sub_technique"]["uid"],
        "T1078.004"
    );
    assert_eq!(
        object["finding_info"]["desc"],
        "New network seen. For the owner speaks: known device seen."
    );
    assert_eq!(object["unmapped"]["habitus"]["group"], "alice × access");
}

#[test]
fn one_mass_deletion_is_one_finding_and_says_what_it_is_for() {
    let deletes = |nth: i64| {
        let mut hit = hit(&format!("e{nth}"), Some("alice"), nth / 100, 80.0);
        hit.lines = vec![line("deletion_volume", Some(Family::Volume), 9.0)];
        hit
    };
    let hits: Vec<_> = (0..1_000).map(deletes).collect();
    let views = all(&settled(&hits));
    assert_eq!(views.len(), 1);
    let object = valid(&views[0], Lifecycle::Create);
    assert_eq!(object["count"], 1_000);
    assert_eq!(object["unmapped"]["habitus"]["group"], "alice × volume");
    let techniques = object["finding_info"]["attacks"].as_array().unwrap().iter();
    let ids: Vec<_> = techniques
        .map(|attack| attack["technique"]["uid"].clone())
        .collect();
    assert_eq!(ids, ["T1078", "T1485"]);
}

#[test]
fn guessing_names_brute_force_and_a_spray_its_own_technique() {
    let attempt = |signal: &str| {
        let mut hit = hit("e1", Some("alice"), 0, 80.0);
        hit.context.status = Status::Failure;
        hit.lines = vec![line(signal, Some(Family::Burst), 9.0)];
        let views = all(&settled(&[hit]));
        let attack = valid(&views[0], Lifecycle::Create)["finding_info"]["attacks"][0].clone();
        (
            attack["technique"]["uid"].clone(),
            attack["sub_technique"]["uid"].clone(),
        )
    };
    assert_eq!(attempt("brute_force"), (json!("T1110"), Value::Null));
    assert_eq!(
        attempt("slow_password_spray"),
        (json!("T1110"), json!("T1110.003"))
    );
}
