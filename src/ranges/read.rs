//! Feeds and lists from files and from standard input.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::feed::MOST_BYTES;
use super::{FeedError, FeedSnapshot};
use crate::prefix::{ListError, Prefix, read_list};
use crate::scenario::{SCENARIO_FEED, Scenario};
use crate::text::printable;

/// Why a feed was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system gave no bytes.
    #[error("cannot read feed {}", printable(.file, 256))]
    Io {
        /// The path, or `standard input`.
        file: String,
        /// What it said.
        source: io::Error,
    },
    /// The bytes are no feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The lines are no list.
    #[error("list {}", printable(.file, 256))]
    List {
        /// The path, or `standard input`.
        file: String,
        /// Why.
        source: ListError,
    },
}

/// The feed in a file; `-` is standard input, and `documented` is the embedded list.
pub fn snapshot(path: &Path) -> Result<FeedSnapshot, ReadError> {
    match path.to_str() {
        Some("documented") => Ok(FeedSnapshot::documented()),
        Some(name) if name.starts_with(SCENARIO_FEED) => scenario(name),
        Some("-") => from("standard input", Ok(io::stdin().lock())),
        _ => from(&path.to_string_lossy(), File::open(path)),
    }
}

/// Hands on each prefix of a plain list in a file; `-` is standard input.
pub fn list(path: &Path, each: impl FnMut(Prefix)) -> Result<(), ReadError> {
    let standard = path == Path::new("-");
    let read = if standard {
        read_list(io::stdin().lock(), each)
    } else {
        let open = File::open(path).map_err(|source| ListError::Read { line: 1, source });
        open.and_then(|open| read_list(BufReader::with_capacity(BUFFER_BYTES, open), each))
    };
    let file = || if standard { "standard input".to_owned() } else { path.to_string_lossy().into_owned() };
    read.map_err(|source| ReadError::List { file: file(), source })
}

/// Larger buffers are not faster: a million lines are 16 MB.
const BUFFER_BYTES: usize = 64 << 10;

/// The older list that a scenario of the lab holds.
fn scenario(name: &str) -> Result<FeedSnapshot, ReadError> {
    let scenario = name.strip_prefix(SCENARIO_FEED).and_then(|name| Some((name, Scenario::named(name).ok()?)));
    let older = scenario.and_then(|(name, scenario)| scenario.older_snapshot(name, &FeedSnapshot::documented()));
    older.ok_or_else(|| ReadError::Io { file: name.to_owned(), source: io::ErrorKind::NotFound.into() })
}

fn from<R: Read>(name: &str, source: io::Result<R>) -> Result<FeedSnapshot, ReadError> {
    let bytes = source.and_then(bounded).map_err(|source| ReadError::Io { file: name.to_owned(), source })?;
    Ok(FeedSnapshot::parse(name, &bytes)?)
}

/// One byte more than allowed at most, which is enough for the parser to refuse it.
fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
