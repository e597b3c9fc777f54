//! Whole files with bytes flipped, cut, overwritten and repeated: no parser may panic, hang or read beyond its budget.
//!
//! `EGRESSD_MUTATIONS=10000000 cargo test --release --lib media::inspect::damage` tries as many of each.

use std::io::{Cursor, Read, Seek, SeekFrom};

use super::{inspect, inspect_as, made};
use crate::chance::Chance;

/// Enough for each test run.
const MUTATIONS: u64 = 100_000;
/// What one inspection may read: its own budget, and that of a foreign parser.
const MOST_BYTES: usize = (8 << 20) + (2 << 20);

fn mutations() -> u64 {
    std::env::var("EGRESSD_MUTATIONS").ok().map_or(MUTATIONS, |count| count.parse().unwrap())
}

fn damaged(whole: &[u8], chance: &mut Chance) -> Vec<u8> {
    const VALUES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 8, 0x40];
    let mut bytes = whole.to_vec();
    for _ in 0..=chance.next(6) {
        let at = chance.next(bytes.len());
        match chance.next(8) {
            0 => bytes.truncate(at),
            1 => {
                let again = bytes[at..bytes.len().min(at + chance.next(64))].to_vec();
                bytes.splice(at..at, again);
            }
            2 => drop(bytes.drain(at..bytes.len().min(at + chance.next(32)))),
            3 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0xff),
            4 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0),
            5 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = VALUES[chance.next(8)]),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << chance.next(8)),
        }
    }
    bytes
}

/// Each in turn, by the parser alone and by way of its signature.
fn survives(parser: &str, whole: &[Vec<u8>]) {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for turn in 0..mutations() {
        let at = usize::try_from(turn).unwrap() % whole.len();
        let bytes = damaged(&whole[at], &mut chance);
        if turn % 2 == 0 {
            inspect_as(parser, &bytes);
        } else {
            let mut reader = Counting { inner: Cursor::new(&bytes), read: 0 };
            let found = inspect(&mut reader).unwrap();
            assert_eq!(found.bytes, bytes.len() as u64);
            assert!(reader.read <= MOST_BYTES, "{parser}: {} bytes of {}", reader.read, bytes.len());
        }
    }
}

struct Counting<R> {
    inner: R,
    read: usize,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

impl<R: Seek> Seek for Counting<R> {
    fn seek(&mut self, place: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(place)
    }
}

#[test]
fn isobmff() {
    survives("isobmff", &[made::mp4(b"isom", true), made::mp4(b"qt  ", false), made::heic()]);
}

#[test]
fn ogg() {
    survives("ogg", &[made::opus(1), made::ogg(b"\x01vorbis\0\0\0\0\x02\x44\xac\0\0"), made::ogg(b"\x7fFLAC")]);
}

#[test]
fn mpeg() {
    survives("mpeg", &[made::mp3(0), made::mp3(300), made::mpeg(), made::AMR.to_vec()]);
}

#[test]
fn png() {
    survives("png", &[made::png(640, 480, 8, 2), made::png(1, 1, 16, 6)]);
}

#[test]
fn jpeg() {
    survives("jpeg", &[made::jpeg(640, 480, 3), made::jpeg(1, 1, 4)]);
}

#[test]
fn riff() {
    survives("riff", &[made::wav()]);
}

#[test]
fn archive() {
    survives("archive", &[made::zip(&["[Content_Types].xml", "word/document.xml"]), made::tar()]);
}

#[test]
fn compound() {
    survives("compound", &[made::compound(&["/WordDocument"]), made::compound(&["/Workbook", "/x"])]);
}

#[test]
fn text() {
    let wide: Vec<u8> = "a;b\nc;d\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    survives("text", &[b"a,b\n\"c,\n\",d\n".to_vec(), wide, b"<?xml version=\"1.0\"?><a/>".to_vec(), "größe".into()]);
}

#[test]
fn everything_else() {
    survives("any", &[made::GIF.to_vec(), made::PDF.to_vec(), vec![0x1f, 0x8b, 8, 0], b"BM\x46\0\0\0".to_vec()]);
}
