//! One check is written, whole or not at all.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::{Check, EndpointResult, History, HistoryError, MediaResult, Transition};
use crate::ranges::FeedChange;

impl History {
    /// Remembers a check. When this returns it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written; then nothing of it is kept.
    pub fn record(&mut self, check: &Check) -> Result<(), HistoryError> {
        self.write(check).map_err(self.failed("write"))
    }

    fn write(&mut self, check: &Check) -> rusqlite::Result<()> {
        let change = self.connection.transaction()?;
        summary(&change, check)?;
        check.transitions.iter().try_for_each(|entry| transition(&change, entry))?;
        check.endpoints.iter().try_for_each(|entry| endpoint(&change, entry))?;
        check.media.iter().try_for_each(|entry| media(&change, entry))?;
        check.feed.iter().try_for_each(|entry| feed(&change, entry))?;
        change.commit()
    }
}

/// As the tables have it.
pub(super) fn milliseconds(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn summary(change: &Transaction<'_>, check: &Check) -> rusqlite::Result<()> {
    let text = "INSERT INTO checks (at, kind, seconds, failing) VALUES (?1, ?2, ?3, ?4)";
    let values = params![milliseconds(check.at), check.kind.name(), check.seconds, check.failing];
    change.prepare(text)?.execute(values).map(drop)
}

fn transition(change: &Transaction<'_>, entry: &Transition) -> rusqlite::Result<()> {
    let text = "INSERT INTO transitions (at, kind, subject, before, after, layer, mechanism, failing, evidence) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let Transition { at, kind, subject, before, after, layer, mechanism, failing, evidence } = entry;
    let (at, evidence) = (milliseconds(*at), evidence.to_string());
    let values = params![at, kind.name(), subject, before, after, layer, mechanism, failing, evidence];
    change.prepare(text)?.execute(values).map(drop)
}

fn endpoint(change: &Transaction<'_>, entry: &EndpointResult) -> rusqlite::Result<()> {
    let text = "INSERT INTO endpoint_results (at, endpoint, direction, path, verdict, layer, mechanism, reason, failing, \
                dns, connect, tls, http, transfer) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let EndpointResult { endpoint, direction, path, verdict, layer, mechanism, reason, failing, seconds, .. } = entry;
    let values = params![
        milliseconds(entry.at),
        endpoint,
        direction,
        path,
        verdict,
        layer,
        mechanism,
        reason,
        failing,
        seconds.dns,
        seconds.connect,
        seconds.tls,
        seconds.http,
        seconds.transfer
    ];
    change.prepare(text)?.execute(values).map(drop)
}

fn media(change: &Transaction<'_>, entry: &MediaResult) -> rusqlite::Result<()> {
    let text = "INSERT INTO media_results (at, endpoint, kind, verdict, failing, seconds, detail) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let MediaResult { at, endpoint, kind, verdict, failing, seconds, detail } = entry;
    let values = params![milliseconds(*at), endpoint, kind, verdict, failing, seconds, detail.to_string()];
    change.prepare(text)?.execute(values).map(drop)
}

/// A change that is told again is known already.
fn feed(change: &Transaction<'_>, entry: &FeedChange) -> rusqlite::Result<()> {
    let text = "INSERT OR IGNORE INTO feed_changes (at, source, change, prefix, list, serial, previous) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        milliseconds(entry.at),
        entry.source.name(),
        entry.kind.name(),
        entry.prefix.to_string(),
        entry.list.name(),
        entry.serial,
        entry.previous
    ];
    change.prepare(text)?.execute(values).map(drop)
}
