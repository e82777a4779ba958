//! What people do about findings: verdicts, their preview, and taking back.

use crate::support::{at, command, findings, from, hit, judge, line, said, settled, view};
use habitus_findings::{
    Act, Ask, CommandId, Effects, FindingId, Findings, Hit, Outcome, Reach, Refused, State, What,
};
use habitus_findings::{Filter, Told};
use habitus_model::{Family, Verdict};
use proptest::prelude::*;

fn one() -> (Findings, FindingId) {
    let event = hit("e1", Some("alice"), 0, 70.0);
    let findings = settled(std::slice::from_ref(&event));
    let id = findings.id_of(&event);
    (findings, id)
}

fn state(findings: &Findings, id: &FindingId) -> State {
    view(findings, id).state
}

/// Gives a verdict, then settles another event; whether that opens the finding again.
fn reopens(ask: Ask, change: impl FnOnce(&mut Hit)) -> bool {
    let (mut findings, id) = one();
    findings.apply(&command(1, &id, Act::Judge(ask))).unwrap();
    let mut next = hit("e2", Some("alice"), 1, 70.0);
    change(&mut next);
    assert_eq!(findings.id_of(&next), id);
    let changes = findings.settle(&next);
    let reopened = changes.iter().any(|change| change.what == What::Reopened);
    assert_eq!(reopened, state(&findings, &id) != State::Closed);
    assert_eq!(view(&findings, &id).finding.count, 2);
    reopened
}

#[test]
fn a_further_event_reopens_what_its_verdict_does_not_cover() {
    let ask = Ask::new;
    let until = |verdict, minute| Ask {
        until: Some(at(minute)),
        ..Ask::new(verdict)
    };
    let same = |_: &mut Hit| {};
    let elsewhere = |hit: &mut Hit| from(hit, "192.0.2.1");
    let worse = |hit: &mut Hit| {
        hit.score = habitus_model::RiskScore::new(90.0);
        hit.level = hit.score.level();
    };
    for verdict in Verdict::ALL.into_iter().filter(|verdict| verdict.closes()) {
        assert!(reopens(ask(verdict), worse), "{verdict:?} covers nothing worse");
        assert!(reopens(ask(verdict), elsewhere), "{verdict:?} covers nothing new");
    }
    // An attack that goes on must be seen.
    assert!(reopens(ask(Verdict::TruePositive), same));
    // What is expected is covered while it is expected.
    assert!(reopens(ask(Verdict::Benign), same));
    assert!(!reopens(until(Verdict::Benign, 60), same));
    assert!(reopens(until(Verdict::Benign, 0), same));
    // The others say of this behaviour that it means nothing.
    for verdict in [
        Verdict::FalsePositive,
        Verdict::BadData,
        Verdict::Test,
        Verdict::Duplicate,
    ] {
        assert!(!reopens(ask(verdict), same), "{verdict:?}");
    }
}

#[test]
fn what_is_expected_closes_later_windows_too() {
    let (mut findings, id) = one();
    let day = 24 * 60;
    let ask = Ask {
        until: Some(at(10 * day)),
        ..Ask::new(Verdict::Benign)
    };
    findings.apply(&command(1, &id, Act::Judge(ask))).unwrap();
    let later = hit("later", Some("alice"), 5 * day, 70.0);
    findings.settle(&later);
    let next = findings.id_of(&later);
    assert_ne!(next, id);
    assert_eq!(state(&findings, &next), State::Closed);
    let mut elsewhere = hit("elsewhere", Some("alice"), 5 * day + 1, 70.0);
    from(&mut elsewhere, "192.0.2.1");
    findings.settle(&elsewhere);
    assert_eq!(state(&findings, &next), State::New);
    let expired = hit("expired", Some("alice"), 11 * day, 70.0);
    findings.settle(&expired);
    assert_eq!(state(&findings, &findings.id_of(&expired)), State::New);
}

