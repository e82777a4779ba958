//! The fuse against alert storms, and what it must not hide (RELIABILITY 6.5).

use crate::support::{command, from, hit, judge, view};
use habitus_findings::{Act, Filter, Findings, Scope, Settings, State, Told, What};
use habitus_model::{AccountKind, Status, Verdict};

/// A noisy account of its own network.
fn noise(n: u32, minute: i64, score: f64) -> habitus_findings::Hit {
    let mut hit = hit(&format!("noise-{n}"), Some(&format!("user{n}")), minute, score);
    from(
        &mut hit,
        &format!("{}.{}.{}.1", 11 + (n >> 16), n >> 8 & 255, n & 255),
    );
    hit
}

fn queue(findings: &Findings, limit: usize) -> Vec<habitus_findings::View> {
    findings.list(&Filter::default(), None, limit).findings
}

#[test]
fn one_takeover_among_a_hundred_thousand_noise_alerts_is_in_the_top_ten() {
    let mut findings = Findings::new(Settings {
        // Less than the flood: most of it has to give way.
        findings_max: 20_000,
        ..Settings::default()
    });
    let mut takeover = hit("takeover", Some("victim"), 5, 92.0);
    from(&mut takeover, "198.51.100.1");
    let id = findings.id_of(&takeover);
    let mut opened = 0;
    for n in 0..100_000 {
        // Some of the noise scores higher than the takeover: attempts that failed.
        let mut event = noise(n, i64::from(n % 30), 60.0 + f64::from(n % 380) / 10.0);
        event.context.status = Status::Failure;
        if n == 50_000 {
            findings.settle(&takeover);
        }
        let changes = findings.settle(&event);
        opened += changes
            .iter()
            .filter(|change| change.what == What::Opened)
            .count();
    }
    let top = queue(&findings, 10);
    assert!(
        top.iter().any(|view| view.finding.id == id),
        "the takeover is not in the top ten"
    );
    assert_eq!(view(&findings, &id).told, Told::ByItself);
    let all = queue(&findings, 500);
    assert!(all.len() <= 3 * 50 + 3, "{}", all.len());
    let storms: Vec<_> = all
        .iter()
        .filter(|view| view.finding.key.behaviour_name() == "storm")
        .collect();
    let collapsed: u64 = storms.iter().map(|view| view.finding.count).sum();
    let shown = u64::try_from(all.len() - storms.len()).unwrap();
    assert_eq!(collapsed + shown, 100_001, "none is lost from the counts");
    assert!(opened < 3_000, "{opened} alerts would have been sent");
    let counts = findings.counts();
    assert!(counts.kept <= 20_000 && counts.bytes <= 256 << 20, "{counts:?}");
}

#[test]
fn a_storm_collects_what_is_more_than_people_can_read_until_it_calms() {
    let mut findings = Findings::new(Settings {
        storm_from: 5,
        ..Settings::default()
    });
    for n in 0..12 {
        findings.settle(&noise(n, 0, 60.0 + f64::from(n)));
    }
    // Ten minutes later it has calmed.
    for n in 100..103 {
        findings.settle(&noise(n, 10, 60.0));
    }
    let shown = queue(&findings, 100);
    let storm = shown
        .iter()
        .find(|view| view.finding.key.behaviour_name() == "storm")
        .unwrap();
    assert_eq!(shown.len(), 5 + 3 + 1);
    assert_eq!(storm.finding.count, 7);
    assert_eq!(storm.finding.title(), "Alert storm: 7 more findings at once");
    assert_eq!(
        storm.finding.score().get(),
        66.0,
        "the most urgent are not folded"
    );
    let folded = findings.id_of(&noise(0, 0, 60.0));
    assert_eq!(
        view(&findings, &folded).told,
        Told::ByStorm(storm.finding.id.clone())
    );
    let all = Filter {
        scope: Scope::All,
        ..Filter::default()
    };
    assert_eq!(findings.list(&all, None, 100).findings.len(), 16);
}

