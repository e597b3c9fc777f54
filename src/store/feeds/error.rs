//! What keeps a list from being kept or found again.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::output::OutputError;

/// Why a list is not kept, or not found again.
#[derive(Debug, thiserror::Error)]
pub enum FeedsError {
    /// A file or folder cannot be made, read or removed.
    #[error("cannot use {}", .path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is not as it was written; it is passed over.
    #[error("{} is damaged: {reason}", .file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process changes the lists, for longer than that takes.
    #[error("somebody else holds {}", .0.display())]
    Busy(PathBuf),
    /// A file was not written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// No list waits for a person.
    #[error("no list waits to be accepted")]
    NothingHeld,
    /// What waits cannot be right any more.
    #[error("the list that waits cannot be accepted: {0}")]
    Refused(String),
}

impl FeedsError {
    pub(super) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}
