//! The lists against all rules at once, as the package itself applies them.

use super::*;

const WORDS: [&str; 6] = [
    "",
    "Mozilla/5.0 (",
    "; Android 14; ",
    "/12.3.4 ",
    ") Build/K AppleWebKit/537.36 ",
    "\u{212a}indle Mi\u{17f}c ",
];

fn all_rules() -> (
    user_agent::Extractor<'static>,
    os::Extractor<'static>,
    device::Extractor<'static>,
) {
    let agents = USER_AGENT.iter().map(|row| user_agent_parser(*row));
    let systems = OS.iter().map(|row| os_parser(*row));
    let devices = DEVICE.iter().map(|row| device_parser(*row));
    (
        user_agent::Builder::new()
            .push_all(agents)
            .unwrap()
            .build()
            .unwrap(),
        os::Builder::new().push_all(systems).unwrap().build().unwrap(),
        device::Builder::new().push_all(devices).unwrap().build().unwrap(),
    )
}

/// Texts made of the words that rules look for, in their case and others, and the samples of `fixtures`.
fn texts() -> Vec<String> {
    let samples = include_str!("../../../../fixtures/enrich/user_agents.ndjson");
    let mut texts: Vec<String> = samples.lines().map(str::to_owned).collect();
    for choices in USER_AGENT_CHOICES
        .iter()
        .chain(&OS_CHOICES)
        .chain(&DEVICE_CHOICES)
    {
        for (nth, word) in choices.iter().flat_map(|words| *words).enumerate() {
            let all: Vec<&str> = choices
                .iter()
                .rev()
                .filter_map(|words| words.first().copied())
                .collect();
            let around = |n: usize| WORDS.get((nth + n) % WORDS.len()).copied().unwrap_or_default();
            let text = format!(
                "{}{word}{}{}{}",
                around(1),
                around(3),
                all.join(around(2)),
                around(4)
            );
            texts.push(text.to_ascii_uppercase());
            texts.push(text);
        }
    }
    texts
}

#[test]
fn no_rule_is_passed_over() {
    let (agents, systems, devices) = all_rules();
    let texts = texts();
    let mut matched = 0;
    for text in &texts {
        let extracted = RULES.extract(text);
        assert_eq!(extracted.user_agent, agents.extract(text), "{text}");
        assert_eq!(extracted.os, systems.extract(text), "{text}");
        assert_eq!(extracted.device, devices.extract(text), "{text}");
        matched += usize::from(extracted.user_agent.is_some() || extracted.device.is_some());
    }
    assert!(matched > 1_000, "{matched} of {}", texts.len());
}

#[test]
fn a_common_text_compiles_few_rules() {
    let text = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";
    let lower = text.to_ascii_lowercase();
    let tried = RULES.user_agent.candidates(&lower).len()
        + RULES.os.candidates(&lower).len()
        + RULES.device.candidates(&lower).len();
    assert!(tried < 60, "{tried}");
}

#[test]
fn the_packages_rules_compile_and_have_patterns() {
    assert!((0..USER_AGENT.len()).all(|number| user_agent_rule(number).is_some()));
    assert!((0..OS.len()).all(|number| os_rule(number).is_some()));
    assert!((0..DEVICE.len()).all(|number| device_rule(number).is_some()));
    let patterns = USER_AGENT.iter().map(|row| row[0]);
    let patterns = patterns
        .chain(OS.iter().map(|row| row[0]))
        .chain(DEVICE.iter().map(|row| row[0]));
    assert!(
        patterns
            .into_iter()
            .all(|regex| regex.is_some_and(|regex| !regex.is_empty()))
    );
    assert!(DEVICE.iter().filter_map(|row| row[1]).all(|flag| flag == "i"));
    assert!(USER_AGENT.len() > 300 && OS.len() > 150 && DEVICE.len() > 500);
}
