//! Sample descriptions: which codec, and how it is set.

use super::super::found::{AudioTrack, VideoTrack};
use super::super::number::{be16, be32, find};

/// Bytes of a sample entry before the boxes in it: pictures, and sound in its three versions.
const VIDEO_ENTRY: usize = 86;
const AUDIO_ENTRY: [usize; 3] = [36, 52, 72];

/// The picture that a sample entry describes.
pub(super) fn video(entry: &[u8]) -> VideoTrack {
    let side = |at| be16(entry, at).map(u32::from).filter(|&side| side > 0);
    let boxes = entry.get(VIDEO_ENTRY..).unwrap_or_default();
    let codec = match entry.get(4..8).unwrap_or_default() {
        b"mp4v" => object_type(boxes).map_or("mpeg4", video_object),
        name => video_codec(name),
    };
    let settings = Some(boxes).filter(|_| codec == "h264").and_then(|boxes| child(boxes, b"avcC"));
    VideoTrack {
        codec,
        profile: settings.and_then(|avc| Some(h264_profile(*avc.get(1)?, *avc.get(2)?))),
        level: settings.and_then(|avc| avc.get(3)).map(|level| format!("{}.{}", level / 10, level % 10)),
        width: side(32),
        height: side(34),
        b_frames: None,
    }
}

/// The sound that a sample entry describes.
pub(super) fn audio(entry: &[u8]) -> AudioTrack {
    let version = usize::from(be16(entry, 16).unwrap_or(0));
    let boxes = entry.get(AUDIO_ENTRY.get(version).copied().unwrap_or(36)..).unwrap_or_default();
    let name = entry.get(4..8).unwrap_or_default();
    let codec = match name {
        b"mp4a" => object_type(boxes).map_or("aac", audio_object),
        b"in24" | b"in32" | b"fl32" | b"fl64" | b"lpcm" => pcm(name, entry, boxes),
        b"raw " | b"NONE" => "pcm_u8",
        name => audio_codec(name),
    };
    let config = aac_config(boxes).filter(|_| codec == "aac");
    let (channels, rate) =
        if version == 2 { long_form(entry) } else { (be16(entry, 24), be16(entry, 32).map(u32::from)) };
    AudioTrack {
        codec,
        profile: config.as_ref().and_then(|config| config.profile),
        channels: config.as_ref().and_then(|config| config.channels).or(channels),
        sample_rate: rate.filter(|&rate| rate > 0),
    }
}

/// Channels and rate of a `QuickTime` sound description of version 2.
fn long_form(entry: &[u8]) -> (Option<u16>, Option<u32>) {
    let rate = super::super::number::be64(entry, 40).map(f64::from_bits);
    // A rate is a small whole number: what is none is not believed.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rate = rate.filter(|rate| (1.0..1e7).contains(rate)).map(|rate| rate as u32);
    (be32(entry, 48).and_then(|count| u16::try_from(count).ok()), rate)
}

fn video_codec(name: &[u8]) -> &'static str {
    match name {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => "h264",
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "hevc",
        b"av01" => "av1",
        b"vp08" => "vp8",
        b"vp09" => "vp9",
        b"s263" | b"h263" | b"H263" => "h263",
        b"jpeg" | b"mjpa" | b"mjpb" => "mjpeg",
        b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "prores",
        b"png " => "png",
        b"rle " => "qtrle",
        b"SVQ1" => "svq1",
        b"SVQ3" => "svq3",
        b"dvc " | b"dvcp" | b"dvpp" | b"dv5n" | b"dv5p" => "dvvideo",
        b"raw " | b"2vuy" | b"yuv2" | b"v210" | b"UYVY" => "rawvideo",
        b"m2v1" | b"mp2v" | b"hdv1" | b"hdv2" | b"hdv3" => "mpeg2video",
        b"m1v " | b"mp1v" => "mpeg1video",
        b"mjp2" => "jpeg2000",
        b"FFV1" => "ffv1",
        b"AVdh" => "dnxhd",
        b"cvid" => "cinepak",
        b"DIVX" | b"XVID" | b"3IV2" => "mpeg4",
        _ => "unknown",
    }
}

/// MPEG-4's registry of object types.
fn video_object(kind: u8) -> &'static str {
    match kind {
        0x20 => "mpeg4",
        0x21 => "h264",
        0x23 => "hevc",
        0x60..=0x65 => "mpeg2video",
        0x6a => "mpeg1video",
        0x6c => "mjpeg",
        0x6d => "png",
        0x6e => "jpeg2000",
        0xb1 => "vp9",
        _ => "unknown",
    }
}

fn audio_object(kind: u8) -> &'static str {
    match kind {
        0x40 | 0x66..=0x68 => "aac",
        0x69 | 0x6b => "mp3",
        0xa5 => "ac3",
        0xa6 => "eac3",
        0xa9 => "dts",
        0xad => "opus",
        0xdd => "vorbis",
        0xe1 => "qcelp",
        _ => "unknown",
    }
}

