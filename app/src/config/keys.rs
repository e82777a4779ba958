//! The keys of a configuration file: where each stands, and what was meant by those that are not known.

use super::options;
use super::problem::Problem;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Path of a value (`enrich.ip_list[0].path`) to its place in the file.
pub type Places = BTreeMap<String, Range<usize>>;

/// Looks at every key: is it known, and where is its value?
pub struct Walk {
    /// Where each value stands.
    pub places: Places,
    /// Keys that are not known.
    pub problems: Vec<Problem>,
}

impl Walk {
    /// Over a whole file.
    pub fn over(document: &DeTable<'_>) -> Self {
        let mut walk = Self {
            places: Places::new(),
            problems: Vec::new(),
        };
        walk.table("", "", document);
        walk
    }

    /// `at` is the path with indices, `kind` the one with `[]` that the options know.
    fn table(&mut self, at: &str, kind: &str, table: &DeTable<'_>) {
        let known = options::allowed(kind);
        for (key, value) in table {
            let name = key.get_ref();
            if known.contains(&name.as_ref()) {
                self.value(
                    &join(at, name),
                    &join(kind, name),
                    (value.get_ref(), value.span()),
                );
            } else {
                self.problems.push(unknown(name, kind, key.span(), &known));
            }
        }
    }

    fn value(&mut self, at: &str, kind: &str, (value, span): (&DeValue<'_>, Range<usize>)) {
        self.places.insert(at.to_owned(), span);
        match value {
            // A table where a value belongs is refused by its type later.
            DeValue::Table(table) if options::find(kind).is_none() => self.table(at, kind, table),
            DeValue::Array(items) if options::find(kind).is_none() => {
                for (index, item) in items.iter().enumerate() {
                    if let DeValue::Table(table) = item.get_ref() {
                        self.table(&format!("{at}[{index}]"), &format!("{kind}[]"), table);
                    }
                }
            }
            _ => {}
        }
    }
}

fn join(table: &str, name: &str) -> String {
    if table.is_empty() {
        name.to_owned()
    } else {
        format!("{table}.{name}")
    }
}

fn unknown(name: &str, table: &str, span: Range<usize>, known: &[&str]) -> Problem {
    let place = if table.is_empty() {
        "at the top".to_owned()
    } else {
        format!("in [{table}]")
    };
    let problem = Problem::at(Some(span), format!("unknown key `{name}` {place}"))
        .help(format!("allowed here: {}", known.join(", ")));
    match nearest(name, known) {
        Some(meant) => problem.label(format!("did you mean `{meant}`?")),
        None => problem.label("not known"),
    }
}

/// The known word nearest to one that is not, if it is near enough to be a slip of the pen.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let near = |candidate: &&'k str| (distance(word, candidate), *candidate);
    let (distance, candidate) = known.iter().map(near).min()?;
    (distance <= candidate.chars().count().div_ceil(3)).then_some(candidate)
}

/// Levenshtein's distance, of the first 64 characters.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut left = i + 1;
        next.push(left);
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let (diagonal, above) = (
                pair.first().copied().unwrap_or(0),
                pair.last().copied().unwrap_or(0),
            );
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(nearest("treshold", &["threshold", "kinds"]), Some("threshold"));
        assert_eq!(nearest("zzz", &["threshold", "kinds"]), None);
    }
}
