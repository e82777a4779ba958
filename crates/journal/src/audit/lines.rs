//! Lines as they stand in the files: plain, or each encrypted for itself.
//!
//! ```text
//! {"key":"<id of the key>","nonce":"<48 hexadecimal digits>","sealed":"<base64 of the encrypted line>"}
//! ```
//!
//! The chain is over what is encrypted, so a line that is moved or replaced shows as it does in a plain file; what a key adds is
//! that nobody without it reads who did what. Plain and encrypted lines may stand in one file: each tells what it is.

use crate::Result;
use crate::bytes::{hex, unhex};
use crate::crypto::Keyring;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use std::borrow::Cow;

/// What is encrypted here is of use nowhere else.
const CONTEXT: &[u8] = b"habitus audit line v1";
const START: &str = "{\"key\":\"";

/// How lines are written and read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    keys: Keyring,
}

impl Lines {
    /// Encrypted with the first key, if there is one.
    pub(crate) const fn new(keys: Keyring) -> Self {
        Self { keys }
    }

    /// A line with its end, as it is written.
    pub(crate) fn seal(&self, line: String) -> Result<String> {
        let cipher = self.keys.current();
        if cipher.is_plain() {
            return Ok(line);
        }
        let nonce = cipher.nonce()?;
        let sealed = cipher.seal(&nonce, CONTEXT, line.trim_end().as_bytes().to_vec())?;
        let (key, nonce, sealed) = (hex(&cipher.id()), hex(&nonce), BASE64.encode(sealed));
        Ok(format!(
            "{START}{key}\",\"nonce\":\"{nonce}\",\"sealed\":\"{sealed}\"}}\n"
        ))
    }

    /// A line without its end, as it was before it was written; `None` if it was changed since.
    ///
    /// # Errors
    /// [`crate::Error::KeyMissing`] and [`crate::Error::KeyUnknown`].
    pub(crate) fn open<'a>(&self, line: &'a [u8]) -> Result<Option<Cow<'a, [u8]>>> {
        if !line.starts_with(START.as_bytes()) {
            return Ok(Some(Cow::Borrowed(line)));
        }
        let Some((id, nonce, sealed)) = parts(line) else {
            return Ok(None);
        };
        let opened = self.keys.named(id)?.open(&nonce, CONTEXT, sealed);
        Ok(opened.map(Cow::Owned))
    }

    /// As [`Lines::open`], where a line that cannot be read is as good as none.
    ///
    /// # Errors
    /// As [`Lines::open`].
    pub(crate) fn open_or_empty<'a>(&self, line: &'a [u8]) -> Result<Cow<'a, [u8]>> {
        self.open(line).map(Option::unwrap_or_default)
    }
}

type Parts = ([u8; 8], [u8; crate::crypto::NONCE_BYTES], Vec<u8>);

/// The parts of an encrypted line; `None` unless it is laid out exactly as it is written. All zeros name no key, and nothing is
/// encrypted with none.
fn parts(line: &[u8]) -> Option<Parts> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix(START)?;
    let (id, rest) = text.split_once("\",\"nonce\":\"")?;
    let (nonce, rest) = rest.split_once("\",\"sealed\":\"")?;
    let sealed = BASE64.decode(rest.strip_suffix("\"}")?).ok()?;
    let id = unhex(id).filter(|id| *id != [0; 8])?;
    Some((id, unhex(nonce)?, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::crypto::Key;

    #[test]
    fn a_line_is_read_with_its_key_alone_and_not_once_it_is_changed() {
        let ring = |byte| Keyring::of(Key::new([byte; 32]));
        let lines = Lines::new(ring(1));
        let written = lines.seal("{\"hash\":\"who did what\"}\n".to_owned()).unwrap();
        assert!(written.ends_with("\"}\n") && !written.contains("who did what"));
        let written = written.trim_end().as_bytes();
        assert_eq!(
            lines.open(written).unwrap().unwrap().as_ref(),
            b"{\"hash\":\"who did what\"}"
        );
        assert!(matches!(
            Lines::default().open(written),
            Err(Error::KeyMissing(_))
        ));
        assert!(matches!(
            Lines::new(ring(2)).open(written),
            Err(Error::KeyUnknown(_))
        ));
        let after_key = START.len() + 16;
        for place in after_key..written.len() {
            let mut changed = written.to_vec();
            changed[place] ^= 1;
            assert_eq!(lines.open(&changed).unwrap(), None, "byte {place}");
        }
        assert_eq!(lines.open(b"plain").unwrap().unwrap().as_ref(), b"plain");
        let none = format!(
            "{START}{}\",\"nonce\":\"{}\",\"sealed\":\"\"}}",
            "0".repeat(16),
            "0".repeat(48)
        );
        assert_eq!(
            lines.open(none.as_bytes()).unwrap(),
            None,
            "encrypted with no key"
        );
    }
}
