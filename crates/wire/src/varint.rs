//! Zig-zag base-128 numbers, as records use them (`org.apache.kafka.common.utils.ByteUtils`).

/// A number that is longer than its type allows, or that ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadVarint;

/// How many bytes `value` takes.
#[must_use]
pub fn size(value: i64) -> i32 {
    let zigzag = zigzag(value);
    let bits = 64 - (zigzag | 1).leading_zeros() as i32;
    (bits + 6) / 7
}

/// Appends `value`. A 32-bit and a 64-bit number of the same value have the same bytes.
pub fn write(value: i64, bytes: &mut Vec<u8>) {
    write_unsigned(zigzag(value), bytes);
}

/// Appends a number that is not signed (`writeUnsignedVarint`): lengths and tags in messages (KIP-482).
pub fn write_unsigned(value: u64, bytes: &mut Vec<u8>) {
    let mut rest = value;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// Reads a 32-bit number (`readVarint`) from the front of `bytes`, which moves on behind it.
///
/// # Errors
/// If it has more than five bytes, or `bytes` ends before it does.
pub fn read_i32(bytes: &mut &[u8]) -> Result<i32, BadVarint> {
    let raw = read_unsigned(bytes, 5)? as u32;
    Ok(((raw >> 1) as i32) ^ -((raw & 1) as i32))
}

/// Reads a 64-bit number (`readVarlong`) from the front of `bytes`, which moves on behind it.
///
/// # Errors
/// If it has more than ten bytes, or `bytes` ends before it does.
pub fn read_i64(bytes: &mut &[u8]) -> Result<i64, BadVarint> {
    let raw = read_unsigned(bytes, 10)?;
    Ok(((raw >> 1) as i64) ^ -((raw & 1) as i64))
}

/// Reads a 32-bit number that is not signed (`readUnsignedVarint`) from the front of `bytes`, which moves on behind it.
///
/// # Errors
/// If it has more than five bytes, or `bytes` ends before it does.
pub fn read_unsigned_i32(bytes: &mut &[u8]) -> Result<u32, BadVarint> {
    read_unsigned(bytes, 5).map(|value| value as u32)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn read_unsigned(bytes: &mut &[u8], longest: u32) -> Result<u64, BadVarint> {
    let mut value = 0u64;
    for position in 0..longest {
        let (byte, rest) = bytes.split_first().ok_or(BadVarint)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(BadVarint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN_INT: i64 = i32::MIN as i64;
    const MAX_INT: i64 = i32::MAX as i64;

    /// The numbers of Kafka's `ByteUtilsTest.testVarintSerde`.
    const VARINTS: &[(i64, &[u8])] = &[
        (0, &[0x00]),
        (-1, &[0x01]),
        (1, &[0x02]),
        (63, &[0x7e]),
        (-64, &[0x7f]),
        (64, &[0x80, 0x01]),
        (-65, &[0x81, 0x01]),
        (8191, &[0xfe, 0x7f]),
        (-8192, &[0xff, 0x7f]),
        (8192, &[0x80, 0x80, 0x01]),
        (-8193, &[0x81, 0x80, 0x01]),
        (1_048_575, &[0xfe, 0xff, 0x7f]),
        (-1_048_576, &[0xff, 0xff, 0x7f]),
        (134_217_727, &[0xfe, 0xff, 0xff, 0x7f]),
        (134_217_728, &[0x80, 0x80, 0x80, 0x80, 0x01]),
        (MAX_INT, &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
        (MIN_INT, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
    ];

    /// The numbers that `testVarlongSerde` adds.
    const VARLONGS: &[(i64, &[u8])] = &[
        (17_179_869_183, &[0xfe, 0xff, 0xff, 0xff, 0x7f]),
        (281_474_976_710_655, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    ];

    /// The numbers of `testUnsignedVarintSerde`, which writes 32 bits whatever their sign.
    const UNSIGNED: &[(i32, &[u8])] = &[
        (0, &[0x00]),
        (-1, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        (1, &[0x01]),
        (63, &[0x3f]),
        (-64, &[0xc0, 0xff, 0xff, 0xff, 0x0f]),
        (64, &[0x40]),
        (8191, &[0xff, 0x3f]),
        (-8192, &[0x80, 0xc0, 0xff, 0xff, 0x0f]),
        (8192, &[0x80, 0x40]),
        (-8193, &[0xff, 0xbf, 0xff, 0xff, 0x0f]),
        (1_048_575, &[0xff, 0xff, 0x3f]),
        (1_048_576, &[0x80, 0x80, 0x40]),
        (i32::MAX, &[0xff, 0xff, 0xff, 0xff, 0x07]),
        (i32::MIN, &[0x80, 0x80, 0x80, 0x80, 0x08]),
    ];

    #[test]
    fn numbers_that_are_not_signed_have_kafkas_bytes_and_read_back() {
        for (value, expected) in UNSIGNED {
            let mut bytes = Vec::new();
            write_unsigned(u64::from(value.cast_unsigned()), &mut bytes);
            assert_eq!(bytes, *expected, "{value}");
            let mut rest = bytes.as_slice();
            assert_eq!((read_unsigned_i32(&mut rest), rest), (Ok(value.cast_unsigned()), &[][..]), "{value}");
        }
    }

    #[test]
    fn numbers_have_kafkas_bytes_and_sizes() {
        for (value, expected) in VARINTS.iter().chain(VARLONGS) {
            let mut bytes = Vec::new();
            write(*value, &mut bytes);
            assert_eq!(bytes, *expected, "{value}");
            assert_eq!(size(*value), expected.len() as i32, "{value}");
            assert_eq!(read_i64(&mut bytes.as_slice()), Ok(*value));
        }
    }

    #[test]
    fn thirty_two_bit_numbers_read_back() {
        for (value, bytes) in VARINTS {
            assert_eq!(read_i32(&mut &bytes[..]).map(i64::from), Ok(*value));
        }
    }

    #[test]
    fn numbers_that_are_too_long_or_cut_off_are_refused() {
        assert_eq!(read_i32(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..]), Err(BadVarint));
        let mut eleven = [0xff; 11];
        eleven[10] = 0x01;
        assert_eq!(read_i64(&mut &eleven[..]), Err(BadVarint));
        assert_eq!(read_i32(&mut &[0x80][..]), Err(BadVarint));
        assert_eq!(read_unsigned_i32(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..]), Err(BadVarint));
        assert_eq!(read_unsigned_i32(&mut &[0x80][..]), Err(BadVarint));
    }
}
