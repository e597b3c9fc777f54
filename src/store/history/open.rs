//! A file becomes a history: looked over, brought up to date, and set aside if it is damaged.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::failed;
use super::{History, HistoryError};

/// A history that can be written to.
#[derive(Debug)]
pub struct Opened {
    /// The history.
    pub history: History,
    /// Where the one before it is, if that was damaged.
    pub set_aside: Option<PathBuf>,
}

/// `egrd`: what tells this file from any other database.
const APPLICATION: i64 = 0x6567_7264;

/// Each brings a file from the version before to its own, which is its place in the list.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// Another process that writes is done long before.
const BUSY: Duration = Duration::from_secs(5);

impl History {
    /// Opens it, or begins one.
    ///
    /// A damaged file is moved aside under another name, and a new history begins.
    ///
    /// # Errors
    /// When it cannot be written to, or somebody else's program wrote it.
    pub fn open(file: &Path) -> Result<Opened, HistoryError> {
        // Two that begin a history at once, or set one aside, would spoil each other's.
        let _lock = lock(file).map_err(|source| HistoryError::File { file: file.to_owned(), source })?;
        match Self::checked(file) {
            Err(error) if is_damage(&error) => {
                let aside = set_aside(file).map_err(|source| HistoryError::File { file: file.to_owned(), source })?;
                Ok(Opened { history: Self::checked(file)?, set_aside: Some(aside) })
            }
            other => Ok(Opened { history: other?, set_aside: None }),
        }
    }

    fn checked(file: &Path) -> Result<Self, HistoryError> {
        create(file).map_err(|source| HistoryError::File { file: file.to_owned(), source })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags).map_err(failed(file, "open"))?;
        let mut history = Self { file: file.to_owned(), connection };
        history.configure().map_err(history.failed("open"))?;
        let version = history.version()?;
        history.prepare_file(version).map_err(history.failed("prepare"))?;
        history.check()?;
        history.migrate(version).map_err(history.failed("bring up to date"))?;
        Ok(history)
    }

    fn configure(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(BUSY)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // A few pages are enough to append to.
        self.connection.pragma_update(None, "cache_size", -512)?;
        self.connection.pragma_update(None, "trusted_schema", false)
    }

    /// How far it is brought up to date; 0 for a new file.
    fn version(&self) -> Result<i64, HistoryError> {
        let read = |name| self.connection.pragma_query_value(None, name, |row| row.get(0));
        let (application, found): (i64, i64) =
            read("application_id").and_then(|id| Ok((id, read("user_version")?))).map_err(self.failed("read"))?;
        let known = i64::try_from(MIGRATIONS.len()).expect("there are few");
        match (application, found) {
            (APPLICATION, found) if found > known => Err(HistoryError::Newer { file: self.file.clone(), found, known }),
            (APPLICATION, found) => Ok(found),
            (0, 0) if self.is_empty().map_err(self.failed("read"))? => Ok(0),
            _ => Err(HistoryError::Foreign(self.file.clone())),
        }
    }

    fn is_empty(&self) -> rusqlite::Result<bool> {
        self.connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
    }

    /// What holds for a file as a whole: freed pages can be given back, and a commit is on the disk.
    fn prepare_file(&self, version: i64) -> rusqlite::Result<()> {
        if version == 0 {
            self.connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        self.connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        self.connection.pragma_update(None, "synchronous", "FULL")
    }

    fn check(&self) -> Result<(), HistoryError> {
        let first = |row: &rusqlite::Row<'_>| row.get(0);
        let said: String =
            self.connection.query_row("PRAGMA quick_check(1)", [], first).map_err(self.failed("check"))?;
        if said == "ok" {
            return Ok(());
        }
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        Err(self.failed("check")(rusqlite::Error::SqliteFailure(corrupt, Some(said))))
    }

    fn migrate(&mut self, version: i64) -> rusqlite::Result<()> {
        for (step, script) in (1_i64..).zip(MIGRATIONS).filter(|(step, _)| *step > version) {
            let change = self.connection.transaction()?;
            change.execute_batch(script)?;
            change.pragma_update(None, "application_id", APPLICATION)?;
            change.pragma_update(None, "user_version", step)?;
            change.commit()?;
        }
        Ok(())
    }
}

/// Held until it is dropped, by one process at a time. It is a file of its own: closing the database's file once more would
/// let go of SQLite's locks on it.
fn lock(file: &Path) -> io::Result<File> {
    let lock = beside(file, ".lock");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(lock)?;
    lock.lock().map(|()| lock)
}

/// Makes an empty file that nobody else may read: evidence names addresses of this network.
fn create(file: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn is_damage(error: &HistoryError) -> bool {
    let HistoryError::Database { source, .. } = error else { return false };
    matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Moves the file and what SQLite keeps beside it to the first name that is free.
fn set_aside(file: &Path) -> io::Result<PathBuf> {
    let name = |number: u32| beside(file, &format!(".damaged-{number}"));
    let aside = (1..=u32::MAX).map(name).find(|aside| !aside.exists()).expect("some number is free");
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(beside(file, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
