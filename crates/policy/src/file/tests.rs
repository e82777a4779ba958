//! `[[test]]` of the file: an event as it could be, and what must follow.

use super::TESTS_MAX;
use super::dates;
use super::reader::{Reader, Table, number};
use super::rules::Names;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::specimen::{Given, Specimen};
use crate::trial::{Expected, Trial};
use crate::variables;
use habitus_model::Text;
use toml::Spanned;
use toml::de::DeValue;

/// Every test that can be read.
pub fn read(top: &Table<'_>, reader: &mut Reader) -> Vec<Trial> {
    let tables = reader.tables(top, "test", "[[test]]");
    if let Some(beyond) = tables.get(TESTS_MAX) {
        reader.error(&beyond.span, format!("more than {TESTS_MAX} tests"));
    }
    let mut names = Names::default();
    let mut trials = Vec::new();
    for table in tables.iter().take(TESTS_MAX) {
        reader.only(table, &["name", "given", "expect"]);
        let name = names.read(table, reader);
        let mut specimen = Specimen::default();
        match reader.table(table, "given", "`given`") {
            Some(given) => fill(&given, "", &mut specimen, reader),
            None => reader.missing(table, "given"),
        }
        let Some(expect) = reader.table(table, "expect", "`expect`") else {
            reader.missing(table, "expect");
            continue;
        };
        let expected = expected(&expect, reader);
        if let Some((name, _)) = name {
            trials.push(Trial {
                name: Text::new(name),
                specimen,
                expected,
                span: expect.span,
            });
        }
    }
    trials
}

fn expected(expect: &Table<'_>, reader: &mut Reader) -> Expected {
    reader.only(expect, &["disposition", "actions", "rules"]);
    let known = ["allow", "challenge", "review", "deny", "revoke"];
    let known: Vec<_> = known
        .iter()
        .filter_map(|name| variables::disposition(name).map(|disposition| (*name, disposition)))
        .collect();
    let disposition = reader
        .word(expect, "disposition", &known)
        .map(|(disposition, _)| disposition);
    let mut list = |key: &str| {
        let given = expect.table.contains_key(key);
        let texts = reader.texts(expect, key);
        given.then(|| {
            texts
                .into_iter()
                .map(|(text, _)| Text::new(text))
                .collect::<Vec<_>>()
        })
    };
    let (actions, rules) = (list("actions"), list("rules"));
    if disposition.is_none() && actions.is_none() && rules.is_none() {
        let problem = Problem::error(Some(expect.span.clone()), "the test expects nothing");
        reader.push(problem.help("give `disposition`, `actions` or `rules`"));
    }
    Expected {
        disposition,
        actions,
        rules,
    }
}

/// Sets each value of `given` by the name of the variable.
fn fill(table: &Table<'_>, prefix: &str, specimen: &mut Specimen, reader: &mut Reader) {
    for (key, value) in table.table {
        let path = format!("{prefix}{}", key.get_ref());
        let is_group = variables::ALL
            .iter()
            .any(|known| known.path.starts_with(&format!("{path}.")));
        match value.get_ref() {
            DeValue::Table(inner) if is_group => {
                let inner = Table {
                    table: inner,
                    span: value.span(),
                    name: "`given`",
                };
                fill(&inner, &format!("{path}."), specimen, reader);
            }
            _ => set(&path, (&key.span(), value), specimen, reader),
        }
    }
}

fn set(
    path: &str,
    (key, value): (&std::ops::Range<usize>, &Spanned<DeValue<'_>>),
    specimen: &mut Specimen,
    reader: &mut Reader,
) {
    if path != "time" && variables::find(path).is_none() {
        let known: Vec<&str> = variables::ALL.iter().map(|variable| variable.path).collect();
        let problem = Problem::error(Some(key.clone()), format!("unknown variable `{path}`"));
        reader.push(match nearest(path, &known) {
            Some(meant) => problem.label(format!("did you mean `{meant}`?")),
            None => problem.label("not known"),
        });
        return;
    }
    let outcome = match given(value.get_ref()) {
        Some(given) => specimen.set(path, given),
        None => Err("a value of this type cannot be given".to_owned()),
    };
    if let Err(message) = outcome {
        reader.push(Problem::error(Some(value.span()), format!("`{path}`: {message}")));
    }
}

fn given(value: &DeValue<'_>) -> Option<Given> {
    match value {
        DeValue::String(text) => Some(Given::Text(text.to_string())),
        DeValue::Boolean(flag) => Some(Given::Flag(*flag)),
        DeValue::Integer(_) | DeValue::Float(_) => number(value).map(Given::Number),
        DeValue::Datetime(stamp) => dates::instant(stamp).map(Given::Time),
        DeValue::Array(items) => {
            let texts = items
                .iter()
                .map(|item| item.get_ref().as_str().map(ToOwned::to_owned));
            texts.collect::<Option<Vec<_>>>().map(Given::Texts)
        }
        DeValue::Table(table) => {
            let numbers = table
                .iter()
                .map(|(name, nats)| Some((Text::new(name.get_ref()), number(nats.get_ref())?)));
            numbers.collect::<Option<Vec<_>>>().map(Given::Numbers)
        }
    }
}
