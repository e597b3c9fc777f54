//! Still and animated images: size, depth and colours, from their headers.

use std::io::{self, BufReader, Read, Seek};

use super::Found;
use super::found::{Color, Details, Fault};
use super::number::{be16, find, le16, le32};
use super::source::Source;

/// A picture from a camera has some dozens before the samples begin.
const MOST_SEGMENTS: usize = 512;
/// What `imagesize` may read: it stops at the first header with a size in it.
const MOST_BYTES: u64 = 1 << 20;

/// An image by its signature; none when it is something else.
pub(super) fn inspect<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Option<Found>> {
    Ok(Some(match head {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => png(source, head)?,
        [0xff, 0xd8, 0xff, ..] => jpeg(source)?,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => gif(source, head)?,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(source, head),
        [b'B', b'M', ..] => return Ok(bmp(source.length(), head)),
        _ => return Ok(None),
    }))
}

/// Size by `imagesize`; none when it finds none.
fn size<R: Read + Seek>(source: &mut Source<R>) -> Option<(u32, u32)> {
    let mut reader = BufReader::with_capacity(4 << 10, source.bounded(MOST_BYTES));
    reader.rewind().ok()?;
    let size = imagesize::reader_size(reader).ok()?;
    Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?))
}

fn sized(details: Details, size: Option<(u32, u32)>) -> Details {
    match size {
        Some((width, height)) if width > 0 && height > 0 => details.sized(width, height),
        _ => Details { fault: Some(Fault::Malformed), ..details },
    }
}

/// PNG (ISO/IEC 15948): the header is the first chunk.
pub(super) fn png<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Found> {
    let header = head.get(12..16).is_some_and(|name| name == b"IHDR");
    let side = |at| super::number::be32(head, at).filter(|_| header);
    let data = find(head, b"IDAT").unwrap_or(head.len());
    let details = Details {
        bit_depth: head.get(24).copied().filter(|depth| header && matches!(depth, 1 | 2 | 4 | 8 | 16)),
        color: head.get(25).filter(|_| header).and_then(|&code| png_color(code)),
        animated: Some(find(&head[..data], b"acTL").is_some()),
        ..Details::default()
    };
    let whole = find(&source.tail()?, b"IEND").is_some();
    Ok(Found::new("image/png", "png", sized(details.whole(whole), side(16).zip(side(20)))))
}

fn png_color(code: u8) -> Option<Color> {
    match code {
        0 | 4 => Some(Color::Gray),
        2 => Some(Color::Rgb),
        3 => Some(Color::Palette),
        6 => Some(Color::Rgba),
        _ => None,
    }
}

/// JPEG (ISO/IEC 10918-1): the frame header has size, depth and number of components.
pub(super) fn jpeg<R: Read + Seek>(source: &mut Source<R>) -> io::Result<Found> {
    let frame = frame(source)?;
    let whole = find(&source.tail()?, &[0xff, 0xd9]).is_some();
    let details = Details {
        bit_depth: frame.first().copied(),
        color: frame.get(5).and_then(|&components| jpeg_color(components)),
        animated: Some(false),
        ..Details::default()
    };
    let side = |at| be16(&frame, at).map(u32::from);
    Ok(Found::new("image/jpeg", "jpg", sized(details.whole(whole), side(3).zip(side(1)))))
}

/// Bits, height, width and components; empty when there is no frame header.
fn frame<R: Read + Seek>(source: &mut Source<R>) -> io::Result<Vec<u8>> {
    let mut at = 2_u64;
    for _ in 0..MOST_SEGMENTS {
        let segment = source.read_at(at, 12)?;
        let (Some(&[0xff, marker]), Some(length)) = (segment.first_chunk(), be16(&segment, 2)) else { break };
        match marker {
            // Filling before a marker.
            0xff => at += 1,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return Ok(segment[4..].to_vec()),
            0xd9 | 0xda => break,
            0x01 | 0xd0..=0xd7 => at += 2,
            _ => at += 2 + u64::from(length),
        }
    }
    Ok(Vec::new())
}

