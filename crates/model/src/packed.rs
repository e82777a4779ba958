//! Values in few bytes, for what is held in great numbers and rarely looked at.
//!
//! A value becomes a row of whole numbers, in the order serde meets its fields, and the row is written so that what most
//! rows have much of takes little: zeros (empty sets, absent values, counts of nothing) stand in runs, small numbers take a byte, and a
//! number that was met before in the same value (a fingerprint that three sets hold, the minute of a visit) is a
//! reference to its first occurrence. Floats are written by their bits, turned round so that round ones are small. Nothing is lost: what is
//! unpacked is equal bit for bit. The bytes are a function of the value, equal on every machine; they tell nothing of the layout,
//! so that who keeps them keeps its version too.
//!
//! A byte says what comes:
//!
//! | byte | meaning |
//! |---|---|
//! | `00`–`7f` | the number itself |
//! | `80`–`af` | 2 to 49 zeros |
//! | `b0`–`f6` | the number that was first met as the 0th to 70th |
//! | `f7` | the same for the 71st to 326th, less 71 in the next byte |
//! | `f8`–`ff` | a number in the next 1 to 8 bytes, the least first; from two bytes on it may be referred to |

mod read;
mod write;

pub use read::Unpacker;
pub use write::Packer;

use std::fmt;

/// First byte that is not the number itself.
const ZEROS: u8 = 0x80;
/// Least and most zeros of a run.
const RUN_MIN: u8 = 2;
const RUN_MAX: u8 = NEAR - ZEROS + RUN_MIN - 1;
/// First byte of a reference.
const NEAR: u8 = 0xb0;
/// References that take one byte.
const NEAR_MAX: usize = 71;
/// Byte of a reference that takes two.
const FAR: u8 = 0xf7;
/// Most numbers that may be referred to.
const SEEN_MAX: usize = NEAR_MAX + 256;
/// First byte of a number in full.
const FULL: u8 = 0xf8;
/// What may be referred to from the start: one visit, as the sets of a profile count it.
const KNOWN: u64 = 0x803f;

/// Why a value could not be packed or unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The type has parts of unknown number or of a kind that nobody packs.
    #[error("values of this type cannot be packed: {0}")]
    Type(String),
    /// The bytes end within the value.
    #[error("the packed value is cut short")]
    Short,
    /// The bytes go on behind the value.
    #[error("{0} bytes follow the packed value")]
    Long(usize),
    /// The bytes are not of such a value.
    #[error("not a packed value: {0}")]
    Damaged(String),
}

impl serde::ser::Error for PackError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        PackError::Type(message.to_string())
    }
}

impl serde::de::Error for PackError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        PackError::Damaged(message.to_string())
    }
}

#[cfg(test)]
mod tests;
