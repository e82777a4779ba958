//! The configuration of responders and exporters, and what they are built with.

use crate::exporters::ExporterSettings;
use crate::guard::{Reach, Scope};
use crate::http::Http;
use crate::responders::ResponderSettings;
use crate::secret::{Secret, SecretRef};
use crate::{Clock, Guard};
use ipnet::IpNet;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// All responders and exporters. Absent: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Responders, in any order; a policy names them by `name`. None if absent.
    pub responder: Vec<ResponderSettings>,
    /// Exporters of findings, in any order. None if absent.
    pub exporter: Vec<ExporterSettings>,
}

/// What is wrong with one part of the configuration. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    pub(crate) part: String,
    pub(crate) field: &'static str,
    pub(crate) why: String,
    pub(crate) help: &'static str,
}

/// A field that is wrong, before it is known whose it is.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) field: &'static str,
    pub(crate) why: String,
    pub(crate) help: &'static str,
}

/// What parts are built with.
pub(crate) struct Tools<'a> {
    pub(crate) guard: &'a Guard,
    pub(crate) clock: &'a Clock,
}

impl Settings {
    /// Completes relative paths from the folder that the configuration file is in.
    pub fn resolve_paths(&mut self, base: &Path) {
        let responders = self.responder.iter_mut().flat_map(ResponderSettings::paths_mut);
        let exporters = self.exporter.iter_mut().flat_map(ExporterSettings::paths_mut);
        for path in responders.chain(exporters) {
            // Joining an absolute path gives that path.
            *path = base.join(&path);
        }
    }
}

impl BuildError {
    /// The part, such as ``responder `soc` (slack)``.
    #[must_use]
    pub fn part(&self) -> &str {
        &self.part
    }

    /// The field of the part.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// How to mend it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        self.help
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}; {}", self.part, self.field, self.why, self.help)
    }
}

impl std::error::Error for BuildError {}

impl Wrong {
    pub(crate) fn new(field: &'static str, why: impl Into<String>, help: &'static str) -> Self {
        Self {
            field,
            why: why.into(),
            help,
        }
    }
}

impl Tools<'_> {
    pub(crate) fn limits(&self) -> crate::Limits {
        self.guard.limits()
    }

    /// An HTTP client for one target, which the URL was checked for.
    pub(crate) fn http(&self, url: &Url, networks: &[String], ca_file: Option<&Path>) -> Result<Http, Wrong> {
        let reach = self.reach(networks, scope_of(url))?;
        let tls = tls(ca_file)?;
        Http::new(reach, tls, self.clock.clone())
            .map_err(|why| Wrong::new("url", why, "report this as a bug: the client is of fixed make"))
    }

    pub(crate) fn reach(&self, networks: &[String], scope: Scope) -> Result<Reach, Wrong> {
        Ok(self.guard.reach(&parse_networks(networks)?, scope))
    }

    /// A target's URL: http or https, no credentials, and a literal address only where it may be reached.
    pub(crate) fn url(&self, url: &str, networks: &[String]) -> Result<Url, Wrong> {
        const HELP: &str = "write `https://host/path`";
        let wrong = |why: &str, help| Err(Wrong::new("url", why, help));
        let Ok(parsed) = Url::parse(url) else {
            return wrong("is not a URL", HELP);
        };
        if !matches!(parsed.scheme(), "https" | "http") {
            return wrong("is neither https nor http", HELP);
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return wrong(
                "holds a user name or password",
                "name a secret by reference in the field for it",
            );
        }
        let Some(host) = parsed.host_str().filter(|host| !host.is_empty()) else {
            return wrong("has no host", HELP);
        };
        let reach = self.reach(networks, scope_of(&parsed))?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(literal) = bare.parse() {
            let help = "name its network in `allow_networks` if it is meant";
            reach
                .check(literal)
                .map_err(|why| Wrong::new("url", format!("holds an address that is refused: {why}"), help))?;
        }
        if parsed.scheme() == "http" && networks.is_empty() {
            let help = "write https, or name your own networks in `allow_networks`";
            return wrong(
                "is plain http, which only reaches networks that `allow_networks` names",
                help,
            );
        }
        Ok(parsed)
    }
}

/// Plain http goes no further than the named networks.
fn scope_of(url: &Url) -> Scope {
    if url.scheme() == "https" {
        Scope::Anywhere
    } else {
        Scope::NamedOnly
    }
}

pub(crate) fn tls(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, Wrong> {
    let help = "name a PEM file with the certificates of the authorities to trust";
    crate::tls::client_config(ca_file).map_err(|why| Wrong::new("ca_file", why, help))
}

pub(crate) fn secret(field: &'static str, reference: &SecretRef) -> Result<Secret, Wrong> {
    let help = "write `env:NAME` or `file:/path` of a secret that is there at start";
    reference.resolve().map_err(|why| Wrong::new(field, why, help))
}

pub(crate) fn secret_if(field: &'static str, reference: Option<&SecretRef>) -> Result<Option<Secret>, Wrong> {
    reference.map(|reference| secret(field, reference)).transpose()
}

/// The networks a part names. One that is nearly everything would undo the guard: at most a private block of its family.
fn parse_networks(networks: &[String]) -> Result<Vec<IpNet>, Wrong> {
    let mut parsed = Vec::with_capacity(networks.len());
    for text in networks {
        let help = "write networks as `10.20.0.0/16` or `fd00:1::/32`";
        let Ok(network) = text.parse::<IpNet>() else {
            return Err(Wrong::new(
                "allow_networks",
                "holds something that is no network",
                help,
            ));
        };
        let shortest = if network.addr().is_ipv4() { 8 } else { 7 };
        if network.prefix_len() < shortest {
            let why = "holds a network that is nearly everything";
            return Err(Wrong::new(
                "allow_networks",
                why,
                "name the networks of the target alone, /8 (IPv6: /7) at most",
            ));
        }
        parsed.push(network.trunc());
    }
    Ok(parsed)
}

/// A file that lines are appended to.
pub(crate) fn lines(path: PathBuf, rotate_bytes: u64, keep: u32) -> Result<crate::lines::Lines, Wrong> {
    if rotate_bytes == 0 {
        return Err(Wrong::new(
            "rotate_bytes",
            "is 0",
            "leave it out for the default, or write a size in bytes",
        ));
    }
    let plan = crate::lines::Plan {
        path,
        rotate_bytes,
        keep,
    };
    let opened = crate::lines::Lines::new(plan);
    opened.map_err(|error| {
        let why = format!("cannot be appended to: {}", error.kind());
        Wrong::new(
            "path",
            why,
            "create its folder and let the user habitus runs as write there",
        )
    })
}

/// 64 MiB: some 30,000 findings a file.
pub(crate) const fn rotate_bytes_default() -> u64 {
    67_108_864
}

/// Old files that are kept.
pub(crate) const fn keep_default() -> u32 {
    5
}