fn audio_codec(name: &[u8]) -> &'static str {
    match name {
        b"samr" => "amr_nb",
        b"sawb" => "amr_wb",
        b"Opus" => "opus",
        b"fLaC" => "flac",
        b"alac" => "alac",
        b"ac-3" | b"sac3" => "ac3",
        b"ec-3" => "eac3",
        b".mp3" | [b'm', b's', 0, 0x55] => "mp3",
        b".mp2" | [b'm', b's', 0, 0x50] => "mp2",
        b"sowt" => "pcm_s16le",
        b"twos" => "pcm_s16be",
        b"ulaw" => "pcm_mulaw",
        b"alaw" => "pcm_alaw",
        b"ima4" => "adpcm_ima_qt",
        [b'm', b's', 0, 2] => "adpcm_ms",
        [b'm', b's', 0, 0x11] => "adpcm_ima_wav",
        b"QDM2" => "qdm2",
        b"MAC3" => "mace3",
        b"agsm" => "gsm",
        b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" => "dts",
        b"spex" => "speex",
        _ => "unknown",
    }
}

/// Samples that are stored as they are: width, order and form.
fn pcm(name: &[u8], entry: &[u8], boxes: &[u8]) -> &'static str {
    const LITTLE: &[u8] = &[0, 0, 0, 10, b'e', b'n', b'd', b'a', 0, 1];
    let little = find(&boxes[..boxes.len().min(256)], LITTLE).is_some();
    match (name, little) {
        (b"in24", true) => "pcm_s24le",
        (b"in24", false) => "pcm_s24be",
        (b"in32", true) => "pcm_s32le",
        (b"in32", false) => "pcm_s32be",
        (b"fl32", true) => "pcm_f32le",
        (b"fl32", false) => "pcm_f32be",
        (b"fl64", true) => "pcm_f64le",
        (b"fl64", false) => "pcm_f64be",
        _ => long_pcm(be32(entry, 56).unwrap_or(0), be32(entry, 60).unwrap_or(0)),
    }
}

/// `lpcm` of version 2: bits of a sample, and flags (1 float, 2 big-endian, 4 signed).
fn long_pcm(bits: u32, flags: u32) -> &'static str {
    match (bits, flags & 1 == 1, flags & 2 == 2) {
        (64, true, false) => "pcm_f64le",
        (64, true, true) => "pcm_f64be",
        (32, true, false) => "pcm_f32le",
        (32, true, true) => "pcm_f32be",
        (32, false, false) => "pcm_s32le",
        (32, false, true) => "pcm_s32be",
        (24, _, false) => "pcm_s24le",
        (24, _, true) => "pcm_s24be",
        (16, _, false) => "pcm_s16le",
        (16, _, true) => "pcm_s16be",
        (8, ..) => "pcm_u8",
        _ => "unknown",
    }
}

/// The content of a box among others; `QuickTime` puts sound's settings one level deeper, into `wave`.
fn child<'a>(boxes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = boxes;
    // A sample entry has a handful of boxes.
    for _ in 0..32 {
        let size = usize::try_from(be32(rest, 0)?).ok().filter(|&size| size >= 8)?;
        let content = rest.get(8..size.min(rest.len()))?;
        match rest.get(4..8)? {
            found if found == name => return Some(content),
            b"wave" => {
                if let Some(found) = child(content, name) {
                    return Some(found);
                }
            }
            _ => {}
        }
        rest = rest.get(size..)?;
    }
    None
}

/// The object type of an elementary stream (ISO/IEC 14496-1, 7.2.6.6).
fn object_type(boxes: &[u8]) -> Option<u8> {
    descriptor(decoder(boxes)?, 4)?.first().copied()
}

/// What stands in the elementary stream's descriptor.
fn decoder(boxes: &[u8]) -> Option<&[u8]> {
    let stream = descriptor(child(boxes, b"esds")?.get(4..)?, 3)?;
    let flags = *stream.get(2)?;
    let mut skipped = 3;
    if flags & 0x80 != 0 {
        skipped += 2;
    }
    if flags & 0x40 != 0 {
        skipped += 1 + usize::from(*stream.get(skipped)?);
    }
    if flags & 0x20 != 0 {
        skipped += 2;
    }
    stream.get(skipped..)
}

/// The content of a descriptor with this tag, which stands first.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    if *bytes.first()? != tag {
        return None;
    }
    let (mut length, mut at) = (0_usize, 1);
    for _ in 0..4 {
        let byte = *bytes.get(at)?;
        at += 1;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    bytes.get(at..at.saturating_add(length).min(bytes.len()))
}

struct AacConfig {
    profile: Option<&'static str>,
    channels: Option<u16>,
}

/// Object type and channels of an `AudioSpecificConfig` (ISO/IEC 14496-3, 1.6.2.1).
fn aac_config(boxes: &[u8]) -> Option<AacConfig> {
    let config = descriptor(descriptor(decoder(boxes)?, 4)?.get(13..)?, 5)?;
    let bits = be16(config, 0)?;
    let profile = match bits >> 11 {
        1 => Some("Main"),
        2 => Some("LC"),
        5 => Some("HE-AAC"),
        29 => Some("HE-AACv2"),
        _ => None,
    };
    // A rate that is spelled out takes three bytes more, and the channels stand behind it.
    let listed = bits >> 7 & 0xf != 0xf;
    let channels = Some(bits >> 3 & 0xf).filter(|&count| listed && (1..=7).contains(&count));
    Some(AacConfig { profile, channels: channels.map(|count| if count == 7 { 8 } else { count }) })
}

/// H.264, table A.1; `constraints` is the byte behind the profile.
fn h264_profile(profile: u8, constraints: u8) -> &'static str {
    match profile {
        66 if constraints & 0x40 != 0 => "Constrained Baseline",
        66 => "Baseline",
        77 => "Main",
        88 => "Extended",
        100 => "High",
        110 => "High 10",
        122 => "High 4:2:2",
        244 => "High 4:4:4 Predictive",
        _ => "unknown",
    }
}
