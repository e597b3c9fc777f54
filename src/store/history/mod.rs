//! What checks have found, kept in SQLite where an administrator can open it.
//!
//! One [`History`] writes, any number of [`HistoryReader`]s read at the same time, in this process or another one. A check is
//! kept whole when [`History::record`] returns: it is on the disk then, whatever happens to the power.

mod entry;
mod error;
mod open;
mod prune;
mod query;
mod record;
#[cfg(test)]
mod tests;

pub use entry::{Check, CheckKind, CheckSummary, EndpointResult, MediaResult, Phases, SubjectKind, Transition};
pub use error::HistoryError;
pub use open::Opened;
pub use prune::{Pruned, Retention};
pub use query::{HistoryReader, Kept, Page, Query};

use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// The name of the file in the state folder.
pub const FILE: &str = "history.sqlite";

/// The one that writes.
#[derive(Debug)]
pub struct History {
    file: PathBuf,
    connection: Connection,
}

impl History {
    /// Where it is.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> HistoryError {
        error::failed(&self.file, doing)
    }
}
