//! Numbers in headers.

/// Two bytes, the larger one first.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// Four bytes, the largest one first.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Eight bytes, the largest one first.
pub(super) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// Two bytes, the smaller one first.
pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// Four bytes, the smallest one first.
pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Eight bytes, the smallest one first.
pub(super) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// Where a pattern begins.
pub(super) fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_no_number() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!((be16(&bytes, 0), le16(&bytes, 0)), (Some(0x102), Some(0x201)));
        assert_eq!((be32(&bytes, 4), le32(&bytes, 4)), (Some(0x506_0708), Some(0x807_0605)));
        assert_eq!((be64(&bytes, 0), le64(&bytes, 0)), (Some(0x102_0304_0506_0708), Some(0x807_0605_0403_0201)));
        assert_eq!((be16(&bytes, 7), be32(&bytes, usize::MAX), be64(&bytes, 1)), (None, None, None));
        assert_eq!((find(&bytes, &[3, 4]), find(&bytes, &[9])), (Some(2), None));
    }
}
