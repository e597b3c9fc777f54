//! What keeps a history from being kept.

use std::io;
use std::path::{Path, PathBuf};

/// Why something was not remembered, or not found again.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be made, moved or looked at.
    #[error("cannot use the history {}", .file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("cannot {doing} the history {}", .file.display())]
    Database {
        /// Which file.
        file: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: rusqlite::Error,
    },
    /// A later egressd has written it.
    #[error("the history {} is of version {found}, and this egressd knows {known}", .file.display())]
    Newer {
        /// Which file.
        file: PathBuf,
        /// The version of its tables.
        found: i64,
        /// The version that is known here.
        known: i64,
    },
    /// It is a sound database of some other program.
    #[error("{} is a database, but no history of egressd", .0.display())]
    Foreign(PathBuf),
    /// What is in it is not what this program writes.
    #[error("the history {} has {what} that is not understood: {text}", .file.display())]
    Content {
        /// Which file.
        file: PathBuf,
        /// What.
        what: &'static str,
        /// As it is there.
        text: String,
    },
}

impl HistoryError {
    /// What to do next, where something can be done.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Newer { .. } => Some("run the newer egressd again, or move the file away to begin a new history"),
            Self::Foreign(_) => Some("choose another state folder"),
            Self::File { .. } | Self::Database { .. } | Self::Content { .. } => None,
        }
    }
}

/// An error of SQLite with what was being done to which file.
pub(super) fn failed(file: &Path, doing: &'static str) -> impl Fn(rusqlite::Error) -> HistoryError {
    move |source| HistoryError::Database { file: file.to_owned(), doing, source }
}
