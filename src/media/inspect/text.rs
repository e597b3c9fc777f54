//! Text: its encoding, and whether it is markup or a table.

use super::Found;
use super::found::Details;

/// Enough lines to tell a table.
const LINES: usize = 20;

pub(super) fn inspect(length: u64, head: &[u8]) -> Option<Found> {
    let (encoding, text) = decoded(head, length <= head.len() as u64)?;
    let (name, extension) = form(&text);
    Some(Found::new(name, extension, Details { encoding: Some(encoding), ..Details::default() }))
}

/// The text and its encoding; none when it is no text.
fn decoded(head: &[u8], whole: bool) -> Option<(&'static str, String)> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Some(text).filter(|text| printable(text) && !text.contains(char::REPLACEMENT_CHARACTER))
    };
    match head {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes).map(|text| ("utf-16le", text)),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes).map(|text| ("utf-16be", text)),
        _ if head.len() > 3 && alternate(head, 1) => wide(head, u16::from_le_bytes).map(|text| ("utf-16le", text)),
        _ if head.len() > 3 && alternate(head, 0) => wide(head, u16::from_be_bytes).map(|text| ("utf-16be", text)),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest, whole).map(|text| ("utf-8", text)),
        _ => utf8(head, whole)
            .map(|text| (if text.is_ascii() { "us-ascii" } else { "utf-8" }, text))
            .or_else(|| eight(head)),
    }
}

/// Western text in sixteen bits without a mark: nearly every other byte is zero.
fn alternate(head: &[u8], from: usize) -> bool {
    let zeros = head.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
    let others = head.iter().skip(1 - from).step_by(2).filter(|&&byte| byte == 0).count();
    others == 0 && zeros * 10 > head.len() / 2 * 9
}

fn utf8(head: &[u8], whole: bool) -> Option<String> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A letter may be cut at the end of what was read.
        Err(error) if !whole && error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    printable(text).then(|| text.to_owned())
}

/// One of the many encodings of eight bits: letters, no control characters, and mostly ASCII.
fn eight(head: &[u8]) -> Option<(&'static str, String)> {
    let high = head.iter().filter(|&&byte| byte >= 0x80).count();
    let text: String = head.iter().map(|&byte| char::from(byte)).collect();
    let controls = text.chars().any(|c| c.is_ascii_control() && !is_layout(c));
    (!controls && high * 2 < head.len()).then_some(("unknown-8bit", text))
}

fn printable(text: &str) -> bool {
    text.chars().all(|c| is_layout(c) || !c.is_ascii_control())
}

/// Tabs, ends of lines and pages, backspace, and the escape that colours a log.
fn is_layout(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{8}' | '\u{7}' | '\u{1b}')
}

fn form(text: &str) -> (&'static str, &'static str) {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let opening: String = start.chars().take(1024).collect::<String>().to_ascii_lowercase();
    if opening.starts_with("<!doctype html")
        || opening.starts_with("<html")
        || opening.contains("<html") && opening.starts_with('<')
    {
        return ("text/html", "html");
    }
    if opening.starts_with("{\\rtf") {
        return ("application/rtf", "rtf");
    }
    if opening.starts_with("%!ps") {
        return ("application/postscript", "ps");
    }
    if is_markup(&opening) {
        return if opening.contains("<svg") { ("image/svg+xml", "svg") } else { ("application/xml", "xml") };
    }
    if is_table(text) { ("text/csv", "csv") } else { ("text/plain", "txt") }
}

/// A declaration, or an element that is closed.
fn is_markup(opening: &str) -> bool {
    let name = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && rest.contains('>');
    opening.starts_with("<?xml") || opening.starts_with("<!--") || opening.strip_prefix('<').is_some_and(name)
}

/// Lines with the same number of the same separator, outside of quotation marks.
fn is_table(text: &str) -> bool {
    [',', ';', '\t'].into_iter().any(|separator| {
        let counts = rows(text, separator);
        counts.len() > 1 && counts[0] > 0 && counts.iter().all(|count| *count == counts[0])
    })
}

/// Separators in each of the first rows; the last row may be cut, and only counts when it is the second.
fn rows(text: &str, separator: char) -> Vec<usize> {
    let (mut counts, mut quoted, mut count, mut empty) = (Vec::new(), false, 0, true);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '\n' if !quoted => {
                if !empty {
                    counts.push(count);
                }
                (count, empty) = (0, true);
                if counts.len() == LINES {
                    return counts;
                }
                continue;
            }
            '\r' => continue,
            other if other == separator && !quoted => count += 1,
            _ => {}
        }
        empty = false;
    }
    if !empty && counts.len() == 1 {
        counts.push(count);
    }
    counts
}