#[test]
fn expectations_are_bounded() {
    let (mut findings, id) = one();
    let mut ask = Ask {
        until: Some(at(91 * 24 * 60)),
        ..Ask::new(Verdict::Benign)
    };
    let asked =
        |findings: &mut Findings, ask: &Ask| findings.apply(&command(0, &id, Act::Judge(ask.clone())));
    assert_eq!(asked(&mut findings, &ask), Err(Refused::Until));
    ask.until = Some(at(60));
    ask.verdict = Verdict::FalsePositive;
    assert_eq!(asked(&mut findings, &ask), Err(Refused::Until));
    ask.until = None;
    ask.duplicate_of = Some(id.clone());
    assert_eq!(asked(&mut findings, &ask), Err(Refused::DuplicateOf));
    ask.duplicate_of = None;
    ask.comment = Some("x".repeat(4_001));
    assert_eq!(asked(&mut findings, &ask), Err(Refused::Length));
    assert_eq!(state(&findings, &id), State::New);
}

#[test]
fn verdicts_teach_what_they_say() {
    for verdict in Verdict::ALL {
        let (mut findings, id) = one();
        let mut failed = hit("failed", Some("alice"), 1, 65.0);
        failed.context.status = habitus_model::Status::Failure;
        findings.settle(&failed);
        let effects = findings.apply(&judge(1, &id, verdict)).unwrap().effects;
        let learned: Vec<&str> = effects.learn.iter().map(|event| event.uid.as_str()).collect();
        let refused: Vec<&str> = effects.refuse.iter().map(|event| event.uid.as_str()).collect();
        // Failures teach nothing about identity.
        let (learns, refuses): (&[&str], &[&str]) = match verdict {
            Verdict::FalsePositive => (&["e1"], &[]),
            Verdict::TruePositive => (&[], &["e1"]),
            _ => (&[], &[]),
        };
        assert_eq!(
            (learned.as_slice(), refused.as_slice()),
            (learns, refuses),
            "{verdict:?}"
        );
        assert_eq!(
            effects.kept_out,
            if learns.is_empty() { 2 } else { 1 },
            "{verdict:?}"
        );
        assert_eq!(effects.closes.len(), usize::from(verdict.closes()), "{verdict:?}");
        let changed = findings.apply(&judge(2, &id, Verdict::Test)).unwrap().effects;
        assert_eq!(
            changed.unlearn, effects.learn,
            "another verdict takes back what was learned"
        );
    }
}

#[test]
fn a_command_is_done_once() {
    let (mut findings, id) = one();
    let note = command(1, &id, Act::Note("asked her".into()));
    assert_eq!(findings.apply(&note).unwrap().outcome, Outcome::Done);
    let digest = findings.digest().unwrap();
    assert_eq!(findings.apply(&note).unwrap().outcome, Outcome::Repeated);
    assert_eq!(findings.digest().unwrap(), digest);
    assert_eq!(
        findings.apply(&command(2, &FindingId::new("no"), Act::Close)),
        Err(Refused::NotFound)
    );
}

#[test]
fn assigning_and_closing_move_the_state() {
    let (mut findings, id) = one();
    findings
        .apply(&command(1, &id, Act::Assign(Some("ada".into()))))
        .unwrap();
    assert_eq!(state(&findings, &id), State::InProgress);
    findings.apply(&command(2, &id, Act::Close)).unwrap();
    assert_eq!(state(&findings, &id), State::Closed);
    findings.settle(&hit("e2", Some("alice"), 1, 70.0));
    assert_eq!(
        state(&findings, &id),
        State::InProgress,
        "it goes back to who had it"
    );
    findings.apply(&command(3, &id, Act::Assign(None))).unwrap();
    assert_eq!(state(&findings, &id), State::New);
    let history = view(&findings, &id).finding.triage.history;
    let told: Vec<(Option<&str>, bool)> = history
        .iter()
        .map(|entry| (entry.by.as_deref(), entry.at.is_some()))
        .collect();
    let ada = (Some("ada"), true);
    assert_eq!(told, [ada, ada, (None, false), ada]);
}

