//! What an event is told apart by: keyed hashes of who delivered what under which id.
//!
//! The key is drawn once and kept beside the files, so that nobody outside can make two events collide, or tell an id by its
//! fingerprint. A key that is lost costs a reading of the log.
//!
//! ```text
//! 0   8  "habitusK"
//! 8   2  version of the format
//! 10  8  id of the key it is encrypted with, or zeros
//! 18 24  nonce
//! 42     the key, encrypted if there is a key for that
//! -8     XXH3-64 of everything before
//! ```

use crate::bytes::{Take, wide};
use crate::crypto::Keyring;
use crate::log::entry::checksum;
use crate::storage::{Dir, read_whole, write_whole};
use crate::{Error, Result};
use habitus_model::TenantId;
use zeroize::Zeroizing;

const MAGIC: [u8; 8] = *b"habitusK";
const VERSION: u16 = 1;
const HEAD_BYTES: usize = 42;
const SUM_BYTES: usize = 8;
const FILE: &str = "fingerprints.key";
const FILE_BYTES_MAX: u64 = 1024;

/// An event's fingerprint: 128 bits of keyed BLAKE3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(super) u128);

/// An event's fingerprint, and what two events with one id must share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// What it is told apart by.
    pub fingerprint: Fingerprint,
    pub(super) body: u64,
}

/// Makes identities. A copy for any thread.
#[derive(Clone)]
pub struct Hasher {
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// The identity of what a source of a tenant delivered under these ids, with the body that two of one id must share.
    #[must_use]
    pub fn identity<'a>(
        &self,
        (tenant, source): (&TenantId, &str),
        ids: impl IntoIterator<Item = &'a str>,
        body: &[u8],
    ) -> Identity {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let mut add = |part: &str| {
            // The length, so that no two keys are one text.
            let length = wide(part.len()).to_le_bytes();
            hasher.update(&length).update(part.as_bytes());
        };
        add(tenant.as_str());
        add(source);
        ids.into_iter().for_each(add);
        let fingerprint = Take::new(hasher.finalize().as_bytes())
            .array()
            .unwrap_or_default();
        let body = blake3::keyed_hash(&self.key, body);
        Identity {
            fingerprint: Fingerprint(u128::from_be_bytes(fingerprint)),
            body: Take::new(body.as_bytes()).u64().unwrap_or_default(),
        }
    }

    /// The key of a directory, and whether it is new. One that was kept under another encryption key is kept under the present.
    pub(super) fn load_or_create(dir: &dyn Dir, keys: &Keyring) -> Result<(Self, bool)> {
        let kept = read_whole(dir, FILE, FILE_BYTES_MAX)?;
        match kept.map(|bytes| decode(&bytes, keys)).transpose()?.flatten() {
            Some((hasher, is_current)) => {
                if !is_current {
                    hasher.save(dir, keys)?;
                }
                Ok((hasher, false))
            }
            None => {
                let mut key = Zeroizing::new([0; 32]);
                getrandom::fill(key.as_mut_slice()).map_err(|_| Error::NoEntropy)?;
                let hasher = Self { key };
                hasher.save(dir, keys)?;
                Ok((hasher, true))
            }
        }
    }

    fn save(&self, dir: &dyn Dir, keys: &Keyring) -> Result<()> {
        let cipher = keys.current();
        let nonce = cipher.nonce()?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&cipher.id());
        bytes.extend_from_slice(&nonce);
        let sealed = cipher.seal(&nonce, &bytes, self.key.to_vec())?;
        bytes.extend_from_slice(&sealed);
        let sum = checksum(0, &bytes).to_le_bytes();
        write_whole(dir, FILE, &[&bytes, &sum])
    }
}

/// The key, and whether it is encrypted as it would be now; `None` if the file is damaged.
fn decode(bytes: &[u8], keys: &Keyring) -> Result<Option<(Hasher, bool)>> {
    let Some((content, sum)) = bytes.split_last_chunk::<SUM_BYTES>() else {
        return Ok(None);
    };
    if checksum(0, content) != u64::from_le_bytes(*sum) {
        return Ok(None);
    }
    let mut take = Take::new(content);
    if take.array() != Some(MAGIC) {
        return Ok(None);
    }
    match take.u16() {
        Some(VERSION) => {}
        other => return Err(Error::NewerFormat(other.unwrap_or_default())),
    }
    let (Some(id), Some(nonce), Some(head)) = (take.array(), take.array(), content.get(..HEAD_BYTES)) else {
        return Ok(None);
    };
    let opened = keys.named(id)?.open(&nonce, head, take.rest().to_vec());
    let key = opened.and_then(|key| key.try_into().ok()).map(Zeroizing::new);
    Ok(key.map(|key| (Hasher { key }, id == keys.current().id())))
}