#[test]
fn a_storm_is_judged_as_one_and_teaches_nothing() {
    let settings = Settings {
        storm_from: 2,
        ..Settings::default()
    };
    let mut findings = Findings::new(settings);
    for n in 0..6 {
        findings.settle(&noise(n, 0, 60.0 + f64::from(n)));
    }
    let storm = queue(&findings, 10)
        .into_iter()
        .find(|view| view.finding.count == 4)
        .unwrap()
        .finding
        .id;
    let before = findings.outcome_digest().unwrap();
    let effects = findings
        .apply(&judge(1, &storm, Verdict::FalsePositive))
        .unwrap()
        .effects;
    assert_eq!((effects.learn.len(), effects.kept_out), (0, 4));
    let folded = findings.id_of(&noise(0, 0, 60.0));
    assert_eq!(view(&findings, &folded).state, State::Closed);
    assert_eq!(view(&findings, &storm).state, State::Closed);
    findings.settle(&noise(10, 1, 60.0));
    assert_eq!(
        view(&findings, &storm).state,
        State::Closed,
        "more of the same is covered"
    );
    let restored = Findings::restore(settings, &findings.snapshot().unwrap()).unwrap();
    assert_eq!(view(&restored, &storm), view(&findings, &storm));
    findings.apply(&command(2, &storm, Act::Undo(None))).unwrap();
    assert_eq!(view(&findings, &folded).state, State::New);
    let mut without = Findings::new(settings);
    for n in (0..6).chain([10]) {
        without.settle(&noise(n, i64::from(n == 10), 60.0 + f64::from(n % 10)));
    }
    assert_ne!(findings.outcome_digest().unwrap(), before);
    assert_eq!(
        findings.outcome_digest().unwrap(),
        without.outcome_digest().unwrap()
    );
    findings.apply(&judge(3, &storm, Verdict::TruePositive)).unwrap();
    findings.settle(&noise(11, 2, 60.5));
    assert_eq!(
        view(&findings, &storm).state,
        State::New,
        "an attack that goes on is seen"
    );
}

#[test]
fn what_people_have_taken_up_does_not_fold() {
    let mut findings = Findings::new(Settings {
        storm_from: 2,
        ..Settings::default()
    });
    let least = noise(0, 0, 60.0);
    findings.settle(&least);
    let id = findings.id_of(&least);
    findings
        .apply(&command(1, &id, Act::Assign(Some("ada".into()))))
        .unwrap();
    for n in 1..10 {
        findings.settle(&noise(n, 0, 70.0));
    }
    assert_eq!(view(&findings, &id).told, Told::ByItself);
    assert_eq!(queue(&findings, 100).len(), 3);
}

#[test]
fn tenants_do_not_fold_each_others_findings() {
    let mut findings = Findings::new(Settings {
        storm_from: 2,
        ..Settings::default()
    });
    for n in 0..10 {
        findings.settle(&noise(n, 0, 70.0));
    }
    let mut other = noise(11, 0, 60.0);
    other.context.tenant = habitus_model::TenantId::new("other");
    findings.settle(&other);
    assert_eq!(view(&findings, &findings.id_of(&other)).told, Told::ByItself);
}

#[test]
fn what_is_at_stake_orders_the_queue() {
    let order = |change: &dyn Fn(&mut habitus_findings::Hit)| {
        let mut findings = Findings::new(Settings::default());
        let mut changed = noise(1, 0, 70.0);
        change(&mut changed);
        findings.settle(&changed);
        findings.settle(&noise(2, 0, 72.0));
        queue(&findings, 2)[0].finding.id == findings.id_of(&changed)
    };
    assert!(!order(&|_| {}));
    assert!(order(&|hit| hit.kind = AccountKind::Privileged));
    assert!(order(&|hit| hit.kind = AccountKind::Service));
    assert!(!order(&|hit| {
        hit.kind = AccountKind::Privileged;
        hit.context.status = Status::Failure;
    }));
}
