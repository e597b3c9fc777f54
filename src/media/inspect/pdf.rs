//! PDF: where it begins, whether it ends, and whether it is encrypted.

use std::io::{self, Read, Seek};

use super::Found;
use super::found::Details;
use super::number::find;
use super::source::Source;

/// Readers look for the header within so many bytes (ISO 32000-1, annex H, note 13).
const HEADER_WITHIN: usize = 1_024;

pub(super) fn begins(head: &[u8]) -> bool {
    find(&head[..head.len().min(HEADER_WITHIN)], b"%PDF-").is_some()
}

pub(super) fn inspect<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Found> {
    let tail = source.tail()?;
    let whole = find(&tail, b"%%EOF").is_some();
    // The trailer stands at the end, that of a linearized file at the beginning.
    let encrypted = [&tail, head].into_iter().any(|part| find(part, b"/Encrypt").is_some());
    let macros = [&tail, head].into_iter().any(|part| find(part, b"/JavaScript").is_some());
    let details = Details { encrypted: Some(encrypted), macros: Some(macros), ..Details::default() };
    Ok(Found::new("application/pdf", "pdf", details.whole(whole)))
}
