//! What the configuration names: policy, certificate, tables, the file of checkpoints, responders and exporters.

use super::{Check, Patient, Reach};
use crate::config::Depth;
use crate::serve;
use serde_json::Value;
use std::fs::OpenOptions;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;
use x509_parser::pem::Pem;

/// Certificates are renewed two to four weeks before they end (ACME clients: 30 days); less is a renewal that failed.
const CERT_DAYS_WARN: i64 = 14;
/// Databases of addresses come weekly or monthly; a tenth of all IPv4 networks moves in a quarter of a year.
const TABLE_DAYS_WARN: u64 = 90;
/// How long a connection is waited for.
const CONNECT: Duration = Duration::from_secs(3);
const DAY_S: i64 = 86_400;

/// Whether the policy holds.
pub fn policy(patient: &Patient<'_>) -> Check {
    match serve::check_policy(patient.loaded, patient.layout) {
        Ok(path) => Check::ok("policy", format!("`{}` holds", path.display())),
        Err(failure) => Check::fail(
            "policy",
            failure.to_string(),
            failure.advice().unwrap_or("name another with `serve.policy`"),
        ),
    }
}

/// Whether certificates hold, the server's and those of sources, and for how long.
pub fn tls(patient: &Patient<'_>) -> Check {
    let name = "tls";
    if let Err(failure) = serve::tls(patient.loaded) {
        let fix = failure.advice().unwrap_or_default().to_owned();
        return Check::fail(name, failure.to_string(), fix);
    }
    let config = &patient.loaded.config;
    let own = config.serve.tls_cert.iter();
    let paths = own.chain(config.source.iter().filter_map(|source| source.tls_cert.as_ref()));
    let paths: Vec<PathBuf> = paths.map(|path| patient.loaded.base().join(path)).collect();
    let now = patient.now.as_millis() / 1_000;
    // The one that ends first is what is to be told.
    let mut first: Option<(i64, PathBuf)> = None;
    for path in paths {
        let shown = path.display();
        let Some((from, until)) = validity(&path) else {
            let found = format!("`{shown}` cannot be read as a certificate");
            return Check::fail(name, found, "write a PEM file, as ACME clients and openssl do");
        };
        if from > now {
            return Check::fail(
                name,
                format!("`{shown}` is not valid yet"),
                "set the clock, or wait",
            );
        }
        let days = (until - now).div_euclid(DAY_S);
        if first.as_ref().is_none_or(|(least, _)| days < *least) {
            first = Some((days, path));
        }
    }
    let Some((days, path)) = first else {
        return Check::skip(name, "no certificate is configured");
    };
    let (shown, fix) = (
        path.display(),
        "renew it; `systemctl restart habitus` takes the new one",
    );
    match days {
        ..0 => Check::fail(name, format!("`{shown}` ended {} days ago", -days), fix),
        0..CERT_DAYS_WARN => Check::warn(name, format!("`{shown}` ends in {days} days"), fix),
        _ => Check::ok(name, format!("`{shown}` holds for {days} days")),
    }
}

