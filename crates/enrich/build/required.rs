//! What a text must hold for a rule to match it: rules whose words are missing need not be tried, nor even compiled.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Shortest word that says something.
const BYTES_MIN: usize = 2;
/// Most words of one choice: the longest lists of crawlers have some two hundred.
const CHOICE_MAX: usize = 400;
/// What browsers say. Words of it set no rule apart.
const COMMON: &str = "mozilla/5.0 (windows nt 10.0; win64; x64) (macintosh; intel mac os x 10_15_7) (x11; linux x86_64) \
    (iphone; cpu iphone os 18_3 like mac os x) (linux; android 10; k) build/ applewebkit/537.36 (khtml, like gecko) \
    chrome/143.0.0.0 mobile safari/537.36 version/18.3 mobile/15e148 safari/605.1.15 gecko/20100101 firefox/140.0 edg/143.0.0.0";

/// Words in lower case of which a text holds at least one.
pub type Choice = Vec<String>;

/// What every text holds that a pattern matches: a word of each choice, whatever its case. The choice that sets the pattern apart
/// best comes first; none if nothing is known.
pub fn choices(pattern: &str, ignore_case: bool) -> Result<Vec<Choice>, Box<dyn std::error::Error>> {
    let mut parser = ParserBuilder::new().case_insensitive(ignore_case).build();
    let mut choices = of(&parser.parse(pattern)?);
    choices.retain(says_something);
    choices.sort_by_key(|choice| std::cmp::Reverse(weight(choice)));
    choices.dedup();
    Ok(choices)
}

/// Few words that are rare and long say most.
fn weight(choice: &Choice) -> (usize, usize, usize) {
    let rare = |word: &String| {
        if COMMON.contains(word.as_str()) {
            0
        } else {
            word.len()
        }
    };
    let rarest = choice.iter().map(rare).min().unwrap_or(0);
    let shortest = choice.iter().map(String::len).min().unwrap_or(0);
    (rarest, usize::MAX - choice.len(), shortest)
}

fn of(hir: &Hir) -> Vec<Choice> {
    match hir.kind() {
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub),
        HirKind::Concat(parts) => of_all(parts),
        HirKind::Alternation(parts) => of_either(parts).into_iter().collect(),
        HirKind::Literal(_) | HirKind::Class(_) => word_of(hir).map(|word| vec![word]).into_iter().collect(),
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Look(_) => Vec::new(),
    }
}

/// Neighbours that are single words make a longer one.
fn of_all(parts: &[Hir]) -> Vec<Choice> {
    let mut choices = Vec::new();
    let mut word = String::new();
    for part in parts {
        if let Some(more) = word_of(part) {
            word.push_str(&more);
        } else {
            choices.push(vec![std::mem::take(&mut word)]);
            choices.extend(of(part));
        }
    }
    choices.push(vec![word]);
    choices.retain(says_something);
    choices
}

fn says_something(choice: &Choice) -> bool {
    choice.iter().all(|word| word.len() >= BYTES_MIN)
}

/// One of the words of all parts, if each has some.
fn of_either(parts: &[Hir]) -> Option<Choice> {
    let mut all = Choice::new();
    for part in parts {
        let best = of(part).into_iter().filter(says_something).max_by_key(weight)?;
        all.extend(best);
    }
    all.sort();
    all.dedup();
    (all.len() <= CHOICE_MAX).then_some(all)
}

/// The one word that a part matches, if there is only one but for the case of ASCII letters.
fn word_of(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            text.is_ascii().then(|| text.to_ascii_lowercase())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let first = class.ranges().first()?.start().to_ascii_lowercase();
            let is_it = |c: char| c.is_ascii() && c.to_ascii_lowercase() == first;
            let is_one = class
                .ranges()
                .iter()
                .all(|range| range.start() == range.end() && is_it(range.start()));
            is_one.then(|| first.to_string())
        }
        HirKind::Capture(capture) => word_of(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(word_of).collect(),
        HirKind::Class(Class::Bytes(_))
        | HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Alternation(_) => None,
    }
}
