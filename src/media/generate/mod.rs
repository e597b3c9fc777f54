//! Valid media of each kind, of any size to the byte, the same bytes every time.
//!
//! Each begins with a small file of its kind, built in or written here, and is brought to the size with what the format
//! itself provides for data that a reader passes over: comments, unknown chunks, free boxes, stored entries, frames of
//! silence. The padding is noise, so that nothing on the way can make it smaller.

mod document;
mod film;
mod ogg;
mod package;
mod picture;
mod sound;

use serde::{Deserialize, Serialize};

/// A kind of media that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "io", derive(clap::ValueEnum))]
pub enum SampleKind {
    /// JPEG
    Jpeg,
    /// PNG
    Png,
    /// GIF
    Gif,
    /// WebP
    Webp,
    /// Windows bitmap
    Bmp,
    /// MP4 with H.264 and AAC
    Mp4,
    /// Ogg with Opus
    Ogg,
    /// MP3
    Mp3,
    /// AAC in ADTS
    Aac,
    /// AMR, narrow band
    Amr,
    /// PDF
    Pdf,
    /// Word
    Docx,
    /// Excel
    Xlsx,
    /// `PowerPoint`
    Pptx,
    /// ZIP archive
    Zip,
    /// Plain text
    Txt,
    /// Comma-separated values
    Csv,
}

impl SampleKind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Bmp,
        Self::Mp4,
        Self::Ogg,
        Self::Mp3,
        Self::Aac,
        Self::Amr,
        Self::Pdf,
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
        Self::Zip,
        Self::Txt,
        Self::Csv,
    ];

    /// The name in JSON and labels, and the extension of its files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Bmp => "bmp",
            Self::Mp4 => "mp4",
            Self::Ogg => "ogg",
            Self::Mp3 => "mp3",
            Self::Aac => "aac",
            Self::Amr => "amr",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Pptx => "pptx",
            Self::Zip => "zip",
            Self::Txt => "txt",
            Self::Csv => "csv",
        }
    }

    /// As in a `Content-Type` header.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Mp4 => "video/mp4",
            Self::Ogg => "audio/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::Aac => "audio/aac",
            Self::Amr => "audio/amr",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Zip => "application/zip",
            Self::Txt => "text/plain",
            Self::Csv => "text/csv",
        }
    }

    /// A valid file of exactly so many bytes; none below [`SampleKind::least_bytes`].
    #[must_use]
    pub fn make(self, bytes: usize) -> Option<Vec<u8>> {
        if bytes < self.least_bytes() {
            return None;
        }
        let made = match self {
            Self::Jpeg => picture::jpeg(bytes),
            Self::Png => picture::png(bytes),
            Self::Gif => picture::gif(bytes),
            Self::Webp => picture::webp(bytes),
            Self::Bmp => picture::bmp(bytes),
            Self::Mp4 => film::mp4(bytes),
            Self::Ogg => ogg::opus(bytes),
            Self::Mp3 => sound::mp3(bytes),
            Self::Aac => sound::aac(bytes),
            Self::Amr => sound::amr(bytes),
            Self::Pdf => document::pdf(bytes),
            Self::Docx => package::docx(bytes),
            Self::Xlsx => package::xlsx(bytes),
            Self::Pptx => package::pptx(bytes),
            Self::Zip => package::zip(bytes),
            Self::Txt => document::txt(bytes),
            Self::Csv => document::csv(bytes),
        };
        debug_assert_eq!(made.len(), bytes, "{}", self.name());
        Some(made)
    }

    /// The smallest size from which on every size can be made.
    #[must_use]
    pub fn least_bytes(self) -> usize {
        match self {
            Self::Txt => 1,
            Self::Csv => 64,
            Self::Jpeg | Self::Png | Self::Gif | Self::Webp | Self::Aac | Self::Amr => 512,
            Self::Bmp | Self::Ogg | Self::Mp3 | Self::Pdf | Self::Zip => 1 << 10,
            Self::Mp4 | Self::Docx | Self::Xlsx => 4 << 10,
            Self::Pptx => 16 << 10,
        }
    }
}

/// Bytes that nothing can compress, the same every time: xorshift (Marsaglia 2003).
#[derive(Clone, Debug)]
pub struct Noise {
    state: u64,
    left: u8,
}

impl Default for Noise {
    fn default() -> Self {
        // Any number but zero.
        Self { state: 0x9e37_79b9_7f4a_7c15, left: 0 }
    }
}

impl Iterator for Noise {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.left == 0 {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            self.left = 8;
        }
        self.left -= 1;
        Some(self.state.to_le_bytes()[7 - usize::from(self.left)])
    }
}

fn noise(bytes: usize) -> Vec<u8> {
    Noise::default().take(bytes).collect()
}

/// Noise of letters and digits.
fn letters(bytes: usize) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    noise(bytes).into_iter().map(|byte| LETTERS[usize::from(byte & 63)]).collect()
}

/// Four bytes, the highest first.
fn big(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("media are smaller than 4 GiB").to_be_bytes()
}

/// Four bytes, the lowest first.
fn little(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("media are smaller than 4 GiB").to_le_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::media::inspect::inspect;

    /// What our own inspection calls a type where there are several names for it.
    fn names(kind: SampleKind) -> &'static [&'static str] {
        match kind {
            SampleKind::Bmp => &["image/bmp", "image/x-ms-bmp"],
            _ => &[],
        }
    }

    #[test]
    fn every_size_is_made_to_the_byte_and_is_what_it_is_called() {
        for kind in SampleKind::ALL {
            let least = kind.least_bytes();
            let sizes = (least..least + 600).chain([65_535, 65_536, 70_000, 300_001]);
            for bytes in sizes {
                let made = kind.make(bytes).unwrap();
                assert_eq!(made.len(), bytes, "{}", kind.name());
                if bytes % 97 == 0 || bytes > 60_000 {
                    let seen = inspect(Cursor::new(&made)).unwrap();
                    let right =
                        seen.media_type.name == kind.media_type() || names(kind).contains(&&*seen.media_type.name);
                    assert!(right, "{} of {bytes}: {}", kind.name(), seen.media_type.name);
                    assert_eq!(seen.details.fault, None, "{} of {bytes}", kind.name());
                }
            }
            assert_eq!(kind.make(least - 1), None);
        }
    }

    #[test]
    fn the_same_size_gives_the_same_bytes_and_nothing_compresses_them() {
        for kind in SampleKind::ALL {
            assert_eq!(kind.make(20_000), kind.make(20_000));
        }
        let noise = noise(1 << 16);
        let mut seen = [0_u32; 256];
        for byte in noise {
            seen[usize::from(byte)] += 1;
        }
        assert!(seen.iter().all(|count| (170..350).contains(count)));
    }

    #[test]
    fn what_a_channel_takes_is_made_so_that_it_takes_it() {
        let film = inspect(Cursor::new(SampleKind::Mp4.make(100_000).unwrap())).unwrap().details;
        assert_eq!((film.video[0].codec, film.audio[0].codec, film.index_first), ("h264", "aac", Some(true)));
        let voice = inspect(Cursor::new(SampleKind::Ogg.make(100_000).unwrap())).unwrap().details;
        assert_eq!((voice.audio[0].codec, voice.audio[0].channels), ("opus", Some(1)));
    }
}
