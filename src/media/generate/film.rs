//! A film of a second: H.264 Main without B frames, AAC, the index first.

use super::{big, noise};

const MP4: &[u8] = include_bytes!("../../../data/media/film.mp4");

/// A free box at the end (ISO/IEC 14496-12, 8.1.2).
pub(super) fn mp4(bytes: usize) -> Vec<u8> {
    let length = bytes - MP4.len();
    let mut made = [MP4, &big(length), b"free"].concat();
    made.extend(noise(length - 8));
    made
}
