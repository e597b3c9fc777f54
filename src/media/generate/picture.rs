//! Pictures of 16 by 16 pixels.

use super::{big, little, noise};

const JPEG: &[u8] = include_bytes!("../../../data/media/picture.jpg");
const PNG: &[u8] = include_bytes!("../../../data/media/picture.png");
const GIF: &[u8] = include_bytes!("../../../data/media/picture.gif");
const WEBP: &[u8] = include_bytes!("../../../data/media/picture.webp");
const BMP: &[u8] = include_bytes!("../../../data/media/picture.bmp");

/// Comment segments behind the first marker (ITU-T T.81, B.2.4.5).
pub(super) fn jpeg(bytes: usize) -> Vec<u8> {
    /// A length of two bytes counts itself.
    const MOST: usize = 0xffff - 2;
    let (start, rest) = JPEG.split_at(2);
    let mut left = bytes - JPEG.len();
    let mut made = start.to_vec();
    while left >= 4 {
        let length = (left - 4).min(MOST);
        made.extend([0xff, 0xfe]);
        made.extend(u16::try_from(length + 2).expect("at most MOST").to_be_bytes());
        made.extend(noise(length));
        left -= length + 4;
    }
    // Any number of fill bytes may stand before a marker (B.1.1.2).
    made.extend(std::iter::repeat_n(0xff, left));
    made.extend_from_slice(rest);
    made
}

/// A private chunk that is not needed, before the last (PNG, 5.4).
pub(super) fn png(bytes: usize) -> Vec<u8> {
    /// Length, name and check of a chunk.
    const FRAME: usize = 12;
    let (head, end) = PNG.split_at(PNG.len() - FRAME);
    let length = bytes - PNG.len() - FRAME;
    let mut named = b"egRd".to_vec();
    named.extend(noise(length));
    let check = crc32(&named);
    [head, &big(length), &named, &check.to_be_bytes(), end].concat()
}

/// A comment before the trailer (`GIF89a`, 24).
pub(super) fn gif(bytes: usize) -> Vec<u8> {
    let (head, trailer) = GIF.split_at(GIF.len() - 1);
    let mut left = bytes - GIF.len() - 3;
    let mut made = [head, &[0x21, 0xfe]].concat();
    while left > 0 {
        // No block of one byte, which would be its length alone, may be left over.
        let block = if left == 257 { 255 } else { left.min(256) };
        made.push(u8::try_from(block - 1).expect("at most 255"));
        made.extend(noise(block - 1));
        left -= block;
    }
    made.push(0);
    made.extend_from_slice(trailer);
    made
}

/// A chunk that readers do not know, behind the picture; an odd byte follows the whole (RIFF has even chunks alone).
pub(super) fn webp(bytes: usize) -> Vec<u8> {
    let whole = bytes & !1;
    let length = whole - WEBP.len() - 8;
    let mut made = [&WEBP[..4], &little(whole - 8), &WEBP[8..], b"egRd", &little(length)].concat();
    made.extend(noise(length));
    made.extend(std::iter::repeat_n(0, bytes - whole));
    made
}

/// The pixels begin where the header says.
pub(super) fn bmp(bytes: usize) -> Vec<u8> {
    const HEADERS: usize = 14 + 40;
    let gap = bytes - BMP.len();
    let (headers, pixels) = BMP.split_at(HEADERS);
    let mut made = [&headers[..2], &little(bytes), &headers[6..10], &little(HEADERS + gap), &headers[14..]].concat();
    made.extend(noise(gap));
    made.extend_from_slice(pixels);
    made
}

/// The check of a chunk (PNG, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |sum: u32, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
    let table: Vec<u32> = (0..256).map(|byte| (0..8).fold(byte, bit)).collect();
    let step = |sum: u32, byte: &u8| table[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8);
    !bytes.iter().fold(!0, step)
}
