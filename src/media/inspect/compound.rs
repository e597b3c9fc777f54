//! Compound files (MS-CFB): DOC, XLS and PPT, and Office documents behind a password.

use std::io::{BufReader, Read, Seek};

use cfb::CompoundFile;

use super::Found;
use super::found::{Details, Fault};
use super::number::le16;
use super::source::Source;

/// Of the directory and the tables: a document of 20 MB has 160 kB of tables.
const MOST_BYTES: u64 = 2 << 20;
const BUFFER: usize = 4 << 10;
/// A document has some dozens.
const MOST_ENTRIES: usize = 4_096;

pub(super) fn inspect<R: Read + Seek>(source: &mut Source<R>) -> Found {
    let Ok(mut file) = CompoundFile::open(BufReader::with_capacity(BUFFER, source.bounded(MOST_BYTES))) else {
        let details = Details { fault: Some(Fault::Truncated), ..Details::default() };
        return Found::new("application/x-ole-storage", "", details);
    };
    let names = Names::of(&file);
    let details = Details {
        encrypted: Some(names.package || is_encrypted(&mut file, &names)),
        macros: Some(names.macros),
        ..Details::default()
    };
    let (name, extension) = names.document();
    Found::new(name, extension, details)
}

/// Which streams are there.
#[allow(clippy::struct_excessive_bools)] // each is there or not, in any combination
#[derive(Default)]
struct Names {
    text: bool,
    /// The name it has, which differs between versions.
    sheet: Option<&'static str>,
    slides: bool,
    package: bool,
    message: bool,
    macros: bool,
}

impl Names {
    fn of<F: Read + Seek>(file: &CompoundFile<F>) -> Self {
        let mut names = Self::default();
        for entry in file.walk().take(MOST_ENTRIES) {
            let root = entry.path().components().count() == 2;
            match entry.name() {
                "WordDocument" if root => names.text = true,
                "Workbook" if root => names.sheet = Some("/Workbook"),
                "Book" if root => names.sheet = Some("/Book"),
                "PowerPoint Document" if root => names.slides = true,
                "EncryptedPackage" if root => names.package = true,
                "__properties_version1.0" if root => names.message = true,
                "_VBA_PROJECT" => names.macros = true,
                _ => {}
            }
        }
        names
    }

    /// Behind a password nobody can tell which of the newer documents it is.
    fn document(&self) -> (&'static str, &'static str) {
        match self {
            Self { package: true, .. } => ("application/encrypted", ""),
            Self { text: true, .. } => ("application/msword", "doc"),
            Self { slides: true, .. } => ("application/vnd.ms-powerpoint", "ppt"),
            Self { sheet: Some(_), .. } => ("application/vnd.ms-excel", "xls"),
            Self { message: true, .. } => ("application/vnd.ms-outlook", "msg"),
            _ => ("application/x-ole-storage", ""),
        }
    }
}

fn is_encrypted<F: Read + Seek>(file: &mut CompoundFile<F>, names: &Names) -> bool {
    if names.text {
        // MS-DOC 2.5.1: bit 8 of the flags at 10.
        let flags = start(file, "/WordDocument").and_then(|bytes| le16(&bytes, 10));
        return flags.is_some_and(|flags| flags & 0x100 != 0);
    }
    // MS-XLS 2.4.117: a FilePass record follows the first.
    let records = names.sheet.and_then(|name| start(file, name)).unwrap_or_default();
    let second = le16(&records, 2).map(|length| usize::from(length) + 4);
    second.and_then(|at| le16(&records, at)) == Some(0x2f)
}

fn start<F: Read + Seek>(file: &mut CompoundFile<F>, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.open_stream(name).ok()?.take(64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
