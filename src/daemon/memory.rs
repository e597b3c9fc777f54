//! What is written to the state folder: in order, by one thread, and nobody waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::held;
use crate::store::Store;
use crate::store::history::{Check, History, HistoryError, Retention};
use crate::text::told;
use crate::verdict::{Outline, Subject};

/// What is to be written.
#[derive(Debug)]
pub(super) enum Entry {
    /// What a check found.
    Check(Box<Check>),
    /// What is held now.
    Held(Vec<(Subject, Outline)>),
    /// What is too old at this moment goes.
    Prune(Timestamp, Retention),
}

/// The way to the thread that writes.
#[derive(Debug)]
pub(super) struct Memory {
    sender: SyncSender<Entry>,
    ended: Receiver<()>,
    trouble: Trouble,
}

/// Why the last entry was not written.
#[derive(Clone, Debug, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

/// A disk that is so far behind is as good as none.
const WAITING: usize = 256;

impl Memory {
    /// Begins to write.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn begin(store: Store) -> std::io::Result<Self> {
        let (sender, entries) = sync_channel(WAITING);
        let (end, ended) = sync_channel::<()>(0);
        let trouble = Trouble::default();
        let mut writer = Writer { store, history: None, trouble: trouble.clone() };
        thread::Builder::new().name("memory".to_owned()).spawn(move || {
            for entry in entries {
                writer.write(entry);
            }
            drop(end);
        })?;
        Ok(Self { sender, ended, trouble })
    }

    /// Has an entry written.
    pub(super) fn write(&self, entry: Entry) {
        let trouble = match self.sender.try_send(entry) {
            Ok(()) => return,
            Err(TrySendError::Full(_)) => "the disk of the state folder does not keep up",
            Err(TrySendError::Disconnected(_)) => "the thread that writes is gone",
        };
        self.trouble.set(Some(trouble.to_owned()));
    }

    /// Why the last entry was not written.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until everything is written, and no longer than this; whether it was.
    pub(super) fn end(self, limit: Duration) -> bool {
        drop(self.sender);
        matches!(self.ended.recv_timeout(limit), Err(RecvTimeoutError::Disconnected))
    }
}

impl Trouble {
    /// Says so once, however often it comes.
    fn set(&self, trouble: Option<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &trouble {
            Some(trouble) if known.as_ref() != Some(trouble) => tracing::error!("not kept: {trouble}"),
            None if known.is_some() => tracing::info!("the state folder can be written to again"),
            _ => {}
        }
        *known = trouble;
    }
}

struct Writer {
    store: Store,
    history: Option<History>,
    trouble: Trouble,
}

impl Writer {
    fn write(&mut self, entry: Entry) {
        let made = self.store.make().map_err(|error| told(&error));
        let outcome = made.and_then(|()| self.write_entry(entry));
        self.trouble.set(outcome.err());
    }

    fn write_entry(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Held(held) => held::write(&self.store, &held).map_err(|error| told(&error)),
            Entry::Check(check) => self.with_history(|history| history.record(&check)),
            Entry::Prune(now, retention) => self.with_history(|history| history.prune(now, &retention).map(|_| ())),
        }
    }

    /// A history that failed is opened anew: the disk may be writable again.
    fn with_history(&mut self, work: impl FnOnce(&mut History) -> Result<(), HistoryError>) -> Result<(), String> {
        let opened = self.history.take().map_or_else(|| self.open(), Ok);
        let mut history = opened.map_err(|error| told(&error))?;
        work(&mut history).map_err(|error| told(&error))?;
        self.history = Some(history);
        Ok(())
    }

    fn open(&self) -> Result<History, HistoryError> {
        let opened = History::open(&self.store.history_file())?;
        if let Some(aside) = opened.set_aside {
            tracing::error!("the history was damaged and is kept as {}", aside.display());
        }
        Ok(opened.history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::history::{CheckKind, HistoryReader, Query};
    use crate::verdict::Verdict;

    fn check() -> Entry {
        Entry::Check(Box::new(Check::new(CheckKind::Ranges, Timestamp::UNIX_EPOCH, 1.0)))
    }

    #[test]
    fn everything_is_written_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(&folder.path().join("new"))).unwrap();
        let memory = Memory::begin(store.clone()).unwrap();
        let open = Outline { verdict: Verdict::Open, mechanism: None, layer: None };
        for _ in 0..20 {
            memory.write(check());
        }
        memory.write(Entry::Held(vec![(Subject::Range("13.32.0.0/15".parse().unwrap()), open)]));
        assert_eq!(memory.trouble(), None);
        assert!(memory.end(Duration::from_mins(1)));
        let reader = HistoryReader::open(&store.history_file()).unwrap();
        assert_eq!(reader.checks(&Query::default()).unwrap().entries.len(), 20);
        assert_eq!(held::read(&store).unwrap().len(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_trouble_and_no_end() {
        let memory = Memory::begin(Store::at(Some("/dev/null/egressd".as_ref())).unwrap()).unwrap();
        memory.write(check());
        let trouble = memory.trouble.clone();
        assert!(memory.end(Duration::from_mins(1)));
        assert!(trouble.0.lock().unwrap().as_ref().unwrap().contains("/dev/null"));
    }
}
