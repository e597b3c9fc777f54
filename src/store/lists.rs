//! The lists that a run goes by: those that were named, else what is kept, else the documented list.

use std::error::Error;
use std::path::PathBuf;

use jiff::Timestamp;

use super::Store;
use super::feeds::{FeedsError, InForce, KeptList};
use crate::ranges::read::{self, ReadError};
use crate::ranges::{FeedSnapshot, Patience, Provenance, Withdrawn};
use crate::text::printable;

/// The lists that a run goes by.
#[derive(Clone, Debug)]
pub struct Lists {
    /// The one in force.
    pub newest: FeedSnapshot,
    /// Others that are at hand, to tell dates by and to recognise old rules.
    pub older: Vec<FeedSnapshot>,
    /// What the one in force has no more, and exports still have.
    pub withdrawn: Vec<Withdrawn>,
    /// Where the one in force was fetched; none for one that was named, and for the documented one.
    pub kept: Option<KeptList>,
    /// What is damaged or cannot be read.
    pub troubles: Vec<String>,
}

impl Lists {
    /// The newest of the files; where none is named, the last good list that is kept.
    ///
    /// # Errors
    /// When a file that was named cannot be read. What is kept and damaged is passed over, and told.
    pub fn read(
        files: &[PathBuf],
        store: Option<&Store>,
        patience: Patience,
        now: Timestamp,
    ) -> Result<Self, ReadError> {
        let named = files.iter().map(|file| read::snapshot(file)).collect::<Result<Vec<_>, _>>()?;
        let mut lists = match (Provenance::new(&named.iter().collect::<Vec<_>>()).newest(), store) {
            (Some(newest), _) => Self::of(newest.clone()),
            (None, Some(store)) => store.feeds().in_force(patience, now).into(),
            (None, None) => Self::of(FeedSnapshot::documented()),
        };
        lists.add(named);
        if let Some(store) = store {
            let older = store.feeds().older();
            lists.troubles.extend(older.troubles.iter().map(told));
            lists.add(older.lists);
        }
        lists.add([FeedSnapshot::documented()]);
        Ok(lists)
    }

    /// The one in force and the others, the newest last.
    #[must_use]
    pub fn provenance(&self) -> Provenance<'_> {
        Provenance::new(&self.older.iter().chain([&self.newest]).collect::<Vec<_>>())
    }

    fn of(newest: FeedSnapshot) -> Self {
        Self { newest, older: Vec::new(), withdrawn: Vec::new(), kept: None, troubles: Vec::new() }
    }

    /// Adds those that are older than the one in force, and list something else.
    fn add(&mut self, lists: impl IntoIterator<Item = FeedSnapshot>) {
        let digest = self.newest.digest();
        let newest = self.newest.date;
        let older = |list: &FeedSnapshot| match (list.date, newest) {
            (Some(date), Some(newest)) => date <= newest,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        self.older.extend(lists.into_iter().filter(|list| older(list) && list.digest() != digest));
    }
}

impl From<InForce> for Lists {
    fn from(in_force: InForce) -> Self {
        let InForce { feed, withdrawn, kept, troubles } = in_force;
        Self { withdrawn, kept, troubles: troubles.iter().map(told).collect(), ..Self::of(feed) }
    }
}

/// With its cause.
fn told(error: &FeedsError) -> String {
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    printable(&format!("{error}{cause}"), 400)
}
