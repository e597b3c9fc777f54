//! What an audit says: one value, written in several ways.
//!
//! Its JSON form has the schema `egressd.audit/1`; fields are added, never renamed.

mod markdown;
mod text;

use serde::Serialize;

use super::coverage::{RuleName, Share, touched};
use super::{AddressSet, Age, Answer, Coverage, Format, Question, Required};
use crate::exit::ExitStatus;
use crate::prefix::{Family, Prefix};
use crate::ranges::{FeedSnapshot, Source};
use crate::text::{Count, printable};

/// How an audit is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// For a terminal.
    Text,
    /// For programs: `egressd.audit/1`.
    Json,
    /// For a ticket.
    Markdown,
}

/// Everything that is said about a rule set.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    schema: &'static str,
    tool: Tool,
    format: Format,
    files: Vec<String>,
    port: u16,
    feed: Feed,
    verdict: &'static str,
    required: Amount,
    allowed: Vec<Prefix>,
    missing: Vec<Prefix>,
    unknown: Vec<Prefix>,
    ranges: RangeCounts,
    beyond: Beyond,
    stale: Vec<Prefix>,
    equals: Option<OlderList>,
    origin_facing_instead: bool,
    by_rule: Vec<Part>,
    missing_by: Vec<Part>,
    unknown_by: Vec<Part>,
    notes: Vec<String>,
    exit_status: u8,
}

#[derive(Clone, Debug, Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Feed {
    source: Source,
    date: Option<String>,
    sha256: String,
    prefixes: usize,
}

/// How much a set has; the addresses are those of IPv4.
#[derive(Clone, Copy, Debug, Serialize)]
struct Amount {
    prefixes: usize,
    addresses: Count,
    addresses_v6: Count,
}

/// How many of the required ranges are allowed as a whole, and missing and unknown in whole or in part.
#[derive(Clone, Copy, Debug, Serialize)]
struct RangeCounts {
    required: usize,
    allowed: usize,
    missing: usize,
    /// Those of the missing that are so in part.
    partly: usize,
    unknown: usize,
}

/// What passes without being asked for.
#[derive(Clone, Debug, Serialize)]
struct Beyond {
    #[serde(flatten)]
    amount: Amount,
    /// The first of them.
    first: Vec<Prefix>,
}

#[derive(Clone, Debug, Serialize)]
struct OlderList {
    source: Source,
    date: Option<String>,
    ranges_behind: usize,
}

/// A part of what is required, and the rule that decides it.
#[derive(Clone, Debug, Serialize)]
struct Part {
    rule: String,
    hook: String,
    chain: String,
    name: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    text: Option<String>,
    reason: Option<String>,
    allowed_later: Option<LaterRule>,
    ranges: usize,
    prefixes: Vec<Prefix>,
    #[serde(skip)]
    addresses: AddressSet,
}

#[derive(Clone, Debug, Serialize)]
struct LaterRule {
    rule: String,
    file: Option<String>,
    line: Option<u32>,
    text: Option<String>,
}

/// The prefixes beyond the list that are named; their number is always told.
const MOST_BEYOND: usize = 100;

impl Report {
    /// Of what a rule set in these files came to.
    #[must_use]
    pub fn new(
        coverage: &Coverage,
        required: &Required<'_>,
        format: Format,
        question: &Question,
        files: &[String],
    ) -> Self {
        let parts = |shares: &[Share]| shares.iter().map(|share| Part::new(share, required)).collect();
        Self {
            schema: "egressd.audit/1",
            tool: Tool { name: "egressd", version: env!("CARGO_PKG_VERSION") },
            format,
            files: files.iter().map(|file| printable(file, 256)).collect(),
            port: question.port,
            feed: Feed::new(required.feed),
            verdict: coverage.answer().name(),
            required: Amount { prefixes: required.ranges.len(), ..Amount::of(&coverage.required) },
            allowed: coverage.allowed.prefixes(),
            missing: coverage.missing.prefixes(),
            unknown: coverage.unknown.prefixes(),
            ranges: RangeCounts::new(coverage, required),
            beyond: Beyond::new(&coverage.beyond),
            stale: coverage.stale.prefixes(),
            equals: coverage.age.as_ref().map(OlderList::new),
            origin_facing_instead: coverage.origin_facing_instead,
            by_rule: parts(&coverage.by_rule),
            missing_by: parts(&coverage.missing_by),
            unknown_by: parts(&coverage.unknown_by),
            notes: coverage.notes.clone(),
            exit_status: coverage.status() as u8,
        }
    }

