//! The files that an export is made of.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::export::{MOST_BYTES, Missing, MissingError, Previous, PreviousError};
use crate::prefix::{Prefix, PrefixSet};
use crate::ranges::FeedSnapshot;
use crate::text::printable;

/// Why a file was not used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The operating system gave no bytes.
    #[error("cannot read {}", printable(.file, 256))]
    Io {
        /// The path, or `standard input`.
        file: String,
        /// What it said.
        source: io::Error,
    },
    /// It is no report.
    #[error("report {}", printable(.file, 256))]
    Missing {
        /// The path, or `standard input`.
        file: String,
        /// Why.
        source: MissingError,
    },
    /// It is no list.
    #[error("list {}", printable(.file, 256))]
    Previous {
        /// The path, or `standard input`.
        file: String,
        /// Why.
        source: PreviousError,
    },
    /// A report must not open what is not on the list.
    #[error("report {} names {prefix}, which is not on the list", printable(.file, 256))]
    Beyond {
        /// The path, or `standard input`.
        file: String,
        /// What of it.
        prefix: Prefix,
    },
}

impl InputError {
    /// What to do next.
    pub(in crate::cli) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io { .. } => return None,
            Self::Missing { .. } => "`egressd check --format json -o F` writes a report",
            Self::Previous { .. } => "a list is a feed, or an export in plain, csv, json or yaml",
            Self::Beyond { .. } => "give the feed that the report was made with: --feed F",
        };
        Some(hint.to_owned())
    }
}

/// What the report finds missing of what is listed.
pub(super) fn missing(file: &Path, listed: &PrefixSet) -> Result<Vec<Prefix>, InputError> {
    let (file, bytes) = bytes(file)?;
    let missing = match Missing::parse(&bytes) {
        Ok(missing) => missing.prefixes,
        Err(source) => return Err(InputError::Missing { file, source }),
    };
    let found: PrefixSet = missing.iter().copied().collect();
    match found.difference(listed).prefixes().first() {
        Some(&prefix) => Err(InputError::Beyond { file, prefix }),
        None => Ok(missing),
    }
}

/// The prefixes of a feed or of an export.
pub(super) fn previous(file: &Path) -> Result<Vec<Prefix>, InputError> {
    if file == Path::new("documented") {
        return Ok(Previous::of(&FeedSnapshot::documented()).prefixes);
    }
    let (file, bytes) = bytes(file)?;
    match Previous::parse(&file, &bytes) {
        Ok(previous) => Ok(previous.prefixes),
        Err(source) => Err(InputError::Previous { file, source }),
    }
}

/// The name for messages and the bytes, one more than allowed at most; `-` is standard input.
fn bytes(file: &Path) -> Result<(String, Vec<u8>), InputError> {
    let standard = file == Path::new("-");
    let name = if standard { "standard input".to_owned() } else { file.to_string_lossy().into_owned() };
    let mut bytes = Vec::new();
    let most = MOST_BYTES as u64 + 1;
    let read = if standard {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|open| open.take(most).read_to_end(&mut bytes))
    };
    match read {
        Ok(_) => Ok((name, bytes)),
        Err(source) => Err(InputError::Io { file: name, source }),
    }
}
