//! MPEG audio (MP3, AAC in ADTS), AMR, and MPEG program and transport streams.

use std::io::{self, Read, Seek};

use super::Found;
use super::found::{AudioTrack, Details, Fault, VideoTrack};
use super::number::{be16, be32, find};
use super::source::{HEAD, Source};

/// MP3 or AAC, past the tag that may stand before; a tag may be as long as the cover picture in it.
pub(super) fn audio<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Option<Found>> {
    let tag = tag_length(head);
    let frames = if tag == 0 { head.to_vec() } else { source.read_at(tag, HEAD)? };
    let length = source.length().saturating_sub(tag);
    if let Some(found) = frames_at(&frames, length) {
        return Ok(Some(found));
    }
    // Junk of some bytes before the first frame is common behind a tag, and none is expected without one.
    let start =
        if tag > 0 { frames.windows(2).position(|window| window[0] == 0xff && window[1] & 0xe0 == 0xe0) } else { None };
    let found = start.and_then(|at| frames_at(&frames[at..], length));
    let broken = || Found::new("audio/mpeg", "mp3", Details { fault: Some(Fault::Truncated), ..Details::default() });
    Ok(found.or_else(|| (tag > 0).then(broken)))
}

/// Bytes of an `ID3v2` tag: each of the four has seven bits.
fn tag_length(head: &[u8]) -> u64 {
    match head {
        [b'I', b'D', b'3', 2..=4, _, flags, a, b, c, d, ..] if (a | b | c | d) & 0x80 == 0 => {
            let length = [a, b, c, d].into_iter().fold(0, |sum, &byte| sum << 7 | u64::from(byte));
            length + 10 + if flags & 0x10 == 0 { 0 } else { 10 }
        }
        _ => 0,
    }
}

fn frames_at(bytes: &[u8], length: u64) -> Option<Found> {
    adts(bytes).or_else(|| mp3(bytes, length))
}

struct Frame {
    bytes: usize,
    layer: u8,
    kilobits: u32,
    rate: u32,
    channels: u16,
    samples: u32,
}

