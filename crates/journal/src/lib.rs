//! The durable side of habitus: what is acknowledged is on stable storage, and what is damaged is found, contained and counted.

mod bytes;
mod crypto;
mod error;
pub mod log;
pub mod storage;
#[cfg(test)]
mod testing;

pub use crypto::{Key, KeyId, Keyring};
pub use error::{Error, Result};
pub use log::{Damage, Entry, Log, Position, Reader, Readers, Record, Recovery};
