//! `habitus explain`.

use crate::support::{Place, history, lines, ndjson, of, takeover};
use serde_json::Value;

fn place() -> Place {
    let place = Place::new();
    let mut events = history();
    events.push(takeover("bad-1", "p3@example.com"));
    place.write("log.ndjson", ndjson(&events));
    place
}

#[test]
fn the_explanation_agrees_with_the_verdict() {
    let place = place();
    let verdicts = lines(&place.verdicts(&["log.ndjson"]));
    let json: Value = serde_json::from_str(
        &place
            .run(&["explain", "bad-1", "--in", "log.ndjson", "--json"])
            .ok(),
    )
    .unwrap();
    assert_eq!(&json["verdict"], of(&verdicts, "bad-1"));
    assert_eq!(json["event"]["country"], "AU");
    assert_eq!(json["baseline"]["visits"], 84);
    assert_eq!(json["baseline"]["countries"][0]["value"], "DE");
    let usual = json["what_if"].as_array().unwrap().last().unwrap();
    assert_eq!(usual["with"], "both");
    assert!(usual["risk_score"].as_f64().unwrap() < 40.0, "{usual}");
}

#[test]
fn the_text_tells_who_when_where_why_and_what_is_usual() {
    let place = place();
    let text = place.run(&["explain", "bad-1", "--in", "log.ndjson"]).ok();
    for part in [
        "p3@example.com",
        "2026-02-16 08:30:00 UTC",
        "Sydney, AU",
        "AS64502",
        "Python Requests",
        "Why",
        "first visit from",
        "If not the owner",
        "84 visits since 2026-01-05",
        "DE (84)",
        "What if",
        "confidence",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours into a file");
}

#[test]
fn a_probe_is_explained_too() {
    let place = place();
    place.write("probe.ndjson", ndjson(&[takeover("probe-1", "p5@example.com")]));
    let text = place
        .run(&[
            "explain",
            "probe-1",
            "--in",
            "log.ndjson",
            "--probes",
            "probe.ndjson",
        ])
        .ok();
    assert!(text.contains("p5@example.com"), "{text}");
}

#[test]
fn an_unknown_id_gets_suggestions() {
    let place = place();
    let ended = place.run(&["explain", "bad-2", "--in", "log.ndjson"]);
    assert_eq!(ended.code, 65);
    assert!(ended.stderr.contains("did you mean `bad-1`"), "{}", ended.stderr);
}
