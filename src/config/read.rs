//! Reads a configuration file.

use std::io;
use std::path::{Path, PathBuf};

use super::{Config, ConfigError};

/// Larger than any configuration.
const MOST_BYTES: u64 = 1 << 20;

/// Why a configuration could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read configuration {}", .file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is larger than any configuration.
    #[error("configuration {} is larger than 1 MiB", .0.display())]
    TooLarge(PathBuf),
    /// What is in it is refused.
    #[error("configuration {}", .file.display())]
    Content {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: ConfigError,
    },
}

/// The configuration in a file.
///
/// # Errors
/// Names the file, and what is wrong with it.
pub fn config(file: &Path) -> Result<Config, ReadError> {
    let wrong = |source| ReadError::File { file: file.to_owned(), source };
    if std::fs::metadata(file).map_err(wrong)?.len() > MOST_BYTES {
        return Err(ReadError::TooLarge(file.to_owned()));
    }
    let text = std::fs::read_to_string(file).map_err(wrong)?;
    Config::parse(&text).map_err(|source| ReadError::Content { file: file.to_owned(), source })
}
