//! A list of rules of which each is compiled when a text comes that may match it.

use std::sync::OnceLock;

/// What a text must hold for a rule to match it: of each choice a word, whatever its case.
pub(super) type Choices = &'static [&'static [&'static str]];

/// Bytes that a rule is found by: the beginning of a word of its first choice that has no shorter ones.
const START: usize = 3;

/// Rules in their order; the first that matches counts.
pub(crate) struct Lazy<T: 'static> {
    compile: fn(usize) -> Option<T>,
    /// Absent within: a rule that does not compile, which matches nothing.
    rules: Vec<OnceLock<Option<T>>>,
    choices: &'static [Choices],
    /// Beginnings of words with the rule they stand for, in order.
    starts: Vec<([u8; START], usize)>,
    /// Rules of which no such word is known.
    always: Vec<usize>,
}

impl<T> Lazy<T> {
    /// As many rules as there are choices; `compile` makes the one of a number.
    pub(super) fn new(choices: &'static [Choices], compile: fn(usize) -> Option<T>) -> Self {
        let mut starts = Vec::new();
        let mut always = Vec::new();
        for (number, choices) in choices.iter().enumerate() {
            match choices.iter().find_map(|words| starts_of(words)) {
                Some(found) => starts.extend(found.into_iter().map(|start| (start, number))),
                None => always.push(number),
            }
        }
        starts.sort_unstable();
        Self {
            compile,
            rules: std::iter::repeat_with(OnceLock::new)
                .take(choices.len())
                .collect(),
            choices,
            starts,
            always,
        }
    }

    /// What `extract` makes of the first rule for which it makes something; `lower` is the text in lower case. Cost: a short search for
    /// each byte, and what the rules cost that may match; 0.5 ms for each that was never used.
    pub(crate) fn first<V>(
        &'static self,
        lower: &str,
        extract: impl Fn(&'static T) -> Option<V>,
    ) -> Option<V> {
        let rule = |number: usize| {
            let rule = self.rules.get(number)?;
            rule.get_or_init(|| (self.compile)(number)).as_ref()
        };
        let candidates = self.candidates(lower);
        candidates.into_iter().filter_map(rule).find_map(extract)
    }

    /// The rules that may match, in their order.
    pub(super) fn candidates(&self, lower: &str) -> Vec<usize> {
        let mut found = self.always.clone();
        for at in lower.as_bytes().windows(START) {
            let begin = self.starts.partition_point(|(start, _)| start.as_slice() < at);
            let rest = self.starts.get(begin..).unwrap_or_default();
            let these = rest.iter().take_while(|(start, _)| start.as_slice() == at);
            found.extend(these.map(|(_, number)| *number));
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|number| self.may_match(*number, lower));
        found
    }

    fn may_match(&self, number: usize, lower: &str) -> bool {
        let choices = self.choices.get(number).copied().unwrap_or_default();
        choices
            .iter()
            .all(|words| words.iter().any(|word| lower.contains(word)))
    }
}

/// The beginnings of words; absent if one is too short.
fn starts_of(words: &[&str]) -> Option<Vec<[u8; START]>> {
    let starts = words.iter().map(|word| word.as_bytes().first_chunk().copied());
    starts.collect()
}
