//! From bytes to values.

use super::{FAR, FULL, KNOWN, NEAR, NEAR_MAX, PackError, RUN_MIN, SEEN_MAX, ZEROS};
use serde::de::{self, Deserialize, DeserializeSeed, Visitor};

/// Unpacks values, one after the other, in memory of its own.
#[derive(Debug, Default)]
pub struct Unpacker {
    seen: Vec<u64>,
}

/// What is left of one packed value.
struct Reader<'de, 's> {
    bytes: &'de [u8],
    zeros: u8,
    seen: &'s mut Vec<u64>,
}

impl Unpacker {
    /// The value that was packed. Cost: linear in it.
    ///
    /// # Errors
    /// Bytes that are not those of such a value: cut short, too long, or damaged.
    pub fn unpack<'de, T: Deserialize<'de>>(&mut self, bytes: &'de [u8]) -> Result<T, PackError> {
        self.seen.clear();
        self.seen.push(KNOWN);
        let mut reader = Reader {
            bytes,
            zeros: 0,
            seen: &mut self.seen,
        };
        let value = T::deserialize(&mut reader)?;
        match (reader.bytes.len(), reader.zeros) {
            (0, 0) => Ok(value),
            (left, _) => Err(PackError::Long(left)),
        }
    }
}

impl<'de> Reader<'de, '_> {
    #[inline]
    fn number(&mut self) -> Result<u64, PackError> {
        if self.zeros > 0 {
            self.zeros -= 1;
            return Ok(0);
        }
        let (first, rest) = self.bytes.split_first().ok_or(PackError::Short)?;
        self.bytes = rest;
        match *first {
            small if small < ZEROS => Ok(small.into()),
            run if run < NEAR => {
                self.zeros = run - ZEROS + RUN_MIN - 1;
                Ok(0)
            }
            near if near < FAR => self.met(usize::from(near - NEAR)),
            FAR => {
                let far = self.byte()?;
                self.met(NEAR_MAX + usize::from(far))
            }
            full => self.full(usize::from(full - FULL) + 1),
        }
    }

    fn byte(&mut self) -> Result<u8, PackError> {
        let (byte, rest) = self.bytes.split_first().ok_or(PackError::Short)?;
        self.bytes = rest;
        Ok(*byte)
    }

    fn met(&self, nth: usize) -> Result<u64, PackError> {
        let number = self.seen.get(nth).copied();
        number.ok_or_else(|| PackError::Damaged("a reference to nothing".to_owned()))
    }

    fn full(&mut self, length: usize) -> Result<u64, PackError> {
        let (given, rest) = self.bytes.split_at_checked(length).ok_or(PackError::Short)?;
        let number = match self.bytes.first_chunk::<8>() {
            // Eight are read and those that come behind cut off: a copy of known length.
            Some(eight) => u64::from_le_bytes(*eight) & (u64::MAX >> (64 - 8 * length)),
            None => given
                .iter()
                .rfold(0, |number, byte| number << 8 | u64::from(*byte)),
        };
        self.bytes = rest;
        if length > 1 && self.seen.len() < SEEN_MAX {
            self.seen.push(number);
        }
        Ok(number)
    }

    fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, PackError> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| PackError::Damaged("a number out of range".to_owned()))
    }

    fn signed<T: TryFrom<i64>>(&mut self) -> Result<T, PackError> {
        let folded = self.number()?;
        let number = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
        T::try_from(number).map_err(|_| PackError::Damaged("a number out of range".to_owned()))
    }

    fn raw(&mut self) -> Result<&'de [u8], PackError> {
        let length = self.narrow()?;
        if length == 0 {
            return Ok(&[]);
        }
        let (given, rest) = self.bytes.split_at_checked(length).ok_or(PackError::Short)?;
        self.bytes = rest;
        Ok(given)
    }

    fn text(&mut self) -> Result<&'de str, PackError> {
        let bytes = self.raw()?;
        std::str::from_utf8(bytes).map_err(|_| PackError::Damaged("text that is not UTF-8".to_owned()))
    }
}

macro_rules! numbers {
    ($($method:ident => $visit:ident($($read:tt)*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
            visitor.$visit(self.$($read)*?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = PackError;

    numbers! {
        deserialize_u8 => visit_u8(narrow()),
        deserialize_u16 => visit_u16(narrow()),
        deserialize_u32 => visit_u32(narrow()),
        deserialize_u64 => visit_u64(number()),
        deserialize_i8 => visit_i8(signed()),
        deserialize_i16 => visit_i16(signed()),
        deserialize_i32 => visit_i32(signed()),
        deserialize_i64 => visit_i64(signed()),
        deserialize_str => visit_borrowed_str(text()),
        deserialize_string => visit_borrowed_str(text()),
        deserialize_bytes => visit_borrowed_bytes(raw()),
        deserialize_byte_buf => visit_borrowed_bytes(raw()),
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        match self.number()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(PackError::Damaged("neither true nor false".to_owned())),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        visitor.visit_f32(f32::from_bits(self.narrow::<u32>()?.swap_bytes()))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        visitor.visit_f64(f64::from_bits(self.number()?.swap_bytes()))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        let letter = char::from_u32(self.narrow()?);
        visitor.visit_char(letter.ok_or_else(|| PackError::Damaged("no character".to_owned()))?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        match self.number()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            _ => Err(PackError::Damaged("neither there nor absent".to_owned())),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, PackError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, PackError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        let left = self.narrow()?;
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, PackError> {
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, PackError> {
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        let left = self.narrow()?;
        visitor.visit_map(Parts { reader: self, left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PackError> {
        visitor.visit_seq(Parts {
            reader: self,
            left: fields.len(),
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PackError> {
        visitor.visit_enum(self)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, PackError> {
        Err(PackError::Type("one that reads names of fields".to_owned()))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, PackError> {
        Err(PackError::Type("one that does not say what it reads".to_owned()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PackError> {
        self.deserialize_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The parts of a value that are left.
struct Parts<'r, 'de, 's> {
    reader: &'r mut Reader<'de, 's>,
    left: usize,
}

impl<'de> Parts<'_, 'de, '_> {
    fn next<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, PackError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> de::SeqAccess<'de> for Parts<'_, 'de, '_> {
    type Error = PackError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, PackError> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> de::MapAccess<'de> for Parts<'_, 'de, '_> {
    type Error = PackError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, PackError> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, PackError> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> de::EnumAccess<'de> for &mut Reader<'de, '_> {
    type Error = PackError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), PackError> {
        let index: u32 = self.narrow()?;
        let value = seed.deserialize(de::value::U32Deserializer::<PackError>::new(index))?;
        Ok((value, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut Reader<'de, '_> {
    type Error = PackError;

    fn unit_variant(self) -> Result<(), PackError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, PackError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, PackError> {
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PackError> {
        visitor.visit_seq(Parts {
            reader: self,
            left: fields.len(),
        })
    }
}
