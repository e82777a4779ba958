use super::*;
use proptest::prelude::*;

/// What a decoder finds in a stream that comes in `pieces`, with its window bounded as a connection bounds it.
fn decode(message_bytes_max: usize, pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = Decoder::new(message_bytes_max);
    let mut window: Vec<u8> = Vec::new();
    let mut all = Vec::new();
    let mut show = |found: Found<'_>| match found {
        Found::Message(message) => all.push(String::from_utf8_lossy(message).into_owned()),
        Found::Oversized => all.push("OVERSIZED".to_owned()),
        Found::Nothing => {}
    };
    for piece in pieces {
        for byte in *piece {
            window.push(*byte);
            assert!(window.len() <= window_bytes_max(message_bytes_max));
            if window.len() == window_bytes_max(message_bytes_max) {
                assert!(drain(&mut decoder, &mut window, &mut show), "no way on");
            }
        }
        drain(&mut decoder, &mut window, &mut show);
    }
    show(decoder.finish(&window));
    all
}

fn drain(decoder: &mut Decoder, window: &mut Vec<u8>, show: &mut impl FnMut(Found<'_>)) -> bool {
    let mut moved = false;
    while let Some(step) = decoder.step(window) {
        let consumed = step.consumed;
        assert!(consumed > 0, "a step goes on");
        show(step.found);
        window.drain(..consumed);
        moved = true;
    }
    moved
}

fn check(stream: &str, expected: &[&str]) {
    assert_eq!(decode(100, &[stream.as_bytes()]), expected, "{stream}");
    // Split at every byte, and byte by byte.
    for at in 0..=stream.len() {
        let (head, tail) = stream.as_bytes().split_at(at);
        assert_eq!(decode(100, &[head, tail]), expected, "{stream} split at {at}");
    }
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    assert_eq!(decode(100, &bytes), expected, "{stream} byte by byte");
}

#[test]
fn counted_messages_end_where_they_say() {
    check("8 <34>abcd5 <1>xy", &["<34>abcd", "<1>xy"]);
    check("9 <34>ab\ncd", &["<34>ab\ncd"]);
    check("8 <34>abcd\n8 <34>efgh\n", &["<34>abcd", "<34>efgh"]);
    check("12 <34>5 <1>xyz", &["<34>5 <1>xyz"]);
}

#[test]
fn lines_end_at_a_line_feed_or_nul() {
    check(
        "<34>ab\n<34>cd\r\n\n<34>ef\0<34>gh",
        &["<34>ab", "<34>cd\r", "<34>ef", "<34>gh"],
    );
    check(
        "{\"a\": 1}\n2026-01-05T10:00:00Z h sshd[1]: x\n",
        &["{\"a\": 1}", "2026-01-05T10:00:00Z h sshd[1]: x"],
    );
    check(
        "1767607200 <x> y\n12 monkeys\n7\n",
        &["1767607200 <x> y", "12 monkeys", "7"],
    );
}

#[test]
fn both_kinds_on_one_connection() {
    check(
        "<34>ab\n6 <34>cd<34>ef\n6 <34>gh",
        &["<34>ab", "<34>cd", "<34>ef", "<34>gh"],
    );
}

#[test]
fn hostile_counts_take_no_memory_and_swallow_no_more_than_they_say() {
    // No count: too many digits.
    check("99999999999 <34>a\n6 <34>cd", &["99999999999 <34>a", "<34>cd"]);
    check("99999999999 ", &["99999999999 "]);
    check("0 <34>a\n007 <34>b\n", &["0 <34>a", "007 <34>b"]);
    check("-5 <34>a\n", &["-5 <34>a"]);
    // A count above the limit is passed over, exactly.
    let long = format!("150 <34>{}6 <34>cd", "x".repeat(146));
    check(&long, &["OVERSIZED", "<34>cd"]);
    // One that never comes is nothing.
    check("99999999 <34>a", &["OVERSIZED"]);
    check("50 <34>cut short", &[]);
}

#[test]
fn lines_above_the_limit_are_passed_over_to_their_end() {
    let line = |n: usize| "x".repeat(n);
    check(&format!("{}\nok\n", line(100)), &[&line(100), "ok"]);
    for long in [101, 109, 110, 111, 500, 5_000] {
        let stream = format!("{}\nok\n", line(long));
        for size in [1, 7, 110, 10_000] {
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            assert_eq!(decode(100, &pieces), ["OVERSIZED", "ok"], "{long} by {size}");
        }
    }
}

proptest! {
    #[test]
    fn pieces_do_not_matter(stream in "[0-9 <>a\n\\x00]{0,300}", cuts in prop::collection::vec(0_usize..300, 0..8)) {
        let stream = stream.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < stream.len()).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(decode(40, &pieces), decode(40, &[stream]));
    }
}