/// One frame header (ISO/IEC 11172-3, 2.4.2.3).
fn frame(bytes: &[u8]) -> Option<Frame> {
    const ONE: [[u32; 15]; 3] = [
        [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    ];
    const TWO: [[u32; 15]; 2] = [
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let header = be32(bytes, 0).filter(|header| header >> 21 == 0x7ff)?;
    let (version, layer) = (header >> 19 & 3, 4 - u8::try_from(header >> 17 & 3).ok()?);
    let (rate_at, bits_at) = (usize::try_from(header >> 10 & 3).ok()?, usize::try_from(header >> 12 & 15).ok()?);
    if version == 1 || layer == 4 || rate_at == 3 {
        return None;
    }
    let table = if version == 3 { &ONE[usize::from(layer) - 1] } else { &TWO[usize::from(layer > 1)] };
    let kilobits = *table.get(bits_at).filter(|&&kilobits| kilobits > 0)?;
    let rate = [44_100, 48_000, 32_000][rate_at]
        >> match version {
            3 => 0,
            2 => 1,
            _ => 2,
        };
    let samples = match layer {
        1 => 384,
        3 if version != 3 => 576,
        _ => 1152,
    };
    let padding = header >> 9 & 1;
    let bytes = if layer == 1 {
        (12_000 * kilobits / rate + padding) * 4
    } else {
        samples / 8 * kilobits * 1000 / rate + padding
    };
    let channels = if header >> 6 & 3 == 3 { 1 } else { 2 };
    Some(Frame { bytes: usize::try_from(bytes).ok()?, layer, kilobits, rate, channels, samples })
}

/// Two frames in a row, or one that is the whole file: a mark of UTF-16 looks like the start of one.
fn mp3(bytes: &[u8], length: u64) -> Option<Found> {
    let first = frame(bytes).filter(|first| first.bytes <= bytes.len())?;
    let second = bytes.get(first.bytes..).filter(|rest| rest.len() >= 4);
    if second.is_some_and(|rest| frame(rest).is_none_or(|next| next.layer != first.layer)) {
        return None;
    }
    let codec = ["mp1", "mp2", "mp3"][usize::from(first.layer) - 1];
    let track = AudioTrack { channels: Some(first.channels), sample_rate: Some(first.rate), ..AudioTrack::of(codec) };
    let constant = length as f64 * 8.0 / (f64::from(first.kilobits) * 1000.0);
    let counted = frame_count(&bytes[..first.bytes.min(bytes.len())]);
    let seconds = counted.map_or(constant, |count| f64::from(count) * f64::from(first.samples) / f64::from(first.rate));
    let details = Details { audio: vec![track], duration_seconds: Some(seconds), ..Details::default() };
    Some(Found::new("audio/mpeg", if codec == "mp3" { "mp3" } else { "mp2" }, details))
}

/// Frames of the file, as an encoder notes them in the first one.
fn frame_count(first: &[u8]) -> Option<u32> {
    let note = find(first, b"Xing").or_else(|| find(first, b"Info"))?;
    let flags = be32(first, note + 4)?;
    be32(first, note + 8).filter(|_| flags & 1 == 1)
}

/// AAC frames (ISO/IEC 13818-7, 6.2).
fn adts(bytes: &[u8]) -> Option<Found> {
    const RATES: [u32; 13] =
        [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
    let (first, header) = (adts_frame(bytes).filter(|&first| first <= bytes.len())?, be32(bytes, 0)?);
    let second = bytes.get(first..).filter(|rest| rest.len() >= 7);
    if second.is_some_and(|rest| adts_frame(rest).is_none()) {
        return None;
    }
    let rate = RATES.get(usize::try_from(header >> 10 & 15).ok()?).copied()?;
    let count = u16::try_from(header >> 6 & 7).ok().filter(|&count| count > 0);
    let profile = ["Main", "LC", "SSR", "LTP"][usize::try_from(header >> 14 & 3).ok()?];
    let track = AudioTrack {
        codec: "aac",
        profile: Some(profile),
        channels: count.map(|count| if count == 7 { 8 } else { count }),
        sample_rate: Some(rate),
    };
    let details = Details { audio: vec![track], ..Details::default() };
    Some(Found::new("audio/aac", "aac", details))
}

/// Bytes of an ADTS frame.
fn adts_frame(bytes: &[u8]) -> Option<usize> {
    be16(bytes, 0).filter(|sync| sync & 0xfff6 == 0xfff0)?;
    let length = usize::try_from((be32(bytes, 3)? >> 13) & 0x1fff).ok()?;
    (length >= 7).then_some(length)
}

/// AMR in its storage form (RFC 4867, 5).
pub(super) fn amr(length: u64, head: &[u8]) -> Found {
    let wide = head.starts_with(b"#!AMR-WB");
    let codec = if wide { "amr_wb" } else { "amr_nb" };
    let several = find(&head[..head.len().min(16)], b"_MC1.0").is_some();
    let track = AudioTrack {
        channels: (!several).then_some(1),
        sample_rate: Some(if wide { 16_000 } else { 8_000 }),
        ..AudioTrack::of(codec)
    };
    let details = Details { audio: vec![track], ..Details::default() };
    let named = if wide { "audio/amr-wb" } else { "audio/amr" };
    Found::new(named, if wide { "awb" } else { "amr" }, details.whole(length > 9))
}

/// An MPEG-1 or MPEG-2 program stream, transport stream or bare video.
pub(super) fn program_stream(head: &[u8]) -> Option<Found> {
    match be32(head, 0)? {
        0x1ba | 0x1b3 => {}
        _ if is_transport(head) => return Some(Found::new("video/mp2t", "ts", Details::default())),
        _ => return None,
    }
    let mut details = Details::default();
    if let Some(at) = find(head, &[0, 0, 1, 0xb3]) {
        details.video.push(picture(&head[at..]));
    }
    details.audio.extend(sound(head));
    if let Some((width, height)) = details.video.first().and_then(|video| video.width.zip(video.height)) {
        details = details.sized(width, height);
    }
    Some(Found::new("video/mpeg", "mpg", details))
}

fn is_transport(head: &[u8]) -> bool {
    head.len() > 188 * 3 && head.iter().step_by(188).take(4).all(|&byte| byte == 0x47)
}

/// A sequence header; MPEG-2 has an extension behind it (ISO/IEC 13818-2, 6.2.2).
fn picture(bytes: &[u8]) -> VideoTrack {
    let sides = be32(bytes, 4).map(|bits| (bits >> 20, bits >> 8 & 0xfff));
    let next = find(bytes.get(4..).unwrap_or_default(), &[0, 0, 1]).and_then(|at| bytes.get(at + 7));
    let codec = if next == Some(&0xb5) { "mpeg2video" } else { "mpeg1video" };
    VideoTrack { codec, width: sides.map(|sides| sides.0), height: sides.map(|sides| sides.1), ..VideoTrack::default() }
}

/// The first packet of an audio stream, and the frame that begins in it.
fn sound(head: &[u8]) -> Option<AudioTrack> {
    let starts = head.windows(4).enumerate().filter(|(_, window)| matches!(window, [0, 0, 1, 0xbd..=0xdf]));
    for (at, window) in starts.filter(|(_, window)| window[3] != 0xbe && window[3] != 0xbf).take(64) {
        let packet = &head[at..head.len().min(at + 2048)];
        if window[3] == 0xbd && find(packet, &[0x0b, 0x77]).is_some() {
            return Some(AudioTrack::of("ac3"));
        }
        let frames = (6..packet.len().saturating_sub(4)).filter_map(|at| frame(&packet[at..]));
        let Some(frame) = frames.into_iter().next() else { continue };
        let codec = ["mp1", "mp2", "mp3"][usize::from(frame.layer) - 1];
        return Some(AudioTrack {
            channels: Some(frame.channels),
            sample_rate: Some(frame.rate),
            ..AudioTrack::of(codec)
        });
    }
    None
}
