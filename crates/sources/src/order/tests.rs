//! Sorting against a plain stable sort.

use super::*;
use proptest::prelude::*;

type Item = (SortKey, Vec<u8>);

const fn key(time: i64, file: u32, line: u64) -> SortKey {
    SortKey { time, file, line }
}

fn sorted(items: &[Item], memory_bytes_max: usize) -> Vec<Item> {
    let mut sorter = Sorter::new(memory_bytes_max, &std::env::temp_dir());
    for (key, bytes) in items {
        sorter.push(*key, bytes).unwrap();
    }
    assert_eq!(sorter.len(), items.len() as u64);
    sorter.finish().unwrap().map(Result::unwrap).collect()
}

fn plainly(items: &[Item]) -> Vec<Item> {
    let mut items = items.to_vec();
    items.sort_by_key(|(key, _)| *key);
    items
}

/// Items with keys that repeat, and bytes that tell their order of pushing.
fn scrambled(n: u64) -> Vec<Item> {
    let item = |i: u64| {
        let time = i64::try_from(i.wrapping_mul(7919) % 97).unwrap() - 50;
        (
            key(time, u32::try_from(i % 3).unwrap(), i % 5),
            i.to_string().into_bytes(),
        )
    };
    (0..n).map(item).collect()
}

#[test]
fn what_fits_stays_in_memory() {
    let mut sorter = Sorter::new(16 << 20, Path::new("/nonexistent"));
    for (key, bytes) in scrambled(10_000) {
        sorter.push(key, &bytes).unwrap();
    }
    assert!(!sorter.spilled());
    let got: Vec<_> = sorter.finish().unwrap().map(Result::unwrap).collect();
    assert_eq!(got, plainly(&scrambled(10_000)));
}

#[test]
fn several_passes_give_the_same_order() {
    // About six items a run: 64 runs make a tier, 64 × 64 the next.
    let items = scrambled(30_000);
    let mut sorter = Sorter::new(500, &std::env::temp_dir());
    for (key, bytes) in &items {
        sorter.push(*key, bytes).unwrap();
    }
    assert!(sorter.spilled());
    assert!(sorter.runs.iter().any(|(tier, _)| *tier >= 2));
    assert!(sorter.runs.len() < 3 * FAN_IN_MAX);
    let got: Vec<_> = sorter.finish().unwrap().map(Result::unwrap).collect();
    assert_eq!(got, plainly(&items));
}

#[test]
fn any_number_of_runs_merges() {
    for n in [0, 1, 2, 500, 800, 1600] {
        let items = scrambled(n);
        assert_eq!(sorted(&items, 1), plainly(&items), "{n} items, one a run");
    }
}

#[test]
fn large_items_pass() {
    let items = vec![
        (key(2, 0, 0), vec![2; 3 << 20]),
        (key(1, 0, 0), vec![1; 5 << 20]),
        (key(0, 0, 0), vec![]),
    ];
    assert_eq!(sorted(&items, 1 << 20), plainly(&items));
    let mut sorter = Sorter::new(1, &std::env::temp_dir());
    let error = sorter.push(key(0, 0, 0), &vec![0; ITEM_BYTES_MAX + 1]);
    assert!(matches!(error, Err(Error::TooLargeToSort { .. })));
}

#[test]
fn memory_stays_near_the_limit() {
    let mut sorter = Sorter::new(4 << 20, &std::env::temp_dir());
    for i in 0..50_000 {
        sorter.push(key(i, 0, 0), &[0; 700]).unwrap();
        assert!(sorter.memory_with(0) <= 4 << 20);
    }
    assert!(sorter.runs.len() < 15, "{} runs", sorter.runs.len());
}

#[test]
fn an_unusable_directory_is_named() {
    let mut sorter = Sorter::new(1, Path::new("/nonexistent/dir"));
    sorter.push(key(0, 0, 0), b"a").unwrap();
    let text = sorter.push(key(0, 0, 0), b"b").unwrap_err().to_string();
    assert!(
        text.contains("/nonexistent/dir") && text.contains("--temp-dir"),
        "{text}"
    );
}

proptest! {
    #[test]
    fn like_a_plain_stable_sort(
        items in proptest::collection::vec(
            ((-3_i64..3, 0_u32..2, 0_u64..2), proptest::collection::vec(any::<u8>(), 0..40)), 0..200),
        memory in 0_usize..3000,
    ) {
        let items: Vec<Item> = items.into_iter().map(|((t, f, l), bytes)| (key(t, f, l), bytes)).collect();
        prop_assert_eq!(sorted(&items, memory), plainly(&items));
    }
}
