//! Sounds: silence.

use super::noise;

const MP3: &[u8] = include_bytes!("../../../data/media/silence.mp3");
/// One frame of ADTS.
const AAC: &[u8] = include_bytes!("../../../data/media/silence.aac");

/// A tag before the sound with a private frame in it (ID3v2.4, 3.1 and 4.27).
pub(super) fn mp3(bytes: usize) -> Vec<u8> {
    const OWNER: &[u8] = b"egressd\0";
    let tag = bytes - MP3.len() - 10;
    let frame = tag - 10;
    let mut made = [b"ID3\x04\0\0", &seven_bits(tag)[..], b"PRIV", &seven_bits(frame), &[0, 0], OWNER].concat();
    // A tag must not look like the beginning of sound.
    made.extend(noise(frame - OWNER.len()).into_iter().map(|byte| byte & 0x7f));
    made.extend_from_slice(MP3);
    made
}

/// Frames of silence, each with zeros behind its end, which decoders pass over.
pub(super) fn aac(bytes: usize) -> Vec<u8> {
    /// Their length has 13 bits.
    const MOST: usize = 8191;
    let mut made = Vec::with_capacity(bytes);
    while made.len() < bytes {
        let left = bytes - made.len();
        // What is left over must hold a frame.
        let length = if left > MOST { MOST.min(left - AAC.len()) } else { left.min(MOST) };
        made.extend(adts(length));
    }
    made
}

/// The one frame, made longer (ISO/IEC 13818-7, 6.2).
fn adts(length: usize) -> Vec<u8> {
    let mut frame = AAC.to_vec();
    let [_, top, middle, low] = u32::try_from(length << 5).expect("13 bits").to_be_bytes();
    frame[3] = (frame[3] & 0xfc) | top;
    frame[4] = middle;
    frame[5] = (frame[5] & 0x1f) | low;
    frame.resize(length, 0);
    frame
}

/// Frames of 4.75 and 5.15 kbit/s, which have 13 and 14 bytes: every length from 156 on is made of them (RFC 4867, 5.3).
pub(super) fn amr(bytes: usize) -> Vec<u8> {
    const HEAD: &[u8] = b"#!AMR\n";
    let left = bytes - HEAD.len();
    let (frames, longer) = (left / 13, left % 13);
    let mut made = HEAD.to_vec();
    for number in 0..frames {
        let (rate, length) = if number < longer { (1, 14) } else { (0, 13) };
        made.push(rate << 3 | 4);
        made.extend(std::iter::repeat_n(0, length - 1));
    }
    made
}

/// A number in four bytes of seven bits (ID3v2.4, 6.2).
fn seven_bits(number: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| u8::try_from(number >> shift & 0x7f).expect("seven bits"))
}
