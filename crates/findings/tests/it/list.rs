//! Filters and cursors.

use crate::support::{at, findings, from, hit};
use habitus_findings::{Cursor, Filter, Findings, Judged, State};
use habitus_model::{RiskLevel, TenantId};

fn twenty_five() -> Findings {
    let mut findings = findings();
    for n in 0..25_u8 {
        let name = format!("user{n}");
        let mut event = hit(&format!("e{n}"), Some(&name), 0, 60.0 + f64::from(n));
        from(&mut event, &format!("10.{n}.0.1"));
        findings.settle(&event);
    }
    findings
}

#[test]
fn pages_go_through_the_queue_once() {
    let findings = twenty_five();
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = findings.list(&Filter::default(), cursor.as_ref(), 10);
        seen.extend(page.findings.iter().map(|view| view.finding.score().get()));
        let Some(next) = page.next else { break };
        cursor = Cursor::parse(&next.to_string());
        assert_eq!(cursor, Some(next));
    }
    let expected: Vec<f64> = (0..25).rev().map(|n| 60.0 + f64::from(n)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn filters_let_through_what_they_say() {
    let findings = twenty_five();
    let check = |expected: usize, change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        let listed = findings.list(&filter, None, 100).findings.len();
        assert_eq!(listed, expected, "{filter:?}");
        assert_eq!(findings.tally(&filter).total, u64::try_from(expected).unwrap());
    };
    check(25, &|_| {});
    check(5, &|filter| filter.level = Some(RiskLevel::Critical));
    check(1, &|filter| filter.account = Some("user7".into()));
    check(1, &|filter| filter.text = Some("10.24.".into()));
    check(25, &|filter| filter.text = Some(" NEW NETWORK ".into()));
    check(0, &|filter| filter.text = Some("nothing like it".into()));
    check(0, &|filter| filter.since = Some(at(1)));
    check(25, &|filter| filter.verdict = Some(Judged::Not));
    check(25, &|filter| filter.states = vec![State::New, State::Closed]);
    check(0, &|filter| filter.states = vec![State::Closed]);
    check(0, &|filter| filter.tenant = Some(TenantId::new("other")));
    check(0, &|filter| filter.assignee = Some("ada".into()));
    assert_eq!(findings.tally(&Filter::default()).levels, [0, 0, 0, 20, 5]);
}

#[test]
fn what_is_no_cursor_is_none() {
    for bad in ["", "1", "1_2", "1_2_", "a_b_c", "99999999999999999999_1_x"] {
        assert_eq!(Cursor::parse(bad), None, "{bad}");
    }
}
