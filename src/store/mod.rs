//! What is kept between runs: the addresses that answered earlier from this network, the last good lists, and what checks
//! have found.

pub mod feeds;
pub mod history;
pub mod lists;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::baseline::{Baseline, BaselineError, MOST_BYTES};
use crate::cli::output::{self, OutputError};
use feeds::Feeds;

/// The folder of one site's memory.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// Why something was not kept or not found.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made or a file in it not read.
    #[error("cannot use the state folder {}", .path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file was damaged; it is kept under another name.
    #[error("{} was damaged and is kept as {}", .file.display(), .aside.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where it is now.
        aside: PathBuf,
        /// What is wrong with it.
        source: BaselineError,
    },
    /// A file was not written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

const ANSWERED: &str = "answered.json";

impl Store {
    /// The folder that was named, or the system's usual one: systemd's state folder, or that of the user.
    #[must_use]
    pub fn at(named: Option<&Path>) -> Option<Self> {
        let from = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
        let usual = || {
            from("STATE_DIRECTORY")
                .or_else(|| from("XDG_STATE_HOME").map(|folder| folder.join("egressd")))
                .or_else(|| from("HOME").map(|folder| folder.join(".local/state/egressd")))
        };
        named.map(Path::to_owned).or_else(usual).map(|folder| Self { folder })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The published lists that are kept in it.
    #[must_use]
    pub fn feeds(&self) -> Feeds {
        Feeds::at(self.folder.join("feeds"))
    }

    /// Where the history of checks is.
    #[must_use]
    pub fn history_file(&self) -> PathBuf {
        self.folder.join(history::FILE)
    }

    /// The addresses that answered in earlier runs; none before the first.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged: then it is set aside, not lost.
    pub fn answered(&self) -> Result<Option<Baseline>, StoreError> {
        let file = self.folder.join(ANSWERED);
        let bytes = match bounded(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Folder { path: file, source }),
        };
        Baseline::parse(&bytes).map(Some).map_err(|source| {
            let aside = self.folder.join("answered.damaged.json");
            match fs::rename(&file, &aside) {
                Ok(()) => StoreError::Damaged { file, aside, source },
                Err(source) => StoreError::Folder { path: file, source },
            }
        })
    }

    /// Makes the folder, if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self) -> Result<(), StoreError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|source| StoreError::Folder { path: self.folder.clone(), source })
    }

    /// Keeps the addresses that answered.
    ///
    /// # Errors
    /// When the folder or the file cannot be written; what was there stays.
    pub fn keep_answered(&self, baseline: &Baseline) -> Result<(), StoreError> {
        self.make()?;
        let file = self.folder.join(ANSWERED);
        Ok(output::write(Some(&file), &mut io::sink(), baseline.write().as_bytes())?)
    }
}

fn bounded(file: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        let text = r#"{"schema":"egressd.baseline/1","cells":[{"cell":"13.32.0.0/20","date":"2026-11-03","rtt":0.01,"hosts":[1]}]}"#;
        Baseline::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(&folder.path().join("new/egressd"))).unwrap();
        assert_eq!(store.answered().unwrap(), None);
        store.keep_answered(&baseline()).unwrap();
        assert_eq!(store.answered().unwrap(), Some(baseline()));
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(folder.path())).unwrap();
        fs::write(folder.path().join(ANSWERED), "{").unwrap();
        assert!(store.answered().unwrap_err().to_string().contains("was damaged and is kept as"));
        assert_eq!(fs::read(folder.path().join("answered.damaged.json")).unwrap(), b"{");
        assert_eq!(store.answered().unwrap(), None);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let store = Store::at(Some(Path::new("/dev/null/egressd"))).unwrap();
        assert!(store.keep_answered(&baseline()).unwrap_err().to_string().contains("/dev/null/egressd"));
    }
}
