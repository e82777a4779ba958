use super::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    One(u64),
    Two(i8, i64),
    Named { at: Option<f32>, of: Box<Shape> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Thing {
    flag: bool,
    letters: (char, String),
    shapes: Vec<Shape>,
    counts: [u8; 24],
    spans: BTreeMap<u32, (i16, f64)>,
    unit: (),
    maybe: Option<Option<u32>>,
}

fn packed<T: Serialize>(value: &T) -> Vec<u8> {
    Packer::default().pack(value).unwrap().to_vec()
}

fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> usize {
    let bytes = packed(value);
    let mut unpacker = Unpacker::default();
    assert_eq!(&unpacker.unpack::<T>(&bytes).unwrap(), value);
    for end in 0..bytes.len() {
        assert!(
            unpacker.unpack::<T>(&bytes[..end]).is_err(),
            "{value:?} cut at {end}"
        );
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(unpacker.unpack::<T>(&longer), Err(PackError::Long(1)));
    bytes.len()
}

fn thing() -> Thing {
    let of = Box::new(Shape::Two(-128, i64::MIN));
    Thing {
        flag: true,
        letters: ('é', "straße".to_owned()),
        shapes: vec![
            Shape::Nothing,
            Shape::One(u64::MAX),
            Shape::Named { at: Some(-0.0), of },
        ],
        counts: [0; 24],
        spans: [(7, (-3, 0.1)), (u32::MAX, (i16::MAX, f64::MIN_POSITIVE))].into(),
        unit: (),
        maybe: Some(None),
    }
}

#[test]
fn what_is_unpacked_is_what_was_packed() {
    check(&thing());
    check(&vec![thing(), thing()]);
    for bits in 0..64 {
        for number in [1_u64 << bits, (1 << bits) - 1, u64::MAX << bits] {
            check(&number);
            check(&number.cast_signed());
            check(&(number, 0_u8, number, Some(number)));
        }
    }
}

#[test]
fn bits_of_floats_are_kept() {
    for float in [0.0, -0.0, 1.0, 0.1, f32::INFINITY, f32::MIN_POSITIVE, -3.5e-12] {
        let back: f32 = Unpacker::default().unpack(&packed(&float)).unwrap();
        assert_eq!(back.to_bits(), float.to_bits());
    }
    let back: f64 = Unpacker::default().unpack(&packed(&f64::NAN)).unwrap();
    assert_eq!(back.to_bits(), f64::NAN.to_bits());
}

#[test]
fn zeros_and_what_was_met_before_take_little() {
    assert_eq!(check(&[0_u64; 32]), 1);
    for zeros in 0..128_usize {
        assert_eq!(check(&vec![0_u8; zeros]), 1 + zeros.div_ceil(49));
    }
    assert_eq!(check(&[0x0123_4567_89ab_cdef_u64; 5]), 9 + 4);
    assert_eq!(check(&[1.0_f32; 5]), 5, "one visit");
    assert_eq!(check(&(0.5_f64, 500.0_f64)), 3 + 4);
}

#[test]
fn more_numbers_than_may_be_referred_to_are_written_in_full() {
    let numbers: Vec<u64> = (2_000..2_800).collect();
    let twice: Vec<u64> = numbers.iter().chain(&numbers).copied().collect();
    // One visit and the length are referred to, too.
    let (near, far) = (NEAR_MAX - 2, SEEN_MAX - NEAR_MAX);
    let again = near + 2 * far + 3 * (numbers.len() - near - far);
    assert_eq!(check(&twice), 3 + 3 * numbers.len() + again);
}

#[test]
fn one_value_knows_nothing_of_another() {
    let mut packer = Packer::default();
    let first = packer.pack(&(77_777_u64, 88_888_u64)).unwrap().to_vec();
    packer.pack(&thing()).unwrap();
    assert_eq!(packer.pack(&(77_777_u64, 88_888_u64)).unwrap(), first);
}

#[test]
fn damaged_bytes_are_errors() {
    let bytes = packed(&thing());
    let mut unpacker = Unpacker::default();
    for at in 0..bytes.len() {
        for change in [1, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= change;
            // Either another thing, or an error; never a panic, and never much memory.
            drop(unpacker.unpack::<Thing>(&damaged));
        }
    }
    assert!(unpacker.unpack::<u64>(&[0xc0]).is_err(), "a reference to nothing");
    assert!(unpacker.unpack::<u8>(&[0xf9, 0, 1]).is_err(), "256 is no byte");
    assert!(unpacker.unpack::<bool>(&[2]).is_err());
}
