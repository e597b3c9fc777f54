//! The configuration in force, with everything that it names.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::{Check, FeedsInForce};
use crate::config::{self, Config};
use crate::job::{self, Feeds, JobError};
use crate::net::endpoint::{self, HeaderError};
use crate::net::tls::TrustError;
use crate::ranges::read::ReadError;
use crate::store::Store;
use crate::store::lists::Lists;
use crate::verdict::{Flapping, Subject};

/// The configuration in force, with everything that it names.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) config: Arc<Config>,
    pub(super) feeds: Arc<FeedsInForce>,
    pub(super) roots: Arc<[CertificateDer<'static>]>,
    pub(super) store: Option<Store>,
    pub(super) site: String,
}

/// Why a configuration cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file.
    #[error(transparent)]
    Config(#[from] config::read::ReadError),
    /// A list that it names.
    #[error(transparent)]
    Feed(#[from] ReadError),
    /// The authorities or the name that it names.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A header of an endpoint.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// What else a check needs.
    #[error(transparent)]
    Job(#[from] JobError),
}

impl Setup {
    /// Reads it; nothing changes if anything is wrong.
    pub(super) fn read(file: &Path) -> Result<Self, SetupError> {
        let config = config::read::config(file)?;
        let store = store(&config.state);
        let feeds = Arc::new(in_force(&config, store.as_ref())?);
        let roots = job::roots(&config)?;
        job::trust(&config, &roots)?;
        for endpoint in &config.endpoints {
            endpoint::headers(endpoint)?;
        }
        Ok(Self { feeds, roots: roots.into(), store, site: job::site(&config), config: Arc::new(config) })
    }

    /// The same with the lists that are in force now.
    pub(super) fn with_new_feeds(&self) -> Result<Self, SetupError> {
        Ok(Self { feeds: Arc::new(in_force(&self.config, self.store.as_ref())?), ..self.clone() })
    }

    /// Whether lists are fetched: not where files are named, and not where there is no place to keep them.
    pub(super) fn fetches(&self) -> bool {
        self.store.is_some() && self.config.feeds.is_empty() && !self.config.feed.urls.is_empty()
    }

    /// Whether something is checked under this configuration.
    pub(super) fn checks(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Range(prefix) => self.feeds.feeds.newest.ranges.iter().any(|range| range.prefix == *prefix),
            Subject::Endpoint { name, .. } => self.config.endpoints.iter().any(|endpoint| endpoint.name == *name),
        }
    }

    /// How often each kind of work is due.
    pub(super) fn intervals(&self) -> BTreeMap<Check, Duration> {
        let daemon = &self.config.daemon;
        let endpoints = Duration::from_secs(daemon.endpoints_seconds);
        let mut intervals = BTreeMap::from([
            (Check::Ranges, Duration::from_secs(daemon.ranges_seconds)),
            (Check::Pulse, endpoints),
            (Check::Endpoints, endpoints),
            (Check::Prune, PRUNE),
        ]);
        intervals.retain(|check, _| *check != Check::Endpoints || !self.config.endpoints.is_empty());
        if !self.config.media.send.is_empty() {
            intervals.insert(Check::Media, Duration::from_secs(daemon.media_seconds));
        }
        if self.fetches() {
            intervals.insert(Check::Feed, Duration::from_secs(self.config.feed.interval_seconds.into()));
        }
        intervals
    }

    pub(super) fn flapping(&self) -> Flapping {
        let daemon = &self.config.daemon;
        Flapping { changes: daemon.flap_changes, window: Duration::from_secs(daemon.flap_seconds) }
    }
}

/// How often what is too old is removed from the history.
const PRUNE: Duration = Duration::from_hours(24);

fn in_force(config: &Config, store: Option<&Store>) -> Result<FeedsInForce, SetupError> {
    let Lists { newest, older, withdrawn, troubles, .. } =
        Lists::read(&config.feeds, store, config.feed.patience(), Timestamp::now())?;
    for trouble in troubles {
        tracing::error!("{trouble}");
    }
    Ok(FeedsInForce { feeds: Feeds { newest, older }, withdrawn })
}

fn store(named: &Path) -> Option<Store> {
    match named.as_os_str() {
        name if name.is_empty() => Store::at(None),
        name if name == "off" => None,
        _ => Store::at(Some(named)),
    }
}
