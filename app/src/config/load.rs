//! Reading the configuration: all that is wrong with it at once, each where it stands.

use super::keys::{Places, Walk};
use super::problem::{Problem, Problems};
use super::{Config, ranges};
use habitus_enrich::{IpList, TableError, Tables, TablesBuilder};
use habitus_model::hash::content_digest;
use std::fs;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// A configuration that holds, with what it was read from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file; absent for the defaults.
    file: Option<PathBuf>,
    text: String,
    /// Where each value stands.
    places: Places,
}

/// Largest configuration file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads a file, or gives the defaults if none is named.
///
/// # Errors
/// Everything that is wrong with it; referenced files are looked at by [`Loaded::tables`].
pub fn load(path: Option<&Path>) -> Result<Loaded, Problems> {
    let Some(path) = path else {
        return Ok(Loaded::default());
    };
    let name = path.display().to_string();
    let whole = |message: String| {
        let problem = Problem::at(None, message).help("name a TOML file that exists and may be read");
        Problems::new(&name, "", vec![problem])
    };
    let size = fs::metadata(path)
        .map_err(|error| whole(format!("cannot read `{name}`: {error}")))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(whole(format!("`{name}` has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| whole(format!("cannot read `{name}`: {error}")))?;
    parse(&text)
        .map_err(|all| Problems::new(&name, &text, all))
        .map(|(config, places)| Loaded {
            config,
            file: Some(path.to_owned()),
            text,
            places,
        })
}

impl Loaded {
    /// The tables that the configuration names.
    ///
    /// # Errors
    /// Every file that cannot be used.
    pub fn tables(&self, depth: Depth) -> Result<Tables, Problems> {
        let enrich = &self.config.enrich;
        let mut problems = Vec::new();
        let mut builder = Tables::builder();
        if !enrich.embedded_countries {
            builder = builder.without_embedded();
        }
        let databases: [(&str, Option<&PathBuf>, Step); 4] = [
            (
                "enrich.city_mmdb",
                enrich.city_mmdb.as_ref(),
                TablesBuilder::city_mmdb,
            ),
            (
                "enrich.asn_mmdb",
                enrich.asn_mmdb.as_ref(),
                TablesBuilder::asn_mmdb,
            ),
            (
                "enrich.anonymous_ip_mmdb",
                enrich.anonymous_ip_mmdb.as_ref(),
                TablesBuilder::anonymous_ip_mmdb,
            ),
            (
                "enrich.connection_type_mmdb",
                enrich.connection_type_mmdb.as_ref(),
                TablesBuilder::connection_type_mmdb,
            ),
        ];
        for (key, path, step) in databases {
            let Some(path) = path else { continue };
            let added = self
                .bytes(path)
                .and_then(|bytes| step(builder.clone(), bytes).map_err(|e| e.to_string()));
            match added {
                Ok(added) => builder = added,
                Err(message) => problems.push(self.problem(key, message)),
            }
        }
        for index in 0..enrich.ip_list.len() {
            match self
                .list(index)
                .and_then(|list| builder.clone().ip_list(list).map_err(|e| e.to_string()))
            {
                Ok(added) => builder = added,
                Err(message) => {
                    problems.push(self.problem(&format!("enrich.ip_list[{index}].path"), message))
                }
            }
        }
        let tables = builder.build();
        if let (Depth::Thorough, Err(error)) = (depth, tables.verify()) {
            problems.push(self.problem(key_of(&error), error.to_string()));
        }
        if problems.is_empty() {
            Ok(tables)
        } else {
            Err(self.problems(problems))
        }
    }

    /// Where relative paths of the configuration start: the file's directory, or the present one.
    pub fn base(&self) -> &Path {
        let parent = self.file.as_deref().and_then(Path::parent);
        parent.unwrap_or(Path::new(""))
    }

    /// Names the file's content, for the audit: the first 12 digits of its digest.
    pub fn version(&self) -> String {
        let digest = content_digest(self.text.as_bytes());
        digest.get(..12).unwrap_or(&digest).to_owned()
    }

    /// Whether the file sets the option at a path.
    pub fn sets(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    fn list(&self, index: usize) -> Result<IpList, String> {
        let Some(list) = self.config.enrich.ip_list.get(index) else {
            return Err("the list is gone".to_owned());
        };
        let bytes = self.bytes(&list.path)?;
        let version = content_digest(&bytes);
        let text = String::from_utf8(bytes).map_err(|_| "the list is not UTF-8 text".to_owned())?;
        let version = version.get(..12).unwrap_or(&version);
        IpList::parse(&list.name, version, list.kind.into(), &text).map_err(|error| error.to_string())
    }

    /// Reads a file that the configuration names; relative paths start at the configuration file.
    fn bytes(&self, path: &Path) -> Result<Vec<u8>, String> {
        let path = self.base().join(path);
        fs::read(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
    }

    fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        Problem::at(self.places.get(key).cloned(), message)
    }

    fn problems(&self, all: Vec<Problem>) -> Problems {
        let name = self
            .file
            .as_ref()
            .map_or_else(String::new, |file| file.display().to_string());
        Problems::new(name, &self.text, all)
    }
}

/// How closely referenced files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Enough to use them.
    Usable,
    /// Every record: about a second for each large database.
    Thorough,
}

type Step = fn(TablesBuilder, Vec<u8>) -> Result<TablesBuilder, TableError>;

fn key_of(error: &TableError) -> &'static str {
    let table = match error {
        TableError::Unreadable { table, .. } | TableError::WrongKind { table, .. } => *table,
        _ => "",
    };
    match table {
        "place" => "enrich.city_mmdb",
        "asn" => "enrich.asn_mmdb",
        "anonymous-ip" => "enrich.anonymous_ip_mmdb",
        "connection-type" => "enrich.connection_type_mmdb",
        _ => "enrich",
    }
}

fn parse(text: &str) -> Result<(Config, Places), Vec<Problem>> {
    let broken = |error: toml::de::Error| {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        vec![Problem::at(error.span(), message)]
    };
    let document = DeTable::parse(text).map_err(broken)?;
    let walk = Walk::over(document.get_ref());
    if !walk.problems.is_empty() {
        return Err(walk.problems);
    }
    let config: Config = toml::from_str(text).map_err(broken)?;
    let problems = ranges::check(&config, &walk.places);
    if problems.is_empty() {
        Ok((config, walk.places))
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::Family;

    fn messages(text: &str) -> Vec<String> {
        parse(text)
            .unwrap_err()
            .into_iter()
            .map(|p| format!("{} ({})", p.message, p.label))
            .collect()
    }

    #[test]
    fn all_unknown_keys_are_named_at_once() {
        let mut found = messages("[findigs]\n[replay]\nthread = 2\n[[enrich.ip_list]]\nnmae = 'a'\n");
        found.sort();
        assert_eq!(
            found,
            [
                "unknown key `findigs` at the top (did you mean `findings`?)",
                "unknown key `nmae` in [enrich.ip_list[]] (did you mean `name`?)",
                "unknown key `thread` in [replay] (did you mean `threads`?)",
            ]
        );
    }

    #[test]
    fn each_weight_reaches_its_family() {
        for family in Family::ALL {
            let (config, _) = parse(&format!("scoring.weights.{} = 7.25", family.name())).unwrap();
            let weights = config.engine(1).weights;
            for other in Family::ALL {
                let is_set = weights.of(other).total_cmp(&7.25).is_eq();
                assert_eq!(is_set, other == family, "{} {}", family.name(), other.name());
            }
            assert!(parse(&format!("scoring.weights.{} = -1", family.name())).is_err());
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for bad in [
            "scoring.review_from = 101",
            "scoring.challenge_from = nan",
            "scoring.priors.insider = 0.5",
            "limits.depth_max = 100000",
            "replay.threads = 0",
            "replay.memory = '1K'",
            "formats.default = 'okat'",
            "formats.utc_offset = '1'",
            "formats.assume_year = 26",
            "replay.memory = true",
            "telemetry.otlp_endpoint = 'localhost'",
            "telemetry.otlp_endpoint = 'grpc://localhost:4317'",
            "telemetry.otlp_endpoint = 'https://user:secret@collector:4318'",
            "telemetry.otlp_endpiont = 'http://localhost:4318'",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse("scoring.deny_from = 90\nreplay.memory = '1M'\nformats.utc_offset = '-03:30'").is_ok());
    }
}
