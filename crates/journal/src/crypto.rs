//! Encryption at rest: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a key from the configuration.
//!
//! Nonces of 192 bits are drawn at random for each block, which stays safe for far more blocks than a disk holds.

use crate::bytes::hex;
use crate::{Error, Result};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 24;
/// Bytes by which a ciphertext is longer than its text.
pub(crate) const TAG_BYTES: usize = 16;

/// Names a key without telling anything about it: the first 8 bytes of a BLAKE3 derivation of it.
pub type KeyId = [u8; 8];

/// A 256-bit key. Wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    id: KeyId,
}

/// The keys that may be met on disk. New data is written with the first; without any, nothing is encrypted.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    keys: Vec<Key>,
}

/// What blocks of one file are sealed with: a key, or nothing.
#[derive(Clone)]
pub(crate) struct Cipher {
    key: Option<Key>,
}

impl Key {
    /// From 32 secret bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let digest = Zeroizing::new(blake3::derive_key(
            "habitus 2026 journal key id",
            bytes.as_slice(),
        ));
        let mut id = KeyId::default();
        for (to, from) in id.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        Self { bytes, id }
    }

    /// The name by which files tell that they were written with it.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", hex(&self.id))
    }
}

impl Keyring {
    /// One key, for writing and reading.
    #[must_use]
    pub fn of(key: Key) -> Self {
        Self { keys: vec![key] }
    }

    /// Adds a key that is read with, but not written with: one that was replaced.
    #[must_use]
    pub fn with_older(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// What new files are written with.
    pub(crate) fn current(&self) -> Cipher {
        Cipher {
            key: self.keys.first().cloned(),
        }
    }

    /// What a file that names this key is read with. All zeros names no key.
    pub(crate) fn named(&self, id: KeyId) -> Result<Cipher> {
        if id == KeyId::default() {
            return Ok(Cipher { key: None });
        }
        let key = self.keys.iter().find(|key| key.id == id).cloned();
        match key {
            Some(key) => Ok(Cipher { key: Some(key) }),
            None if self.keys.is_empty() => Err(Error::KeyMissing(hex(&id))),
            None => Err(Error::KeyUnknown(hex(&id))),
        }
    }
}

impl Cipher {
    /// The name of the key; all zeros without one.
    pub(crate) fn id(&self) -> KeyId {
        self.key.as_ref().map(Key::id).unwrap_or_default()
    }

    pub(crate) const fn is_plain(&self) -> bool {
        self.key.is_none()
    }

    /// A nonce for [`Cipher::seal`]; zeros without a key, where none is needed.
    pub(crate) fn nonce(&self) -> Result<[u8; NONCE_BYTES]> {
        let mut nonce = [0; NONCE_BYTES];
        if !self.is_plain() {
            getrandom::fill(&mut nonce).map_err(|_| Error::NoEntropy)?;
        }
        Ok(nonce)
    }

    /// Encrypts, or gives the text back without a key. `context` must be given again to open it.
    pub(crate) fn seal(&self, nonce: &[u8; NONCE_BYTES], context: &[u8], text: Vec<u8>) -> Result<Vec<u8>> {
        let Some(key) = &self.key else {
            return Ok(text);
        };
        let payload = Payload {
            msg: &text,
            aad: context,
        };
        cipher(key)
            .encrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| Error::Encoding("a block"))
    }

    /// Decrypts what [`Cipher::seal`] gave; `None` if a single bit of it, of the nonce or of the context changed.
    pub(crate) fn open(&self, nonce: &[u8; NONCE_BYTES], context: &[u8], sealed: Vec<u8>) -> Option<Vec<u8>> {
        let Some(key) = &self.key else {
            return Some(sealed);
        };
        let payload = Payload {
            msg: &sealed,
            aad: context,
        };
        cipher(key).decrypt(&XNonce::from(*nonce), payload).ok()
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_bit_a_changed_context_and_another_key_do_not_open() {
        let ring = Keyring::of(Key::new([7; 32]));
        let cipher = ring.current();
        let nonce = cipher.nonce().unwrap();
        let sealed = cipher.seal(&nonce, b"here", b"text".to_vec()).unwrap();
        assert_eq!(cipher.open(&nonce, b"here", sealed.clone()).unwrap(), b"text");
        assert_eq!(cipher.open(&nonce, b"there", sealed.clone()), None);
        let mut changed = sealed.clone();
        changed[0] ^= 1;
        assert_eq!(cipher.open(&nonce, b"here", changed), None);
        let other = Keyring::of(Key::new([8; 32])).current();
        assert_eq!(other.open(&nonce, b"here", sealed), None);
    }

    #[test]
    fn keys_are_named_and_a_missing_one_is_told_from_a_wrong_one() {
        let (old, new) = (Key::new([1; 32]), Key::new([2; 32]));
        let ring = Keyring::of(new.clone()).with_older(old.clone());
        assert_eq!(ring.current().id(), new.id());
        assert!(ring.named(old.id()).is_ok());
        assert!(matches!(
            Keyring::default().named(old.id()),
            Err(Error::KeyMissing(_))
        ));
        assert!(matches!(
            Keyring::of(new).named(old.id()),
            Err(Error::KeyUnknown(_))
        ));
        assert!(!format!("{old:?}").contains("1, 1"));
    }
}
