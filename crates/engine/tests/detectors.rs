//! Every detector speaks, excuses and abstains as its fixtures say (`fixtures/detectors/<id>/`).
//!
//! `history.ndjson` is learned, `cases.ndjson` are probes against it, both OCSF. A case's uid begins with what the detector
//! must do: `speaks-` accuse, `owner-` speak for the owner, `silent-` look and find nothing, `abstains-` say that it cannot
//! tell. `expected.ndjson` names the signals with rough bounds in nats, or why it abstains; `HABITUS_BLESS=1 cargo test -p
//! habitus-engine --test detectors` writes it anew (never the uids): read the difference before committing it.

#![expect(
    clippy::unwrap_used,
    reason = "test code: a failure is what these make of a mistake"
)]

use habitus_detect::{Detector, detectors};
use habitus_engine::{Config, Engine, Learning, Record};
use habitus_enrich::{Enricher, Tables};
use habitus_model::{Assessment, Event};
use habitus_normalize::{FormatChoice, Normalizer, Options};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Least sum of nats that counts as accusing or excusing.
const WORTH_NATS: f64 = 0.05;

fn folder(detector: &dyn Detector) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/detectors");
    fixtures.join(detector.id().0)
}

fn events(path: &Path) -> Result<Vec<Event>, String> {
    let text = fs::read_to_string(path).map_err(|_| format!("no {}", path.display()))?;
    let normalizer = Normalizer::new(FormatChoice::Auto, Options::default());
    let mut events = Vec::new();
    for (line, number) in text.lines().zip(1_u64..) {
        let read = normalizer.normalize(line.as_bytes(), number, &mut events);
        read.map_err(|rejection| format!("{}:{number}: {}", path.display(), rejection.reason))?;
    }
    Ok(events)
}

/// The cases of one detector, assessed after its history.
fn assessed(detector: &dyn Detector) -> Result<Vec<Assessment>, String> {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    // Nearly every account is packed when its turn comes: whatever a detector reads must come back as it was.
    let mut engine = Engine::new(Config {
        at_hand_max: 1,
        ..Config::default()
    });
    let mut record = |event: &Event, learning| Record {
        uid: event.uid.clone(),
        context: enricher.context(event),
        learning,
    };
    for event in events(&folder(detector).join("history.ndjson"))? {
        engine.handle(&record(&event, Learning::Learn));
    }
    let cases = events(&folder(detector).join("cases.ndjson"))?;
    Ok(cases
        .iter()
        .map(|event| engine.assess(&record(event, Learning::Probe)))
        .collect())
}

/// Signals of the detector with their nats; the reason if it abstained.
fn said(detector: &dyn Detector, assessment: &Assessment) -> Result<Vec<(&'static str, f64)>, String> {
    let abstained = assessment
        .blind
        .iter()
        .find(|(family, _)| *family == detector.family());
    if let Some((_, why)) = abstained {
        let why = serde_json::to_value(why).unwrap();
        return Err(why.as_str().unwrap().to_owned());
    }
    let own = assessment
        .contributions
        .iter()
        .filter(|line| line.family == Some(detector.family()));
    Ok(own.map(|line| (line.signal.0, line.nats.0)).collect())
}

/// What is wrong with the sign, given the intent in the uid.
fn against_intent(uid: &str, said: &Result<Vec<(&'static str, f64)>, String>) -> Option<String> {
    let intent = uid.split('-').next().unwrap_or("");
    let (empty, sum) = match said {
        Ok(lines) => (lines.is_empty(), lines.iter().map(|line| line.1).sum::<f64>()),
        Err(_) => (true, 0.0),
    };
    let holds = match intent {
        "speaks" => sum > WORTH_NATS,
        "owner" => sum < -WORTH_NATS,
        "silent" => said.is_ok() && empty,
        "abstains" => said.is_err(),
        _ => false,
    };
    (!holds).then(|| format!("{uid}: {said:?}"))
}

/// Bounds wide enough for a constant to move, narrow enough for a mistake to show.
fn bounds(nats: f64) -> [f64; 2] {
    let slack = f64::max(0.3, 0.3 * nats.abs());
    [nats - slack, nats + slack].map(|bound| habitus_model::math::round_to(bound, 1))
}

fn expectation(uid: &str, said: &Result<Vec<(&'static str, f64)>, String>) -> Value {
    match said {
        Ok(lines) => {
            let lines = lines
                .iter()
                .map(|(signal, nats)| ((*signal).to_owned(), json!(bounds(*nats))));
            json!({ "case": uid, "signals": lines.collect::<Map<String, Value>>() })
        }
        Err(why) => json!({ "case": uid, "abstains": why }),
    }
}

fn as_expected(expected: &Value, said: &Result<Vec<(&'static str, f64)>, String>) -> bool {
    match said {
        Err(why) => expected["abstains"] == json!(why),
        Ok(lines) => expected["signals"].as_object().is_some_and(|signals| {
            signals.len() == lines.len()
                && lines.iter().all(|(signal, nats)| {
                    let bound = |nth: usize| signals.get(*signal).and_then(|bounds| bounds[nth].as_f64());
                    bound(0).is_some_and(|low| low <= *nats) && bound(1).is_some_and(|high| *nats <= high)
                })
        }),
    }
}

fn check(detector: &dyn Detector) -> Result<Vec<String>, String> {
    let assessed = assessed(detector)?;
    let mut wrong = Vec::new();
    for intent in ["speaks-", "abstains-"] {
        if !assessed.iter().any(|case| case.uid.as_str().starts_with(intent)) {
            wrong.push(format!("no case `{intent}…`"));
        }
    }
    let path = folder(detector).join("expected.ndjson");
    let mut fresh = String::new();
    let text = fs::read_to_string(&path).unwrap_or_default();
    let expected: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let bless = std::env::var_os("HABITUS_BLESS").is_some();
    for case in &assessed {
        let (uid, said) = (case.uid.as_str(), said(detector, case));
        wrong.extend(against_intent(uid, &said));
        fresh += &format!("{}\n", expectation(uid, &said));
        let known = expected.iter().find(|expected| expected["case"] == json!(uid));
        if !bless && !known.is_some_and(|expected| as_expected(expected, &said)) {
            wrong.push(format!("{uid}: says {said:?}, expected {known:?}"));
        }
    }
    if bless {
        fs::write(&path, fresh).unwrap();
    }
    Ok(wrong)
}

#[test]
fn every_detector_does_what_its_fixtures_say() {
    let mut wrong = Vec::new();
    for detector in detectors::ALL {
        let found = check(*detector).unwrap_or_else(|problem| vec![problem]);
        wrong.extend(
            found
                .into_iter()
                .map(|problem| format!("{}: {problem}", detector.id().0)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_fixtures_belongs_to_a_detector() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/detectors");
    for entry in fs::read_dir(fixtures).unwrap() {
        let name = entry.unwrap().file_name();
        let known = detectors::ALL
            .iter()
            .any(|detector| Some(detector.id().0) == name.to_str());
        assert!(known, "{name:?}");
    }
}
