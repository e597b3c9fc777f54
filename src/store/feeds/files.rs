//! The files of the lists: their names, and how they are read, written and removed.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{Feeds, FeedsError};
use crate::cli::output;
use crate::ranges::{MOST_BYTES, Source};

/// A change takes a second on a slow disk.
const LOCKED_FOR: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl Feeds {
    pub(super) fn state_file(&self, source: Source) -> PathBuf {
        self.folder().join(format!("{source}.state.json"))
    }

    /// A list that was found good.
    pub(super) fn list_file(&self, source: Source, sha256: &str) -> PathBuf {
        self.folder().join(format!("{source}.{}.json", &sha256[..16]))
    }

    /// A list that waits for a person: under a name of its own, so that it is never taken for a good one.
    pub(super) fn held_file(&self, source: Source, sha256: &str) -> PathBuf {
        self.folder().join(format!("{source}.held.{}.json", &sha256[..16]))
    }

    pub(super) fn archive_folder(&self) -> PathBuf {
        self.folder().join("archive")
    }

    /// The lists that were found good, whatever is known of them.
    pub(super) fn good_lists(&self, source: Source) -> Vec<PathBuf> {
        let ours = |name: &str| {
            let digest =
                name.strip_prefix(source.name()).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".json"));
            digest.is_some_and(|digest| digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        files_in(self.folder()).unwrap_or_default().into_iter().filter(|file| ours(&name_of(file))).collect()
    }

    /// Held until it is dropped, by one process at a time.
    pub(super) fn lock(&self) -> Result<File, FeedsError> {
        let make = |folder: &Path| DirBuilder::new().recursive(true).mode(0o700).create(folder);
        make(&self.archive_folder()).map_err(FeedsError::file(self.folder()))?;
        let path = self.folder().join("lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(FeedsError::file(&path))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(source)) => return Err(FeedsError::File { path, source }),
                Err(TryLockError::WouldBlock) if began.elapsed() > LOCKED_FOR => return Err(FeedsError::Busy(path)),
                Err(TryLockError::WouldBlock) => thread::sleep(LOOK_EVERY),
            }
        }
    }

    /// Removes what nobody names: lists of long ago, and what a writer left that was killed. Under the lock.
    pub(super) fn remove_all_but(&self, source: Source, named: &[PathBuf]) {
        let of_source = |name: &str| name.starts_with(&format!("{source}.")) && !name.contains(".damaged");
        let files = [self.folder().to_owned(), self.archive_folder()]
            .into_iter()
            .flat_map(|folder| files_in(&folder).unwrap_or_default());
        for file in files {
            let name = name_of(&file);
            let temporary = name.starts_with(".egressd-");
            let old = file.parent() == Some(self.folder()) && of_source(&name) && !named.contains(&file);
            if temporary || old {
                // One that stays is removed the next time.
                let _ = fs::remove_file(&file);
            }
        }
    }
}

/// Writes a file whole or not at all; it is on the disk when this returns.
pub(super) fn write(file: &Path, bytes: &[u8]) -> Result<(), FeedsError> {
    Ok(output::write(Some(file), &mut io::sink(), bytes)?)
}

/// The bytes of a file, one more than any of ours has at most; none when it is not there.
pub(super) fn read(file: &Path) -> Result<Option<Vec<u8>>, FeedsError> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|open| open.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FeedsError::File { path: file.to_owned(), source }),
    }
}

/// Gives a damaged file another name, where it stays until the next one takes it.
pub(super) fn set_aside(file: &Path) -> Result<(), FeedsError> {
    let mut aside = file.as_os_str().to_owned();
    aside.push(".damaged");
    match fs::rename(file, &aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FeedsError::file(file)(error)),
        _ => Ok(()),
    }
}

/// The files of a folder in order of their names; none where it is not there.
pub(super) fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

pub(super) fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
