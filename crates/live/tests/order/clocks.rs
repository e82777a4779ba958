//! A source whose clock is off.

use super::*;

/// The same record from a source whose clock is off by so much, as it arrives.
fn skewed(record: &Record, position: usize, ahead_ms: i64) -> Entry {
    let Entry::Event(mut arrival) = entry(record, position) else {
        unreachable!("an event");
    };
    arrival.origin.ingest = IngestTime::from_millis(record.context.time.as_millis() + 2_000).unwrap();
    arrival.record.context.time = record.context.time.plus(Millis(ahead_ms));
    Entry::Event(arrival)
}

#[test]
fn a_clock_that_is_ahead_is_corrected_after_an_hour_and_its_events_are_learned_again() {
    let mut reducer = Reducer::new(settings());
    let records: Vec<Record> = (0..240)
        .map(|n| event(n, i64::try_from(n).unwrap() * 60, 1))
        .collect();
    let mut stages = Vec::new();
    for (position, record) in records.iter().enumerate() {
        let mut out = Vec::new();
        // Seven minutes ahead: two more than are believed.
        reducer.apply(vec![skewed(record, position, 420_000)], &Sequential, &mut out);
        let first = out.iter().find_map(|output| match output {
            Output::Verdict { arrival, stage, .. } if arrival.record.uid == record.uid => {
                Some((*stage, arrival.record.context.time))
            }
            _ => None,
        });
        stages.push(first.unwrap());
    }
    assert!(stages[..59].iter().all(|(stage, _)| *stage == Stage::Future));
    for (record, (stage, time)) in records.iter().zip(&stages).skip(61) {
        assert_ne!(*stage, Stage::Future);
        let off = time.as_millis() - record.context.time.as_millis();
        assert!(off.abs() <= 10_000, "{off}");
    }
    let corrected = reducer.clock_correction(&TenantId::default(), &Text::new("idp"));
    assert!((-430_000..=-410_000).contains(&corrected.0), "{corrected:?}");
    let again = Reducer::restore(settings(), &reducer.snapshot().unwrap(), None).unwrap();
    assert_eq!(
        again.clock_correction(&TenantId::default(), &Text::new("idp")),
        corrected
    );
    assert_eq!(again.digest().unwrap(), reducer.digest().unwrap());
}
