//! The shapes of what is served, as the description of the API has them.
//!
//! They are a contract with programs elsewhere, and so stand apart from the types that the results are made of; a test reads
//! real answers with them.
#![allow(dead_code)] // most are described and never made

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::prefix::Family;
use crate::ranges::List;
use crate::verdict::Verdict;

/// What can be said of a range or an endpoint.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum VerdictName {
    Open,
    Blocked,
    PartlyBlocked,
    Undetermined,
    ExpectedSilent,
}

/// Which of the two published lists.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ListName {
    Global,
    RegionalEdge,
}

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub(super) enum FamilyName {
    #[serde(rename = "4")]
    V4,
    #[serde(rename = "6")]
    V6,
}

/// What is done with more entries than the device takes.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum OverflowName {
    Fail,
    Split,
    Cover,
}

/// What is looked for in the history.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum HistoryKind {
    #[default]
    Transitions,
    Endpoints,
    Media,
    Feed,
    Checks,
}

impl From<VerdictName> for Verdict {
    fn from(name: VerdictName) -> Self {
        match name {
            VerdictName::Open => Self::Open,
            VerdictName::Blocked => Self::Blocked,
            VerdictName::PartlyBlocked => Self::PartlyBlocked,
            VerdictName::Undetermined => Self::Undetermined,
            VerdictName::ExpectedSilent => Self::ExpectedSilent,
        }
    }
}

impl From<ListName> for List {
    fn from(name: ListName) -> Self {
        match name {
            ListName::Global => Self::Global,
            ListName::RegionalEdge => Self::RegionalEdge,
        }
    }
}

impl From<FamilyName> for Family {
    fn from(name: FamilyName) -> Self {
        match name {
            FamilyName::V4 => Self::V4,
            FamilyName::V6 => Self::V6,
        }
    }
}

/// `egressd.report/1`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Report {
    #[schema(example = "egressd.report/1")]
    schema: String,
    tool: Tool,
    site: String,
    #[schema(format = DateTime)]
    started: String,
    seconds: f64,
    feed: ReportFeed,
    baseline: Option<Baseline>,
    controls: Controls,
    probes: Probes,
    ranges: Vec<Range>,
    endpoints: Vec<Endpoint>,
    #[schema(value_type = Vec<Object>)]
    media: Vec<Value>,
    diagnoses: Vec<Diagnosis>,
    /// What made the evidence poorer than it could be.
    limits: Vec<String>,
    interrupted: bool,
    /// As `egressd check` exits: 0 reachable, 1 not reachable, 3 inconclusive.
    exit_status: u8,
}

/// Who made a report.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    name: String,
    version: String,
}

/// Which list was checked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportFeed {
    source: String,
    name: String,
    serial: Option<String>,
    date: Option<String>,
    sha256: String,
    prefixes: usize,
    note: Option<String>,
}

/// Which addresses were known to answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    cells: usize,
    addresses: usize,
    oldest: Option<String>,
    newest: Option<String>,
}

/// What was asked to see whether silence says anything.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Controls {
    sent: u32,
    answered: u32,
    negative_answered: usize,
    waves_discarded: u32,
    uplink_sent: usize,
    uplink_answered: usize,
}

/// Connection attempts to listed ranges.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Probes {
    sent: usize,
    answered: usize,
    rejected: usize,
    silent: usize,
    per_second_limit: Option<f64>,
}

/// What is said of one range.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    prefix: String,
    list: ListName,
    role: String,
    verdict: VerdictName,
    mechanism: Option<String>,
    blocked: Vec<String>,
    undetermined: Vec<String>,
    #[schema(value_type = Option<Object>)]
    offender: Option<Value>,
    confidence: Confidence,
    reason: String,
    probes: u32,
    answered: u32,
    authenticated: u32,
    rtt_seconds: RoundTrip,
}

/// How sure a verdict is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confidence {
    /// The bound on a false accusation.
    alpha: f64,
    /// The evidence, in nats.
    nats: f64,
}

/// Round trips.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoundTrip {
    min: Option<f64>,
    median: Option<f64>,
}

/// What is said of one endpoint over one path.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    name: String,
    direction: String,
    url: String,
    path: String,
    proxy: Option<String>,
    verdict: VerdictName,
    layer: Option<String>,
    mechanism: Option<String>,
    reason: String,
    #[schema(value_type = Option<Object>)]
    offender: Option<Value>,
    observations: Vec<Observation>,
}

/// One operation on one address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Observation {
    operation: String,
    variant: String,
    address: Option<String>,
    family: Option<u8>,
    started_seconds: f64,
    seconds: f64,
    failure: Option<String>,
    #[schema(value_type = Object)]
    detail: Value,
}

/// A cause.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Diagnosis {
    id: String,
    title: String,
    severity: String,
    owner: String,
    prefixes: Vec<String>,
    endpoints: Vec<String>,
    evidence: Vec<String>,
    fix: String,
    command: Option<String>,
    confidence: f64,
}

/// The ranges.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ranges {
    #[schema(format = DateTime)]
    finished: String,
    ranges: Vec<Range>,
}

/// The endpoints.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoints {
    #[schema(format = DateTime)]
    finished: String,
    endpoints: Vec<Endpoint>,
}

/// The causes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Causes {
    #[schema(format = DateTime)]
    finished: String,
    diagnoses: Vec<Diagnosis>,
    limits: Vec<String>,
}

/// The lists.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Feed {
    in_force: Edition,
    /// Prefixes that left the list lately and are still exported.
    withdrawn: Vec<String>,
    older: Vec<Edition>,
}

/// One state of a list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Edition {
    source: String,
    name: String,
    serial: Option<String>,
    date: Option<String>,
    sha256: String,
    prefixes: usize,
}

/// What the daemon is at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    version: String,
    #[schema(format = DateTime)]
    started: String,
    checks: BTreeMap<String, CheckStatus>,
    /// Why verdicts are held as they were.
    paused: Option<String>,
    /// Changes are not announced now.
    maintenance: bool,
    /// What changes too often.
    #[schema(value_type = Vec<Object>)]
    flapping: Vec<Value>,
    /// Why the last reload was refused.
    reload_error: Option<String>,
    /// What cannot be kept on disk.
    trouble: Option<String>,
}

/// What is known of one kind of check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckStatus {
    last_success: Option<String>,
    seconds: Option<f64>,
    succeeded: u64,
    failed: u64,
    late: u64,
    next: Option<String>,
}

/// Entries of the history.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[schema(value_type = Vec<Object>)]
    entries: Vec<Value>,
    /// To be given as `before` for the next page; null on the last.
    next: Option<i64>,
}

/// Whether a check begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Begun {
    /// `now`, or `already` where one is under way.
    begun: String,
}

/// That the configuration is in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reloaded {
    reloaded: bool,
}
