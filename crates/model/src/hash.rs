//! Keyed hashing without entropy.
//!
//! Account names, addresses and user agents are chosen by attackers, so tables keyed by them use SipHash with a
//! secret key (RELIABILITY S-05). The key is a parameter: `replay` uses a fixed one, so that verdicts repeat; a
//! server passes a secret of its own.

use siphasher::sip::{SipHasher13, SipHasher24};
use siphasher::sip128::{Hasher128, SipHasher24 as SipHasher24Wide};
use std::hash::{Hash, Hasher};

/// The 128-bit key of every fingerprint an engine makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashKey {
    low: u64,
    high: u64,
}

impl HashKey {
    /// The key of `replay`: public and fixed, so that two runs agree.
    pub const REPLAY: HashKey = HashKey {
        low: 0x6861_6269_7475_7331,
        high: 0x7265_706c_6179_6b31,
    };

    /// A key from secret bytes.
    #[must_use]
    pub const fn new(low: u64, high: u64) -> Self {
        Self { low, high }
    }

    /// A 64-bit fingerprint of anything hashable. Equal input and key give equal output on every machine of the
    /// same byte order; input should therefore be bytes or strings, or integers of fixed width.
    #[must_use]
    pub fn fingerprint<T: Hash + ?Sized>(self, value: &T) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.low, self.high);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

/// An unkeyed 128-bit digest of a record's bytes, as 32 hexadecimal digits: identifies, does not authenticate.
#[must_use]
pub fn content_digest(bytes: &[u8]) -> String {
    let mut hasher = SipHasher24Wide::new();
    hasher.write(bytes);
    let wide = hasher.finish128();
    format!("{:016x}{:016x}", wide.h1, wide.h2)
}

/// A 64-bit hash for symbols that are not chosen to collide (families of operating systems, signals).
#[must_use]
pub fn symbol(bytes: &[u8]) -> u64 {
    symbol_of(&[bytes])
}

/// What [`symbol`] gives of the parts put together.
#[must_use]
pub fn symbol_of(parts: &[&[u8]]) -> u64 {
    let mut hasher = SipHasher24::new();
    for part in parts {
        hasher.write(part);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hash_as_the_whole() {
        let (a, b) = (b"default".as_slice(), b"e-0000000017".as_slice());
        assert_eq!(symbol_of(&[a, &[0], b]), symbol(b"default\0e-0000000017"));
    }

    #[test]
    fn the_key_matters_and_nothing_else_does() {
        let a = HashKey::new(1, 2);
        assert_eq!(a.fingerprint("bob"), a.fingerprint("bob"));
        assert_ne!(a.fingerprint("bob"), HashKey::new(1, 3).fingerprint("bob"));
        assert_eq!(content_digest(b"x").len(), 32);
    }
}
