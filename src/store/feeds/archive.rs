//! The lists that were in force, one file for each state: what dates are told by, and old rules recognised.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Feeds, FeedsError, files};
use crate::ranges::{FeedSnapshot, Source, day_in};
use crate::text::printable;

/// No more are kept or read: CloudFront's list changed 60 times in the five years to 2026.
const MOST: usize = 512;

/// The lists of before.
#[derive(Debug, Default)]
pub struct Older {
    /// Oldest first.
    pub lists: Vec<FeedSnapshot>,
    /// What cannot be read.
    pub troubles: Vec<FeedsError>,
}

/// What became of the files of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The days of the lists that are new in the archive.
    pub added: Vec<(String, jiff::civil::Date)>,
    /// Files with a list that is there already.
    pub known: Vec<String>,
    /// Files that are not lists, or of no day, with the reason.
    pub refused: Vec<(String, String)>,
}

impl Feeds {
    /// Every list that was in force here or was imported.
    #[must_use]
    pub fn older(&self) -> Older {
        let mut older = Older::default();
        match files::files_in(&self.archive_folder()) {
            Ok(found) => {
                let ours: Vec<PathBuf> = found.into_iter().filter(|file| archived(file).is_some()).collect();
                ours.iter().skip(ours.len().saturating_sub(MOST)).for_each(|file| older.read(file));
            }
            Err(source) => older.troubles.push(FeedsError::File { path: self.archive_folder(), source }),
        }
        older
    }

    /// Takes the old lists of a folder into the archive, in either published format.
    ///
    /// # Errors
    /// When the folder cannot be read or the archive not written. A file that is no list is none.
    pub fn import(&self, folder: &Path) -> Result<Imported, FeedsError> {
        let listed = fs::read_dir(folder).map_err(FeedsError::file(folder)).map(drop);
        let found = listed.and_then(|()| files::files_in(folder).map_err(FeedsError::file(folder)))?;
        let _lock = self.lock()?;
        let mut imported = Imported::default();
        for file in &found {
            let name = files::name_of(file);
            match dated(file, &name) {
                Ok(list) => self.import_one(&list, name, &mut imported)?,
                Err(reason) => imported.refused.push((name, reason)),
            }
        }
        self.forget_repetitions();
        Ok(imported)
    }

    /// Keeps a list that is in force now, unless it lists the same as the one before it. Under the lock.
    pub(super) fn keep_in_archive(&self, list: &FeedSnapshot, now: Timestamp) -> Result<(), FeedsError> {
        let list = FeedSnapshot { date: list.date.or(Some(now.to_zoned(TimeZone::UTC).date())), ..list.clone() };
        let newest = self.archived_of(list.source).pop();
        if newest.and_then(|file| archived(&file)).is_some_and(|(_, digest)| list.digest().starts_with(&digest)) {
            return Ok(());
        }
        let file = self.file_of(&list);
        if file.exists() { Ok(()) } else { files::write(&file, list.archived().as_bytes()) }
    }

    fn import_one(&self, list: &FeedSnapshot, name: String, imported: &mut Imported) -> Result<(), FeedsError> {
        let file = self.file_of(list);
        let others = self.archived_of(list.source);
        if others.contains(&file) {
            imported.known.push(name);
        } else if others.len() >= MOST {
            imported.refused.push((name, format!("the archive has {MOST} lists already")));
        } else {
            files::write(&file, list.archived().as_bytes())?;
            imported.added.push((name, list.date.expect("it is dated")));
        }
        Ok(())
    }

    /// Of neighbours that list the same the older one says since when.
    fn forget_repetitions(&self) {
        for source in [Source::IpRanges, Source::ListCloudfrontIps] {
            let mut last = None;
            for file in self.archived_of(source) {
                let digest = archived(&file).map(|(_, digest)| digest);
                if digest == last {
                    // One that stays says nothing wrong.
                    let _ = fs::remove_file(&file);
                }
                last = digest;
            }
        }
    }

    /// In order of their days.
    fn archived_of(&self, source: Source) -> Vec<PathBuf> {
        let found = files::files_in(&self.archive_folder()).unwrap_or_default();
        found.into_iter().filter(|file| archived(file).is_some_and(|(of, _)| of == source)).collect()
    }

    fn file_of(&self, list: &FeedSnapshot) -> PathBuf {
        let date = list.date.expect("it is dated");
        self.archive_folder().join(format!("{date}.{}.{}.json", list.source, &list.digest()[..12]))
    }
}

impl Older {
    fn read(&mut self, file: &Path) {
        let parsed = files::read(file).map(|bytes| {
            let damaged = |reason: String| FeedsError::Damaged { file: file.to_owned(), reason };
            let bytes = bytes.ok_or_else(|| damaged("it is not there".to_owned()))?;
            FeedSnapshot::parse_archived(&file.to_string_lossy(), &bytes)
                .map_err(|error| damaged(error.fault.to_string()))
        });
        match parsed.and_then(|parsed| parsed) {
            Ok(list) => self.lists.push(list),
            Err(trouble) => self.troubles.push(trouble),
        }
    }
}

/// Publication and digest of a list in the archive, by its name.
fn archived(file: &Path) -> Option<(Source, String)> {
    let name = files::name_of(file);
    let mut parts = name.strip_suffix(".json")?.split('.');
    let (date, source, digest) = (parts.next()?, parts.next()?, parts.next()?);
    let source = Source::ALL.into_iter().find(|known| known.name() == source)?;
    (date.parse::<jiff::civil::Date>().is_ok() && digest.len() == 12).then(|| (source, digest.to_owned()))
}

/// A list with its day: its own, or the one that the name of the file has.
fn dated(file: &Path, name: &str) -> Result<FeedSnapshot, String> {
    let bytes = files::read(file).map_err(|error| printable(&error.to_string(), 200))?.ok_or("it is gone")?;
    let list = FeedSnapshot::parse_archived(name, &bytes).map_err(|error| error.fault.to_string())?;
    let date = list.date.or_else(|| day_in(name));
    let date = date.ok_or("it has no date: put the day into its name, as in list-2021-06-08.json")?;
    Ok(FeedSnapshot { date: Some(date), ..list })
}