    /// Writes it.
    #[must_use]
    pub fn write(&self, format: ReportFormat) -> String {
        match format {
            ReportFormat::Text => text::write(self),
            ReportFormat::Markdown => markdown::write(self),
            ReportFormat::Json => {
                let mut text = serde_json::to_string_pretty(self).expect("a report is plain data");
                text.push('\n');
                text
            }
        }
    }

    /// The process status that says the same.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        match self.answer() {
            Answer::Covers => ExitStatus::Reachable,
            Answer::Misses => ExitStatus::NotReachable,
            Answer::Undetermined => ExitStatus::Inconclusive,
        }
    }

    fn answer(&self) -> Answer {
        match (self.missing.is_empty(), self.unknown.is_empty()) {
            (false, _) => Answer::Misses,
            (true, false) => Answer::Undetermined,
            (true, true) => Answer::Covers,
        }
    }
}

impl Feed {
    fn new(feed: &FeedSnapshot) -> Self {
        Self {
            source: feed.source,
            date: feed.date.map(|date| date.to_string()),
            sha256: feed.sha256.clone(),
            prefixes: feed.ranges.len(),
        }
    }
}

impl Amount {
    fn of(set: &AddressSet) -> Self {
        Self {
            prefixes: set.ranges().map(|range| range.prefixes().len()).sum(),
            addresses: Count(set.addresses(Family::V4)),
            addresses_v6: Count(set.addresses(Family::V6)),
        }
    }
}

impl RangeCounts {
    fn new(coverage: &Coverage, required: &Required<'_>) -> Self {
        let count = |set: &AddressSet| touched(&required.ranges, set).len();
        let whole = |prefix: Prefix| coverage.allowed.covers(&prefix.into());
        let wholly = |prefix: Prefix| coverage.missing.covers(&prefix.into());
        Self {
            required: required.ranges.len(),
            allowed: required.ranges.iter().filter(|range| whole(range.prefix)).count(),
            missing: count(&coverage.missing),
            partly: touched(&required.ranges, &coverage.missing).iter().filter(|range| !wholly(range.prefix)).count(),
            unknown: count(&coverage.unknown),
        }
    }
}

impl Beyond {
    fn new(set: &AddressSet) -> Self {
        let first = set.ranges().flat_map(crate::prefix::AddressRange::prefixes).take(MOST_BEYOND).collect();
        Self { amount: Amount::of(set), first }
    }
}

impl OlderList {
    fn new(age: &Age) -> Self {
        Self { source: age.source, date: age.date.map(|date| date.to_string()), ranges_behind: age.behind }
    }
}

impl Part {
    fn new(share: &Share, required: &Required<'_>) -> Self {
        let RuleName { chain, name, written, text } = share.rule.clone();
        let (file, line) = written.unzip();
        Self {
            rule: share.rule.short(),
            hook: printable(&share.hook, 128),
            chain,
            name,
            file,
            line,
            text,
            reason: share.reason.as_deref().map(str::to_owned),
            allowed_later: share.allowed_later.as_ref().map(LaterRule::new),
            ranges: touched(&required.ranges, &share.part).len(),
            prefixes: share.part.prefixes(),
            addresses: share.part.clone(),
        }
    }
}

impl LaterRule {
    fn new(rule: &RuleName) -> Self {
        let (file, line) = rule.written.clone().unzip();
        Self { rule: rule.short(), file, line, text: rule.text.clone() }
    }
}

#[cfg(test)]
mod tests;
