//! Who knows the password and is held up stands at the door: what follows is doubted. Who guesses wrong stands nowhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use habitus_engine::{Config, Engine, Learning, Record};
use habitus_enrich::{Enricher, Tables};
use habitus_model::{Event, FailureReason, Status};
use habitus_normalize::{FormatChoice, Normalizer, Options};
use std::path::Path;
use std::sync::Arc;

fn events(name: &str) -> Vec<Event> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/detectors/aftermath");
    let text = std::fs::read_to_string(fixtures.join(name)).unwrap();
    let normalizer = Normalizer::new(FormatChoice::Auto, Options::default());
    let mut events = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        normalizer
            .normalize(line.as_bytes(), number, &mut events)
            .unwrap();
    }
    events
}

/// Whether anna's role grant minutes later is doubted, if her login from abroad failed so.
fn is_doubted(reason: FailureReason) -> bool {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let mut engine = Engine::new(Config::default());
    let mut record = |event: &Event, learning| Record {
        uid: event.uid.clone(),
        context: enricher.context(event),
        learning,
    };
    for event in events("history.ndjson") {
        let mut record = record(&event, Learning::Learn);
        if event.uid.as_str() == "anna-abroad" {
            (record.context.status, record.context.failure) = (Status::Failure, Some(reason));
        }
        engine.handle(&record);
    }
    let cases = events("cases.ndjson");
    let grant = |case: &&Event| case.uid.as_str() == "speaks-source-names-no-address-for-deeds";
    let said = engine.assess(&record(cases.iter().find(grant).unwrap(), Learning::Probe));
    said.contributions
        .iter()
        .any(|line| line.signal.0 == "sensitive_aftermath")
}

#[test]
fn right_credentials_that_a_policy_stopped_are_an_entrance_and_wrong_ones_are_none() {
    assert!(is_doubted(FailureReason::PolicyDenied));
    assert!(!is_doubted(FailureReason::InvalidCredentials));
}
