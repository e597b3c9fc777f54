//! The published lists that this site goes by: the last good one of each publication, and those that were in force before.
//!
//! ```text
//! feeds/ip-ranges.state.json          what is known of the list in force: the last thing that is written of a change
//! feeds/ip-ranges.0123456789abcdef.json       the list, byte for byte as it was fetched; the one before it as well
//! feeds/ip-ranges.held.0123456789abcdef.json  one that waits for a person
//! feeds/archive/2021-06-08.ip-ranges.0123456789ab.json  what CloudFront had from that day on
//! feeds/lock                          whoever writes holds it
//! ```
//!
//! A file is written under another name and renamed when it is on the disk. Whoever is killed leaves what was there before,
//! and at the most a file that nobody names, which the next one removes.

mod archive;
mod error;
mod files;
mod ledger;
mod state;
#[cfg(test)]
mod tests;

pub use archive::{Imported, Older};
pub use error::FeedsError;
pub use state::{HeldList, KeptList, SourceStatus};

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::ranges::guard::{Bounds, Judgement, judge};
use crate::ranges::{FeedChange, FeedSnapshot, Patience, Source, Withdrawn, in_grace};
use ledger::Ledger;

/// The folder of the lists.
#[derive(Clone, Debug)]
pub struct Feeds {
    folder: PathBuf,
}

/// The list that this site goes by.
#[derive(Debug)]
pub struct InForce {
    /// The last good list, else the documented one.
    pub feed: FeedSnapshot,
    /// What it has no more, and exports still have.
    pub withdrawn: Vec<Withdrawn>,
    /// Where it is from and since when; none for the documented one.
    pub kept: Option<KeptList>,
    /// What is damaged or cannot be read.
    pub troubles: Vec<FeedsError>,
}

/// A list that was fetched.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Where it was fetched, as it may be shown.
    pub from: &'a str,
    /// What the server said to recognise it by.
    pub etag: Option<&'a str>,
    /// When it was changed, as the server said.
    pub last_modified: Option<&'a str>,
}

/// What a list has to hold to, and when a range that is missed is believed to be gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// How far a list may be from the one before.
    pub bounds: Bounds,
    /// How long a missed range is kept.
    pub patience: Patience,
}

/// What became of a list.
#[derive(Debug)]
pub struct Offered {
    /// Of which publication it is; none where that cannot be told.
    pub source: Option<Source>,
    /// What became of it.
    pub outcome: Outcome,
    /// What changed with it.
    pub changes: Vec<FeedChange>,
    /// What was damaged and is set aside.
    pub troubles: Vec<FeedsError>,
}

/// What became of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It lists what was in force.
    Unchanged,
    /// It is in force.
    Accepted,
    /// It waits for a person; what was in force stays.
    Held(Vec<String>),
    /// It is not kept; what was in force stays.
    Refused(Vec<String>),
}

/// The publications that are fetched. AWS's list goes first: it has IPv6, regions and a serial, the other has not.
const SOURCES: [Source; 2] = [Source::IpRanges, Source::ListCloudfrontIps];

impl Feeds {
    /// The lists in this folder, which need not be there.
    #[must_use]
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The list that this site goes by now.
    ///
    /// What is damaged is passed over for the list before it, the other publication, and the documented list, in this order.
    #[must_use]
    pub fn in_force(&self, patience: Patience, now: Timestamp) -> InForce {
        let mut troubles = Vec::new();
        for source in SOURCES {
            let ledger = Ledger::read(self, source);
            troubles.extend(ledger.troubles);
            if let Some((kept, feed)) = ledger.list {
                let withdrawn = in_grace(&feed, &ledger.state.withdrawn, patience, now);
                return InForce { feed, withdrawn, kept: Some(kept), troubles };
            }
        }
        InForce { feed: FeedSnapshot::documented(), withdrawn: Vec::new(), kept: None, troubles }
    }

    /// What is kept of each publication.
    #[must_use]
    pub fn status(&self) -> Vec<SourceStatus> {
        let of = |source| {
            let Ledger { state, list, .. } = Ledger::read(self, source);
            let current = list.map(|(kept, _)| kept);
            let known = current.is_some() || state.held.is_some();
            known.then_some(SourceStatus { source, current, held: state.held, withdrawn: state.withdrawn })
        };
        SOURCES.into_iter().filter_map(of).collect()
    }

