//! Conditions mean what CEL says: random ones are held against the `cel` crate, on random events.

use crate::events::{Happening, happening};
use cel::objects::Key;
use cel::{Context, Program, Value};
use habitus_model::{RiskScore, Status, UtcOffset};
use habitus_policy::{Facts, Meaning, Policy};
use proptest::prelude::*;
use std::collections::HashMap;

/// What a condition gives: true, false, or an error.
type Answer = Option<bool>;

fn ours(condition: &str, facts: &Facts<'_>) -> Result<Answer, String> {
    let policy = format!("[[rule]]\nname = \"x\"\nwhen = '''{condition}'''\ndisposition = \"deny\"\n");
    let policy = Policy::parse(&policy).map_err(|problems| format!("{condition}: {problems:?}"))?;
    let decided = policy.decide(facts, facts.context.time);
    Ok(match (decided.errors.is_empty(), decided.rules.is_empty()) {
        (false, _) => None,
        (true, nothing) => Some(!nothing),
    })
}

fn theirs(condition: &str, facts: &Facts<'_>) -> Answer {
    let program = Program::compile(condition).unwrap_or_else(|error| panic!("{condition}: {error}"));
    match program.execute(&context(facts)) {
        Ok(Value::Bool(holds)) => Some(holds),
        Ok(other) => panic!("{condition}: {other:?}"),
        Err(_) => None,
    }
}

fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    let entries: HashMap<Key, Value> = entries
        .into_iter()
        .map(|(name, value)| (Key::from(name), value))
        .collect();
    Value::from(entries)
}

/// The same variables for the other side, written out by hand.
fn context<'v>(facts: &Facts<'_>) -> Context<'static, 'v> {
    let mut context = Context::default();
    let mut add = |name: &str, value: Value| context.add_variable_from_value(name, value);
    let status = match facts.context.status {
        Status::Success => Some("success"),
        Status::Failure => Some("failure"),
        Status::Other => Some("other"),
        Status::Unknown => None,
    };
    let score = facts.score.get();
    let level = match score {
        s if s >= 80.0 => "critical",
        s if s >= 60.0 => "high",
        s if s >= 40.0 => "medium",
        s if s >= 20.0 => "low",
        _ => "info",
    };
    assert_eq!(RiskScore::new(score).level(), facts.level);
    let (hour, weekend) = facts.context.time.local_hour(UtcOffset::default());
    let blocked = facts.lists.iter().any(|list| list.meaning == Meaning::Blocked);
    let lists: Vec<Value> = facts.lists.iter().map(|list| Value::from(list.name)).collect();
    let families: Vec<Value> = facts.signals.families().into_iter().map(Value::from).collect();
    let signals = facts.signals.names().into_iter();
    let signals = signals
        .map(|name| (name, Value::Float(facts.signals.get(name).unwrap())))
        .collect();
    let asn = facts.context.network.asn;
    add("score", Value::Float(score));
    add("level", Value::from(level));
    add("confidence", Value::Float(facts.confidence.get()));
    add("status", text(status));
    add("strong_factor", Value::Bool(facts.context.strong_factor));
    add("families", Value::from(families));
    add("signals", map(signals));
    add(
        "account",
        map(vec![(
            "id",
            text(facts.context.account.as_ref().map(|id| id.as_str())),
        )]),
    );
    add(
        "event",
        map(vec![("mfa", facts.event.mfa.map_or(Value::Null, Value::Bool))]),
    );
    add(
        "time",
        map(vec![
            ("hour", Value::Int(i64::from(hour))),
            ("weekend", Value::Bool(weekend)),
        ]),
    );
    let network = vec![
        (
            "country",
            text(facts.context.place.country.as_ref().map(|code| code.as_str())),
        ),
        (
            "asn",
            asn.map_or(Value::Null, |asn| Value::Int(i64::from(asn.get()))),
        ),
        ("lists", Value::from(lists)),
        ("blocked", Value::Bool(blocked)),
    ];
    add("network", map(network));
    context
}

