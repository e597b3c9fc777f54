//! What a device holds by an earlier export, or by an earlier feed.

use serde::Deserialize;

use crate::prefix::{Prefix, PrefixError};
use crate::ranges::{FeedError, FeedSnapshot};

/// The prefixes of an earlier list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Previous {
    /// As listed.
    pub prefixes: Vec<Prefix>,
}

/// Why an earlier list is refused.
#[derive(Debug, thiserror::Error)]
pub enum PreviousError {
    /// It is a feed, and a wrong one.
    #[error(transparent)]
    Feed(Box<FeedError>),
    /// The bytes are no text.
    #[error("neither a feed nor text in UTF-8")]
    NotText,
    /// It has more bytes than any list.
    #[error("more than {} MiB", MOST_BYTES >> 20)]
    TooLarge,
    /// A line is none of a list.
    #[error("line {line}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        source: PrefixError,
    },
}

/// A million of the longest prefixes with room for comments.
pub const MOST_BYTES: usize = 64 << 20;

/// What `egressd export json` writes.
#[derive(Deserialize)]
struct Exported {
    ipv4: Vec<Prefix>,
    ipv6: Vec<Prefix>,
}

impl Previous {
    /// The prefixes of a feed.
    #[must_use]
    pub fn of(feed: &FeedSnapshot) -> Self {
        Self { prefixes: feed.ranges.iter().map(|range| range.prefix).collect() }
    }

    /// Reads either published feed, or an export as JSON, CSV, YAML or a plain list.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, PreviousError> {
        if bytes.len() > MOST_BYTES {
            return Err(PreviousError::TooLarge);
        }
        if bytes.trim_ascii_start().first() == Some(&b'{') {
            return Self::json(name, bytes);
        }
        let text = str::from_utf8(bytes).map_err(|_| PreviousError::NotText)?;
        let read = text.lines().enumerate().filter_map(|(at, line)| read_line(at + 1, line));
        Ok(Self { prefixes: read.collect::<Result<_, _>>()? })
    }

    fn json(name: &str, bytes: &[u8]) -> Result<Self, PreviousError> {
        if let Ok(exported) = serde_json::from_slice::<Exported>(bytes) {
            return Ok(Self { prefixes: [exported.ipv4, exported.ipv6].concat() });
        }
        FeedSnapshot::parse(name, bytes)
            .map(|feed| Self::of(&feed))
            .map_err(|error| PreviousError::Feed(Box::new(error)))
    }
}

/// A line of nothing but a prefix, as most are, is not looked at twice.
fn read_line(line: usize, text: &str) -> Option<Result<Prefix, PreviousError>> {
    let bare = text.parse::<Prefix>();
    let read = if bare.is_ok() { bare } else { first_word(text)?.parse() };
    Some(read.map_err(|source| PreviousError::Line { line, source }))
}

/// The prefix of a line: bare, the first field of CSV, or an item of YAML; none in comments, headings and keys.
fn first_word(line: &str) -> Option<&str> {
    let line = line.trim();
    let item = line.strip_prefix("- ").unwrap_or(line);
    let word = item.split([' ', '\t', ',', '#']).next()?.trim_matches('"');
    let key = word.ends_with(':') && !word.ends_with("::");
    (!word.is_empty() && word != "prefix" && word != "---" && !key).then_some(word)
}
