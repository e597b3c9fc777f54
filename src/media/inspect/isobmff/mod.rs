//! ISO base media files: MP4, MOV, 3GP, M4A, HEIC and AVIF (ISO/IEC 14496-12), box by box, past the data.
#![allow(clippy::trivially_copy_pass_by_ref)] // a name is written b"moov", which is a reference

mod sample;
mod track;

use std::io::{self, Read, Seek};

use super::found::{Details, Fault};
use super::number::{be32, be64};
use super::source::Source;
use super::{Found, Kind};
use track::Track;

/// A film of two hours has some hundreds, in fragments of a second some thousands.
const MOST_BOXES: u32 = 4_096;
/// What is nested deepest is the sample description's inside, at seven.
const DEEPEST: u8 = 12;
/// More than any header that is read here.
const MOST_PAYLOAD: usize = 4_096;

/// Whether it begins like one; `QuickTime` files may begin without a brand.
pub(super) fn begins(head: &[u8]) -> bool {
    let plausible = be32(head, 0).is_some_and(|size| size == 1 || size == 0 || size >= 8);
    let kind = head.get(4..8).unwrap_or_default();
    plausible && (kind == b"ftyp" || matches!(kind, b"moov" | b"mdat" | b"wide" | b"pnot") && !is_text(head))
}

fn is_text(head: &[u8]) -> bool {
    head.iter().take(4).all(|byte| (0x20..0x7f).contains(byte))
}

pub(super) fn inspect<R: Read + Seek>(source: &mut Source<R>) -> io::Result<Found> {
    let mut walk = Walk { boxes_left: MOST_BOXES, film: Film::default() };
    let whole = walk.level(source, 0, source.length(), 0)?;
    Ok(walk.film.found(whole, source.length()))
}

/// What the boxes add up to.
#[derive(Default)]
struct Film {
    brands: Vec<[u8; 4]>,
    tracks: Vec<Track>,
    /// Units a second, and units.
    duration: Option<(u32, u64)>,
    /// Order in which index and data came.
    first: Option<Part>,
    index: bool,
    data: bool,
    fragments: bool,
    /// The largest picture of a still image.
    picture: Option<(u32, u32)>,
    bit_depth: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Index,
    Data,
}

struct Walk {
    boxes_left: u32,
    film: Film,
}

/// A box: its name, and where its content lies.
struct Header {
    kind: [u8; 4],
    start: u64,
    end: u64,
    /// It ends where it says.
    whole: bool,
}

impl Walk {
    /// Whether every box of this level ends within it.
    fn level<R: Read + Seek>(&mut self, source: &mut Source<R>, mut at: u64, end: u64, depth: u8) -> io::Result<bool> {
        while at + 8 <= end && self.boxes_left > 0 {
            self.boxes_left -= 1;
            let Some(header) = header(source, at, end)? else {
                // What follows a whole film is not part of it.
                return Ok(depth > 0 || self.film.index && self.film.data);
            };
            self.visit(source, &header, depth)?;
            if !header.whole {
                return Ok(false);
            }
            at = header.end;
        }
        Ok(true)
    }

