//! Writes the standard attacks that candidates are compared on, `crates/engine/src/models/golden.postcard`: `cargo run --release -p
//! habitus-evaluate --example golden`. Two worlds of each regime on development seeds that nothing else is measured on.

use habitus_engine::models::Attack;
use habitus_engine::{Config, Engine, Learning, Record};
use habitus_enrich::{Enricher, Tables};
use habitus_model::{Assessment, Text};
use habitus_sim::{Label, Labelled, Regime, World, WorldConfig, generate};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seeds of the worlds: `measure` is usually run on the first three.
const SEEDS: [u64; 2] = [8, 9];
/// Attacks of one kind, from all worlds.
const KIND_MAX: usize = 50;
/// Share of a period that is learned and not used.
const WARM_UP: i64 = 3;

/// What is kept of one attack until all are known: the strongest of its events.
type Strongest = BTreeMap<(&'static str, u64, u32), (f64, Attack)>;

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut found = Strongest::new();
    for seed in SEEDS {
        for regime in Regime::ALL {
            let config = WorldConfig {
                attacks_per_kind: 20,
                ..WorldConfig::activity(seed, regime)
            };
            run(&generate(&config), &mut found);
        }
    }
    let mut kinds: BTreeMap<Text, usize> = BTreeMap::new();
    let mut attacks = Vec::new();
    for (_, attack) in found.into_values() {
        let count = kinds.entry(attack.kind.clone()).or_default();
        *count += 1;
        if *count <= KIND_MAX {
            attacks.push(attack);
        }
    }
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/engine/src/models/golden.postcard"
    );
    std::fs::write(path, postcard::to_allocvec(&attacks)?)?;
    println!("{} attacks; found of each kind: {kinds:?}", attacks.len());
    Ok(())
}

fn run(world: &World, found: &mut Strongest) {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let mut engine = Engine::new(Config::default());
    let (start, end) = world.period_ms();
    let from = start + (end - start) / WARM_UP;
    let seed = world.config().seed;
    let mut probes = world.attacks().peekable();
    let mut number = 0;
    for Labelled { event, label } in world.stream() {
        while let Some(probe) = probes.next_if(|probe| probe.event.time < event.time) {
            number += 1;
            if probe.event.time.as_millis() >= from {
                let record = Record {
                    uid: probe.event.uid.clone(),
                    context: enricher.context(&probe.event),
                    learning: Learning::Probe,
                };
                keep(found, (probe.label, (seed, number)), &engine.assess(&record));
            }
        }
        let record = Record {
            uid: event.uid.clone(),
            context: enricher.context(&event),
            learning: Learning::Learn,
        };
        let assessment = engine.handle(&record);
        if let Label::Scenario(planted) = label {
            keep(found, (label, (seed, planted.campaign)), &assessment);
        }
    }
}

fn keep(found: &mut Strongest, (label, (seed, number)): (Label, (u64, u32)), assessment: &Assessment) {
    let Some(grounds) = &assessment.grounds else {
        return;
    };
    let one = (
        assessment.log_odds.0,
        Attack {
            kind: Text::new(label.name()),
            account: assessment.kind,
            grounds: grounds.clone(),
        },
    );
    let best = found
        .entry((label.name(), seed, number))
        .or_insert_with(|| one.clone());
    if one.0 > best.0 {
        *best = one;
    }
}
