//! The configuration: the defaults, then a file, then flags.

pub mod daemon;
mod feed;
pub mod http;
#[cfg(feature = "io")]
pub mod read;

pub use feed::{FeedConfig, FeedPlace, FeedPlaceError, HistoryConfig};

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, Resolver};
use crate::media::send::SendTarget;
use crate::plan::{Depth, Settings};
use crate::scan::Pace;
use daemon::{AuditConfig, DaemonConfig, Window};
use http::{HttpConfig, WebhookConfig};

/// The file that `egressd config default` prints: every key, with its default value.
pub const DEFAULT: &str = include_str!("../../data/egressd.toml");

/// All settings. Absent keys have the values of [`DEFAULT`].
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The name of this site in reports; empty: the host's name.
    pub site: String,
    /// Published lists.
    pub feeds: Vec<PathBuf>,
    /// PEM file with further authorities; empty: none.
    pub roots: PathBuf,
    /// Folder for what is kept between runs; empty: the usual one; `off`: nothing is kept.
    pub state: PathBuf,
    /// The name that handshakes ask for.
    pub server_name: String,
    /// Addresses outside the ranges.
    pub controls: Vec<SocketAddr>,
    /// How the lists are fetched.
    pub feed: FeedConfig,
    /// How much is remembered.
    pub history: HistoryConfig,
    /// How the ranges are probed.
    pub scan: ScanConfig,
    /// What files are held against, and where they are sent.
    pub media: MediaConfig,
    /// How names are resolved.
    pub dns: DnsConfig,
    /// How the daemon works.
    pub daemon: DaemonConfig,
    /// When it does not announce changes.
    pub maintenance: Vec<Window>,
    /// Rule sets that it holds against the list in force.
    #[serde(rename = "audit")]
    pub audits: Vec<AuditConfig>,
    /// How results are served.
    pub http: HttpConfig,
    /// Who is told of changes.
    pub webhook: WebhookConfig,
    /// Where files are sent and fetched.
    #[serde(rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
}

/// What files are held against, and where media are sent to see whether they arrive.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaConfig {
    /// File whose rules replace and extend the built-in ones; empty: none.
    pub rules: PathBuf,
    /// Where media are sent.
    pub send: Vec<SendTarget>,
}

/// How names are resolved.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnsConfig {
    /// Resolvers that are asked for a second opinion.
    pub resolvers: Vec<Resolver>,
}

/// How the ranges are probed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScanConfig {
    /// How deep a connection goes.
    pub depth: DepthName,
    /// Length of the judged sub-prefixes; 0: whole ranges.
    pub resolution: u8,
    /// How fast.
    pub profile: Profile,
    /// Connections a second; 0: the profile's.
    pub per_second: f64,
    /// Connections under way; 0: the profile's.
    pub in_flight: usize,
    /// Bound on false accusations.
    pub alpha: f64,
    /// Bound on missed blocks.
    pub beta: f64,
}

/// The names of the depths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "io", derive(clap::ValueEnum))]
pub enum DepthName {
    /// A TCP connection
    Tcp,
    /// A TLS handshake on up to three addresses of each range as well
    Tls,
}

/// The names of the paces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "io", derive(clap::ValueEnum))]
pub enum Profile {
    /// 9 connections a second: below the usual port-scan thresholds
    Quiet,
    /// 200 a second
    Normal,
    /// 2,000 a second
    Fast,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not TOML, or has a key that is not known or of a wrong type.
    #[error("not a configuration: {0}")]
    Syntax(String),
    /// A value is out of bounds.
    #[error("`{key}` is {value}, but must be {bounds}")]
    Bounds {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        bounds: &'static str,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            site: String::new(),
            feeds: Vec::new(),
            roots: PathBuf::new(),
            state: PathBuf::new(),
            server_name: "d7uri8nf7uskq.cloudfront.net".to_owned(),
            controls: Settings::default().uplink_controls,
            feed: FeedConfig::default(),
            history: HistoryConfig::default(),
            scan: ScanConfig::default(),
            media: MediaConfig::default(),
            dns: DnsConfig::default(),
            daemon: DaemonConfig::default(),
            maintenance: Vec::new(),
            audits: Vec::new(),
            http: HttpConfig::default(),
            webhook: WebhookConfig::default(),
            endpoints: Endpoint::defaults(),
        }
    }
}