    /// Judges a list that was fetched, and keeps it if it is good.
    ///
    /// # Errors
    /// When the folder cannot be written to; then everything is as it was.
    pub fn offer(&self, offer: &Offer<'_>, terms: &Terms, now: Timestamp) -> Result<Offered, FeedsError> {
        let candidate = match FeedSnapshot::parse(offer.from, offer.bytes) {
            Ok(parsed) => FeedSnapshot { date: parsed.date.or_else(|| offer.modified()), ..parsed },
            Err(error) => return Ok(Offered::refused(None, vec![error.fault.to_string()])),
        };
        let _lock = self.lock()?;
        let mut ledger = Ledger::repaired(self, candidate.source)?;
        let held = ledger.list.as_ref().map(|(_, list)| list);
        let (outcome, changes) = match judge(&candidate, held, &self.announced(candidate.source), &terms.bounds, now) {
            Judgement::Refused(doubts) => (Outcome::Refused(words(&doubts)), Vec::new()),
            Judgement::Held(doubts) => {
                ledger.hold(&candidate, offer, words(&doubts), now)?;
                (Outcome::Held(words(&doubts)), Vec::new())
            }
            Judgement::Accepted => (
                Outcome::Accepted,
                ledger.take(&candidate, offer.bytes, offer.kept(&candidate, now), terms.patience, now)?,
            ),
            Judgement::Unchanged => (
                Outcome::Unchanged,
                ledger.take(&candidate, offer.bytes, offer.kept(&candidate, now), terms.patience, now)?,
            ),
        };
        Ok(Offered { source: Some(candidate.source), outcome, changes, troubles: ledger.troubles })
    }

    /// The server says that its list is still the one that is kept.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn confirm(&self, source: Source, terms: &Terms, now: Timestamp) -> Result<Offered, FeedsError> {
        let _lock = self.lock()?;
        let mut ledger = Ledger::repaired(self, source)?;
        let changes = ledger.confirm(terms.patience, now)?;
        Ok(Offered { source: Some(source), outcome: Outcome::Unchanged, changes, troubles: ledger.troubles })
    }

    /// Takes each list that waits for a person, because a person says so.
    ///
    /// # Errors
    /// When none waits, or the folder cannot be written to.
    pub fn accept(&self, terms: &Terms, now: Timestamp) -> Result<Vec<Offered>, FeedsError> {
        let _lock = self.lock()?;
        let mut accepted = Vec::new();
        for source in SOURCES {
            let mut ledger = Ledger::repaired(self, source)?;
            if let Some(changes) = ledger.accept(&self.announced(source), terms, now)? {
                let troubles = ledger.troubles;
                accepted.push(Offered { source: Some(source), outcome: Outcome::Accepted, changes, troubles });
            }
        }
        if accepted.is_empty() { Err(FeedsError::NothingHeld) } else { Ok(accepted) }
    }

    /// What changed last, oldest first: for a history, which keeps each once however often it is told.
    #[must_use]
    pub fn recent_changes(&self) -> Vec<FeedChange> {
        SOURCES.into_iter().flat_map(|source| Ledger::read(self, source).state.changes).collect()
    }

    /// The space of the publisher, where the publication itself is silent about it.
    fn announced(&self, source: Source) -> Vec<crate::prefix::Prefix> {
        match source {
            Source::IpRanges | Source::Documented => Vec::new(),
            Source::ListCloudfrontIps => {
                Ledger::read(self, Source::IpRanges).list.map_or_else(Vec::new, |(_, list)| list.announced)
            }
        }
    }
}

impl Offer<'_> {
    /// The day that the server says it was changed on.
    fn modified(&self) -> Option<Date> {
        let moment = jiff::fmt::rfc2822::parse(self.last_modified?).ok()?;
        Some(moment.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    fn kept(&self, list: &FeedSnapshot, now: Timestamp) -> KeptList {
        KeptList {
            sha256: list.sha256.clone(),
            from: self.from.to_owned(),
            etag: self.etag.map(str::to_owned),
            last_modified: self.last_modified.map(str::to_owned),
            serial: list.serial.clone(),
            date: list.date,
            fetched: now,
            confirmed: now,
        }
    }
}

impl Offered {
    fn refused(source: Option<Source>, reasons: Vec<String>) -> Self {
        Self { source, outcome: Outcome::Refused(reasons), changes: Vec::new(), troubles: Vec::new() }
    }
}

fn words(doubts: &[crate::ranges::guard::Doubt]) -> Vec<String> {
    doubts.iter().map(ToString::to_string).collect()
}
