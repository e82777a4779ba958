//! Secrets: references in the configuration, wiped memory in the process.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::Read;
use zeroize::Zeroizing;

/// Longest secret, bytes: a reference to the wrong file must not fill the memory.
const SECRET_BYTES_MAX: u64 = 65_536;

/// Where a secret is found: `env:NAME` or `file:/path`. The secret itself has no place in a configuration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretRef(String);

/// A secret in memory that is wiped when it is dropped. It has no way into text: neither `Debug` nor `Display` show it.
pub(crate) struct Secret(Zeroizing<String>);

impl SecretRef {
    /// From `env:NAME` or `file:/path`; anything else is refused when it is resolved.
    #[must_use]
    pub fn new(reference: impl Into<String>) -> Self {
        Self(reference.into())
    }

    /// Reads the secret. The error is a sentence without any value, also when somebody wrote the secret itself.
    pub(crate) fn resolve(&self) -> Result<Secret, String> {
        if let Some(name) = self.0.strip_prefix("env:") {
            let value = std::env::var(name).map(Zeroizing::new);
            let value = value.map_err(|_| "the environment variable it names is not set or not UTF-8")?;
            return Secret::checked(&value);
        }
        if let Some(path) = self.0.strip_prefix("file:") {
            return Secret::checked(&read_file(path)?);
        }
        Err("must say where the secret is, as `env:NAME` or `file:/path`, never the secret itself".to_owned())
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_reference = self.0.starts_with("env:") || self.0.starts_with("file:");
        f.write_str(if is_reference { &self.0 } else { "***" })
    }
}

impl Secret {
    /// Line ends behind the secret are none of it: editors add them.
    fn checked(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err("the secret it names is empty".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err("the secret it names holds control characters".to_owned());
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn read_file(path: &str) -> Result<Zeroizing<String>, String> {
    let file =
        File::open(path).map_err(|error| format!("the file it names cannot be opened: {}", error.kind()))?;
    // The room is there from the start, so that growing leaves no copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4_096));
    file.take(SECRET_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("the file it names cannot be read: {}", error.kind()))?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > SECRET_BYTES_MAX) {
        return Err(format!(
            "the file it names is longer than {SECRET_BYTES_MAX} bytes"
        ));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "the file it names is not UTF-8")?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_variables_are_read_and_line_ends_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\r\n").unwrap();
        let secret = SecretRef::new(format!("file:{}", path.display()))
            .resolve()
            .unwrap();
        assert_eq!(secret.expose(), "s3cret");
        let package = SecretRef::new("env:CARGO_PKG_NAME").resolve().unwrap();
        assert_eq!(package.expose(), env!("CARGO_PKG_NAME"));
    }

    #[test]
    fn a_secret_written_into_the_configuration_is_refused_and_not_repeated() {
        let wrong = SecretRef::new("hunter2-hunter2");
        let error = wrong.resolve().unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(format!("{wrong:?}"), "***");
        let secret = SecretRef::new("env:CARGO_PKG_NAME").resolve().unwrap();
        assert_eq!(format!("{secret:?}"), "***");
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for reference in [
            "env:HABITUS_NOT_SET_ANYWHERE",
            "file:/nowhere/at/all",
            "file:/dev/zero",
            "",
        ] {
            assert!(SecretRef::new(reference).resolve().is_err(), "{reference}");
        }
    }
}
