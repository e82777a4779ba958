//! A past that is replayed, and a picture of a state that goes on.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_past_that_is_replayed_is_the_past_that_was_lived(
        sources in prop::collection::vec(any::<u8>(), 2..120),
        moves in prop::collection::vec(any::<u8>(), 1..40),
        batch in 1usize..50,
    ) {
        let mut entries = by_sources(jumble(&shared_log(&sources), &moves));
        // Some come from a future that is not believed: their findings are part of the state, and what waits is none.
        for entry in entries.iter_mut().step_by(5) {
            if let Entry::Event(arrival) = entry {
                arrival.record.context.time = arrival.record.context.time.plus(Millis::from_hours(9));
            }
        }
        let (mut lived, mut replayed) = (Reducer::new(settings()), Reducer::new(settings()));
        let (mut told, mut told_again) = (Vec::new(), Vec::new());
        for some in entries.chunks(batch) {
            lived.apply(some.to_vec(), &Sequential, &mut told);
            replayed.replay(some.to_vec(), &Sequential, &mut told_again);
        }
        replayed.catch_up(&mut told_again);
        let ahead = |out: &[Output]| {
            let is_ahead = |output: &&Output| matches!(output, Output::Verdict { stage: Stage::Provisional, .. });
            out.iter().filter(is_ahead).count()
        };
        // Each is judged ahead of its turn where it is lived, and only what still waits where it is replayed.
        prop_assert!(ahead(&told) >= ahead(&told_again));
        prop_assert_eq!(ahead(&told_again), replayed.waiting());
        prop_assert_eq!(settled(told_again), settled(told));
        prop_assert_eq!(replayed.waiting(), lived.waiting());
        prop_assert_eq!(replayed.digest().unwrap(), lived.digest().unwrap());
        prop_assert_eq!(replayed.people().len(), lived.people().len());
    }

    #[test]
    fn a_picture_stays_as_it_was_while_the_reducer_goes_on(
        sources in prop::collection::vec(any::<u8>(), 2..150),
        moves in prop::collection::vec(any::<u8>(), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let entries = by_sources(jumble(&shared_log(&sources), &moves));
        let (before, after) = entries.split_at(cut.index(entries.len()));
        let mut reducer = Reducer::new(settings());
        reducer.apply(before.to_vec(), &Sequential, &mut Vec::new());
        let (state, view) = (reducer.snapshot().unwrap(), reducer.view().unwrap());
        let picture = reducer.picture();
        for entry in after {
            reducer.apply(vec![entry.clone()], &Sequential, &mut Vec::new());
        }
        reducer.apply(vec![Entry::Settle], &Sequential, &mut Vec::new());
        prop_assert_eq!(picture.state().unwrap(), state.clone());
        prop_assert_eq!(picture.view().unwrap(), view.clone());
        let mut again = Reducer::restore(settings(), &state, Some(&view)).unwrap();
        prop_assert_eq!(again.view().unwrap(), view);
        again.apply(after.to_vec(), &Sequential, &mut Vec::new());
        again.apply(vec![Entry::Settle], &Sequential, &mut Vec::new());
        prop_assert_eq!(again.digest().unwrap(), reducer.digest().unwrap());
    }
}
