//! Reads the rules that a configuration names.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Rules, RulesError};

/// Larger than any set of rules.
const MOST_BYTES: u64 = 1 << 20;

/// Why the rules could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read rules {}", .file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is larger than any set of rules.
    #[error("rules {} are larger than 1 MiB", .0.display())]
    TooLarge(PathBuf),
    /// What is in it is refused.
    #[error("rules {}", .file.display())]
    Content {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: RulesError,
    },
}

/// The embedded rules, with those of a file in their place when there is one.
///
/// # Errors
/// Names the file, and what is wrong with it.
pub fn rules(file: &Path) -> Result<Rules, ReadError> {
    if file.as_os_str().is_empty() {
        return Ok(Rules::embedded());
    }
    let wrong = |source| ReadError::File { file: file.to_owned(), source };
    let mut text = String::new();
    File::open(file).map_err(wrong)?.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(wrong)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(ReadError::TooLarge(file.to_owned()));
    }
    Rules::overridden(&text).map_err(|source| ReadError::Content { file: file.to_owned(), source })
}
