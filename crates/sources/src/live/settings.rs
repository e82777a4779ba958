//! `[[source]]` in the configuration.

use super::LiveError;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Connections of one listener at once unless configured otherwise. With [`super::MESSAGE_BYTES_MAX`] and
/// [`super::CONNECTION_BATCH_BYTES`] this bounds its memory, 192 KiB each if every one of them stalls in the middle of
/// a message while the sink refuses, 2 KiB each if all are quiet.
const CONNECTIONS_DEFAULT: usize = 1_000;

/// More are refused by `check config`: 192 KiB each.
const CONNECTIONS_MAX: usize = 65_536;

/// Silence after which a connection is closed unless configured otherwise. rsyslog and syslog-ng keep quiet connections
/// open for days, and plain TCP loses the first message sent into a closed one; so this only clears away the dead.
const IDLE_SECONDS_DEFAULT: u64 = 86_400;

/// Longest name of a source: it is a label of metrics and a file name.
const NAME_BYTES_MAX: usize = 64;

/// Most patterns of one `tail`.
const PATHS_MAX: usize = 256;

/// What kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Syslog over plain TCP (RFC 6587).
    SyslogTcp,
    /// Syslog over UDP (RFC 5426).
    SyslogUdp,
    /// Syslog over TLS (RFC 5425).
    SyslogTls,
    /// Files that are appended to.
    Tail,
    /// Standard input, to its end.
    Stdin,
}

impl SourceKind {
    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SyslogTcp => "syslog_tcp",
            Self::SyslogUdp => "syslog_udp",
            Self::SyslogTls => "syslog_tls",
            Self::Tail => "tail",
            Self::Stdin => "stdin",
        }
    }
}

/// Where a `tail` begins in files that are there when it runs for the first time. Files that appear later are read
/// whole, and after a restart reading goes on where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Their first line: what they hold teaches the past.
    #[default]
    Beginning,
    /// Their end: only what is new.
    End,
}

/// One `[[source]]`. Keys that are not of its kind are errors ([`SourceSettings::check`]), as are unknown ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// What kind of source.
    pub kind: SourceKind,
    /// Its name, unique: letters, digits, `-`, `_` and `.`, at most 64 bytes. It names its events' source, its metrics
    /// and its checkpoints.
    pub name: String,
    /// Format of its records, or `auto`.
    #[serde(default = "auto")]
    pub format: String,
    /// The tenant that its events belong to.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// `syslog_*`: address and port to listen on, such as `127.0.0.1:6514` or `[::]:514`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// `syslog_tcp`, `syslog_tls`: most connections at once; the next ones are closed at once. Default 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections_max: Option<usize>,
    /// `syslog_tcp`, `syslog_tls`: seconds without a message after which a connection is closed. Default 86,400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// `syslog_tls`: PEM file with the server's certificate and what is between it and the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,
    /// `syslog_tls`: PEM file with the certificate's private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// `syslog_tls`: PEM file with the roots that sign the senders' certificates. Given, senders must show one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_ca: Option<PathBuf>,
    /// `tail`: files, directories (the files in them, not below) and patterns with `*`, `?`, `[…]` and `**`.
    /// Compressed files are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathBuf>,
    /// `tail`: where the very first run begins. Default `beginning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
}

fn auto() -> String {
    "auto".to_owned()
}

fn default_tenant() -> String {
    "default".to_owned()
}

