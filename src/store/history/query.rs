//! What is remembered is found again, newest first and page by page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Row, params_from_iter};
use serde::Serialize;

use super::error::failed;
use super::{
    CheckKind, CheckSummary, EndpointResult, History, HistoryError, MediaResult, Phases, SubjectKind, Transition,
};
use crate::ranges::{FeedChange, FeedChangeKind, List, Source};

/// One that reads and cannot write, beside the one that writes.
#[derive(Debug)]
pub struct HistoryReader {
    file: PathBuf,
    connection: Connection,
}

/// What is asked for; the default is the newest page of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// A prefix, the name of an endpoint, a channel.
    pub subject: Option<String>,
    /// What is not well alone, or what is well alone.
    pub failing: Option<bool>,
    /// The page behind this one: [`Page::next`].
    pub before: Option<i64>,
    /// How many of them, [`Query::MOST`] at the most; 0: as many.
    pub limit: usize,
}

/// Some of what is remembered, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<Kept<T>>,
    /// What to give as [`Query::before`] for the next page; none when this is the last.
    pub next: Option<i64>,
}

/// An entry and its number, which grows with each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kept<T> {
    /// The number.
    pub id: i64,
    /// The entry.
    #[serde(flatten)]
    pub entry: T,
}

impl Query {
    /// No page has more.
    pub const MOST: usize = 1000;

    fn limit(&self) -> usize {
        if self.limit == 0 { Self::MOST } else { self.limit.min(Self::MOST) }
    }
}

impl History {
    /// One that reads what this one writes.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn reader(&self) -> Result<HistoryReader, HistoryError> {
        HistoryReader::open(self.file())
    }
}

