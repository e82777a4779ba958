//! The whole run on small worlds.

use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::{Login, Plan, Said, Scorer, baselines, run};
use habitus_model::evidence::Family;
use habitus_model::{Event, Status};
use habitus_sim::{Regime, WorldConfig};
use std::sync::Arc;

fn small() -> Plan {
    let world = |regime, accounts| WorldConfig {
        accounts,
        attacks_per_kind: 100,
        ..WorldConfig::new(1, regime)
    };
    let mut plan = Plan::of(vec![world(Regime::Consumer, 400), world(Regime::Enterprise, 30)]);
    plan.replicates = 20;
    plan
}

fn markdown_and_json(plan: &Plan) -> (String, String) {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let report = run(plan, &mut baselines::all, &mut |event: &Event| {
        enricher.context(event)
    });
    (report.markdown(), report.json().unwrap_or_default())
}

#[test]
fn the_same_plan_gives_the_same_report() {
    let plan = small();
    let first = markdown_and_json(&plan);
    assert_eq!(first, markdown_and_json(&plan));
    let (markdown, json) = first;
    assert!(markdown.contains("## consumer") && markdown.contains("## enterprise"));
    assert!(markdown.contains("| foreign_takeover | Freeman (published) |"));
    assert!(json.contains("\"same_provider_takeover\""));
}

/// Gives every login the same score, or no number at all.
struct Constant(f64);

impl Scorer for Constant {
    fn name(&self) -> &str {
        "constant"
    }

    fn score(&mut self, _: Login<'_>) -> f64 {
        self.0
    }

    fn learn(&mut self, _: Login<'_>) {}
}

#[test]
fn a_scorer_that_knows_nothing_finds_nothing() {
    for constant in [1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
        let mut scorers = || vec![Box::new(Constant(constant)) as Box<dyn Scorer>];
        let report = run(&small(), &mut scorers, &mut |event: &Event| {
            enricher.context(event)
        });
        for kind in report
            .regimes
            .iter()
            .flat_map(|r| &r.scorers)
            .flat_map(|s| &s.kinds)
        {
            assert_eq!(kind.roc_auc.value, 0.0);
            assert!(kind.recall.iter().all(|budgeted| budgeted.recall.value == 0.0));
            assert!(kind.attacks > 50);
        }
    }
}

/// Counts what it is asked to do.
#[derive(Default)]
struct Probed {
    learned: u64,
}

impl Scorer for Probed {
    fn name(&self) -> &str {
        "probed"
    }

    fn score(&mut self, _: Login<'_>) -> f64 {
        habitus_model::math::from_u64(self.learned)
    }

    fn learn(&mut self, login: Login<'_>) {
        assert_eq!(login.event.source.as_str(), "simulation");
        self.learned += 1;
    }
}

#[test]
fn logins_are_scored_before_they_are_learned_and_probes_never_are() {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let plan = small();
    let config = &plan.worlds[1];
    let scorers = vec![Box::<Probed>::default() as Box<dyn Scorer>];
    let enrich = &mut |event: &Event| enricher.context(event);
    let outcome = habitus_evaluate::run_world(&plan, config, scorers, enrich);
    let scores = &outcome.scorers[0].scores;
    assert_eq!(scores.len(), outcome.points.len());
    // The score is the number of owners' events learned before: probes repeat the number of their successor.
    let mut last = -1.0;
    for (score, point) in scores.iter().zip(&outcome.points) {
        let probe = matches!(point.truth, habitus_evaluate::Truth::Attack(_));
        assert!(if last < 0.0 { true } else { *score >= last });
        if !probe {
            assert!(*score > last || last < 0.0);
        }
        last = if probe { score - 0.5 } else { *score };
    }
    let events = habitus_model::math::from_u64(outcome.summary.events);
    assert!(last < events);
}

/// Says that whoever comes from another network than the owner came from last is an attacker.
#[derive(Default)]
struct Suspicious {
    last: std::collections::BTreeMap<Option<habitus_model::AccountId>, habitus_model::Network>,
    said: Option<Said>,
}

impl Scorer for Suspicious {
    fn name(&self) -> &str {
        "suspicious"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let account = login.event.account_id();
        let elsewhere = self.last.get(&account) != Some(&login.context.network);
        self.said = Some(Said {
            score: 0.0,
            lead: elsewhere.then_some(Family::Network),
        });
        f64::from(u8::from(elsewhere))
    }

