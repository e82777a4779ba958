//! Secrets that are shown once and kept as hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use zeroize::Zeroizing;

/// Marks an API token, so that scanners of repositories and logs find leaked ones.
pub(crate) const TOKEN_PREFIX: &str = "hbt_";
/// Base64 characters of 256 bits.
const ENCODED_LENGTH: usize = 43;
/// Hexadecimal digits of a hash that serve as a public id: 64 bits, enough for the thousands of tokens there may be.
const ID_LENGTH: usize = 16;

/// 256 random bits as text. Neither `Debug` nor `Display` show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

/// BLAKE3 of a secret, hexadecimal. A fast hash is enough: what is hashed has 256 random bits and cannot be guessed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Hashed(String);

impl Secret {
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// From what a client presents; `None` if it cannot be a secret of ours.
    pub(crate) fn presented(text: &str) -> Option<Self> {
        let fits = text.len() == ENCODED_LENGTH
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself, for the one time it is shown.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn hashed(&self) -> Hashed {
        Hashed(blake3::hash(self.0.as_bytes()).to_hex().to_string())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Hashed {
    /// A public name of the secret.
    pub(crate) fn id(&self) -> String {
        self.0.chars().take(ID_LENGTH).collect()
    }
}

/// The token that a form of this session must carry: derived from the session's secret, so that it need not be kept, and
/// one way, so that it does not give the session away.
pub(crate) fn csrf_of(session: &Secret) -> String {
    let key = blake3::derive_key("habitus console 2026-11 csrf", session.reveal().as_bytes());
    URL_SAFE_NO_PAD.encode(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_themselves() {
        let secret = Secret::from_bytes(&[7; 32]);
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(Secret::presented(secret.reveal()), Some(secret.clone()));
        assert!(!format!("{:?}", secret.hashed()).contains(secret.reveal()));
    }

    #[test]
    fn what_cannot_be_a_secret_is_not_hashed() {
        let too_long = "a".repeat(1_000_000);
        for text in ["", "short", &too_long, "ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖ"] {
            assert_eq!(Secret::presented(text), None);
        }
    }

    #[test]
    fn the_form_token_is_not_the_session() {
        let secret = Secret::from_bytes(&[7; 32]);
        assert_ne!(csrf_of(&secret), secret.reveal());
        assert_ne!(csrf_of(&secret), csrf_of(&Secret::from_bytes(&[8; 32])));
    }
}