fn whole() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("time.hour".to_owned()),
        Just("size(families)".to_owned()),
        Just("network.lists.size()".to_owned()),
        (-9_i64..30).prop_map(|number| number.to_string()),
        Just(i64::MAX.to_string()),
        Just(i64::MIN.to_string()),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("score".to_owned()),
        Just("confidence".to_owned()),
        (-10.0..110.0).prop_map(|number: f64| format!("{number:.2}")),
        (0_u8..100).prop_map(|number| format!("double({number})")),
        Just("(score * 2.0 - confidence / 0.5)".to_owned()),
    ]
}

fn words() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "network.country == \"DE\"",
        "network.country != 'DE'",
        "network.country in [\"BR\", \"RU\"]",
        "!(network.country in [])",
        "network.asn != null && network.asn % 7 < 3",
        "network.asn == null || network.asn > 64",
        "network.asn == 17",
        "level in ['high', 'critical']",
        "level != \"info\"",
        "status == 'success'",
        "status != null && status.startsWith('fail')",
        "account.id != null && account.id.endsWith(\"@example.com\")",
        "account.id == 'svc-build' && account.id.contains(\"-\") && size(account.id) == 9",
        "account.id != null && account.id > \"b\"",
        "event.mfa == true",
        "event.mfa != null && event.mfa",
        "strong_factor",
        "time.weekend",
        "network.blocked",
        "'new_country' in signals",
        "has(signals.new_device) && signals.new_device > 1",
        "'fast_travel' in signals && signals['fast_travel'] + 1.5 <= 4.0",
        "signals.exists(s, signals[s] > 3.0)",
        "signals.all(s, s != 'known_device' && signals[s] < 5)",
        "families.exists(f, f in ['motion', 'clock'])",
        "families.exists_one(f, f.contains('o'))",
        "families.filter(f, f != \"network\").size() >= 1",
        "families.map(f, size(f)).exists(n, n > 6)",
        "network.lists.exists(l, families.exists(f, f.startsWith('m') && l.endsWith('e')))",
        "network.lists.all(l, l != 'bad')",
        "'office' in network.lists",
        "\"a\\u0062c\" + r'\\d' == 'abc\\\\d'",
        "(status == 'success' ? network.country : account.id) == 'DE'",
    ])
    .prop_map(ToOwned::to_owned)
}

fn condition() -> impl Strategy<Value = String> {
    let order = || prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let leaf = prop_oneof![
        4 => words(),
        2 => (number(), order(), number()).prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
        1 => (number(), order(), whole()).prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
        2 => (whole(), order(), whole()).prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let joint = prop::sample::select(vec!["&&", "||"]);
        prop_oneof![
            4 => (inner.clone(), joint, inner.clone()).prop_map(|(a, joint, b)| format!("({a}) {joint} ({b})")),
            1 => inner.clone().prop_map(|a| format!("!({a})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) == ({b})")),
        ]
    })
}

fn check(condition: &str, happening: &Happening) {
    let lists = happening.lists();
    let facts = happening.facts(&lists);
    let ours = ours(condition, &facts).unwrap();
    assert_eq!(ours, theirs(condition, &facts), "{condition}\non {happening:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_conditions_mean_what_cel_says(condition in condition(), happening in happening()) {
        check(&condition, &happening);
    }
}

#[test]
fn errors_are_outweighed_as_in_cel() {
    let happening = Happening::new("1", None, 10.0);
    for condition in [
        "1 / (time.hour - 23) == 1 && score > 50",
        "score > 50 && 1 / (time.hour - 23) == 1",
        "1 / (time.hour - 23) == 1 || score < 50",
        "score < 5 || 1 / (time.hour - 23) == 1",
        "[1, 0, 2].exists(x, 2 / x == 1)",
        "[1, 0].exists(x, 2 / x == 7)",
        "[1, 0].all(x, 2 / x == 7)",
        "[0, 1].all(x, 2 / x == 2)",
        "-7 / 2 == -3 && -7 % 2 == -1",
        "1 == 1.0 && 2 in [1.0, 2.0]",
    ] {
        check(condition, &happening);
    }
}