impl HistoryReader {
    /// Opens a history to read; there has to be one.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(file: &Path) -> Result<Self, HistoryError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags).map_err(failed(file, "open"))?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(failed(file, "open"))?;
        connection.pragma_update(None, "cache_size", -512).map_err(failed(file, "open"))?;
        Ok(Self { file: file.to_owned(), connection })
    }

    /// The verdicts that changed.
    pub fn transitions(&self, query: &Query) -> Result<Page<Transition>, HistoryError> {
        let columns = "at, kind, subject, before, after, layer, mechanism, failing, evidence";
        self.page(&Table { name: "transitions", columns, subject: "subject", failing: "failing" }, query, |row| {
            Ok(Transition {
                at: row.time(1)?,
                kind: row.named(2, "kind", &SubjectKind::ALL, SubjectKind::name)?,
                subject: row.get(3)?,
                before: row.get(4)?,
                after: row.get(5)?,
                layer: row.get(6)?,
                mechanism: row.get(7)?,
                failing: row.get(8)?,
                evidence: row.json(9)?,
            })
        })
    }

    /// What checks of endpoints came to.
    pub fn endpoint_results(&self, query: &Query) -> Result<Page<EndpointResult>, HistoryError> {
        let columns = "at, endpoint, direction, path, verdict, layer, mechanism, reason, failing, dns, connect, tls, http, \
                       transfer";
        self.page(&Table { name: "endpoint_results", columns, subject: "endpoint", failing: "failing" }, query, |row| {
            Ok(EndpointResult {
                at: row.time(1)?,
                endpoint: row.get(2)?,
                direction: row.get(3)?,
                path: row.get(4)?,
                verdict: row.get(5)?,
                layer: row.get(6)?,
                mechanism: row.get(7)?,
                reason: row.get(8)?,
                failing: row.get(9)?,
                seconds: Phases {
                    dns: row.get(10)?,
                    connect: row.get(11)?,
                    tls: row.get(12)?,
                    http: row.get(13)?,
                    transfer: row.get(14)?,
                },
            })
        })
    }

    /// What became of files that were sent.
    pub fn media_results(&self, query: &Query) -> Result<Page<MediaResult>, HistoryError> {
        let columns = "at, endpoint, kind, verdict, failing, seconds, detail";
        self.page(&Table { name: "media_results", columns, subject: "endpoint", failing: "failing" }, query, |row| {
            Ok(MediaResult {
                at: row.time(1)?,
                endpoint: row.get(2)?,
                kind: row.get(3)?,
                verdict: row.get(4)?,
                failing: row.get(5)?,
                seconds: row.get(6)?,
                detail: row.json(7)?,
            })
        })
    }

    /// What changed in the published lists; nothing of that is failing.
    pub fn feed_changes(&self, query: &Query) -> Result<Page<FeedChange>, HistoryError> {
        let columns = "at, source, change, prefix, list, serial, previous";
        self.page(&Table { name: "feed_changes", columns, subject: "prefix", failing: "0" }, query, |row| {
            Ok(FeedChange {
                at: row.time(1)?,
                source: row.named(2, "source", &Source::ALL, Source::name)?,
                kind: row.named(3, "change", &FeedChangeKind::ALL, FeedChangeKind::name)?,
                prefix: row.parsed(4, "prefix")?,
                list: row.named(5, "list", &List::ALL, List::name)?,
                serial: row.get(6)?,
                previous: row.get(7)?,
            })
        })
    }

    /// The checks; [`Query::subject`] is their kind.
    pub fn checks(&self, query: &Query) -> Result<Page<CheckSummary>, HistoryError> {
        let columns = "at, kind, seconds, failing";
        self.page(&Table { name: "checks", columns, subject: "kind", failing: "failing" }, query, |row| {
            Ok(CheckSummary {
                at: row.time(1)?,
                kind: row.named(2, "kind", &CheckKind::ALL, CheckKind::name)?,
                seconds: row.get(3)?,
                failing: row.get(4)?,
            })
        })
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    fn page<T>(
        &self,
        table: &Table,
        query: &Query,
        read: impl Fn(&Columns<'_>) -> Result<T, Unread>,
    ) -> Result<Page<T>, HistoryError> {
        let limit = query.limit();
        let Conditions { text, values } = Conditions::of(query, table);
        let Table { name, columns, .. } = table;
        let text = format!("SELECT id, {columns} FROM {name} WHERE {text} ORDER BY id DESC LIMIT {}", limit + 1);
        let failed = failed(&self.file, "read");
        let mut statement = self.connection.prepare(&text).map_err(&failed)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(&failed)?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let entry = read(&Columns(row)).map_err(|unread| unread.of(&self.file))?;
            entries.push(Kept { id: row.get(0).map_err(&failed)?, entry });
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(Page { next: entries.last().filter(|_| more).map(|last| last.id), entries })
    }
}

/// What differs from table to table. None of it comes from outside.
struct Table {
    name: &'static str,
    columns: &'static str,
    subject: &'static str,
    failing: &'static str,
}

/// What a row has to hold to. Only what is asked for is in it, so that SQLite finds the index for it.
struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
    fn of(query: &Query, table: &Table) -> Self {
        let mut conditions = Self { text: "1".to_owned(), values: Vec::new() };
        conditions.add("id", "<", query.before.map(Value::from));
        conditions.add("at", ">=", query.since.map(|since| since.as_millisecond().into()));
        conditions.add("at", "<", query.until.map(|until| until.as_millisecond().into()));
        conditions.add(table.subject, "=", query.subject.clone().map(Value::from));
        conditions.add(table.failing, "=", query.failing.map(|failing| i64::from(failing).into()));
        conditions
    }

    fn add(&mut self, column: &str, relation: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.values.push(value);
            let _ = write!(self.text, " AND {column} {relation} ?{}", self.values.len());
        }
    }
}

/// A row as types.
struct Columns<'a>(&'a Row<'a>);

/// Why a row is none of ours.
enum Unread {
    Database(rusqlite::Error),
    Content(&'static str, String),
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Unread {
    fn of(self, file: &Path) -> HistoryError {
        match self {
            Self::Database(source) => failed(file, "read")(source),
            Self::Content(what, text) => {
                HistoryError::Content { file: file.to_owned(), what, text: crate::text::printable(&text, 80) }
            }
        }
    }
}

impl Columns<'_> {
    fn get<T: rusqlite::types::FromSql>(&self, column: usize) -> Result<T, Unread> {
        Ok(self.0.get(column)?)
    }

    fn time(&self, column: usize) -> Result<Timestamp, Unread> {
        let milliseconds: i64 = self.get(column)?;
        Timestamp::from_millisecond(milliseconds).map_err(|_| Unread::Content("a time", milliseconds.to_string()))
    }

    fn named<T: Copy>(
        &self,
        column: usize,
        what: &'static str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<T, Unread> {
        let text: String = self.get(column)?;
        all.iter().copied().find(|one| name(*one) == text).ok_or(Unread::Content(what, text))
    }

    fn parsed<T: std::str::FromStr>(&self, column: usize, what: &'static str) -> Result<T, Unread> {
        let text: String = self.get(column)?;
        text.parse().map_err(|_| Unread::Content(what, text))
    }

    fn json(&self, column: usize) -> Result<serde_json::Value, Unread> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|_| Unread::Content("JSON", text))
    }
}
