//! Plain lists: a prefix in each line.

use std::io::{self, BufRead, Read};

use super::{Prefix, PrefixError};
use crate::text::printable;

/// Why a list was not read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The source gave no bytes.
    #[error("cannot read line {line}")]
    Read {
        /// Which was not read, from 1.
        line: usize,
        /// What it said.
        source: io::Error,
    },
    /// A line has more bytes than any prefix with its comment.
    #[error("line {line} has more than {LONGEST_LINE} bytes")]
    TooLong {
        /// Which, from 1.
        line: usize,
    },
    /// A line is no text.
    #[error("line {line} is not UTF-8: {}", printable(.text, 64))]
    NotText {
        /// Which, from 1.
        line: usize,
        /// What can be read of it.
        text: String,
    },
    /// A line is no prefix.
    #[error("line {line}")]
    Prefix {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        source: PrefixError,
    },
}

/// The longest prefix has 43 bytes; this leaves room for a comment.
const LONGEST_LINE: usize = 1024;

/// Hands on each prefix of a list. What stands behind `#`, white space around a prefix and empty lines mean nothing.
///
/// The list is read line by line, and never held as a whole.
pub fn read_list(mut source: impl BufRead, mut each: impl FnMut(Prefix)) -> Result<(), ListError> {
    let mut bytes = Vec::with_capacity(LONGEST_LINE);
    for line in 1.. {
        bytes.clear();
        let mut bounded = (&mut source).take(LONGEST_LINE as u64 + 1);
        let length = bounded.read_until(b'\n', &mut bytes).map_err(|source| ListError::Read { line, source })?;
        match length {
            0 => break,
            _ if length > LONGEST_LINE => return Err(ListError::TooLong { line }),
            _ => read_line(&bytes, line)?.into_iter().for_each(&mut each),
        }
    }
    Ok(())
}

fn read_line(bytes: &[u8], line: usize) -> Result<Option<Prefix>, ListError> {
    let text = str::from_utf8(bytes)
        .map_err(|_| ListError::NotText { line, text: String::from_utf8_lossy(bytes).into_owned() })?;
    // Most lines are a prefix and nothing else.
    if let Ok(prefix) = text.strip_suffix('\n').unwrap_or(text).parse() {
        return Ok(Some(prefix));
    }
    let word = text.split_once('#').map_or(text, |(before, _)| before).trim();
    if word.is_empty() {
        return Ok(None);
    }
    word.parse().map(Some).map_err(|source| ListError::Prefix { line, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &[u8]) -> Result<Vec<String>, String> {
        let mut prefixes = Vec::new();
        let read = read_list(list, |prefix| prefixes.push(prefix.to_string()));
        read.map(|()| prefixes).map_err(|error| {
            let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
            format!("{error}{cause}")
        })
    }

    #[test]
    fn comments_and_space_mean_nothing() {
        let list = b"# CloudFront\n\n 13.32.0.0/15 # viewer\r\n\t2600:9000::/28\n56.125.47.0/32";
        assert_eq!(read(list).unwrap(), ["13.32.0.0/15", "2600:9000::/28", "56.125.47.0/32"]);
        assert!(read(b"").unwrap().is_empty());
    }

    #[test]
    fn one_wrong_line_refuses_the_list_and_is_named() {
        assert!(read(b"13.32.0.0/15\n13.33.0.0/15\n").unwrap_err().starts_with("line 2: `13.33.0.0/15` has host bits"));
        assert!(read(b"\n\n13.32.0.0").unwrap_err().starts_with("line 3: `13.32.0.0` is not a prefix"));
        assert!(read(b"13.32.0.0/15 99.84.0.0/16").unwrap_err().starts_with("line 1: "));
        assert!(read(b"13.32.0.0/15\xff\n").unwrap_err().starts_with("line 1 is not UTF-8"));
    }

    #[test]
    fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
        let endless = io::BufReader::new(io::repeat(b'1'));
        assert!(matches!(read_list(endless, |_| ()), Err(ListError::TooLong { line: 1 })));
        assert!(read(" ".repeat(LONGEST_LINE).as_bytes()).unwrap().is_empty());
    }
}
