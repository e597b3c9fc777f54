//! File names in commands that people copy into a shell.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

/// A name as one word of a POSIX shell, whatever is in it.
///
/// A name that begins with a hyphen is written as a path, so that no program takes it for a flag. What a terminal would
/// not show as it is, control characters, bytes that are no text, changes of writing direction, is spelled out for
/// `printf`. None when even that cannot express the name: a command substitution loses a line feed at the end.
#[must_use]
pub fn word(file: &Path) -> Option<String> {
    let bytes = file.as_os_str().as_encoded_bytes();
    let bytes: Cow<'_, [u8]> = if bytes.starts_with(b"-") { [b"./", bytes].concat().into() } else { bytes.into() };
    match std::str::from_utf8(&bytes) {
        Ok(text) if !text.is_empty() && text.bytes().all(is_plain) => Some(text.to_owned()),
        Ok(text) if text.chars().all(shows) => Some(format!("'{}'", text.replace('\'', "'\\''"))),
        _ if bytes.ends_with(b"\n") => None,
        _ => Some(spelled(&bytes)),
    }
}

/// A name for a new file beside it, in letters that mean nothing to a shell or a program.
#[must_use]
pub fn beside(file: &Path, extension: &str) -> std::path::PathBuf {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let plain = !stem.is_empty() && !stem.starts_with(['-', '.']) && stem.bytes().all(is_plain) && !stem.contains('/');
    let stem = if plain { stem } else { "file" };
    file.with_file_name(format!("{stem}-repaired.{extension}"))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/')
}

/// Whether a terminal shows it as one letter, where it stands.
fn shows(letter: char) -> bool {
    matches!(letter, '\'' | '"' | '\\') || letter.escape_debug().len() == 1
}

fn spelled(bytes: &[u8]) -> String {
    let mut word = String::from("\"$(printf '");
    for &byte in bytes {
        if is_plain(byte) || byte == b' ' {
            word.push(char::from(byte));
        } else {
            let _ = write!(word, "\\{byte:03o}");
        }
    }
    word + "')\""
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn of(bytes: &[u8]) -> Option<String> {
        word(Path::new(OsStr::from_bytes(bytes)))
    }

    #[test]
    fn a_name_is_one_word_and_nothing_else() {
        for (name, due) in [
            (&b"a.jpg"[..], "a.jpg"),
            (b"-rf.jpg", "./-rf.jpg"),
            (b"a b.jpg", "'a b.jpg'"),
            (b"$(reboot);.jpg", "'$(reboot);.jpg'"),
            (b"it's", "'it'\\''s'"),
            ("größe.png".as_bytes(), "'größe.png'"),
            (b"a\nb%s", "\"$(printf 'a\\012b\\045s')\""),
            (b"\xff'", "\"$(printf '\\377\\047')\""),
            ("a\u{202e}b".as_bytes(), "\"$(printf 'a\\342\\200\\256b')\""),
        ] {
            assert_eq!(of(name).as_deref(), Some(due));
        }
        assert_eq!(of(b"a\n"), None);
    }

    #[test]
    fn a_new_name_is_harmless() {
        assert_eq!(beside(Path::new("x/a.b.jpg"), "mp4"), Path::new("x/a.b-repaired.mp4"));
        for hostile in ["-a.jpg", "$(x).jpg", "a b.jpg", ".jpg"] {
            assert_eq!(beside(Path::new(hostile), "mp4"), Path::new("file-repaired.mp4"), "{hostile}");
        }
    }
}