#[test]
fn later_commands_on_the_same_come_first_when_taking_back() {
    let (mut findings, id) = one();
    findings.apply(&judge(1, &id, Verdict::Benign)).unwrap();
    findings
        .apply(&command(2, &id, Act::Note("travels".into())))
        .unwrap();
    findings.apply(&judge(3, &id, Verdict::FalsePositive)).unwrap();
    let undo = |n, of: &str| command(n, &id, Act::Undo(Some(CommandId(of.into()))));
    assert_eq!(findings.apply(&undo(4, "c-1")), Err(Refused::Overtaken));
    let undone = findings.apply(&undo(5, "c-3")).unwrap();
    assert_eq!(undone.effects.unlearn.len(), 1);
    assert_eq!(
        view(&findings, &id).finding.triage.verdict().unwrap().verdict,
        Verdict::Benign
    );
    findings.apply(&undo(6, "c-1")).unwrap();
    let triage = view(&findings, &id).finding.triage;
    assert_eq!(
        (triage.state, triage.notes.len(), triage.history.len()),
        (State::New, 1, 5)
    );
    assert_eq!(findings.apply(&undo(7, "c-1")), Err(Refused::NothingToUndo));
    findings.apply(&command(8, &id, Act::Undo(None))).unwrap();
    assert!(view(&findings, &id).finding.triage.notes.is_empty());
}

#[test]
fn reopening_withdraws_the_verdict() {
    let (mut findings, id) = one();
    findings.apply(&judge(1, &id, Verdict::FalsePositive)).unwrap();
    let opened = findings.apply(&command(2, &id, Act::Reopen)).unwrap();
    assert_eq!((opened.effects.unlearn.len(), opened.effects.opens.len()), (1, 1));
    assert_eq!(view(&findings, &id).finding.triage.ruling, None);
    let undone = findings.apply(&command(3, &id, Act::Undo(None))).unwrap();
    assert_eq!((undone.effects.learn.len(), undone.effects.closes.len()), (1, 1));
}

/// Two accounts from different networks of one rented provider, and one from elsewhere.
fn alike() -> (Findings, Vec<FindingId>) {
    let mut events = Vec::new();
    for (n, (name, ip)) in [
        ("alice", "192.0.2.1"),
        ("bob", "198.51.100.1"),
        ("carol", "203.0.113.1"),
    ]
    .iter()
    .enumerate()
    {
        let mut event = hit(&format!("e{n}"), Some(name), 0, 70.0);
        from(&mut event, ip);
        if n < 2 {
            event.context.network.asn = habitus_model::Asn::new(64_500);
            event.context.network.class = habitus_model::NetworkClass::Hosting;
            event.context.client.browser = Some(format!("Tool{n}").into());
        }
        events.push(event);
    }
    let findings = settled(&events);
    let ids = events.iter().map(|event| findings.id_of(event)).collect();
    (findings, ids)
}

#[test]
fn similar_findings_close_together_and_open_together() {
    let (mut findings, ids) = alike();
    assert_eq!(findings.similar(&ids[0]), [ids[1].clone()]);
    assert_eq!(findings.similar(&ids[2]), []);
    let before = findings.outcome_digest().unwrap();
    let ask = Ask {
        reach: Reach::Similar,
        ..Ask::new(Verdict::FalsePositive)
    };
    let done = findings.apply(&command(1, &ids[0], Act::Judge(ask))).unwrap();
    assert_eq!(done.effects.closes, ids[..2]);
    assert_eq!(state(&findings, &ids[1]), State::Closed);
    // One undo restores all, asked of either.
    let undone = findings.apply(&command(2, &ids[1], Act::Undo(None))).unwrap();
    assert_eq!(undone.effects.opens, ids[..2]);
    assert_eq!(undone.effects.unlearn, done.effects.learn);
    assert_eq!(findings.outcome_digest().unwrap(), before);
}

#[test]
fn a_verdict_ahead_of_its_turn_waits_and_covers_what_was_seen() {
    let mut findings = findings();
    let events = [
        hit("e1", Some("alice"), 0, 70.0),
        hit("e2", Some("alice"), 1, 85.0),
    ];
    for event in &events {
        findings.provisional(event.clone());
    }
    let id = findings.id_of(&events[0]);
    assert!(view(&findings, &id).provisional);
    let preview = findings
        .preview(&id, &Ask::new(Verdict::TruePositive), said(1))
        .unwrap();
    assert_eq!(preview.effects.refuse.len(), 2);
    let given = findings.apply(&judge(1, &id, Verdict::TruePositive)).unwrap();
    assert_eq!(given.outcome, Outcome::Waiting);
    assert_eq!(state(&findings, &id), State::Closed, "it is shown at once");
    let mut restored = Findings::restore(
        habitus_findings::Settings::default(),
        &findings.snapshot().unwrap(),
    )
    .unwrap();
    for event in &events {
        restored.provisional(event.clone());
    }
    for findings in [&mut findings, &mut restored] {
        for event in &events {
            findings.settle(event);
        }
        assert_eq!(state(findings, &id), State::Closed, "what was seen is covered");
        assert_eq!(findings.take_late_effects()[0].refuse.len(), 1);
        findings.settle(&hit("e3", Some("alice"), 2, 70.0));
        assert_eq!(state(findings, &id), State::New, "what goes on is not");
    }
    assert_eq!(findings.digest().unwrap(), restored.digest().unwrap());
}

