//! Nothing grows without end, and tenants do not push each other out.

use crate::support::{by, command, findings, from, hit, judge, view};
use habitus_findings::{
    Act, EVENTS_MAX, EVIDENCES_MAX, Findings, HISTORY_MAX, NOTES_MAX, Refused, Settings, State,
};
use habitus_model::{Family, TenantId, Verdict};

#[test]
fn the_first_events_and_the_worst_are_kept() {
    let mut findings = findings();
    let mut id = None;
    for n in (0..400).rev() {
        let score = if n == 350 { 95.0 } else { 61.0 };
        let mut event = hit(&format!("e{n:03}"), Some("alice"), 0, score);
        event.context.time = event.context.time.plus(habitus_model::Millis(n));
        id = Some(findings.id_of(&event));
        findings.settle(&event);
    }
    let finding = view(&findings, &id.unwrap()).finding;
    let uids: Vec<&str> = finding.evidence().iter().map(|hit| hit.uid.as_str()).collect();
    assert_eq!((finding.count, finding.events.len()), (400, EVENTS_MAX));
    assert_eq!(uids.len(), EVIDENCES_MAX + 1);
    assert_eq!((uids[0], uids[19], uids[20]), ("e000", "e019", "e350"));
    assert_eq!(finding.teachable().len(), EVIDENCES_MAX + 1);
}

#[test]
fn guessing_is_one_finding_of_its_source() {
    let mut findings = findings();
    for n in 0..500 {
        let mut event = hit(&format!("e{n}"), Some(&format!("name{n}")), 0, 80.0);
        by(&mut event, Family::Burst);
        event.context.status = habitus_model::Status::Failure;
        findings.settle(&event);
    }
    let page = findings.list(&habitus_findings::Filter::default(), None, 10);
    let told: Vec<String> = page.findings.iter().map(|view| view.finding.title()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("Campaign over about ") && told[0].ends_with("from 203.0.113.0/24"),
        "{told:?}"
    );
    assert_eq!(findings.counts().kept, 2);
}

#[test]
fn closed_ones_give_way_first_and_the_oldest_of_them() {
    let mut findings = Findings::new(Settings {
        findings_max: 20,
        ..Settings::default()
    });
    let mut ids = Vec::new();
    for n in 0..10_u8 {
        let mut event = hit(
            &format!("e{n}"),
            Some(&format!("user{n}")),
            i64::from(n),
            90.0 - f64::from(n),
        );
        event.context.network.ip = None;
        ids.push(findings.id_of(&event));
        findings.settle(&event);
    }
    for (n, index) in [(2, 2), (1, 1)] {
        findings.apply(&judge(n, &ids[index], Verdict::Benign)).unwrap();
    }
    findings
        .apply(&command(50, &ids[9], Act::Note("look".into())))
        .unwrap();
    for n in 10..30_u8 {
        let mut event = hit(&format!("e{n}"), Some(&format!("user{n}")), i64::from(n), 75.0);
        event.context.network.ip = None;
        findings.settle(&event);
        let kept: Vec<bool> = ids.iter().map(|id| findings.get(id).is_some()).collect();
        match n {
            19 => assert!(kept.iter().all(|kept| *kept)),
            20 => assert!(!kept[1] && kept[2]),
            21 => assert!(!kept[2] && kept[0]),
            _ => {}
        }
    }
    assert!(findings.get(&ids[0]).is_some(), "what may cost most stays");
    assert!(findings.get(&ids[9]).is_some(), "what people work on stays");
    assert_eq!(findings.counts().evicted, 10);
}

#[test]
fn a_tenant_pushes_out_its_own() {
    let mut findings = Findings::new(Settings {
        bytes_max: 300_000,
        ..Settings::default()
    });
    let quiet = hit("quiet", Some("alice"), 0, 60.0);
    findings.settle(&quiet);
    for n in 0..1_000 {
        let mut event = hit(&format!("e{n}"), Some(&format!("user{n}")), 0, 90.0);
        event.context.tenant = TenantId::new("loud");
        from(&mut event, &format!("10.{}.{}.1", n / 250, n % 250));
        findings.settle(&event);
    }
    assert!(findings.get(&findings.id_of(&quiet)).is_some());
    let counts = findings.counts();
    assert!(counts.evicted > 500 && counts.bytes <= 300_000, "{counts:?}");
}

#[test]
fn notes_history_and_undo_are_bounded() {
    let mut findings = findings();
    let event = hit("e", Some("alice"), 0, 70.0);
    findings.settle(&event);
    let id = findings.id_of(&event);
    for n in 0..300 {
        let done = findings.apply(&command(n, &id, Act::Note(format!("note {n}"))));
        let full = usize::try_from(n).unwrap() >= NOTES_MAX;
        assert_eq!(done.err(), full.then_some(Refused::NotesFull), "{n}");
    }
    for n in 300..600 {
        findings.apply(&command(n, &id, Act::Close)).unwrap();
    }
    let triage = view(&findings, &id).finding.triage;
    assert_eq!(
        (triage.notes.len(), triage.history.len()),
        (NOTES_MAX, HISTORY_MAX)
    );
    assert_eq!(triage.history_dropped, 300);
    let undone = (600..700)
        .take_while(|n| findings.apply(&command(*n, &id, Act::Undo(None))).is_ok())
        .count();
    assert_eq!(undone, habitus_findings::UNDO_MAX);
    assert_eq!(view(&findings, &id).state, State::Closed);
}

#[test]
fn what_is_ahead_is_bounded_and_the_urgent_stays() {
    let mut findings = findings();
    let mut urgent = hit("urgent", Some("alice"), 0, 99.0);
    from(&mut urgent, "192.0.2.1");
    findings.provisional(urgent.clone());
    for n in 0..habitus_findings::overlay::PROVISIONAL_MAX + 10 {
        findings.provisional(hit(&format!("e{n}"), None, 0, 60.0));
    }
    let counts = findings.counts();
    assert_eq!(counts.provisional, habitus_findings::overlay::PROVISIONAL_MAX);
    assert_eq!(counts.provisional_dropped, 11);
    assert!(findings.get(&findings.id_of(&urgent)).is_some());
}
