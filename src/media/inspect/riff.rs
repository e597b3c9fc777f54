//! RIFF WAVE: how the sound is stored, from the `fmt ` chunk.

use std::io::{self, Read, Seek};

use super::Found;
use super::found::{AudioTrack, Details};
use super::number::{le16, le32};
use super::source::Source;

/// A recorder writes a few notes before the samples.
const MOST_CHUNKS: usize = 64;

pub(super) fn inspect<R: Read + Seek>(source: &mut Source<R>) -> io::Result<Found> {
    let mut details = Details::default();
    let mut bytes_a_second = None;
    let (mut at, mut whole) = (12_u64, false);
    for _ in 0..MOST_CHUNKS {
        let chunk = source.read_at(at, 48)?;
        let (Some(name), Some(size)) = (chunk.get(..4), le32(&chunk, 4)) else { break };
        match name {
            b"fmt " => {
                details.audio.push(track(&chunk[8..]));
                bytes_a_second = le32(&chunk, 16);
            }
            b"data" => {
                let there = u64::from(size).min(source.length().saturating_sub(at + 8));
                // A writer that cannot go back leaves the largest number for "unknown".
                whole = size == u32::MAX || at + 8 + u64::from(size) <= source.length();
                details.duration_seconds =
                    bytes_a_second.filter(|&rate| rate > 0).map(|rate| there as f64 / f64::from(rate));
                break;
            }
            _ => {}
        }
        at += 8 + u64::from(size) + u64::from(size & 1);
    }
    Ok(Found::new("audio/wav", "wav", details.whole(whole)))
}

fn track(format: &[u8]) -> AudioTrack {
    let bits = le16(format, 14).unwrap_or(0);
    // The extensible form has the code in its first two bytes of a GUID.
    let code = match le16(format, 0) {
        Some(0xfffe) => le16(format, 24),
        code => code,
    };
    AudioTrack {
        codec: codec(code.unwrap_or(0), bits),
        profile: None,
        channels: le16(format, 2),
        sample_rate: le32(format, 4),
    }
}

fn codec(code: u16, bits: u16) -> &'static str {
    match (code, bits) {
        (1, 8) => "pcm_u8",
        (1, 16) => "pcm_s16le",
        (1, 24) => "pcm_s24le",
        (1, 32) => "pcm_s32le",
        (2, _) => "adpcm_ms",
        (3, 32) => "pcm_f32le",
        (3, 64) => "pcm_f64le",
        (6, _) => "pcm_alaw",
        (7, _) => "pcm_mulaw",
        (0x11, _) => "adpcm_ima_wav",
        (0x31, _) => "gsm_ms",
        (0x50, _) => "mp2",
        (0x55, _) => "mp3",
        (0xff | 0x1600, _) => "aac",
        _ => "unknown",
    }
}
