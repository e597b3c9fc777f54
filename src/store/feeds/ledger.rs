//! The list of one publication with what is known of it, read, and written in an order that survives a kill at any moment:
//! the list first, then the state that names it, then what nobody names any more is removed.

use std::path::Path;

use jiff::Timestamp;

use super::state::{SCHEMA, State};
use super::{Feeds, FeedsError, HeldList, KeptList, Offer, Terms, files, words};
use crate::prefix::Prefix;
use crate::ranges::guard::{Judgement, judge};
use crate::ranges::{FeedChange, FeedSnapshot, Patience, Source, follow};

/// One publication.
pub(super) struct Ledger<'a> {
    feeds: &'a Feeds,
    source: Source,
    pub(super) state: State,
    /// The list in force.
    pub(super) list: Option<(KeptList, FeedSnapshot)>,
    /// What is damaged.
    pub(super) troubles: Vec<FeedsError>,
}

impl<'a> Ledger<'a> {
    /// What can be read. Nobody has to hold the lock: a list never changes under its name.
    pub(super) fn read(feeds: &'a Feeds, source: Source) -> Self {
        let mut ledger = Self { feeds, source, state: State::default(), list: None, troubles: Vec::new() };
        match ledger.read_state() {
            Ok(None) => return ledger,
            Ok(Some(state)) => ledger.state = state,
            Err(trouble) => ledger.troubles.push(trouble),
        }
        ledger.list = ledger.newest_good();
        ledger
    }

    /// The same, and what is damaged is set aside. Under the lock.
    pub(super) fn repaired(feeds: &'a Feeds, source: Source) -> Result<Self, FeedsError> {
        let ledger = Self::read(feeds, source);
        for trouble in &ledger.troubles {
            if let FeedsError::Damaged { file, .. } = trouble {
                files::set_aside(file)?;
            }
        }
        Ok(ledger)
    }

    /// Puts a list in force.
    pub(super) fn take(
        &mut self,
        list: &FeedSnapshot,
        bytes: &[u8],
        kept: KeptList,
        patience: Patience,
        now: Timestamp,
    ) -> Result<Vec<FeedChange>, FeedsError> {
        let before = self.list.take();
        let followed = match &before {
            Some((_, before)) => follow(before, list, &self.state.withdrawn, patience, now),
            None => follow(list, list, &self.state.withdrawn, patience, now),
        };
        let before = before.map(|(kept, _)| kept);
        let replaced = before.as_ref().filter(|before| before.sha256 != kept.sha256).cloned();
        if before.is_none() || replaced.is_some() {
            files::write(&self.feeds.list_file(self.source, &kept.sha256), bytes)?;
        }
        self.feeds.keep_in_archive(list, now)?;
        let previous = replaced.or_else(|| self.state.previous.take());
        let state = self.state_in_force();
        self.state = State { current: Some(kept), previous, held: None, withdrawn: followed.withdrawn, ..state };
        self.state.note(&followed.changes);
        self.write()?;
        Ok(followed.changes)
    }

    /// Keeps a list for a person to look at.
    pub(super) fn hold(
        &mut self,
        list: &FeedSnapshot,
        offer: &Offer<'_>,
        reasons: Vec<String>,
        now: Timestamp,
    ) -> Result<(), FeedsError> {
        let known = self.state.held.take().filter(|held| held.list.sha256 == list.sha256);
        let since = known.map_or(now, |held| held.since);
        files::write(&self.feeds.held_file(self.source, &list.sha256), offer.bytes)?;
        let held = Some(HeldList { list: offer.kept(list, now), since, reasons });
        self.state = State { held, ..self.state_in_force() };
        self.write()
    }

    /// Time goes by for what is missed, and the list is known to be the publisher's still.
    pub(super) fn confirm(&mut self, patience: Patience, now: Timestamp) -> Result<Vec<FeedChange>, FeedsError> {
        let Some((mut kept, list)) = self.list.take() else { return Ok(Vec::new()) };
        let followed = follow(&list, &list, &self.state.withdrawn, patience, now);
        kept.confirmed = now;
        self.state = State { current: Some(kept), withdrawn: followed.withdrawn, ..self.state_in_force() };
        self.state.note(&followed.changes);
        self.write()?;
        Ok(followed.changes)
    }