#[test]
fn what_is_taken_back_ahead_of_its_turn_is_shown_so_at_once_and_stays_so() {
    let mut findings = findings();
    let event = hit("e1", Some("alice"), 0, 70.0);
    findings.provisional(event.clone());
    let id = findings.id_of(&event);
    findings.apply(&judge(1, &id, Verdict::FalsePositive)).unwrap();
    assert_eq!(state(&findings, &id), State::Closed);
    let undone = findings.apply(&command(2, &id, Act::Undo(None))).unwrap();
    assert_eq!(undone.outcome, Outcome::Waiting);
    for _ in 0..2 {
        let shown = view(&findings, &id);
        assert_eq!(
            (shown.state, shown.finding.triage.ruling.is_none()),
            (State::New, true)
        );
        findings.settle(&event);
    }
}

#[test]
fn what_is_retracted_vanishes() {
    let mut findings = findings();
    let event = hit("e1", Some("alice"), 0, 70.0);
    findings.provisional(event.clone());
    let id = findings.id_of(&event);
    findings.apply(&judge(1, &id, Verdict::Test)).unwrap();
    findings.retract(&event.context.tenant, &event.uid);
    assert_eq!(findings.get(&id), None);
    assert_eq!(findings.digest().unwrap(), self::findings().digest().unwrap());
}

#[test]
fn campaigns_take_findings_over_and_speak_for_them() {
    let mut findings = findings();
    let events: Vec<Hit> = (0..3)
        .map(|n| hit(&format!("e{n}"), Some(&format!("user{n}")), n, 70.0))
        .collect();
    let opened = |findings: &mut Findings, hit: &Hit| -> Vec<What> {
        findings
            .settle(hit)
            .into_iter()
            .map(|change| change.what)
            .collect()
    };
    assert_eq!(opened(&mut findings, &events[0]), [What::Opened]);
    assert_eq!(opened(&mut findings, &events[1]), [What::Opened]);
    assert_eq!(
        opened(&mut findings, &events[2]),
        [What::Opened, What::Joined, What::Joined, What::Joined]
    );
    let page = findings.list(&Filter::default(), None, 10);
    assert_eq!(page.findings.len(), 1);
    let campaign = &page.findings[0].finding;
    assert_eq!(campaign.title(), "Campaign over 3 accounts: from 203.0.113.0/24");
    assert_eq!((campaign.count, campaign.parts.len()), (3, 3));
    let part = findings.id_of(&events[0]);
    assert_eq!(view(&findings, &part).told, Told::ByCampaign(campaign.id.clone()));
    let id = campaign.id.clone();
    let done = findings.apply(&judge(1, &id, Verdict::TruePositive)).unwrap();
    assert_eq!(done.effects.refuse.len(), 3);
    assert_eq!(state(&findings, &part), State::Closed);
    findings.settle(&hit("e4", Some("user4"), 4, 70.0));
    assert_eq!(state(&findings, &id), State::New, "it goes on");
    // What an account does from elsewhere, too, is told apart.
    let mut elsewhere = hit("e5", Some("user0"), 5, 70.0);
    from(&mut elsewhere, "192.0.2.1");
    elsewhere.lines = vec![line("new_network", Some(Family::Network), 9.0)];
    assert_eq!(opened(&mut findings, &elsewhere), [What::Grew, What::Opened]);
    assert_eq!(view(&findings, &part).told, Told::ByItself);
}

