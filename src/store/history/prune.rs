//! What is old is forgotten: successes first, failures much later.

use std::time::Duration;

use jiff::Timestamp;

use super::record::milliseconds;
use super::{History, HistoryError};
use crate::config::HistoryConfig;

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// For how long what went well is kept.
    pub successes: Duration,
    /// For how long what did not go well, and every verdict that changed, is kept.
    pub failures: Duration,
    /// The most bytes that the file may have; the oldest successes go first, then the oldest of the rest.
    pub most_bytes: u64,
}

impl From<&HistoryConfig> for Retention {
    fn from(config: &HistoryConfig) -> Self {
        let days = |days: u16| Duration::from_hours(24) * u32::from(days);
        Self {
            successes: days(config.keep_days),
            failures: days(config.keep_failures_days),
            most_bytes: u64::from(config.most_megabytes) << 20,
        }
    }
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many entries.
    pub entries: u64,
    /// How many bytes the file has now.
    pub bytes: u64,
}

/// One kind of entry that is forgotten: a table, and a condition for it.
type Entries = (&'static str, &'static str);

const SUCCESSES: &[Entries] =
    &[("endpoint_results", "failing = 0"), ("checks", "failing = 0"), ("media_results", "failing = 0")];

const FAILURES: &[Entries] = &[
    ("endpoint_results", "failing = 1"),
    ("checks", "failing = 1"),
    ("media_results", "failing = 1"),
    ("transitions", "1"),
];

/// A few rows for each change of a list: they go only where there is no room for anything else.
const CHANGES: &[Entries] = &[("feed_changes", "1")];

impl History {
    /// Forgets what is older or larger than it may be, and gives the room back to the disk.
    ///
    /// # Errors
    /// When SQLite cannot delete, such as on a full disk.
    pub fn prune(&mut self, now: Timestamp, retention: &Retention) -> Result<Pruned, HistoryError> {
        self.forget(now, retention).map_err(self.failed("prune"))
    }

    fn forget(&mut self, now: Timestamp, retention: &Retention) -> rusqlite::Result<Pruned> {
        let mut entries = self.forget_before(SUCCESSES, ago(now, retention.successes))?;
        entries += self.forget_before(FAILURES, ago(now, retention.failures))?;
        self.give_back()?;
        for kinds in [SUCCESSES, FAILURES, CHANGES] {
            while self.bytes()? > retention.most_bytes {
                let gone = self.forget_oldest(kinds)?;
                if gone == 0 {
                    break;
                }
                entries += gone;
                self.give_back()?;
            }
        }
        Ok(Pruned { entries, bytes: self.bytes()? })
    }

    fn forget_before(&mut self, kinds: &[Entries], at: i64) -> rusqlite::Result<u64> {
        let change = self.connection.transaction()?;
        let mut gone = 0;
        for (table, condition) in kinds {
            let text = format!("DELETE FROM {table} WHERE {condition} AND at < ?1");
            gone += change.prepare(&text)?.execute([at])?;
        }
        change.commit()?;
        Ok(gone as u64)
    }

    /// A tenth of each, and at least one.
    fn forget_oldest(&mut self, kinds: &[Entries]) -> rusqlite::Result<u64> {
        let change = self.connection.transaction()?;
        let mut gone = 0;
        for (table, condition) in kinds {
            let text = format!(
                "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {condition} ORDER BY at, id LIMIT \
                 (SELECT (count(*) + 9) / 10 FROM {table} WHERE {condition}))"
            );
            gone += change.prepare(&text)?.execute([])?;
        }
        change.commit()?;
        Ok(gone as u64)
    }

    fn give_back(&self) -> rusqlite::Result<()> {
        // It deletes a page with each step.
        let mut vacuum = self.connection.prepare("PRAGMA incremental_vacuum")?;
        let mut steps = vacuum.query([])?;
        while steps.next()?.is_some() {}
        // A reader that is under way only puts it off.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    fn bytes(&self) -> rusqlite::Result<u64> {
        let read = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        Ok(u64::try_from(read("page_count")? * read("page_size")?).unwrap_or(0))
    }
}

/// The moment so long ago; the beginning of time where that is before it.
fn ago(now: Timestamp, age: Duration) -> i64 {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    milliseconds(now).saturating_sub(age)
}
