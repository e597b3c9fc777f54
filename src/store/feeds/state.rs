//! What is known of the list of one publication, as it is written down.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ranges::{FeedChange, Source, Withdrawn};

/// The name of the form of the file.
pub(super) const SCHEMA: &str = "egressd.feed/1";

/// One publication.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct State {
    pub(super) schema: String,
    /// The list in force.
    pub(super) current: Option<KeptList>,
    /// The one before it.
    pub(super) previous: Option<KeptList>,
    /// One that waits for a person.
    pub(super) held: Option<HeldList>,
    /// What is missed since it was listed.
    pub(super) withdrawn: Vec<Withdrawn>,
    /// What changed last, oldest first: whoever is killed before he has told it elsewhere tells it the next time.
    #[serde(default)]
    pub(super) changes: Vec<FeedChange>,
}

/// So many changes are told again.
const MOST_CHANGES: usize = 256;

/// A list that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct KeptList {
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Where it was fetched, as it may be shown.
    pub from: String,
    /// What the server recognises it by.
    pub etag: Option<String>,
    /// When it was changed, as the server said.
    pub last_modified: Option<String>,
    /// Its own serial.
    pub serial: Option<String>,
    /// The day it was published.
    pub date: Option<Date>,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// When the publisher had it last.
    pub confirmed: Timestamp,
}

/// A list that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct HeldList {
    /// The list.
    #[serde(flatten)]
    pub list: KeptList,
    /// Since when it waits.
    pub since: Timestamp,
    /// What speaks against it.
    pub reasons: Vec<String>,
}

/// What is kept of one publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceStatus {
    /// Which publication.
    pub source: Source,
    /// The list in force.
    pub current: Option<KeptList>,
    /// One that waits for a person.
    pub held: Option<HeldList>,
    /// What is missed since it was listed.
    pub withdrawn: Vec<Withdrawn>,
}

impl State {
    pub(super) fn note(&mut self, changes: &[FeedChange]) {
        self.changes.extend_from_slice(changes);
        self.changes.drain(..self.changes.len().saturating_sub(MOST_CHANGES));
    }

    /// Whether every text in it is one that this program writes: what is printed or made a file name of.
    pub(super) fn is_sound(&self) -> bool {
        let digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let plain =
            |text: &str| text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let lists = self.current.iter().chain(&self.previous).chain(self.held.iter().map(|held| &held.list));
        let regions = self.withdrawn.iter().filter_map(|missed| missed.range.region.as_deref());
        let told =
            self.changes.iter().flat_map(|change| [change.serial.as_deref(), change.previous.as_deref()]).flatten();
        let mut serials = lists.clone().filter_map(|list| list.serial.as_deref()).chain(told);
        self.schema == SCHEMA
            && lists.clone().all(|list| digest(&list.sha256))
            && regions.into_iter().all(plain)
            && serials.all(plain)
    }
}