#[test]
fn what_is_put_aside_comes_back_in_time_or_when_it_worsens() {
    let (mut findings, id) = one();
    findings
        .apply(&command(1, &id, Act::Snooze(Some(said(60)))))
        .unwrap();
    let shown = |findings: &Findings, minute| {
        let filter = Filter {
            now: Some(said(minute)),
            ..Filter::default()
        };
        findings.list(&filter, None, 10).findings.len()
    };
    assert_eq!((shown(&findings, 59), shown(&findings, 60)), (0, 1));
    findings.settle(&hit("e2", Some("alice"), 2, 72.0));
    assert_eq!(shown(&findings, 3), 0, "the same level does not wake it");
    findings.settle(&hit("e3", Some("alice"), 3, 85.0));
    assert_eq!(shown(&findings, 4), 1);
}

fn act() -> impl Strategy<Value = Act> {
    let verdict = (0..7_usize, any::<bool>(), any::<bool>()).prop_map(|(n, all, expect)| {
        let verdict = Verdict::ALL[n];
        let expectable = matches!(verdict, Verdict::Benign | Verdict::Test);
        Act::Judge(Ask {
            reach: if all { Reach::Similar } else { Reach::This },
            until: (expect && expectable).then(|| at(1_000)),
            ..Ask::new(verdict)
        })
    });
    prop_oneof![
        4 => verdict,
        1 => any::<bool>().prop_map(|some| Act::Assign(some.then(|| "bea".into()))),
        1 => Just(Act::Note("a note".into())),
        1 => Just(Act::Snooze(Some(said(500)))),
        1 => Just(Act::Close),
        1 => Just(Act::Reopen),
        2 => Just(Act::Undo(None)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn previews_are_what_happens_and_undoing_restores(
        acts in prop::collection::vec((0..3_usize, act(), any::<bool>()), 1..25),
    ) {
        let (mut findings, ids) = alike();
        for (n, (which, act, grow)) in acts.into_iter().enumerate() {
            let n = i64::try_from(n).unwrap() + 1;
            if grow {
                let name = ["alice", "bob", "carol"][which];
                findings.settle(&hit(&format!("more{n}"), Some(name), n, 70.0));
            }
            let preview = match &act {
                Act::Judge(ask) => Some(findings.preview(&ids[which], ask, said(n)).unwrap()),
                _ => None,
            };
            let digest = findings.digest().unwrap();
            let outcome = findings.outcome_digest().unwrap();
            let is_undo = matches!(act, Act::Undo(_));
            let Ok(applied) = findings.apply(&command(n, &ids[which], act)) else {
                prop_assert_eq!(findings.digest().unwrap(), digest, "what is refused changes nothing");
                continue;
            };
            if let Some(preview) = preview {
                // A label is somebody's; in a preview nobody has said anything yet.
                let told = Effects {
                    labels: Vec::new(),
                    ..applied.effects.clone()
                };
                prop_assert_eq!(&preview.effects, &told);
                for id in &preview.effects.closes {
                    prop_assert_eq!(state(&findings, id), State::Closed);
                }
            }
            if !is_undo {
                let mut undone = Findings::restore(habitus_findings::Settings::default(), &findings.snapshot().unwrap()).unwrap();
                let back = undone.apply(&command(100 + n, &ids[which], Act::Undo(None))).unwrap();
                prop_assert_eq!(undone.outcome_digest().unwrap(), outcome);
                prop_assert_eq!(back.effects.unlearn, applied.effects.learn);
                prop_assert_eq!(back.effects.learn, applied.effects.unlearn);
            }
        }
    }
}

#[test]
fn an_event_ahead_of_its_turn_shows_a_closed_finding_as_it_will_be() {
    let (mut findings, id) = one();
    findings.apply(&judge(1, &id, Verdict::TruePositive)).unwrap();
    let next = hit("e2", Some("alice"), 1, 70.0);
    findings.provisional(next.clone());
    let foreseen = view(&findings, &id);
    assert_eq!((foreseen.state, foreseen.finding.count), (State::New, 2));
    assert_eq!(findings.get_settled(&id).unwrap().state, State::Closed);
    findings.retract(&next.context.tenant, &next.uid);
    assert_eq!(state(&findings, &id), State::Closed, "it was nothing after all");
    findings.settle(&next);
    assert_eq!(view(&findings, &id).finding.triage, foreseen.finding.triage);
    // What a verdict covers opens nothing, ahead of its turn or in it.
    findings.apply(&judge(2, &id, Verdict::FalsePositive)).unwrap();
    findings.provisional(hit("e3", Some("alice"), 2, 70.0));
    assert_eq!(state(&findings, &id), State::Closed);
}
