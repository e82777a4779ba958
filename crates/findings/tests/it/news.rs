//! What other systems are told: enough, once, and not each event.

use crate::support::{from, hit, judge, settled};
use habitus_findings::{Findings, Hit, Lifecycle, News, Occasion, Settings, Writer};
use habitus_model::{RiskScore, Verdict};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn told(findings: &mut Findings, hits: &[Hit]) -> Vec<News> {
    let mut all = Vec::new();
    for hit in hits {
        let changes = findings.settle(hit);
        all.extend(findings.news(&changes));
    }
    all
}

fn many(count: i64) -> Vec<Hit> {
    (0..count)
        .map(|n| hit(&format!("e{n}"), Some("alice"), n % 600, 70.0))
        .collect()
}

#[test]
fn growth_is_told_as_it_doubles() {
    let mut findings = Findings::new(Settings::default());
    let news = told(&mut findings, &many(200));
    let occasions: Vec<Occasion> = news.iter().map(|news| news.occasion).collect();
    let mut expected = vec![Occasion::Opened];
    expected.extend([Occasion::Changed; 7]);
    assert_eq!(occasions, expected, "at 1, 2, 4 … 128");
    let ids: BTreeSet<_> = news.iter().map(|news| &news.record).collect();
    assert_eq!(ids.len(), news.len(), "each has an id of its own");
    assert_eq!(news[0].record.as_str(), news[0].finding.as_str());
}

#[test]
fn what_gets_worse_is_judged_or_reopens_is_told_at_once() {
    let events = many(3);
    let mut findings = settled(&events);
    let id = findings.id_of(&events[0]);
    let mut worse = hit("worse", Some("alice"), 9, 90.0);
    worse.score = RiskScore::new(90.0);
    let news = told(&mut findings, std::slice::from_ref(&worse));
    let [worsened] = &news[..] else { panic!("{news:?}") };
    let writer = Writer {
        model: "m",
        version: "0",
    };
    let record = |findings: &mut Findings, news: &News| {
        let view = findings.get_settled(&news.finding).unwrap();
        let record = writer.record(&view, news);
        assert_eq!(habitus_testkit::ocsf::validate(&record), [""; 0], "{record:#}");
        assert_eq!(record["metadata"]["uid"], news.record.as_str());
        record["activity_name"].as_str().unwrap().to_owned()
    };
    assert_eq!(record(&mut findings, worsened), "Update");
    let applied = findings.apply(&judge(1, &id, Verdict::TruePositive)).unwrap();
    let closed = findings.news(&applied.changes);
    assert_eq!(record(&mut findings, &closed[0]), "Close");
    let again = told(&mut findings, &[hit("again", Some("alice"), 10, 90.0)]);
    assert_eq!(record(&mut findings, &again[0]), "Update");
    assert_eq!(again.len(), 1);
    let ids = BTreeSet::from([&worsened.record, &closed[0].record, &again[0].record]);
    assert_eq!(ids.len(), 3);
    let opened = News {
        finding: id.clone(),
        record: id.as_str().into(),
        occasion: Occasion::Opened,
    };
    assert_eq!(record(&mut findings, &opened), "Create");
    assert_eq!(Lifecycle::of(&findings.get(&id).unwrap()), Lifecycle::Update);
}

#[test]
fn a_storm_is_told_as_it_doubles_and_what_it_folds_is_not() {
    let mut findings = Findings::new(Settings {
        storm_from: 5,
        ..Settings::default()
    });
    let noise: Vec<Hit> = (0..1_005_u32)
        .map(|n| {
            // Less and less urgent, so that each further one folds.
            let score = 80.0 - f64::from(n) / 100.0;
            let mut hit = hit(&format!("n{n}"), Some(&format!("user{n}")), 1, score);
            from(&mut hit, &format!("11.{}.{}.1", n >> 8, n & 255));
            hit
        })
        .collect();
    let news = told(&mut findings, &noise);
    let opened = news
        .iter()
        .filter(|news| news.occasion == Occasion::Opened)
        .count();
    assert_eq!(opened, 6, "five findings and the storm: {news:?}");
    assert_eq!(news.len(), 6 + 9, "the storm doubles from 1 to 512");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// After a crash the log is judged again, from some snapshot on.
    #[test]
    fn the_same_log_gives_the_same_records(count in 1_i64..80, cut in 0_usize..80) {
        let events = many(count);
        let cut = cut.min(events.len());
        let mut findings = Findings::new(Settings::default());
        let before = told(&mut findings, &events[..cut]);
        let mut restored = Findings::restore(Settings::default(), &findings.snapshot().unwrap()).unwrap();
        // Events ahead of their turn have nothing to say in it.
        findings.provisional(hit("ahead", Some("alice"), 3, 95.0));
        let after = told(&mut findings, &events[cut..]);
        prop_assert_eq!(&after, &told(&mut restored, &events[cut..]));
        let all: BTreeSet<_> = before.iter().chain(&after).map(|news| &news.record).collect();
        prop_assert_eq!(all.len(), before.len() + after.len());
    }
}
