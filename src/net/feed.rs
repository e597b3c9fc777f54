//! Brings the published lists up to date: fetched, judged and kept.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tokio::task::spawn_blocking;

use super::fetch::{FetchError, Fetched, Wanted, fetch};
use crate::config::{FeedConfig, FeedPlace};
use crate::endpoint::EndpointUrl;
use crate::ranges::{FeedChange, MOST_BYTES, Source};
use crate::store::feeds::{Feeds, FeedsError, KeptList, Offer, Offered, Outcome, Terms};
use crate::text::printable;

/// What came of looking for newer lists.
#[derive(Debug, Default)]
pub struct Updated {
    /// In the order in which the places were asked; those behind the first good list were not.
    pub attempts: Vec<Attempt>,
}

/// One place that was asked.
#[derive(Debug)]
pub struct Attempt {
    /// The place, as it may be shown.
    pub from: String,
    /// What became of its list.
    pub result: Result<Offered, UpdateError>,
}

/// Why a place gave no list.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The file could not be read.
    #[error("cannot read it: {0}")]
    File(#[source] io::Error),
    /// It could not be kept.
    #[error(transparent)]
    Feeds(#[from] FeedsError),
}

impl Updated {
    /// Whether a list is in force now that its publisher has now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.outcomes().any(|outcome| matches!(outcome, Outcome::Accepted | Outcome::Unchanged))
    }

    /// What became of the lists that came.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.attempts.iter().filter_map(|attempt| Some(&attempt.result.as_ref().ok()?.outcome))
    }

    /// What changed in the list in force.
    #[must_use]
    pub fn changes(&self) -> Vec<FeedChange> {
        let offered = self.attempts.iter().filter_map(|attempt| attempt.result.as_ref().ok());
        offered.flat_map(|offered| offered.changes.iter().cloned()).collect()
    }
}

/// Asks one place after the other until one gives a good list.
pub async fn update(
    feeds: &Feeds,
    config: &FeedConfig,
    roots: &[CertificateDer<'static>],
    now: impl Fn() -> Timestamp,
) -> Updated {
    let mut updated = Updated::default();
    for place in &config.urls {
        let result = ask(feeds, config, roots, place, &now).await;
        updated.attempts.push(Attempt { from: place.to_string(), result });
        if updated.is_current() {
            break;
        }
    }
    updated
}

async fn ask(
    feeds: &Feeds,
    config: &FeedConfig,
    roots: &[CertificateDer<'static>],
    place: &FeedPlace,
    now: &impl Fn() -> Timestamp,
) -> Result<Offered, UpdateError> {
    let known = known(feeds, place).await;
    let fetched = match place {
        FeedPlace::Url(url) => fetched(url, known.as_ref(), config, roots).await?,
        FeedPlace::File(path) => {
            let path = path.clone();
            let bytes = spawn_blocking(move || read(&path)).await.expect("it does not panic");
            Fetched::Body { bytes: bytes.map_err(UpdateError::File)?, etag: None, last_modified: None }
        }
    };
    let (feeds, from, now) = (feeds.clone(), place.to_string(), now());
    let terms = Terms { bounds: config.bounds(), patience: config.patience() };
    // Parsing, and waiting for the disk: others have to go on meanwhile.
    let kept = spawn_blocking(move || match (fetched, known) {
        (Fetched::Body { bytes, etag, last_modified }, _) => {
            let offer =
                Offer { bytes: &bytes, from: &from, etag: etag.as_deref(), last_modified: last_modified.as_deref() };
            feeds.offer(&offer, &terms, now)
        }
        (Fetched::NotModified, Some((source, _))) => feeds.confirm(source, &terms, now),
        (Fetched::NotModified, None) => unreachable!("nobody was asked whether it is what we have"),
    });
    Ok(kept.await.expect("it does not panic")?)
}

async fn fetched(
    url: &EndpointUrl,
    known: Option<&(Source, KeptList)>,
    config: &FeedConfig,
    roots: &[CertificateDer<'static>],
) -> Result<Fetched, FetchError> {
    let wanted = Wanted {
        url,
        etag: known.and_then(|(_, list)| list.etag.as_deref()),
        last_modified: known.and_then(|(_, list)| list.last_modified.as_deref()),
        most_bytes: MOST_BYTES,
        within: config.timeout(),
    };
    fetch(&wanted, &config.proxy, roots).await
}

/// The list in force that was fetched from this place.
async fn known(feeds: &Feeds, place: &FeedPlace) -> Option<(Source, KeptList)> {
    let (feeds, place) = (feeds.clone(), place.to_string());
    let status = spawn_blocking(move || feeds.status()).await.expect("it does not panic");
    status
        .into_iter()
        .filter_map(|status| Some((status.source, status.current?)))
        .find(|(_, list)| list.from == place && (list.etag.is_some() || list.last_modified.is_some()))
}

/// One byte more than allowed at most, which is enough to be refused.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Attempt {
    /// What became of it, in a sentence without a subject.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.result {
            Err(error) => format!("failed: {}", printable(&told(error), 400)),
            Ok(offered) => match &offered.outcome {
                Outcome::Unchanged => "unchanged".to_owned(),
                Outcome::Accepted => "accepted".to_owned(),
                Outcome::Held(reasons) => format!("held for a person: {}", reasons.join("; ")),
                Outcome::Refused(reasons) => format!("refused: {}", reasons.join("; ")),
            },
        }
    }
}

fn told(error: &UpdateError) -> String {
    use std::error::Error;
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    format!("{error}{cause}")
}