fn jpeg_color(components: u8) -> Option<Color> {
    match components {
        1 => Some(Color::Gray),
        3 => Some(Color::Rgb),
        4 => Some(Color::Cmyk),
        _ => None,
    }
}

fn gif<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Found> {
    let side = |at| le16(head, at).map(u32::from);
    let tail = source.tail()?;
    let whole = tail.iter().rev().find(|&&byte| byte != 0) == Some(&0x3b);
    let details = Details {
        animated: Some(frames(head) > 1),
        color: Some(Color::Palette),
        bit_depth: Some(8),
        ..Details::default()
    };
    Ok(Found::new("image/gif", "gif", sized(details.whole(whole), side(6).zip(side(8)))))
}

/// Pictures that begin within what was read; two are as good as a hundred.
fn frames(head: &[u8]) -> usize {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + head.get(10).map_or(0, |&flags| table(flags));
    let mut frames = 0;
    while frames < 2 {
        match (head.get(at), head.get(at + 1)) {
            (Some(0x21), Some(_)) => at = blocks(head, at + 2),
            (Some(0x2c), _) => {
                frames += 1;
                at = blocks(head, at + 11 + head.get(at + 9).map_or(0, |&flags| table(flags)));
            }
            _ => break,
        }
    }
    frames + usize::from(frames == 1 && at >= head.len() && find(head, b"NETSCAPE2.0").is_some())
}

/// The place behind a chain of blocks.
fn blocks(head: &[u8], mut at: usize) -> usize {
    while let Some(&length) = head.get(at) {
        at += 1 + usize::from(length);
        if length == 0 {
            break;
        }
    }
    at
}

fn webp<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> Found {
    let flags = head.get(20).copied().filter(|_| head.get(12..16).is_some_and(|name| name == b"VP8X")).unwrap_or(0);
    // A lossless picture notes transparency in its own header.
    let lossless =
        head.get(12..16).is_some_and(|name| name == b"VP8L") && head.get(24).is_some_and(|bits| bits & 0x10 != 0);
    let details = Details {
        animated: Some(flags & 2 != 0),
        color: Some(if flags & 0x10 != 0 || lossless { Color::Rgba } else { Color::Rgb }),
        bit_depth: Some(8),
        ..Details::default()
    };
    let whole = le32(head, 4).is_some_and(|length| u64::from(length) + 8 <= source.length());
    let found = size(source);
    Found::new("image/webp", "webp", sized(details.whole(whole), found))
}

/// BMP with its own sizes: OS/2's short header has them in two bytes, where `imagesize` reads four.
fn bmp(length: u64, head: &[u8]) -> Option<Found> {
    let (header, planes_at) = (le32(head, 14)?, if le32(head, 14)? == 12 { 22 } else { 26 });
    if !matches!(header, 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124) || le16(head, planes_at)? != 1 {
        return None;
    }
    let size = if header == 12 {
        (u32::from(le16(head, 18)?), u32::from(le16(head, 20)?))
    } else {
        // A negative height stores the lines from the top.
        (le32(head, 18)?, le32(head, 22)?.cast_signed().unsigned_abs())
    };
    let bits = le16(head, planes_at + 2)?;
    let (depth, color) = match bits {
        1 | 2 | 4 | 8 => (8, Color::Palette),
        16 => (5, Color::Rgb),
        24 => (8, Color::Rgb),
        _ => (8, Color::Rgba),
    };
    let stored = u64::from(size.0) * u64::from(size.1) * u64::from(bits) / 8;
    let packed = header != 12 && le32(head, 30).is_some_and(|method| method != 0 && method != 3);
    let details = Details { bit_depth: Some(depth), color: Some(color), animated: Some(false), ..Details::default() };
    Some(Found::new("image/bmp", "bmp", sized(details.whole(packed || stored <= length), Some(size))))
}
