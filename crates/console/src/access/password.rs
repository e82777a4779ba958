//! Passwords, kept as Argon2id.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// Memory in KiB, passes and lanes: the first choice of OWASP's Password Storage Cheat Sheet for Argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;

/// Shortest password: NIST SP 800-63B-4 asks for 15 characters where a password stands alone.
pub(crate) const LENGTH_MIN: usize = 15;
/// Longest password, characters: what is hashed must have an end (ASVS 6.2.9 asks for at least 64).
pub(crate) const LENGTH_MAX: usize = 256;

/// A password's hash with what it was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordHash {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    hash: String,
}

impl PasswordHash {
    /// Hashes; takes some 20 ms and 19 MiB. `None` if the password is too short or too long.
    pub(crate) fn new(password: &str, salt: [u8; 16]) -> Option<Self> {
        if !(LENGTH_MIN..=LENGTH_MAX).contains(&password.chars().count()) {
            return None;
        }
        Some(Self {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: STANDARD_NO_PAD.encode(salt),
            hash: STANDARD_NO_PAD.encode(derive(password, &salt, (MEMORY_KIB, PASSES, LANES))?),
        })
    }

    /// Whether it is the password.
    pub(crate) fn verify(&self, password: &str) -> bool {
        let decoded = (
            STANDARD_NO_PAD.decode(&self.salt),
            STANDARD_NO_PAD.decode(&self.hash),
        );
        let (Ok(salt), Ok(expected)) = decoded else {
            return false;
        };
        derive(password, &salt, (self.memory_kib, self.passes, self.lanes))
            .is_some_and(|found| found.ct_eq(&expected).into())
    }
}

/// Does the work of a verification, for names that do not exist: how long an answer takes must not tell (ASVS 6.3.8).
pub(crate) fn pretend(password: &str) -> bool {
    let work = derive(password, &[0; 16], (MEMORY_KIB, PASSES, LANES));
    // The comparison depends on the work, so that it is not optimised away, and is never true.
    work.is_some_and(|found| found.ct_eq(&[0; HASH_BYTES]).into())
}

fn derive(password: &str, salt: &[u8], (memory, passes, lanes): (u32, u32, u32)) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(memory, passes, lanes, Some(HASH_BYTES)).ok()?;
    let mut out = [0; HASH_BYTES];
    // Unicode forms are not unified: RFC 8265 would; a password then is the bytes that were typed.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut out)
        .ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_verifies() {
        let hash = PasswordHash::new("correct horse battery", [3; 16]).unwrap();
        assert!(hash.verify("correct horse battery"));
        assert!(!hash.verify("correct horse batterz"));
        assert!(!hash.verify(""));
        assert!(!pretend("correct horse battery"));
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert_eq!(PasswordHash::new("short", [3; 16]), None);
        assert_eq!(PasswordHash::new(&"x".repeat(257), [3; 16]), None);
    }
}