impl Default for ScanConfig {
    fn default() -> Self {
        let Settings { alpha, beta, .. } = Settings::default();
        let (depth, profile) = (DepthName::Tls, Profile::Normal);
        Self { depth, resolution: 20, profile, per_second: 0.0, in_flight: 0, alpha, beta }
    }
}

impl Config {
    /// Reads a configuration and checks its bounds.
    ///
    /// # Errors
    /// Names the key, and line and column where TOML knows them.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)
            .map_err(|error: toml::de::Error| ConfigError::Syntax(error.to_string().trim_end().to_owned()))?;
        config.check()?;
        Ok(config)
    }

    /// What the planner needs to know.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            resolution: Some(self.scan.resolution).filter(|&length| length > 0),
            depth: match self.scan.depth {
                DepthName::Tcp => Depth::Tcp,
                DepthName::Tls => Depth::Tls,
            },
            pace: self.scan.pace(),
            alpha: self.scan.alpha,
            beta: self.scan.beta,
            uplink_controls: self.controls.clone(),
            ..Settings::default()
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let ScanConfig { resolution, per_second, in_flight, alpha, beta, .. } = self.scan;
        bound("scan.resolution", resolution, "0 or from 16 to 24", resolution == 0 || (16..=24).contains(&resolution))?;
        let paced = per_second == 0.0 || (1.0..=Pace::FAST.per_second).contains(&per_second);
        bound("scan.per_second", per_second, "0 or from 1 to 2000", paced)?;
        bound("scan.in_flight", in_flight, "from 0 to 1000", in_flight <= Pace::FAST.in_flight)?;
        bound("scan.alpha", alpha, "from 1e-9 to 0.05", (1e-9..=0.05).contains(&alpha))?;
        bound("scan.beta", beta, "from 1e-9 to 0.05", (1e-9..=0.05).contains(&beta))?;
        bound("controls", self.controls.len(), "at most 16 addresses", self.controls.len() <= 16)?;
        self.feed.check()?;
        self.history.check()?;
        let resolvers = self.dns.resolvers.len();
        bound("dns.resolvers", resolvers, "at most 8 resolvers", resolvers <= 8)?;
        self.daemon.check()?;
        bound("audit", self.audits.len(), "at most 8 rule sets", self.audits.len() <= 8)?;
        self.audits.iter().try_for_each(AuditConfig::check)?;
        let names: BTreeSet<&str> = self.audits.iter().map(|audit| audit.name.as_str()).collect();
        bound("audit.name", "used twice", "different for each rule set", names.len() == self.audits.len())?;
        bound("maintenance", self.maintenance.len(), "at most 64 windows", self.maintenance.len() <= 64)?;
        self.http.check()?;
        self.webhook.check()?;
        bound("endpoint", self.endpoints.len(), "at most 64 endpoints", self.endpoints.len() <= 64)?;
        self.endpoints.iter().try_for_each(Endpoint::check)?;
        let names: BTreeSet<&str> = self.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
        bound("endpoint.name", "used twice", "different for each endpoint", names.len() == self.endpoints.len())?;
        let targets = &self.media.send;
        bound("media.send", targets.len(), "at most 16 targets", targets.len() <= 16)?;
        targets.iter().try_for_each(SendTarget::check)?;
        let names: BTreeSet<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        bound("media.send.name", "used twice", "different for each target", names.len() == targets.len())
    }
}

impl ScanConfig {
    fn pace(&self) -> Pace {
        let mut pace = self.profile.pace();
        if self.per_second > 0.0 {
            pace.per_second = self.per_second;
        }
        if self.in_flight > 0 {
            pace.in_flight = self.in_flight;
        }
        pace
    }
}

