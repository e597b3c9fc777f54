//! How the published lists are fetched, and how much is remembered.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ConfigError, bound};
use crate::endpoint::{EndpointUrl, EndpointUrlError, ProxySource};
use crate::ranges::Patience;
use crate::ranges::guard::Bounds;

/// How the lists are fetched.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedConfig {
    /// Where, in order.
    pub urls: Vec<FeedPlace>,
    /// Through which proxy.
    pub proxy: ProxySource,
    /// How often the daemon asks.
    pub interval_seconds: u32,
    /// How long one answer may take.
    pub timeout_seconds: u32,
    /// The most addresses that may be new at once.
    pub most_growth_percent: f64,
    /// The most addresses or ranges that may be gone at once.
    pub most_shrink_percent: f64,
    /// Days after which a range that is missed is believed to be gone.
    pub debounce_days: u16,
    /// Days for which exports keep it.
    pub grace_days: u16,
}

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// Days for successes.
    pub keep_days: u16,
    /// Days for failures and verdicts that changed.
    pub keep_failures_days: u16,
    /// The most of the disk.
    pub most_megabytes: u32,
}

/// Where a list is: a URL, or a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum FeedPlace {
    /// On a server.
    Url(EndpointUrl),
    /// In a file.
    File(PathBuf),
}

/// Why a text is no place of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedPlaceError {
    /// The URL is none.
    #[error(transparent)]
    Url(#[from] EndpointUrlError),
    /// Nothing at all.
    #[error("a list is at a URL or in a file, and this is empty")]
    Empty,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for FeedConfig {
    fn default() -> Self {
        let url = |text: &str| FeedPlace::try_from(text.to_owned()).expect("it is a sound URL");
        let Bounds { most_growth_percent, most_shrink_percent } = Bounds::default();
        Self {
            urls: vec![
                url("https://ip-ranges.amazonaws.com/ip-ranges.json"),
                url("https://d7uri8nf7uskq.cloudfront.net/tools/list-cloudfront-ips"),
            ],
            proxy: ProxySource::Environment,
            interval_seconds: 21_600,
            timeout_seconds: 60,
            most_growth_percent,
            most_shrink_percent,
            debounce_days: 4,
            grace_days: 30,
        }
    }
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self { keep_days: 30, keep_failures_days: 365, most_megabytes: 256 }
    }
}

impl FeedConfig {
    /// How far a list may be from the one before.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds { most_growth_percent: self.most_growth_percent, most_shrink_percent: self.most_shrink_percent }
    }

    /// When a range that is missed is believed to be gone.
    #[must_use]
    pub fn patience(&self) -> Patience {
        let days = |days: u16| DAY * u32::from(days);
        Patience { debounce: days(self.debounce_days), grace: days(self.grace_days) }
    }

    /// How long one answer may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let percent = |value: f64| (0.0..=1000.0).contains(&value);
        let interval = self.interval_seconds;
        bound("feed.urls", self.urls.len(), "at most 8 places", self.urls.len() <= 8)?;
        bound("feed.interval_seconds", interval, "from 60 to 604800", (60..=604_800).contains(&interval))?;
        bound(
            "feed.timeout_seconds",
            self.timeout_seconds,
            "from 1 to 600",
            (1..=600).contains(&self.timeout_seconds),
        )?;
        bound(
            "feed.most_growth_percent",
            self.most_growth_percent,
            "from 0 to 1000",
            percent(self.most_growth_percent),
        )?;
        bound(
            "feed.most_shrink_percent",
            self.most_shrink_percent,
            "from 0 to 1000",
            percent(self.most_shrink_percent),
        )?;
        bound("feed.debounce_days", self.debounce_days, "at most 365", self.debounce_days <= 365)?;
        bound("feed.grace_days", self.grace_days, "at most 3650", self.grace_days <= 3650)
    }
}

impl HistoryConfig {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        let days = |days: u16| (1..=3650).contains(&days);
        bound("history.keep_days", self.keep_days, "from 1 to 3650", days(self.keep_days))?;
        bound("history.keep_failures_days", self.keep_failures_days, "from 1 to 3650", days(self.keep_failures_days))?;
        bound(
            "history.most_megabytes",
            self.most_megabytes,
            "from 1 to 65536",
            (1..=65_536).contains(&self.most_megabytes),
        )
    }
}

impl TryFrom<String> for FeedPlace {
    type Error = FeedPlaceError;

    fn try_from(text: String) -> Result<Self, FeedPlaceError> {
        match text.strip_prefix("file://") {
            Some("") => Err(FeedPlaceError::Empty),
            Some(path) => Ok(Self::File(path.into())),
            None if text.contains("://") => Ok(Self::Url(EndpointUrl::parse(&text)?)),
            None if text.is_empty() => Err(FeedPlaceError::Empty),
            None => Ok(Self::File(text.into())),
        }
    }
}

impl From<FeedPlace> for String {
    fn from(place: FeedPlace) -> Self {
        place.to_string()
    }
}

impl std::str::FromStr for FeedPlace {
    type Err = FeedPlaceError;

    fn from_str(text: &str) -> Result<Self, FeedPlaceError> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for FeedPlace {
    /// Without the query of a URL, which may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url.shown()),
            Self::File(path) => write!(f, "file://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_url_or_a_file() {
        let shown = |text: &str| text.parse::<FeedPlace>().map(|place| place.to_string());
        assert_eq!(shown("https://a.example/l.json?key=hidden").unwrap(), "https://a.example/l.json");
        assert_eq!(shown("/srv/l.json").unwrap(), "file:///srv/l.json");
        assert_eq!(shown("file:///srv/l.json").unwrap(), "file:///srv/l.json");
        for wrong in ["", "file://", "ftp://a/", "https://user:hidden@a/", "https://"] {
            let error = shown(wrong).unwrap_err().to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
