//! What is remembered: one type for each table.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::ranges::FeedChange;

/// What one check left to be remembered; it is kept whole or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was checked.
    pub kind: CheckKind,
    /// When it came to an end.
    pub at: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// Whether anything was not well.
    pub failing: bool,
    /// The verdicts that changed with it.
    pub transitions: Vec<Transition>,
    /// What it found of each endpoint.
    pub endpoints: Vec<EndpointResult>,
    /// What became of each file that was sent.
    pub media: Vec<MediaResult>,
    /// What changed in the published lists.
    pub feed: Vec<FeedChange>,
}

/// What is checked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// The published ranges.
    Ranges,
    /// The endpoints.
    Endpoints,
    /// Files that are sent.
    Media,
    /// The published lists themselves.
    Feed,
}

/// A verdict that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Transition {
    /// When it was confirmed.
    pub at: Timestamp,
    /// What it is about.
    pub kind: SubjectKind,
    /// A prefix, the name of an endpoint, a channel, or the site.
    pub subject: String,
    /// The verdict until then; none for the first.
    pub before: Option<String>,
    /// The verdict since then.
    pub after: String,
    /// The first layer that fails.
    pub layer: Option<String>,
    /// How it is blocked.
    pub mechanism: Option<String>,
    /// Whether the new verdict accuses.
    pub failing: bool,
    /// What it rests on.
    pub evidence: Value,
}

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A published range.
    Range,
    /// An endpoint.
    Endpoint,
    /// A channel on which files are sent.
    Media,
    /// All of it.
    Site,
}

/// What one check of an endpoint came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointResult {
    /// When.
    pub at: Timestamp,
    /// Its name.
    pub endpoint: String,
    /// `send` or `receive`.
    pub direction: String,
    /// `direct` or `proxy`.
    pub path: String,
    /// The verdict of this check, before anything is confirmed.
    pub verdict: String,
    /// The first layer that fails.
    pub layer: Option<String>,
    /// How it is blocked.
    pub mechanism: Option<String>,
    /// The verdict's reason in words.
    pub reason: Option<String>,
    /// Whether it accuses.
    pub failing: bool,
    /// How long each phase took.
    pub seconds: Phases,
}

/// Seconds of each phase that was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Phases {
    /// The name was resolved.
    pub dns: Option<f64>,
    /// The connection stood.
    pub connect: Option<f64>,
    /// The handshake was done.
    pub tls: Option<f64>,
    /// The first byte of the answer came.
    pub http: Option<f64>,
    /// The body went over.
    pub transfer: Option<f64>,
}

/// What became of one file that was sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MediaResult {
    /// When.
    pub at: Timestamp,
    /// The endpoint or channel.
    pub endpoint: String,
    /// The kind of file.
    pub kind: String,
    /// What was found.
    pub verdict: String,
    /// Whether it failed.
    pub failing: bool,
    /// How long it took.
    pub seconds: Option<f64>,
    /// What it rests on.
    pub detail: Value,
}

/// One check, without what it found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckSummary {
    /// When it came to an end.
    pub at: Timestamp,
    /// What was checked.
    pub kind: CheckKind,
    /// How long it took.
    pub seconds: f64,
    /// Whether anything was not well.
    pub failing: bool,
}

impl Check {
    /// A check that found nothing so far.
    #[must_use]
    pub fn new(kind: CheckKind, at: Timestamp, seconds: f64) -> Self {
        let (transitions, endpoints, media, feed) = Default::default();
        Self { kind, at, seconds, failing: false, transitions, endpoints, media, feed }
    }
}

impl CheckKind {
    pub(super) const ALL: [Self; 4] = [Self::Ranges, Self::Endpoints, Self::Media, Self::Feed];

    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ranges => "ranges",
            Self::Endpoints => "endpoints",
            Self::Media => "media",
            Self::Feed => "feed",
        }
    }
}

impl SubjectKind {
    pub(super) const ALL: [Self; 4] = [Self::Range, Self::Endpoint, Self::Media, Self::Site];

    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Endpoint => "endpoint",
            Self::Media => "media",
            Self::Site => "site",
        }
    }
}