    fn visit<R: Read + Seek>(&mut self, source: &mut Source<R>, header: &Header, depth: u8) -> io::Result<()> {
        match &header.kind {
            b"moov" => self.film.part(Part::Index),
            b"mdat" => self.film.part(Part::Data),
            b"moof" => self.film.fragments = true,
            b"trak" => self.film.tracks.push(Track::default()),
            _ => {}
        }
        match (inside(&header.kind), depth < DEEPEST) {
            (Some(skipped), true) => self.level(source, header.start + skipped, header.end, depth + 1).map(drop),
            (None, _) if is_read(&header.kind) => {
                let length = usize::try_from(header.end - header.start).unwrap_or(MOST_PAYLOAD).min(MOST_PAYLOAD);
                let payload = source.read_at(header.start, length)?;
                self.film.take(header.kind, &payload);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Boxes that hold boxes, and how many bytes stand before the first.
fn inside(kind: &[u8; 4]) -> Option<u64> {
    match kind {
        b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" | b"iprp" | b"ipco" => Some(0),
        b"meta" => Some(4),
        _ => None,
    }
}

fn is_read(kind: &[u8; 4]) -> bool {
    matches!(kind, b"ftyp" | b"mvhd" | b"mdhd" | b"hdlr" | b"stsd" | b"ctts" | b"ispe" | b"pixi")
}

fn header<R: Read + Seek>(source: &mut Source<R>, at: u64, end: u64) -> io::Result<Option<Header>> {
    let bytes = source.read_at(at, 16)?;
    let (Some(short), Some(Ok(kind))) = (be32(&bytes, 0), bytes.get(4..8).map(TryInto::try_into)) else {
        return Ok(None);
    };
    let (before, size) = match short {
        0 => (8, end - at),
        1 => (16, be64(&bytes, 8).unwrap_or(0)),
        size => (8, u64::from(size)),
    };
    if size < before {
        return Ok(None);
    }
    let due = at.saturating_add(size);
    Ok(Some(Header { kind, start: (at + before).min(end), end: due.min(end), whole: due <= end }))
}

impl Film {
    fn part(&mut self, part: Part) {
        self.first.get_or_insert(part);
        self.index |= part == Part::Index;
        self.data |= part == Part::Data;
    }

    fn take(&mut self, kind: [u8; 4], payload: &[u8]) {
        match &kind {
            b"ftyp" => self.brands = brands(payload),
            b"mvhd" => self.duration = track::duration(payload),
            b"ispe" => self.picture = self.picture.max(be32(payload, 4).zip(be32(payload, 8))),
            b"pixi" => self.bit_depth = self.bit_depth.or(payload.get(5).copied()),
            _ => {
                if let Some(track) = self.tracks.last_mut() {
                    track.take(&kind, payload);
                }
            }
        }
    }

    fn found(self, whole: bool, length: u64) -> Found {
        let still = self.still();
        let mut details = Details { brand: self.brands.first().map(|brand| printable(*brand)), ..Details::default() };
        if let Some((name, extension)) = still {
            details.bit_depth = self.bit_depth;
            details = self.picture.into_iter().fold(details, |details, (width, height)| details.sized(width, height));
            return Found::new(name, extension, details.whole(whole));
        }
        self.playable(details, whole, length)
    }

    fn playable(self, mut details: Details, whole: bool, length: u64) -> Found {
        let (name, extension) = self.container();
        let longest = self
            .tracks
            .iter()
            .filter_map(Track::seconds)
            .fold(None, |most: Option<f64>, seconds| Some(most.map_or(seconds, |most| most.max(seconds))));
        details.duration_seconds = self.duration.and_then(track::seconds).or(longest);
        details.fragmented = Some(self.fragments);
        details.index_first = self.index.then_some(self.first == Some(Part::Index));
        for track in self.tracks {
            track.add_to(&mut details);
        }
        if let Some((width, height)) = details.video.first().and_then(|video| video.width.zip(video.height)) {
            details = details.sized(width, height);
        }
        let mut found = Found::new(name, extension, details.whole(whole));
        if found.details.fault.is_none() && (!self.index || !(self.data || self.fragments)) {
            // A lone brand, or an index without data: what was to follow is not there.
            found.details.fault = Some(if length < 64 { Fault::Malformed } else { Fault::Truncated });
        }
        sounding(found)
    }

    /// Type of a still image, by its brands.
    fn still(&self) -> Option<(&'static str, &'static str)> {
        let has = |names: &[&[u8; 4]]| self.brands.iter().any(|brand| names.contains(&brand));
        let main = self.brands.first()?;
        if !self.tracks.is_empty() && !matches!(main, b"heic" | b"heix" | b"mif1" | b"avif") {
            return None;
        }
        match main {
            b"avif" | b"avis" => Some(("image/avif", "avif")),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some(("image/heic", "heic")),
            b"mif1" | b"msf1" | b"miaf" if has(&[b"avif", b"avis"]) => Some(("image/avif", "avif")),
            b"mif1" | b"msf1" | b"miaf" if has(&[b"heic", b"heix", b"hevc"]) => Some(("image/heic", "heic")),
            b"mif1" | b"msf1" => Some(("image/heif", "heif")),
            _ => None,
        }
    }

    fn container(&self) -> (&'static str, &'static str) {
        match self.brands.first() {
            None | Some(b"qt  ") => ("video/quicktime", "mov"),
            Some([b'3', b'g', b'2', _]) => ("video/3gpp2", "3g2"),
            Some([b'3', b'g', b'p' | b'r' | b's' | b'e' | b'h', _]) => ("video/3gpp", "3gp"),
            Some(b"M4A " | b"M4B " | b"M4P ") => ("audio/mp4", "m4a"),
            Some(_) => ("video/mp4", "mp4"),
        }
    }
}

/// Without a picture it is sound, whatever the brand says; a brand for sound with a picture is a video.
fn sounding(mut found: Found) -> Found {
    let Details { video, audio, .. } = &found.details;
    match (found.media_type.extension.as_str(), video.is_empty(), audio.is_empty()) {
        ("mp4" | "m4a", true, false) => found.media_type = super::MediaType::new("audio/mp4", "m4a"),
        ("3gp", true, false) => found.media_type = super::MediaType::new("audio/3gpp", "3gp"),
        ("m4a", false, _) if video.iter().any(|track| track.codec == "h264") => {
            found.media_type = super::MediaType::new("video/mp4", "mp4");
        }
        _ => {}
    }
    found.kind = if !audio.is_empty() && video.is_empty() { Kind::Audio } else { found.media_type.kind() };
    found
}

fn brands(payload: &[u8]) -> Vec<[u8; 4]> {
    let main = payload.get(..4).and_then(|brand| brand.try_into().ok());
    let compatible = payload.get(8..).unwrap_or_default().chunks_exact(4).filter_map(|brand| brand.try_into().ok());
    main.into_iter().chain(compatible).take(32).collect()
}

fn printable(brand: [u8; 4]) -> String {
    brand.escape_ascii().to_string().trim_end().to_owned()
}