/// From and until when the first certificate of a file holds, in seconds since the epoch.
fn validity(path: &Path) -> Option<(i64, i64)> {
    let pem = std::fs::read(path).ok()?;
    let leaf = Pem::iter_from_buffer(&pem).find_map(Result::ok)?;
    let certificate = leaf.parse_x509().ok()?;
    let validity = certificate.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// Which tables there are, and how old they are.
pub fn tables(patient: &Patient<'_>) -> Check {
    let name = "tables";
    let tables = match patient.loaded.tables(Depth::Usable) {
        Ok(tables) => tables,
        Err(problems) => {
            let fix = "habitus check config FILE shows where; name files that can be read";
            let first = problems.first().unwrap_or("a table cannot be used").to_owned();
            return Check::fail(name, first, fix);
        }
    };
    let now = u64::try_from(patient.now.as_millis() / 1_000).unwrap_or(0);
    let days = |built: u64| now.saturating_sub(built) / 86_400;
    let versions = tables.versions();
    let all: Vec<String> = versions
        .iter()
        .map(|version| match version.built_s {
            Some(built) => format!("{} {} ({} days old)", version.table, version.version, days(built)),
            None => format!("{} {}", version.table, version.version),
        })
        .collect();
    let found = all.join(", ");
    let is_old = |built: Option<u64>| built.is_some_and(|built| days(built) > TABLE_DAYS_WARN);
    match versions.iter().find(|version| is_old(version.built_s)) {
        Some(old) => Check::warn(
            name,
            found,
            format!("get a newer `{}`, and `systemctl reload habitus`", old.table),
        ),
        None => Check::ok(name, found),
    }
}

/// Whether checkpoints of the audit can leave.
pub fn checkpoints(patient: &Patient<'_>) -> Check {
    let name = "checkpoints";
    let Some(path) = &patient.loaded.config.serve.audit_checkpoints else {
        return Check::skip(
            name,
            "checkpoints of the audit stay in the data directory (`serve.audit_checkpoints`)",
        );
    };
    let path = patient.loaded.base().join(path);
    let shown = path.display();
    let is_new = !path.exists();
    let opened = OpenOptions::new().append(true).create(true).open(&path);
    if is_new && opened.is_ok() {
        let _ = std::fs::remove_file(&path);
    }
    match opened {
        Ok(_) => Check::ok(name, format!("`{shown}` can be written")),
        Err(error) => Check::fail(
            name,
            format!("`{shown}` cannot be written: {error}"),
            "name a file outside the data directory that the server may write; ReadWritePaths= in the unit",
        ),
    }
}

/// Whether responders and exporters could be made, and with `Online` whether they can be reached.
pub fn responders(patient: &Patient<'_>, reach: Reach) -> Check {
    let name = "responders";
    let config = &patient.loaded.config;
    let count = config.responder.len() + config.exporter.len();
    if count == 0 {
        return Check::skip(name, "none are configured");
    }
    if let Err(failure) = serve::check_responders(patient.loaded) {
        return Check::fail(
            name,
            failure.to_string(),
            "see docs/responders.md for what each takes",
        );
    }
    if reach == Reach::Offline {
        return Check::ok(
            name,
            format!("{count} are configured; --online tries to reach them"),
        );
    }
    let parts = config.responder.iter().map(serde_json::to_value);
    let parts = parts.chain(config.exporter.iter().map(serde_json::to_value));
    let unreached: Vec<String> = parts.filter_map(|part| unreached(&part.ok()?)).collect();
    if unreached.is_empty() {
        return Check::ok(
            name,
            format!("{count} are configured, and those with an address can be reached"),
        );
    }
    let fix = "look at names, firewalls and proxies between here and there";
    Check::fail(name, unreached.join("; "), fix)
}

/// Why a part cannot be reached; `None` if it can, or has no address in the open.
fn unreached(part: &Value) -> Option<String> {
    let name = part
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or("one without a name");
    let (host, port) = address(part)?;
    let found = (host.as_str(), port).to_socket_addrs();
    let Ok(mut addresses) = found else {
        return Some(format!("`{name}`: its host name is not known"));
    };
    let is_reached = addresses.any(|address| TcpStream::connect_timeout(&address, CONNECT).is_ok());
    (!is_reached).then(|| format!("`{name}`: nothing answers at port {port} of its host"))
}

/// Host and port of a part of the configuration, if it names them.
fn address(part: &Value) -> Option<(String, u16)> {
    if let Some(url) = part.get("url").and_then(Value::as_str) {
        let uri: http::Uri = url.parse().ok()?;
        let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        return Some((
            uri.host()?.trim_matches(['[', ']']).to_owned(),
            uri.port_u16().unwrap_or(usual),
        ));
    }
    let host = part.get("host").and_then(Value::as_str)?;
    let port = part.get("port").and_then(Value::as_u64)?;
    Some((host.to_owned(), u16::try_from(port).ok()?))
}
