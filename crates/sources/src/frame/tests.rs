//! Framing: cases by hand, then properties.

use super::*;
use proptest::prelude::*;

const SMALL: usize = 4096;

fn limits(record_bytes_max: usize) -> Limits {
    Limits {
        record_bytes_max,
        ..Limits::local()
    }
}

/// A reader that gives `step` bytes at a time, so that every boundary is met.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(self.0.len()).min(into.len());
        into[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[derive(Debug, PartialEq, Eq, Clone)]
enum Got {
    Record(u64, Vec<u8>),
    Oversized(u64, u64),
}

fn frame_with(mut framer: Framer<impl Read>) -> Vec<Got> {
    let mut batch = Batch::new();
    let mut all = Vec::new();
    while framer.fill(&mut batch).unwrap() {
        all.extend(batch.iter().map(|item| match item {
            Framed::Record(r) => Got::Record(r.line, r.bytes.to_vec()),
            Framed::Oversized { line, bytes } => Got::Oversized(line, bytes),
            Framed::Broken { .. } => panic!("only binary files have these"),
        }));
    }
    all
}

fn frame(input: &[u8]) -> Vec<Got> {
    frame_with(Framer::new("test", input, &limits(SMALL)))
}

/// Records with their lines, as text.
fn lines(input: &str) -> Vec<(u64, String)> {
    let text = |got| match got {
        Got::Record(line, bytes) => (line, String::from_utf8(bytes).unwrap()),
        Got::Oversized(line, _) => (line, "OVERSIZED".to_owned()),
    };
    frame(input.as_bytes()).into_iter().map(text).collect()
}

#[track_caller]
fn check(input: &str, expected: &[(u64, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(n, s)| (*n, (*s).to_owned())).collect();
    assert_eq!(lines(input), expected, "{input}");
}

#[test]
fn ndjson_and_text() {
    check("{\"a\":1}\n{\"b\":{}}\n", &[(1, "{\"a\":1}"), (2, "{\"b\":{}}")]);
    check(
        "\u{feff}{\"a\":1}\r\n\r\n{\"b\":2}",
        &[(1, "{\"a\":1}"), (3, "{\"b\":2}")],
    );
    check("one\ntwo\r\n\nthree", &[(1, "one"), (2, "two"), (4, "three")]);
    check("", &[]);
    check(" \n\t\r\n", &[]);
    check(
        "[2024-01-01] x\n<34>1 y\n,a,b\n",
        &[(1, "[2024-01-01] x"), (2, "<34>1 y"), (3, ",a,b")],
    );
}

#[test]
fn objects_over_lines_and_several_on_a_line() {
    check(
        "{\n \"a\": [\n{\n},\n{\"b\":\"}\\\"{\"}\n]\n}\n{}",
        &[(1, "{\n \"a\": [\n{\n},\n{\"b\":\"}\\\"{\"}\n]\n}"), (8, "{}")],
    );
    check(
        "{\"a\":1}{\"b\":2} {\"c\":3}\n{}",
        &[(1, "{\"a\":1}"), (1, "{\"b\":2}"), (1, "{\"c\":3}"), (2, "{}")],
    );
    check("{\"a\":\"} {\"}\n{}", &[(1, "{\"a\":\"} {\"}"), (2, "{}")]);
}

#[test]
fn arrays_and_wrappers_are_streamed() {
    check(
        "[{\"a\":1},{\"b\":2}]\nx",
        &[(1, "{\"a\":1}"), (1, "{\"b\":2}"), (2, "x")],
    );
    check(
        "[\n  {\n    \"a\": 1\n  },\n  {}\n]\n",
        &[(2, "{\n    \"a\": 1\n  }"), (5, "{}")],
    );
    check(
        "{\"Records\":[{\"a\":[{}]},{\"b\":2}]}{\"Records\":[]}\n{}",
        &[(1, "{\"a\":[{}]}"), (1, "{\"b\":2}"), (2, "{}")],
    );
    check(
        "{\"@odata.context\":\"https://x/$m\",\n\"value\":[{\"a\":1}],\"@odata.nextLink\":\"y\"}",
        &[(2, "{\"a\":1}")],
    );
    // What a wrapper holds besides its list is not lost in silence.
    check(
        "{\"value\":[{}],\"more\":[{\"a\":1}]}\n{}",
        &[(1, "{}"), (1, ",\"more\":[{\"a\":1}]}"), (2, "{}")],
    );
}

#[test]
fn a_part_cut_out_of_an_array_reads_well() {
    check(
        "{\"a\":1},\n{\"b\":2},\n{\"c\":3}\n",
        &[(1, "{\"a\":1}"), (2, "{\"b\":2}"), (3, "{\"c\":3}")],
    );
}

#[test]
fn windows_events() {
    check(
        "<?xml version=\"1.0\"?>\n<Events><Event x='1'>\n<A/></Event><Event/>\n</Events>\n{}",
        &[(2, "<Event x='1'>\n<A/></Event>"), (3, "<Event/>"), (5, "{}")],
    );
    check(
        "<Event><A>\n<Event><B/></Event>",
        &[(1, "<Event><A>"), (2, "<Event><B/></Event>")],
    );
    check(
        "<Event><A>\n{\"a\":1}\ntext",
        &[(1, "<Event><A>"), (2, "{\"a\":1}"), (3, "text")],
    );
    check(
        "<Event><A>\n{\"a\":1}\n</Events>x",
        &[(1, "<Event><A>"), (2, "{\"a\":1}"), (3, "x")],
    );
}

#[test]
fn a_cut_off_object_does_not_swallow_the_rest() {
    for cut in [
        "{\"a\":\"tru",
        "{\"a\":1,",
        "{\"a\":",
        "{\"a\":[1,",
        "{\"a\"",
        "{",
        "{\"a\":{\"b\":1}",
        "{\"a\":tru",
        "{\"a\":[{}",
    ] {
        for rest in ["{\"b\":2}\n{\"c\":3}", "{\"b\":2}\nNov 21 sshd\n{\"c\":3}"] {
            let mut expected = vec![(1, cut)];
            expected.extend(rest.lines().enumerate().map(|(i, l)| (i as u64 + 2, l)));
            check(&format!("{cut}\n{rest}\n"), &expected);
        }
        check(&format!("{cut}\nNov 21 sshd\n"), &[(1, cut), (2, "Nov 21 sshd")]);
    }
}

#[test]
fn text_that_starts_like_json_is_a_line() {
    check(
        "{foo} bar\n{\"a\":1} tail\n{\"a\":1}\n",
        &[(1, "{foo} bar"), (2, "{\"a\":1} tail"), (3, "{\"a\":1}")],
    );
    check("{\"a\":1],\n{}", &[(1, "{\"a\":1],"), (2, "{}")]);
}

#[test]
fn oversized_records_are_passed_over() {
    let long = "x".repeat(SMALL + 1);
    let huge = "y".repeat(3_000_000);
    check(&format!("{long}\nshort\n"), &[(1, "OVERSIZED"), (2, "short")]);
    check(&format!("{huge}\nshort\n"), &[(1, "OVERSIZED"), (2, "short")]);
    for body in [&long, &huge] {
        check(
            &format!("{{\"a\":\"{body}\"}}\n{{}}\n"),
            &[(1, "OVERSIZED"), (2, "{}")],
        );
        check(
            &format!("{{\n\"a\":\"{body}\"\n}}\n{{}}\n"),
            &[(1, "OVERSIZED"), (4, "{}")],
        );
        check(
            &format!("[{{\"a\":\"{body}\"}},{{}}]\n"),
            &[(1, "OVERSIZED"), (1, "{}")],
        );
        check(
            &format!("{{\"a\":\"{body}\n{{}}\n"),
            &[(1, "OVERSIZED"), (2, "{}")],
        );
        check(&format!("<Event>{body}\n{{}}\n"), &[(1, "OVERSIZED"), (2, "{}")]);
    }
    assert_eq!(
        frame(format!("{huge}\n").as_bytes()),
        [Got::Oversized(1, 3_000_000)]
    );
}

#[test]
fn hostile_repetition_takes_linear_time() {
    // Each of these invites a scan to the end of the window for every line.
    for unit in [
        "{\"a\":\n",
        "[\n",
        "{\"a\":[\n",
        "<Event>\n",
        "</Events><Event>\n",
        "<!--\n",
        "{\"a\":{\"a\":\n",
        "}{\n",
    ] {
        let input = unit.repeat((4 << 20) / unit.len());
        let got = frame_with(Framer::new("test", input.as_bytes(), &limits(1 << 20)));
        assert!(!got.is_empty(), "{unit}");
    }
}

#[test]
fn deep_objects_come_whole() {
    let deep = format!("{}{}", "{\"a\":".repeat(500), "}".repeat(500));
    check(&format!("{deep}\n{{}}"), &[(1, &deep), (2, "{}")]);
}

/// Records of random kinds, each as it may stand in a file, with what must come out of it.
fn piece() -> impl Strategy<Value = (String, Vec<String>)> {
    let word = "[a-z {}\\[\\],:<]{0,12}";
    let object = (word, 0_i32..100, word).prop_map(|(a, n, b)| {
        format!(
            "{{\"k\":\"{a}\",\"n\":[{n},{{\"x\":-{n}.5e3}},[]],\"o\":{{\"s\":\"\\\\\\\"{b}\"}},\"t\":true}}"
        )
    });
    let pretty = (word, 0_i32..9).prop_map(|(a, n)| {
        format!("{{\n  \"k\": \"{a}\",\n  \"l\": [\n    {n},\n    {{\n      \"z\": null\n    }}\n  ]\n}}")
    });
    let any_object = prop_oneof![object.clone(), pretty.clone()];
    let one = |s: String| (format!("{s}\n"), vec![s]);
    prop_oneof![
        4 => object.clone().prop_map(one),
        1 => pretty.prop_map(one),
        1 => "[A-Z][a-z0-9 {}\\[\\]\",:<>]{0,30}[a-z]".prop_map(one),
        1 => proptest::collection::vec(object, 1..4).prop_map(|v| (format!("{}\n", v.concat()), v)),
        1 => proptest::collection::vec(any_object.clone(), 0..4).prop_map(|v| (format!("[{}]\n", v.join(" ,\n")), v)),
        1 => proptest::collection::vec(any_object, 0..4)
            .prop_map(|v| (format!("{{\"Records\":[{}],\"n\":\"}}\"}}\n", v.join(",")), v)),
        1 => "[a-z{}\" \n]{0,20}".prop_map(|t| {
            let event = format!("<Event xmlns='u'><Data>{t}</Data></Event>");
            (format!("<Events>{event}{event}</Events>\n"), vec![event.clone(), event])
        }),
    ]
}

/// Bytes that are mostly structure, so that random input meets the interesting cases.
fn structure() -> impl Strategy<Value = Vec<u8>> {
    let tokens: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"\n",
        b" ",
        b"a",
        b"1",
        b"\"k\":",
        b"{}",
        b"{\"a\":1}",
        b"\n{",
        b"}\n",
        b"<Event>",
        b"</Event>",
        b"\n<Event ",
        b"<!--",
        b"{\"Records\":[{",
        b"\xff",
        b"\r\n",
        b"[{",
    ];
    proptest::collection::vec(proptest::sample::select(tokens), 0..60).prop_map(|t| t.concat())
}

fn records(got: &[Got]) -> Vec<Vec<u8>> {
    let bytes = |g: &Got| match g {
        Got::Record(_, bytes) => Some(bytes.clone()),
        Got::Oversized(..) => None,
    };
    got.iter().filter_map(bytes).collect()
}

proptest! {
    #[test]
    fn records_put_together_come_apart_again(pieces in proptest::collection::vec(piece(), 0..12), step in 1_usize..40) {
        let input: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let expected: Vec<Vec<u8>> = pieces.iter().flat_map(|(_, r)| r).map(|r| r.clone().into_bytes()).collect();
        let got = frame_with(Framer::new("test", Drip(input.as_bytes(), step), &limits(1 << 20)));
        prop_assert_eq!(records(&got), expected, "{}", input);
    }

    #[test]
    fn lines_are_counted(pieces in proptest::collection::vec(piece(), 0..12)) {
        let input: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        for got in frame(input.as_bytes()) {
            let Got::Record(line, bytes) = got else { continue };
            let start: usize = input.split_inclusive('\n').take(usize::try_from(line).unwrap() - 1).map(str::len).sum();
            let text = std::str::from_utf8(&bytes).unwrap();
            let first = text.lines().next().unwrap();
            prop_assert!(input[start..].lines().next().unwrap().contains(first), "line {} of {}", line, input);
        }
    }

    #[test]
    fn how_bytes_arrive_does_not_matter(input in structure(), step in 1_usize..9) {
        let whole = frame(&input);
        prop_assert_eq!(&frame_with(Framer::new("test", Drip(&input, step), &limits(SMALL))), &whole);
        let mut careful = Framer::new("test", input.as_slice(), &limits(SMALL));
        careful.short_cut = false;
        prop_assert_eq!(frame_with(careful), whole);
    }

    #[test]
    fn no_byte_is_lost_or_invented(input in structure()) {
        // Between records only white space and the punctuation of lists may be skipped; what skips more is left out.
        let mut input = input;
        input.retain(|b| !b"<R".contains(b));
        let mut rest = input.as_slice();
        for record in records(&frame(&input)) {
            let at = memmem::find(rest, &record);
            prop_assert!(at.is_some(), "{:?} is not in order in {:?}", record, input);
            let gap = &rest[..at.unwrap()];
            prop_assert!(gap.iter().all(|b| b.is_ascii_whitespace() || b",[]".contains(b)), "{:?} lost", gap);
            rest = &rest[at.unwrap() + record.len()..];
        }
        prop_assert!(rest.iter().all(|b| b.is_ascii_whitespace() || b",[]".contains(b)), "{:?} lost", rest);
    }

    #[test]
    fn small_limits_hold(input in structure(), max in 1_usize..20) {
        for got in frame_with(Framer::new("test", Drip(&input, 3), &limits(max))) {
            if let Got::Record(_, bytes) = got {
                prop_assert!(bytes.len() <= max);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(input in proptest::collection::vec(any::<u8>(), 0..400)) {
        frame(&input);
    }
}

#[test]
fn what_an_oversized_event_leaves_does_not_depend_on_reads() {
    let input = format!("<Event>\n{}", "<Event>".repeat(3 * SMALL / 7));
    let whole = frame(input.as_bytes());
    for step in [7, 64, 1_000] {
        let pieces = frame_with(Framer::new("test", Drip(input.as_bytes(), step), &limits(SMALL)));
        assert_eq!(pieces, whole, "in steps of {step}");
    }
}
