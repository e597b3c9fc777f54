//! ZIP with the documents that are one, and tar.

use std::io::{self, BufReader, Read, Seek};

use zip::ZipArchive;

use super::Found;
use super::found::{Details, Fault};
use super::source::Source;

/// Of the list of contents: some 10,000 entries, which take 5 MB in memory.
const MOST_BYTES: u64 = 512 << 10;
const BUFFER: usize = 4 << 10;

pub(super) fn zip<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> Found {
    let Some(list) = contents(source) else {
        let named = mimetype(head).unwrap_or(("application/zip", "zip"));
        return Found::new(named.0, named.1, Details { fault: Some(Fault::Truncated), ..Details::default() });
    };
    let details = Details {
        entries: Some(list.entries),
        unpacked_bytes: list.unpacked_bytes,
        encrypted: Some(list.encrypted),
        macros: list.is_office.then_some(list.macros),
        ..Details::default()
    };
    let (name, extension) = list.document(head);
    Found::new(name, extension, details)
}

/// What the list of contents says; nothing is unpacked.
#[derive(Default)]
struct Contents {
    entries: u64,
    unpacked_bytes: Option<u64>,
    encrypted: bool,
    macros: bool,
    is_office: bool,
    main: Option<Main>,
}

/// The part that makes a package a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Main {
    Text,
    Sheet,
    Slides,
}

fn contents<R: Read + Seek>(source: &mut Source<R>) -> Option<Contents> {
    let mut archive = ZipArchive::new(BufReader::with_capacity(BUFFER, source.bounded(MOST_BYTES))).ok()?;
    let mut list = Contents { entries: archive.len() as u64, ..Contents::default() };
    list.unpacked_bytes = archive.decompressed_size().and_then(|bytes| u64::try_from(bytes).ok());
    for name in archive.file_names_raw() {
        list.name(name);
    }
    // One encrypted file is enough, and archives are encrypted as a whole: the first few are asked.
    for index in 0..archive.len().min(16) {
        list.encrypted |= archive.by_index_raw(index).is_ok_and(|file| file.encrypted());
    }
    Some(list)
}

impl Contents {
    fn name(&mut self, name: &[u8]) {
        match name {
            b"[Content_Types].xml" => self.is_office = true,
            b"word/document.xml" | b"word/document2.xml" => self.main = Some(Main::Text),
            b"xl/workbook.xml" | b"xl/workbook.bin" => self.main = Some(Main::Sheet),
            b"ppt/presentation.xml" => self.main = Some(Main::Slides),
            _ => self.macros |= name.ends_with(b"vbaProject.bin"),
        }
    }

    fn document(&self, head: &[u8]) -> (&'static str, &'static str) {
        if let Some(named) = mimetype(head) {
            return named;
        }
        match (self.main.filter(|_| self.is_office), self.macros) {
            (Some(Main::Text), false) => {
                ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx")
            }
            (Some(Main::Sheet), false) => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
            (Some(Main::Slides), false) => {
                ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx")
            }
            (Some(Main::Text), true) => ("application/vnd.ms-word.document.macroEnabled.12", "docm"),
            (Some(Main::Sheet), true) => ("application/vnd.ms-excel.sheet.macroEnabled.12", "xlsm"),
            (Some(Main::Slides), true) => ("application/vnd.ms-powerpoint.presentation.macroEnabled.12", "pptm"),
            (None, _) => ("application/zip", "zip"),
        }
    }
}

/// Formats whose first file says what they are, stored as it is.
fn mimetype(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let name = head.get(30..)?.strip_prefix(b"mimetype")?;
    let known = [
        ("application/vnd.oasis.opendocument.text", "odt"),
        ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
        ("application/vnd.oasis.opendocument.presentation", "odp"),
        ("application/vnd.oasis.opendocument.graphics", "odg"),
        ("application/epub+zip", "epub"),
    ];
    known.into_iter().find(|(media_type, _)| name.starts_with(media_type.as_bytes()))
}

/// A tape archive, by the sum of its first header (POSIX pax, `ustar`), old ones included.
pub(super) fn tar<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Option<Found>> {
    let Some(header) = head.get(..512).filter(|header| header_sum(header)) else { return Ok(None) };
    let blocks = source.length().div_ceil(512);
    let size = octal(&header[124..136]).unwrap_or(0);
    let whole = size.div_ceil(512).saturating_add(1) <= blocks && ends(&source.tail()?);
    Ok(Some(Found::new("application/x-tar", "tar", Details::default().whole(whole))))
}

/// An archive ends with two empty blocks.
fn ends(tail: &[u8]) -> bool {
    tail.len() >= 1024 && tail[tail.len() - 1024..].iter().all(|&byte| byte == 0)
}

fn header_sum(header: &[u8]) -> bool {
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    let field: u64 = header[148..156].iter().map(|&byte| u64::from(byte)).sum();
    header[0] != 0 && octal(&header[148..156]) == Some(sum - field + 8 * u64::from(b' '))
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(|c| c == ' ' || c == '\0');
    u64::from_str_radix(text, 8).ok()
}
