//! Reading tables with everything that is wrong about them, each where it stands.

use crate::nearest::nearest;
use crate::problem::Problem;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place.
pub type At<T> = (T, Range<usize>);

/// Collects what is wrong while tables are read.
#[derive(Debug, Default)]
pub struct Reader {
    /// What is wrong so far.
    pub problems: Vec<Problem>,
}

/// A table with its place and the name it has in messages.
#[derive(Debug, Clone)]
pub struct Table<'t> {
    /// The table.
    pub table: &'t DeTable<'t>,
    /// Where it stands.
    pub span: Range<usize>,
    /// As `[[rule]]`.
    pub name: &'static str,
}

impl Reader {
    /// Notes an error.
    pub fn error(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem::error(Some(span.clone()), message));
    }

    /// Notes a problem.
    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Refuses keys that are not in the list.
    pub fn only(&mut self, table: &Table<'_>, known: &[&str]) {
        for (key, _) in table.table {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let problem = Problem::error(
                Some(key.span()),
                format!("unknown key `{name}` in {}", table.name),
            )
            .help(format!("allowed here: {}", known.join(", ")));
            self.problems.push(match nearest(name, known) {
                Some(meant) => problem.label(format!("did you mean `{meant}`?")),
                None => problem.label("not known"),
            });
        }
    }

    /// A text that may be absent.
    pub fn text<'t>(&mut self, table: &Table<'t>, key: &str) -> Option<At<&'t str>> {
        let value = table.table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text.as_ref(), value.span())),
            _ => self.wrong(key, "text", value),
        }
    }

    /// A text that must be there and not be empty.
    pub fn needed_text<'t>(&mut self, table: &Table<'t>, key: &str) -> Option<At<&'t str>> {
        if !table.table.contains_key(key) {
            self.missing(table, key);
            return None;
        }
        let (text, span) = self.text(table, key)?;
        if text.trim().is_empty() {
            self.error(&span, format!("`{key}` is empty"));
            return None;
        }
        Some((text, span))
    }

    /// Notes that a key is missing.
    pub fn missing(&mut self, table: &Table<'_>, key: &str) {
        self.error(&table.span, format!("`{key}` is missing in {}", table.name));
    }

    /// True or false; `false` if absent.
    pub fn flag(&mut self, table: &Table<'_>, key: &str) -> bool {
        let Some(value) = table.table.get(key) else {
            return false;
        };
        match value.get_ref() {
            DeValue::Boolean(flag) => *flag,
            _ => self.wrong(key, "true or false", value).unwrap_or(false),
        }
    }

    /// A number, whole or not, that may be absent.
    pub fn number(&mut self, table: &Table<'_>, key: &str) -> Option<At<f64>> {
        let value = table.table.get(key)?;
        match number(value.get_ref()) {
            Some(number) => Some((number, value.span())),
            None => self.wrong(key, "a number", value),
        }
    }

    /// A list of text; empty if absent.
    pub fn texts<'t>(&mut self, table: &Table<'t>, key: &str) -> Vec<At<&'t str>> {
        let mut texts = Vec::new();
        for value in self.array(table, key) {
            match value.get_ref() {
                DeValue::String(text) => texts.push((text.as_ref(), value.span())),
                _ => {
                    self.wrong::<()>(key, "a list of text", value);
                }
            }
        }
        texts
    }

    /// A list of tables; empty if absent.
    pub fn tables<'t>(&mut self, table: &Table<'t>, key: &str, name: &'static str) -> Vec<Table<'t>> {
        let mut tables = Vec::new();
        for value in self.array(table, key) {
            match value.get_ref() {
                DeValue::Table(inner) => tables.push(Table {
                    table: inner,
                    span: value.span(),
                    name,
                }),
                _ => {
                    self.wrong::<()>(key, "a list of tables", value);
                }
            }
        }
        tables
    }

    /// One table; `None` if absent.
    pub fn table<'t>(&mut self, table: &Table<'t>, key: &str, name: &'static str) -> Option<Table<'t>> {
        let value = table.table.get(key)?;
        match value.get_ref() {
            DeValue::Table(inner) => Some(Table {
                table: inner,
                span: value.span(),
                name,
            }),
            _ => self.wrong(key, "a table", value),
        }
    }

    /// A word of a list, as what it names; absent if it is not there.
    pub fn word<T>(&mut self, table: &Table<'_>, key: &str, known: &[(&str, T)]) -> Option<At<T>>
    where
        T: Copy,
    {
        let (word, span) = self.text(table, key)?;
        if let Some((_, value)) = known.iter().find(|(name, _)| *name == word) {
            return Some((*value, span));
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let problem = Problem::error(Some(span), format!("`{key}` is not `{word}`"))
            .help(format!("it is one of: {}", names.join(", ")));
        self.problems.push(match nearest(word, &names) {
            Some(meant) => problem.label(format!("did you mean `{meant}`?")),
            None => problem,
        });
        None
    }

    /// Notes that a value is of another type.
    pub fn wrong<T>(&mut self, key: &str, wanted: &str, value: &Spanned<DeValue<'_>>) -> Option<T> {
        let problem = Problem::error(Some(value.span()), format!("`{key}` is {wanted}"));
        let found = value.get_ref().type_str();
        self.problems
            .push(problem.label(format!("this is of type {found}")));
        None
    }

    fn array<'t>(&mut self, table: &Table<'t>, key: &str) -> Vec<&'t Spanned<DeValue<'t>>> {
        let Some(value) = table.table.get(key) else {
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => {
                self.wrong::<()>(key, "a list", value);
                Vec::new()
            }
        }
    }
}

/// A number of TOML, whole or not.
pub fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(whole) => i64::from_str_radix(whole.as_str(), whole.radix())
            .ok()
            .map(habitus_model::math::from_i64),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}