impl Profile {
    /// Its limits.
    #[must_use]
    pub fn pace(self) -> Pace {
        match self {
            Self::Quiet => Pace::QUIET,
            Self::Normal => Pace::NORMAL,
            Self::Fast => Pace::FAST,
        }
    }
}

fn bound(
    key: &'static str,
    value: impl std::fmt::Display + Copy,
    bounds: &'static str,
    holds: bool,
) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Bounds { key, value: value.to_string(), bounds }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_the_default() {
        assert_eq!(Config::parse(DEFAULT).unwrap(), Config::default());
        assert_eq!(Config::parse("").unwrap(), Config::default());
        assert_eq!(Config::default().settings(), Settings::default());
    }

    #[test]
    fn the_shipped_file_names_every_key() {
        let keys = |value: &toml::Table| {
            let mut keys: Vec<String> = value.keys().cloned().collect();
            for section in ["feed", "history", "scan"] {
                keys.extend(value[section].as_table().unwrap().keys().map(|key| format!("{section}.{key}")));
            }
            keys
        };
        let shipped: toml::Table = DEFAULT.parse().unwrap();
        let all = toml::Table::try_from(Config::default()).unwrap();
        assert_eq!(keys(&shipped).len(), keys(&all).len());
        assert!(keys(&all).iter().all(|key| keys(&shipped).contains(key)));
    }

    #[test]
    fn endpoints_of_a_file_replace_the_defaults_and_keep_their_secrets() {
        let text = "[[endpoint]]\nname = \"up\"\ndirection = \"send\"\nurl = \"https://a.example/x?sig=hidden\"\n\
                    proxy = \"http://user:hidden@p.example\"\nheaders = { key = \"hidden\", token = { env = \"T\" } }";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.endpoints.len(), 1);
        assert_eq!(config.endpoints[0].body(), Some(64 << 10));
        let shown = format!("{config:?}{}", toml::to_string(&config).unwrap());
        assert!(!shown.contains("hidden") && shown.contains("a.example/x"), "{shown}");
        assert!(Config::parse("endpoint = []").unwrap().endpoints.is_empty());
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        for (text, message) in [
            ("sight = \"hq\"", "sight"),
            ("controls = [\"1.1.1.1\"]", "controls"),
            ("[scan]\nresolution = 25", "`scan.resolution` is 25, but must be 0 or from 16 to 24"),
            ("[scan]\nper_second = 2001.0", "`scan.per_second` is 2001, but must be 0 or from 1 to 2000"),
            ("[scan]\nper_second = 1e-300", "`scan.per_second` is"),
            ("[scan]\nper_second = nan", "`scan.per_second` is NaN"),
            ("[scan]\nalpha = 0.0", "`scan.alpha` is 0, but must be from 1e-9 to 0.05"),
            ("[feed]\nurls = [\"ftp://a/\"]", "must be https or http"),
            ("[feed]\nmost_shrink_percent = -1.0", "`feed.most_shrink_percent` is -1, but must be from 0 to 1000"),
            ("[feed]\ninterval_seconds = 1", "`feed.interval_seconds` is 1, but must be from 60 to 604800"),
            ("[history]\nkeep_days = 0", "`history.keep_days` is 0, but must be from 1 to 3650"),
            ("[scan]\nprofile = \"insane\"", "unknown variant `insane`"),
            ("site = ", "line 1"),
            ("dns = { resolvers = [\"1.1.1.1\"] }", "is not a resolver"),
            (
                "endpoint = [{ name = \"a b\", direction = \"send\", url = \"https://a/\" }]",
                "`endpoint.name` is \"a b\"",
            ),
            ("endpoint = [{ name = \"a\", direction = \"send\", url = \"ftp://a/\" }]", "must be https or http"),
            ("endpoint = [{ name = \"a\", direction = \"send\", url = \"https://u:p@a/\" }]", "must not hold a name"),
            ("endpoint = [{ name = \"a\", direction = \"both\", url = \"https://a/\" }]", "unknown variant `both`"),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
