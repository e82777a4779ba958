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
        let mut gathered = Gathered {
            bytes: [0; GATHERED_MAX],
            length: 0,
            key: self,
            streamed: None,
        };
        value.hash(&mut gathered);
        gathered.finish()
    }
}

/// Bytes that are hashed in one piece: a name, an address or two and what they are, with room to spare.
const GATHERED_MAX: usize = 96;

/// Puts together what is hashed. Values write themselves in many small parts, and hashing these one by one takes twice as long
/// as the whole.
struct Gathered {
    bytes: [u8; GATHERED_MAX],
    length: usize,
    key: HashKey,
    /// Where all goes once it is too long to be gathered.
    streamed: Option<SipHasher13>,
}

impl Gathered {
    fn whole(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.key.low, self.key.high)
    }

    #[cold]
    fn stream(&mut self, more: &[u8]) {
        let mut hasher = self.streamed.take().unwrap_or_else(|| {
            let mut hasher = self.hasher();
            hasher.write(self.whole());
            hasher
        });
        hasher.write(more);
        self.streamed = Some(hasher);
    }
}

impl Hasher for Gathered {
    #[inline]
    fn write(&mut self, more: &[u8]) {
        let end = self.length + more.len();
        match self.bytes.get_mut(self.length..end) {
            Some(room) if self.streamed.is_none() => {
                room.copy_from_slice(more);
                self.length = end;
            }
            _ => self.stream(more),
        }
    }

    fn finish(&self) -> u64 {
        match &self.streamed {
            Some(hasher) => hasher.finish(),
            None => self.hasher().hash(self.whole()),
        }
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
    fn what_is_gathered_hashes_as_what_is_streamed() {
        fn streamed<T: Hash + ?Sized>(value: &T) -> u64 {
            let mut hasher = SipHasher13::new_with_keys(HashKey::REPLAY.low, HashKey::REPLAY.high);
            value.hash(&mut hasher);
            hasher.finish()
        }
        let addresses: [std::net::IpAddr; 2] = [
            [192, 0, 2, 7].into(),
            [0x2001_u16, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
        ];
        for length in 0..=3 * GATHERED_MAX {
            let name = "x".repeat(length);
            let value = (("asn", Some(7_u64), 65_000_u32), name.as_str(), 3_u8, addresses);
            assert_eq!(HashKey::REPLAY.fingerprint(&value), streamed(&value), "{length}");
            assert_eq!(
                HashKey::REPLAY.fingerprint(name.as_str()),
                streamed(name.as_str()),
                "{length}"
            );
            let late = (addresses, None::<u64>, name.as_str(), "z");
            assert_eq!(HashKey::REPLAY.fingerprint(&late), streamed(&late), "{length}");
        }
    }

    #[test]
    fn the_key_matters_and_nothing_else_does() {
        let a = HashKey::new(1, 2);
        assert_eq!(a.fingerprint("bob"), a.fingerprint("bob"));
        assert_ne!(a.fingerprint("bob"), HashKey::new(1, 3).fingerprint("bob"));
        assert_eq!(content_digest(b"x").len(), 32);
    }
}
