//! What docs/findings.md says of verdicts is what they do.

use crate::support::{at, command, findings, from, hit, judge, settled};
use habitus_findings::{Act, Ask, Findings, What};
use habitus_model::Verdict;

fn document() -> String {
    std::fs::read_to_string(habitus_testkit::workspace_root().join("docs/findings.md")).unwrap()
}

/// The cells of a verdict's line in the table.
fn row(document: &str, verdict: Verdict) -> Vec<String> {
    let start = format!("| `{}` |", verdict.name());
    let line = document.lines().find(|line| line.starts_with(&start));
    let line = line.unwrap();
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn the_table_of_verdicts_is_what_verdicts_do() {
    let document = document();
    for verdict in Verdict::ALL {
        let cells = row(&document, verdict);
        let event = hit("e1", Some("alice"), 0, 70.0);
        let mut findings = settled(std::slice::from_ref(&event));
        let id = findings.id_of(&event);
        let effects = findings.apply(&judge(1, &id, verdict)).unwrap().effects;
        assert_eq!(cells[2], verdict.ocsf().0.to_string(), "OCSF id of {verdict:?}");
        let learning = match (effects.learn.is_empty(), effects.refuse.is_empty()) {
            (false, true) => "enter it",
            (true, false) => "stay out, and what waits in quarantine is forgotten",
            _ => "stay out",
        };
        assert_eq!(cells[3], learning, "{verdict:?}");
        let closes = if effects.closes.is_empty() {
            "stays open"
        } else {
            "closes"
        };
        assert_eq!(cells[4], closes, "{verdict:?}");
        let says = cells[5].as_str();
        let same = |findings: &mut Findings| {
            let changes = findings.settle(&hit("e2", Some("alice"), 1, 70.0));
            changes.iter().any(|change| change.what == What::Reopened)
        };
        let reopened = same(&mut findings);
        let expected = match says {
            "opens it again" | "opens it again, unless expected" => true,
            "stays covered" | "is added to it" => false,
            other => panic!("{other}"),
        };
        assert_eq!(reopened, expected, "{verdict:?}");
    }
}

#[test]
fn the_named_limits_are_the_limits() {
    let document = document();
    let settings = habitus_findings::Settings::default();
    for (limit, what) in [
        (settings.storm_from, "findings that begin in the same ten minutes"),
        (habitus_findings::EVIDENCES_MAX, "events kept whole"),
        (habitus_findings::EVENTS_MAX, "events kept by id"),
        (habitus_findings::accounts::ACCOUNTS_MAX, "accounts kept by name"),
        (habitus_findings::NOTES_MAX, "notes"),
        (habitus_findings::HISTORY_MAX, "entries of history"),
        (habitus_findings::UNDO_MAX, "commands that can be taken back"),
        (habitus_findings::SIMILAR_MAX, "similar findings"),
    ] {
        let line = format!("| {what} | {limit} |");
        assert!(document.contains(&line), "{line}");
    }
    for (limit, what) in [
        (settings.findings_max, "findings kept"),
        (habitus_findings::COMMANDS_MAX, "commands known by id"),
        (habitus_findings::PARKED_MAX, "commands that wait"),
        (
            habitus_findings::overlay::PROVISIONAL_MAX,
            "events ahead of their turn",
        ),
    ] {
        let line = format!("| {what} | {},{:03} |", limit / 1_000, limit % 1_000);
        assert!(document.contains(&line), "{line}");
    }
    assert!(document.contains("| memory | 256 MiB |") && settings.bytes_max == 256 << 20);
}

#[test]
fn the_example_of_a_preview_is_what_it_says() {
    let document = document();
    let mut findings = findings();
    let mut id = None;
    for n in 0..4 {
        let mut event = hit(&format!("e{n}"), Some("ana.ruiz"), n, 91.0);
        if n == 3 {
            event.context.status = habitus_model::Status::Failure;
        }
        id = Some(findings.id_of(&event));
        findings.settle(&event);
    }
    let id = id.unwrap();
    let ask = Ask::new(Verdict::FalsePositive);
    let preview = findings.preview(&id, &ask, crate::support::said(9)).unwrap();
    assert!(document.contains(&preview.text), "{}", preview.text);
    let ask = Ask {
        until: Some(at(30 * 24 * 60)),
        ..Ask::new(Verdict::Benign)
    };
    findings.apply(&command(1, &id, Act::Judge(ask))).unwrap();
    let mut next_week = hit("later", Some("ana.ruiz"), 7 * 24 * 60, 91.0);
    findings.settle(&next_week);
    let view = findings.get(&findings.id_of(&next_week)).unwrap();
    assert_eq!(view.state, habitus_findings::State::Closed);
    from(&mut next_week, "192.0.2.1");
    next_week.uid = habitus_model::EventUid::new("elsewhere");
    findings.settle(&next_week);
    let view = findings.get(&findings.id_of(&next_week)).unwrap();
    assert_eq!(view.state, habitus_findings::State::New);
}