impl SourceSettings {
    /// Settings of a kind and name, with defaults for the rest.
    #[must_use]
    pub fn new(kind: SourceKind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            format: auto(),
            tenant: default_tenant(),
            listen: None,
            connections_max: None,
            idle_seconds: None,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            paths: Vec::new(),
            start: None,
        }
    }

    /// Whether the keys fit the kind. Opens nothing. Whether the format exists is for the caller to know.
    ///
    /// # Errors
    /// The first key that is missing, out of range, or of another kind.
    pub fn check(&self) -> Result<(), LiveError> {
        self.problem().map_or(Ok(()), |problem| {
            Err(LiveError::Setting {
                name: self.name.clone(),
                problem,
            })
        })
    }

    /// Most connections at once.
    #[must_use]
    pub fn connections_max(&self) -> usize {
        self.connections_max.unwrap_or(CONNECTIONS_DEFAULT)
    }

    /// Silence after which a connection is closed.
    #[must_use]
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds.unwrap_or(IDLE_SECONDS_DEFAULT))
    }

    fn problem(&self) -> Option<String> {
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        // The name becomes a file's name: no `.` in front, no separators.
        if self.name.is_empty()
            || self.name.len() > NAME_BYTES_MAX
            || self.name.starts_with('.')
            || !self.name.bytes().all(is_name_byte)
        {
            return Some(format!(
                "`name` is 1 to {NAME_BYTES_MAX} letters, digits, `-`, `_` and `.`, and starts with none of the last"
            ));
        }
        if self.tenant.is_empty() {
            return Some("`tenant` is empty".to_owned());
        }
        self.wrong_presence().or_else(|| self.wrong_range())
    }

    /// A key that this kind needs and has not, or has and does not know.
    fn wrong_presence(&self) -> Option<String> {
        use Needs::{Must, MustNot, Optional};
        let (listens, connects, is_tls, is_tail) = match self.kind {
            SourceKind::SyslogTcp => (Must, Optional, MustNot, MustNot),
            SourceKind::SyslogTls => (Must, Optional, Must, MustNot),
            SourceKind::SyslogUdp => (Must, MustNot, MustNot, MustNot),
            SourceKind::Tail => (MustNot, MustNot, MustNot, Must),
            SourceKind::Stdin => (MustNot, MustNot, MustNot, MustNot),
        };
        let keys = [
            ("listen", self.listen.is_some(), listens),
            ("connections_max", self.connections_max.is_some(), connects),
            ("idle_seconds", self.idle_seconds.is_some(), connects),
            ("tls_cert", self.tls_cert.is_some(), is_tls),
            ("tls_key", self.tls_key.is_some(), is_tls),
            ("tls_client_ca", self.tls_client_ca.is_some(), is_tls.optional()),
            ("paths", !self.paths.is_empty(), is_tail),
            ("start", self.start.is_some(), is_tail.optional()),
        ];
        keys.into_iter().find_map(|(key, is_there, needs)| {
            let kind = self.kind.name();
            match (is_there, needs) {
                (false, Must) => Some(format!("`{key}` is needed by `{kind}`")),
                (true, MustNot) => Some(format!("`{key}` has no meaning for `{kind}`")),
                _ => None,
            }
        })
    }

    fn wrong_range(&self) -> Option<String> {
        if !(1..=CONNECTIONS_MAX).contains(&self.connections_max()) {
            return Some(format!("`connections_max` is from 1 to {CONNECTIONS_MAX}"));
        }
        if self.idle_seconds == Some(0) {
            return Some("`idle_seconds` is at least 1".to_owned());
        }
        if self.paths.len() > PATHS_MAX {
            return Some(format!("`paths` has at most {PATHS_MAX} entries"));
        }
        None
    }
}

/// Whether a kind of source knows a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Must,
    Optional,
    MustNot,
}

impl Needs {
    /// The same for a key that may be left out.
    fn optional(self) -> Self {
        if self == Self::Must { Self::Optional } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        source: Vec<SourceSettings>,
    }

    fn check(text: &str, problem: Option<&str>) {
        let file: File = toml::from_str(text).unwrap();
        let found = file.source.iter().find_map(|source| source.check().err());
        let found = found.map(|error| error.to_string());
        match (problem, &found) {
            (None, None) => {}
            (Some(problem), Some(found)) if found.contains(problem) => {}
            _ => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn every_kind_reads() {
        check(
            "[[source]]\nkind = 'syslog_tcp'\nname = 'lan'\nlisten = '127.0.0.1:6514'\nidle_seconds = 60\n\
             [[source]]\nkind = 'syslog_tls'\nname = 'wan'\nlisten = '[::]:6514'\ntls_cert = 'c'\ntls_key = 'k'\n\
             [[source]]\nkind = 'syslog_udp'\nname = 'old'\nlisten = '0.0.0.0:514'\nformat = 'sshd'\n\
             [[source]]\nkind = 'tail'\nname = 'auth'\npaths = ['/var/log/auth.log']\nstart = 'end'\n\
             [[source]]\nkind = 'stdin'\nname = 'pipe'\ntenant = 'acme'",
            None,
        );
    }

    #[test]
    fn keys_fit_their_kind() {
        let check = |rest: &str, problem| check(&format!("[[source]]\nname = 'a'\n{rest}"), Some(problem));
        check("kind = 'syslog_tcp'", "`listen` is needed");
        check(
            "kind = 'syslog_tls'\nlisten = '[::1]:1'\ntls_cert = 'x'",
            "`tls_key` is needed",
        );
        check(
            "kind = 'syslog_udp'\nlisten = '[::1]:1'\nconnections_max = 3",
            "no meaning",
        );
        check("kind = 'tail'", "`paths` is needed");
        check("kind = 'stdin'\nstart = 'end'", "`start` has no meaning");
        check(
            "kind = 'syslog_tcp'\nlisten = '[::1]:1'\nconnections_max = 0",
            "from 1 to",
        );
        check("kind = 'stdin'\ntenant = ''", "`tenant` is empty");
    }

    #[test]
    fn names_are_file_names() {
        for name in ["", ".", "../x", "a/b", "a b", &"x".repeat(65)] {
            let settings = SourceSettings::new(SourceKind::Stdin, name);
            assert!(settings.check().is_err(), "{name}");
        }
    }

    #[test]
    fn unknown_keys_are_errors() {
        let text = "kind = 'stdin'\nname = 'a'\nlissten = 'x'";
        let error = toml::from_str::<SourceSettings>(text).unwrap_err();
        assert!(error.to_string().contains("lissten"), "{error}");
    }
}
