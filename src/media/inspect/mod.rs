//! What a file is, from its content alone: never from its name, without decoding or unpacking anything.
//!
//! What an inspection reads, and in how many pieces, is bounded for the whole file; so are boxes, depth and entries. What
//! goes beyond, or is broken, is reported as what it is and never an error: errors are those of the disk.

mod archive;
mod compound;
mod found;
mod image;
mod isobmff;
mod mpeg;
mod number;
mod ogg;
mod pdf;
mod riff;
mod source;
mod text;

#[cfg(test)]
mod damage;
#[cfg(test)]
pub(crate) mod made;

pub use found::{AudioTrack, Color, Details, Fault, Inspection, MediaType, VideoTrack};

use std::io::{self, Read, Seek};

use file_format::FileFormat;
use source::Source;

use crate::media::rules::Kind;

/// A type, what it is to a channel, and what its headers say.
struct Found {
    media_type: MediaType,
    kind: Kind,
    details: Details,
}

impl Found {
    fn new(name: &str, extension: &str, details: Details) -> Self {
        let media_type = MediaType::new(name, extension);
        Self { kind: media_type.kind(), media_type, details }
    }
}

/// Says what a file is.
///
/// # Errors
/// Those of the reader alone.
pub fn inspect<R: Read + Seek>(reader: R) -> io::Result<Inspection> {
    let mut source = Source::new(reader)?;
    let head = source.head()?;
    let Found { media_type, kind, details } = found(&mut source, &head)?;
    Ok(Inspection { bytes: source.length(), media_type, kind, details })
}

/// Signatures at the very beginning come first, then those that may stand a little later, then what has none.
fn found<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Found> {
    if head.is_empty() {
        return Ok(empty());
    }
    if isobmff::begins(head) {
        return isobmff::inspect(source);
    }
    if let Some(found) = image::inspect(source, head)? {
        return Ok(found);
    }
    match head {
        [b'O', b'g', b'g', b'S', ..] => ogg::inspect(source, head),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => riff::inspect(source),
        [b'P', b'K', 3 | 5 | 7, 4 | 6 | 8, ..] => Ok(archive::zip(source, head)),
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Ok(compound::inspect(source)),
        [b'#', b'!', b'A', b'M', b'R', ..] => Ok(mpeg::amr(source.length(), head)),
        [0x1f, 0x8b, 8, ..] => Ok(Found::new("application/gzip", "gz", Details::default())),
        _ => unsigned(source, head),
    }
}

fn unsigned<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Found> {
    if pdf::begins(head) {
        return pdf::inspect(source, head);
    }
    if let Some(found) = archive::tar(source, head)? {
        return Ok(found);
    }
    if let Some(found) = mpeg::program_stream(head) {
        return Ok(found);
    }
    if let Some(found) = mpeg::audio(source, head)? {
        return Ok(found);
    }
    Ok(text::inspect(source.length(), head).unwrap_or_else(|| foreign(head)))
}

/// What no channel takes, by name.
fn foreign(head: &[u8]) -> Found {
    let format = FileFormat::from_bytes(head);
    match format {
        FileFormat::ArbitraryBinaryData | FileFormat::Empty | FileFormat::PlainText => {
            Found::new("application/octet-stream", "", Details::default())
        }
        known => {
            let kind = match known.kind() {
                file_format::Kind::Audio => Kind::Audio,
                file_format::Kind::Image => Kind::Image,
                file_format::Kind::Video => Kind::Video,
                _ => Kind::Document,
            };
            Found { kind, ..Found::new(known.media_type(), known.extension(), Details::default()) }
        }
    }
}

fn empty() -> Found {
    Found::new("application/x-empty", "", Details { fault: Some(Fault::Empty), ..Details::default() })
}

/// Each parser alone, for the fuzz targets: what a mutation makes of a signature must not hide the parser behind it.
#[doc(hidden)]
pub fn inspect_as(parser: &str, bytes: &[u8]) {
    let Ok(mut source) = Source::new(io::Cursor::new(bytes)) else { return };
    let head = &bytes[..bytes.len().min(source::HEAD)];
    let source = &mut source;
    match parser {
        "isobmff" => drop(isobmff::inspect(source)),
        "ogg" => drop(ogg::inspect(source, head)),
        "mpeg" => drop((mpeg::program_stream(head), mpeg::amr(bytes.len() as u64, head), mpeg::audio(source, head))),
        "png" => drop(image::png(source, head)),
        "jpeg" => drop(image::jpeg(source)),
        "riff" => drop(riff::inspect(source)),
        "archive" => drop((archive::zip(source, head), archive::tar(source, head))),
        "compound" => drop(compound::inspect(source)),
        "text" => drop(text::inspect(bytes.len() as u64, head)),
        _ => drop(found(source, head)),
    }
}

#[cfg(test)]
mod tests;