    /// Puts the list in force that waits; none where none does.
    pub(super) fn accept(
        &mut self,
        announced: &[Prefix],
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Option<Vec<FeedChange>>, FeedsError> {
        let Some(HeldList { list: kept, .. }) = self.state.held.clone() else { return Ok(None) };
        let file = self.feeds.held_file(self.source, &kept.sha256);
        let (list, bytes) = sound(&file, &kept)?;
        let held = self.list.as_ref().map(|(_, list)| list);
        if let Judgement::Refused(doubts) = judge(&list, held, announced, &terms.bounds, now) {
            return Err(FeedsError::Refused(words(&doubts).join("; ")));
        }
        Ok(Some(self.take(&list, &bytes, kept, terms.patience, now)?))
    }

    fn read_state(&self) -> Result<Option<State>, FeedsError> {
        let file = self.feeds.state_file(self.source);
        let Some(bytes) = files::read(&file)? else { return Ok(None) };
        let damaged = |reason: String| FeedsError::Damaged { file: file.clone(), reason };
        let state: State = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if state.is_sound() { Ok(Some(state)) } else { Err(damaged("it is of another form".to_owned())) }
    }

    /// The list that is named, the one before it, or, where nothing is known of any, the newest that was found good.
    fn newest_good(&mut self) -> Option<(KeptList, FeedSnapshot)> {
        for kept in self.state.current.iter().chain(&self.state.previous) {
            match sound(&self.feeds.list_file(self.source, &kept.sha256), kept) {
                Ok((list, _)) => return Some((kept.clone(), list)),
                Err(trouble) => self.troubles.push(trouble),
            }
        }
        if self.troubles.is_empty() {
            return None;
        }
        let unnamed = self.feeds.good_lists(self.source).into_iter().filter_map(|file| unnamed(&file));
        unnamed.max_by_key(|(_, list)| list.published())
    }

    /// The state as it is, of the list that was really found.
    fn state_in_force(&mut self) -> State {
        let state = std::mem::take(&mut self.state);
        let current = self.list.as_ref().map(|(kept, _)| kept.clone()).or(state.current);
        State { current, schema: SCHEMA.to_owned(), ..state }
    }

    fn write(&self) -> Result<(), FeedsError> {
        let mut text = serde_json::to_string_pretty(&self.state).expect("it is made of texts");
        text.push('\n');
        let file = self.feeds.state_file(self.source);
        files::write(&file, text.as_bytes())?;
        let lists = self.state.current.iter().chain(&self.state.previous);
        let mut named: Vec<_> = lists.map(|kept| self.feeds.list_file(self.source, &kept.sha256)).collect();
        named.extend(self.state.held.iter().map(|held| self.feeds.held_file(self.source, &held.list.sha256)));
        named.push(file);
        self.feeds.remove_all_but(self.source, &named);
        Ok(())
    }
}

/// The list in a file, if it is the one that was written there.
fn sound(file: &Path, kept: &KeptList) -> Result<(FeedSnapshot, Vec<u8>), FeedsError> {
    let damaged = |reason: String| FeedsError::Damaged { file: file.to_owned(), reason };
    let bytes = files::read(file)?.ok_or_else(|| damaged("it is not there".to_owned()))?;
    let list = FeedSnapshot::parse(&kept.from, &bytes).map_err(|error| damaged(error.fault.to_string()))?;
    if list.sha256 == kept.sha256 {
        Ok((FeedSnapshot { date: list.date.or(kept.date), ..list }, bytes))
    } else {
        Err(damaged("its bytes are not those that were fetched".to_owned()))
    }
}

/// A list of which nothing is known but its bytes, if they are those that its name was made of.
fn unnamed(file: &Path) -> Option<(KeptList, FeedSnapshot)> {
    let bytes = files::read(file).ok()??;
    let list = FeedSnapshot::parse(&file.to_string_lossy(), &bytes).ok()?;
    let named = files::name_of(file).contains(&list.sha256[..16]);
    let kept = KeptList {
        sha256: list.sha256.clone(),
        from: list.name.clone(),
        etag: None,
        last_modified: None,
        serial: list.serial.clone(),
        date: list.date,
        fetched: list.published().unwrap_or(Timestamp::UNIX_EPOCH),
        confirmed: list.published().unwrap_or(Timestamp::UNIX_EPOCH),
    };
    named.then_some((kept, list))
}
