//! From values to bytes.

use super::{FAR, FULL, KNOWN, NEAR, NEAR_MAX, PackError, RUN_MAX, RUN_MIN, SEEN_MAX, ZEROS};
use serde::ser::{self, Serialize};

/// Places of the table of numbers met: a power of two, more than half of them empty.
const PLACES: usize = 1_024;

/// Packs values, one after the other, in memory of its own.
#[derive(Debug, Default)]
pub struct Packer {
    out: Vec<u8>,
    zeros: usize,
    seen: Seen,
}

/// Numbers met, with when.
#[derive(Debug, Default)]
struct Seen {
    /// Made when the first value is packed.
    places: Vec<Place>,
    count: usize,
    /// Of the value that is packed: places of earlier ones are empty.
    round: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    number: u64,
    round: u32,
    nth: u32,
}

impl Packer {
    /// Packs a value; the bytes stand until the next. Cost: linear in the value.
    ///
    /// # Errors
    /// [`PackError::Type`] for sequences of unknown length, and what the value's own `Serialize` gives.
    pub fn pack<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<&[u8], PackError> {
        self.out.clear();
        self.zeros = 0;
        self.seen.forget();
        value.serialize(&mut *self)?;
        self.end_run();
        Ok(&self.out)
    }

    #[inline]
    fn number(&mut self, number: u64) {
        if number == 0 {
            self.zeros += 1;
            return;
        }
        if self.zeros > 0 {
            self.end_run();
        }
        match u8::try_from(number) {
            Ok(small) if small < ZEROS => self.out.push(small),
            Ok(small) => self.out.extend_from_slice(&[FULL, small]),
            Err(_) => self.large(number),
        }
    }

    fn large(&mut self, number: u64) {
        if let Some(nth) = self.seen.find_or_add(number) {
            match nth.checked_sub(NEAR_MAX) {
                None => self.out.push(NEAR.wrapping_add(low_byte(nth))),
                Some(far) => self.out.extend_from_slice(&[FAR, low_byte(far)]),
            }
            return;
        }
        // All eight are written and those that say nothing taken back: a copy of known length.
        let unused = usize::try_from(number.leading_zeros() / 8).unwrap_or(0);
        self.out.push(FULL | (7 - low_byte(unused)));
        self.out.extend_from_slice(&number.to_le_bytes());
        self.out.truncate(self.out.len() - unused);
    }

    fn end_run(&mut self) {
        let mut left = std::mem::take(&mut self.zeros);
        while left > 0 {
            let run = left.min(RUN_MAX.into());
            left -= run;
            self.out.push(match run {
                1 => 0,
                _ => ZEROS + low_byte(run) - RUN_MIN,
            });
        }
    }

    fn signed(&mut self, number: i64) {
        // Small negative numbers stay small: 0, -1, 1, -2 become 0, 1, 2, 3.
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    fn length(&mut self, length: usize) {
        self.number(u64::try_from(length).unwrap_or(u64::MAX));
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        if !bytes.is_empty() {
            self.out.extend_from_slice(bytes);
        }
    }
}

impl Seen {
    fn forget(&mut self) {
        self.count = 0;
        self.round = self.round.wrapping_add(1);
        if self.round == 0 || self.places.is_empty() {
            self.places = vec![Place::default(); PLACES];
            self.round = 1;
        }
        self.find_or_add(KNOWN);
    }

    /// When the number was first met; absent: never before.
    #[inline]
    fn find_or_add(&mut self, number: u64) -> Option<usize> {
        let mut at = place(number);
        loop {
            let place = self.places.get_mut(at)?;
            if place.round != self.round {
                if self.count < SEEN_MAX {
                    *place = Place {
                        number,
                        round: self.round,
                        nth: u32::try_from(self.count).unwrap_or(u32::MAX),
                    };
                    self.count += 1;
                }
                return None;
            }
            if place.number == number {
                return usize::try_from(place.nth).ok();
            }
            at = (at + 1) % PLACES;
        }
    }
}

/// Where a number belongs (Fibonacci hashing, Knuth 1973). Who makes numbers meet makes a search of a few hundred places.
fn place(number: u64) -> usize {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    usize::try_from(mixed).unwrap_or(0) % PLACES
}

fn low_byte(number: usize) -> u8 {
    let [low, ..] = number.to_le_bytes();
    low
}

macro_rules! numbers {
    ($($method:ident: $type:ty => $how:ident),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<(), PackError> {
            self.$how(value.into());
            Ok(())
        })*
    };
}

impl ser::Serializer for &mut Packer {
    type Ok = ();
    type Error = PackError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_bool: bool => number,
        serialize_u8: u8 => number,
        serialize_u16: u16 => number,
        serialize_u32: u32 => number,
        serialize_u64: u64 => number,
        serialize_i8: i8 => signed,
        serialize_i16: i16 => signed,
        serialize_i32: i32 => signed,
        serialize_i64: i64 => signed,
        serialize_char: char => number,
    }

    fn serialize_f32(self, value: f32) -> Result<(), PackError> {
        self.number(value.to_bits().swap_bytes().into());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), PackError> {
        self.number(value.to_bits().swap_bytes());
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), PackError> {
        self.raw(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), PackError> {
        self.raw(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), PackError> {
        self.number(0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), PackError> {
        self.number(1);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), PackError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), PackError> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), PackError> {
        self.number(index.into());
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), PackError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), PackError> {
        self.number(index.into());
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, PackError> {
        let length = length.ok_or_else(|| PackError::Type("a sequence of unknown length".to_owned()))?;
        self.length(length);
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, PackError> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, PackError> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, PackError> {
        self.number(index.into());
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, PackError> {
        self.serialize_seq(length)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, PackError> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, PackError> {
        self.number(index.into());
        Ok(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! parts {
    ($($kind:ident: $method:ident($($name:ident)?)),* $(,)?) => {
        $(impl ser::$kind for &mut Packer {
            type Ok = ();
            type Error = PackError;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), PackError> {
                $(let _ = $name;)?
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), PackError> {
                Ok(())
            }
        })*
    };
}

parts! {
    SerializeSeq: serialize_element(),
    SerializeTuple: serialize_element(),
    SerializeTupleStruct: serialize_field(),
    SerializeTupleVariant: serialize_field(),
    SerializeStruct: serialize_field(name),
    SerializeStructVariant: serialize_field(name),
}

impl ser::SerializeMap for &mut Packer {
    type Ok = ();
    type Error = PackError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), PackError> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PackError> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), PackError> {
        Ok(())
    }
}