    fn learn(&mut self, login: Login<'_>) {
        if login.event.status == Status::Success {
            let account = login.event.account_id();
            self.last.insert(account, login.context.network.clone());
        }
    }

    fn said(&self) -> Option<Said> {
        self.said
    }

    /// Owners are never suspected.
    fn observe(&mut self, login: Login<'_>) -> f64 {
        self.said = Some(Said {
            score: 0.0,
            lead: None,
        });
        self.learn(login);
        0.0
    }
}

#[test]
fn a_takeover_without_its_planted_cause_is_one_from_where_the_owner_was() {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let mut scorers = || vec![Box::<Suspicious>::default() as Box<dyn Scorer>];
    let report = run(&small(), &mut scorers, &mut |event: &Event| {
        enricher.context(event)
    });
    for kind in report.regimes.iter().flat_map(|r| &r.scorers[0].kinds) {
        let planted_network = kind.kind.causes().contains(&Family::Network);
        let share = f64::from(u8::from(planted_network));
        assert!(kind.cured.of > 20, "{:?}", kind.kind);
        assert_eq!(kind.cured.of, kind.explained.of, "{:?}", kind.kind);
        assert_eq!(kind.cured.share(), Some(share), "{:?}", kind.kind);
        assert_eq!(kind.explained.share(), Some(share), "{:?}", kind.kind);
    }
}

fn logs() -> Plan {
    let world = |regime, accounts| WorldConfig {
        accounts,
        days: 40,
        ..WorldConfig::activity(1, regime)
    };
    let mut plan = Plan::of(Vec::new());
    plan.streams = vec![world(Regime::Consumer, 400), world(Regime::Enterprise, 40)];
    plan.replicates = 20;
    plan
}

fn measured(scorers: &mut dyn FnMut() -> Vec<Box<dyn Scorer>>) -> habitus_evaluate::Report {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    run(&logs(), scorers, &mut |event: &Event| enricher.context(event))
}

#[test]
fn nothing_in_the_log_is_found_by_a_scorer_that_knows_nothing() {
    for constant in [1.0, f64::NAN] {
        let report = measured(&mut || vec![Box::new(Constant(constant)) as Box<dyn Scorer>]);
        let scorers = report.streams.iter().flat_map(|stream| &stream.scorers);
        for kind in scorers.flat_map(|scorer| &scorer.kinds) {
            assert!(kind.attacks > 0);
            assert!(
                kind.found.iter().all(|found| found.value == 0.0),
                "{:?}",
                kind.kind
            );
            assert_eq!((kind.at_event, kind.explained.share()), (None, None));
        }
    }
}

/// Knows the truth: what is from a source of the log that owners never use.
struct Oracle(std::collections::BTreeSet<String>);

impl Scorer for Oracle {
    fn name(&self) -> &str {
        "oracle"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        f64::from(u8::from(self.0.contains(login.event.uid.as_str())))
    }

    fn learn(&mut self, _: Login<'_>) {}
}

#[test]
fn everything_in_the_log_is_found_at_once_by_a_scorer_that_knows_the_truth() {
    let plan = logs();
    let worlds = plan.streams.iter().map(habitus_sim::generate);
    let planted: std::collections::BTreeSet<String> = worlds
        .flat_map(|world| {
            world
                .planted()
                .map(|one| one.event.uid.to_string())
                .collect::<Vec<_>>()
        })
        .collect();
    let report = measured(&mut || vec![Box::new(Oracle(planted.clone())) as Box<dyn Scorer>]);
    for scorer in report.streams.iter().flat_map(|stream| &stream.scorers) {
        for kind in &scorer.kinds {
            assert!(
                kind.found.iter().all(|found| found.value == 1.0),
                "{:?}",
                kind.kind
            );
            assert_eq!(
                (kind.at_event, kind.events_flagged),
                (Some(1.0), 1.0),
                "{:?}",
                kind.kind
            );
        }
        assert!(
            scorer
                .bars
                .iter()
                .all(|row| row.holds != Some(false) && row.false_share.is_none_or(|cost| cost == 0.0))
        );
    }
}
