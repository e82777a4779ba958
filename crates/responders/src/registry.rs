//! All responders and exporters by name.

use crate::settings::{BuildError, Tools};
use crate::{Clock, Exporter, Fault, Guard, Outcome, Responder, Settings};
use habitus_model::{Action, Order};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Longest name of a responder or exporter, characters.
const NAME_CHARS_MAX: usize = 64;

/// What was configured, ready for use.
#[derive(Default, Clone)]
pub struct Registry {
    responders: BTreeMap<String, Arc<dyn Responder>>,
    exporters: BTreeMap<String, Arc<dyn Exporter>>,
}

/// Builds everything the settings name: secrets are read, files opened, TLS prepared; no connection is made.
///
/// # Errors
/// Everything that is wrong, each with the field and how to mend it; then nothing is built, and whoever reloads keeps what
/// they had.
pub fn build(settings: &Settings, guard: &Guard, clock: &Clock) -> Result<Registry, Vec<BuildError>> {
    let tools = Tools { guard, clock };
    let mut registry = Registry::default();
    let mut errors = Vec::new();
    let mut paths = Vec::new();
    for part in &settings.responder {
        let label = format!("responder `{}` ({})", shown(part.name()), part.kind());
        let taken = registry.responders.contains_key(part.name());
        match checked(part.name(), part.path(), taken, &mut paths).and_then(|()| part.build(&tools)) {
            Ok(responder) => drop(registry.responders.insert(part.name().to_owned(), responder)),
            Err(wrong) => errors.push(BuildError {
                part: label,
                field: wrong.field,
                why: wrong.why,
                help: wrong.help,
            }),
        }
    }
    for part in &settings.exporter {
        let label = format!("exporter `{}` ({})", shown(part.name()), part.kind());
        let taken = registry.exporters.contains_key(part.name());
        match checked(part.name(), part.path(), taken, &mut paths).and_then(|()| part.build(&tools)) {
            Ok(exporter) => drop(registry.exporters.insert(part.name().to_owned(), exporter)),
            Err(wrong) => errors.push(BuildError {
                part: label,
                field: wrong.field,
                why: wrong.why,
                help: wrong.help,
            }),
        }
    }
    if errors.is_empty() {
        Ok(registry)
    } else {
        Err(errors)
    }
}

impl Registry {
    /// One attempt at an order by the responder it names. Whether it has expired is for the outbox to see.
    pub async fn carry_out(&self, order: &Order) -> Outcome {
        let Some(responder) = self.responders.get(order.responder.as_str()) else {
            return Outcome::failed(Fault::Responder, "no responder of that name is configured");
        };
        if !responder.actions().contains(&order.action) {
            let why = format!("a {} responder cannot {}", responder.kind(), order.action.name());
            return Outcome::failed(Fault::Order, why);
        }
        responder.carry_out(order).await
    }

    /// The names of the responders with their kinds and the actions each can carry out, by name.
    pub fn responders(&self) -> impl Iterator<Item = (&str, &'static str, &'static [Action])> {
        self.responders
            .iter()
            .map(|(name, part)| (name.as_str(), part.kind(), part.actions()))
    }

    /// The exporters by name.
    pub fn exporters(&self) -> impl Iterator<Item = (&str, &Arc<dyn Exporter>)> {
        self.exporters.iter().map(|(name, part)| (name.as_str(), part))
    }

    /// One responder; `None` if no such name is configured.
    #[must_use]
    pub fn responder(&self, name: &str) -> Option<&Arc<dyn Responder>> {
        self.responders.get(name)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds = self.responders.iter().map(|(name, part)| (name, part.kind()));
        f.debug_map().entries(kinds).finish()
    }
}

fn checked(
    name: &str,
    path: Option<&PathBuf>,
    taken: bool,
    paths: &mut Vec<PathBuf>,
) -> Result<(), crate::settings::Wrong> {
    use crate::settings::Wrong;
    let well_formed = !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !well_formed {
        let help = "write 1 to 64 letters, digits, `-`, `_` or `.`";
        return Err(Wrong::new("name", "is not a name", help));
    }
    if taken {
        return Err(Wrong::new("name", "is used twice", "give each part its own name"));
    }
    let Some(path) = path else { return Ok(()) };
    if paths.contains(path) {
        return Err(Wrong::new(
            "path",
            "is used twice",
            "give each part its own file: two would rotate it at once",
        ));
    }
    paths.push(path.clone());
    Ok(())
}

/// A name in an error: what is no name is not repeated.
fn shown(name: &str) -> &str {
    if name.len() <= NAME_CHARS_MAX && !name.chars().any(crate::text::acts) {
        name
    } else {
        "?"
    }
}
