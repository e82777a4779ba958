//! Policies that nobody means: whatever the text, an answer comes soon and nothing panics.

use crate::events::{Happening, happening};
use habitus_policy::{Policy, limits};
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn refused(text: &str, message: &str) {
    let started = Instant::now();
    let problems = Policy::parse(text).expect_err(message);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{message}: {:?}",
        started.elapsed()
    );
    let found: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(
        found.iter().any(|found| found.contains(message)),
        "{message}: {found:?}"
    );
}

fn rule(when: &str) -> String {
    format!("[[rule]]\nname = \"x\"\nwhen = '''{when}'''\ndisposition = \"review\"\n")
}

#[test]
fn bombs_are_refused_at_load() {
    refused(&"#".repeat(2 << 20), "more than 1048576 bytes");
    refused(&rule(&"(".repeat(4_000)), "nested deeper than 32");
    refused(
        &rule(&format!("{}true", "!".repeat(4_000))),
        "nested deeper than 32",
    );
    refused(
        &rule(&format!("{}1{}", "[".repeat(100), "]".repeat(100))),
        "nested deeper than 32",
    );
    refused(
        &rule(&format!("true{}", " ? true : true".repeat(200))),
        "nested deeper than 32",
    );
    refused(
        &rule(&format!("1{} > 2", " + 1".repeat(700))),
        "more than 512 parts",
    );
    refused(&rule(&"score > 1 && ".repeat(1_000)), "more than 4096 bytes");
    let triple = "families.exists(a, families.exists(b, families.exists(c, a == b && b == c)))";
    refused(&rule(triple), "loops nested deeper than 2");
    let many: String = (0..501)
        .map(|at| format!("[[rule]]\nname = \"r{at}\"\nwhen = 'score > {at}'\ndisposition = \"review\"\n"))
        .collect();
    refused(&many, "more than 500 rules");
    let wide = format!("{}true", "score > 1.0 && ".repeat(125));
    let heavy: String = (0..120)
        .map(|at| format!("[[rule]]\nname = \"r{at}\"\nwhen = '{wide}'\ndisposition = \"review\"\n"))
        .collect();
    refused(&heavy, "more than 50000 parts together");
    refused(&format!("a = {}1{}", "[".repeat(10_000), "]".repeat(10_000)), "");
}

#[test]
fn loops_over_the_event_are_bounded_by_the_event_and_by_steps() {
    // The longest inputs there are: 64 lists, and far more signals than detectors give.
    let mut happening = Happening::new("1", Some("ann@example.com"), 90.0);
    happening.lists = (0..200)
        .map(|at| (format!("list-{at}"), habitus_policy::Meaning::Other))
        .collect();
    happening.signals = (0..200).map(|at| (format!("signal-{at}").into(), 1.0)).collect();
    let lists = happening.lists();
    let facts = happening.facts(&lists);
    let ask = |when: &str| {
        let policy = Policy::parse(&rule(when)).unwrap();
        let started = Instant::now();
        let decided = policy.decide(&facts, happening.context.time);
        assert!(
            started.elapsed() < Duration::from_millis(500),
            "{when}: {:?}",
            started.elapsed()
        );
        (decided.rules.len(), decided.errors)
    };
    assert_eq!(ask("size(network.lists) == 64"), (1, vec![]));
    let (matched, errors) = ask("signals.all(a, signals.all(b, signals[a] == signals[b]))");
    assert_eq!(matched, 0);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].fault, "the condition takes too many steps");
    // A condition that cannot be answered is no reason to forget the others.
    let both = format!(
        "{}[[rule]]\nname = \"y\"\nwhen = 'score > 80'\ndisposition = \"deny\"\n",
        rule("signals.all(a, signals.all(b, signals[a] == signals[b]))")
    );
    let decided = Policy::parse(&both).unwrap();
    let decided = decided.decide(&facts, happening.context.time);
    assert_eq!(decided.rules, ["y"]);
}

#[test]
fn the_steps_of_one_event_are_shared() {
    let mut happening = Happening::new("1", Some("ann@example.com"), 90.0);
    happening.signals = (0..140).map(|at| (format!("signal-{at}").into(), 1.0)).collect();
    let heavy: String = (0..400)
        .map(|at| {
            let when = format!("signals.all(a, signals[a] > 0.0) && time.hour < 24 + {at}");
            let actions = "[{ action = \"notify\", responder = \"soc\" }]";
            format!("[[rule]]\nname = \"r{at}\"\nwhen = '{when}'\nactions = {actions}\n")
        })
        .collect();
    let policy = Policy::parse(&heavy).unwrap();
    let lists = happening.lists();
    let started = Instant::now();
    let decided = policy.decide(&happening.facts(&lists), happening.context.time);
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "{:?}",
        started.elapsed()
    );
    let matched = decided.rules.len();
    // Each element costs at least four steps.
    assert!(
        matched > 0 && matched * 140 * 4 < limits::STEPS_PER_EVENT_MAX as usize,
        "{matched}"
    );
    assert_eq!(matched + decided.errors.len(), 400);
}

fn mutated() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "",
        "'",
        "\"",
        "'''",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\n",
        "=",
        "\\",
        "null",
        "score",
        "é",
        "\u{0}",
        "[[rule]]",
        "name = \"x\"",
        "when = 'score >= 1'",
        "2026-13-45",
        "1e999",
        "-",
        "!",
        "&&",
        "?",
        ":",
        "in",
        "signals[",
        ".",
        "9223372036854775808",
        "exists(a, b)",
        "cidr(\"10.0.0.0/8\").containsIP(network.ip)",
        "expires = 0001-01-01",
    ]);
    let text = Policy::default_text().to_owned();
    prop::collection::vec((0..text.len(), 0_usize..40, piece), 1..6).prop_map(move |edits| {
        let mut text = text.clone();
        for (at, cut, piece) in edits {
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + cut).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(at..end, piece);
        }
        text
    })
}

fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "score",
        "level",
        "network",
        ".",
        "country",
        "asn",
        "signals",
        "families",
        "x",
        "(",
        ")",
        "[",
        "]",
        ",",
        "&&",
        "||",
        "!",
        "==",
        "!=",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "?",
        ":",
        "in",
        "null",
        "true",
        "1",
        "0.5",
        "\"a\"",
        "'high'",
        "exists",
        "all",
        "map",
        "size",
        "has",
        "startsWith",
        "cidr",
        "//",
        "r'",
        "\\",
        "\u{1F600}",
        "0x1",
        "9999999999999999999",
        "1e400",
        "time.hour",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.join(" "))
}

/// Problems point into the text, at the beginnings of characters.
fn sound(text: &str, happening: &Happening) {
    match Policy::parse(text) {
        Ok(policy) => {
            let lists = happening.lists();
            let _ = policy.decide(&happening.facts(&lists), happening.context.time);
            let _ = policy.failing_tests();
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                if let Some(span) = &problem.span {
                    assert!(
                        text.get(span.clone()).is_some(),
                        "{problem:?} of {} bytes",
                        text.len()
                    );
                    assert!(problem.position(text).is_some());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_broken_policy_is_refused_and_never_panics(text in mutated(), happening in happening()) {
        sound(&text, &happening);
    }

    #[test]
    fn a_random_condition_is_refused_or_evaluated(when in tokens(), happening in happening()) {
        sound(&rule(&when), &happening);
    }

    #[test]
    fn random_text_is_no_policy_and_no_panic(text in "\\PC{0,80}", happening in happening()) {
        sound(&text, &happening);
        sound(&rule(&text), &happening);
    }
}
