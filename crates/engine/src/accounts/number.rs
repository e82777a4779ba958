//! Whole numbers in few bytes: seven bits a byte, the least first (LEB128, as in DWARF).

/// Bytes that a number takes at most.
pub const NUMBER_MAX: usize = 10;

/// Writes a number behind what is there.
pub fn write_number(number: u64, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(number_bytes(number, &mut [0; NUMBER_MAX]));
}

/// The bytes of a number, written into `room`.
pub fn number_bytes(mut number: u64, room: &mut [u8; NUMBER_MAX]) -> &[u8] {
    let mut length = 0;
    for place in room.iter_mut() {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        length += 1;
        *place = if number == 0 { low } else { low | 0x80 };
        if number == 0 {
            break;
        }
    }
    room.get(..length).unwrap_or_default()
}

/// The number that bytes begin with, and what stands behind it. Absent where they end within it.
pub fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(NUMBER_MAX) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        for number in [0, 1, 127, 128, 4_096, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            write_number(number, &mut bytes);
            assert_eq!(read_number(&bytes), Some((number, &[][..])));
            bytes.pop();
            assert_eq!(read_number(&bytes), None);
        }
    }
}
