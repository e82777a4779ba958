//! What each value of a configuration may be.

use super::Config;
use super::keys::Places;
use super::problem::Problem;
use habitus_model::Family;
use habitus_model::math::{from_u64, from_usize};
use habitus_normalize::FormatChoice;
use std::ops::RangeInclusive;

/// Everything that is out of its range.
pub fn check(config: &Config, places: &Places) -> Vec<Problem> {
    let mut checks = Checks {
        places,
        problems: Vec::new(),
    };
    if let Err(error) = config.formats.default.parse::<FormatChoice>() {
        checks.push("formats.default", error.to_string());
    }
    checks.range(
        "formats.assume_year",
        config.formats.assume_year.map(f64::from),
        1970.0..=9999.0,
    );
    limits(config, &mut checks);
    scoring(config, &mut checks);
    checks.priors(config);
    checks.range(
        "findings.window_hours",
        Some(f64::from(config.findings.window_hours)),
        1.0..=8760.0,
    );
    checks.range(
        "replay.memory",
        Some(from_u64(config.replay.memory.0.0)),
        65_536.0..=1e15,
    );
    checks.range(
        "replay.threads",
        config.replay.threads.map(f64::from),
        1.0..=256.0,
    );
    if !config.telemetry.is_sound() {
        let message =
            "`otlp_endpoint` is no address of a collector: write http://host:4318, without user or query";
        checks.push("telemetry.otlp_endpoint", message);
    }
    checks.problems
}

fn limits(config: &Config, checks: &mut Checks<'_>) {
    let limits = &config.limits;
    // Deeper nesting would be read by deeper recursion.
    let all = [
        (
            "limits.record_bytes_max",
            limits.record_bytes_max,
            1024.0..=67_108_864.0,
        ),
        ("limits.depth_max", limits.depth_max, 4.0..=128.0),
        (
            "limits.object_keys_max",
            limits.object_keys_max,
            16.0..=1_000_000.0,
        ),
        ("limits.values_max", limits.values_max, 64.0..=10_000_000.0),
    ];
    for (key, limit, allowed) in all {
        checks.range(key, Some(from_usize(limit)), allowed);
    }
}

fn scoring(config: &Config, checks: &mut Checks<'_>) {
    let (scoring, weights) = (&config.scoring, &config.scoring.weights);
    let all = [
        ("scoring.challenge_from", Some(scoring.challenge_from), 100.0),
        ("scoring.review_from", Some(scoring.review_from), 100.0),
        ("scoring.deny_from", scoring.deny_from, 100.0),
        ("scoring.quarantine_from", Some(scoring.quarantine_from), 100.0),
        ("findings.from_score", Some(config.findings.from_score), 100.0),
    ];
    for (key, value, most) in all {
        checks.range(key, value, 0.0..=most);
    }
    let learning = &scoring.learning;
    for (key, value, most) in [
        (
            "scoring.learning.labels_min",
            f64::from(learning.labels_min),
            1_000.0,
        ),
        (
            "scoring.learning.author_labels_max",
            learning.author_labels_max,
            1_000.0,
        ),
    ] {
        checks.range(key, Some(value), 1.0..=most);
    }
    for family in Family::ALL {
        let key = format!("scoring.weights.{}", family.name());
        checks.range(&key, Some(weights.of(family)), 0.0..=10.0);
    }
    for (key, value) in [
        ("scoring.weights.family_nats_max", weights.family_nats_max),
        ("scoring.weights.burst_nats_max", weights.burst_nats_max),
        ("scoring.weights.conduct_nats_max", weights.conduct_nats_max),
        ("scoring.weights.used_nats_max", weights.used_nats_max),
    ] {
        checks.range(key, Some(value), 0.1..=100.0);
    }
}

struct Checks<'p> {
    places: &'p Places,
    problems: Vec<Problem>,
}

impl Checks<'_> {
    fn range(&mut self, key: &str, value: Option<f64>, allowed: RangeInclusive<f64>) {
        if value.is_some_and(|value| !allowed.contains(&value)) {
            let name = key.rsplit('.').next().unwrap_or(key);
            self.push(
                key,
                format!(
                    "`{name}` is not between {} and {}",
                    allowed.start(),
                    allowed.end()
                ),
            );
        }
    }

    fn priors(&mut self, config: &Config) {
        let priors = config.engine(1).weights.priors;
        let sum: f64 = priors.iter().sum();
        let sound = priors.iter().all(|share| *share > 0.0) && (sum - 1.0).abs() <= 1e-6;
        if !sound {
            let message = format!("the five shares are not above 0 with the sum 1: their sum is {sum}");
            self.push("scoring.priors", message);
        }
    }

    fn push(&mut self, key: &str, message: impl Into<String>) {
        self.problems
            .push(Problem::at(self.places.get(key).cloned(), message));
    }
}
