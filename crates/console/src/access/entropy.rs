//! The only place of this crate that draws randomness.

use super::secret::Secret;

/// The operating system gives no randomness: nothing secret can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct NoEntropy;

/// 256 fresh random bits.
pub(crate) fn secret() -> Result<Secret, NoEntropy> {
    Ok(Secret::from_bytes(&bytes::<32>()?))
}

/// Fresh random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}
