//! The results of `egressd ranges` for programs.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::json;

use super::{Answer, Listing};
use crate::cli::Asked;
use crate::net::feed::Updated;
use crate::prefix::{Family, Prefix, PrefixSet};
use crate::ranges::{Explanation, FeedChange, FeedDiff, FeedSnapshot, List, ListState, Range, Role, Source, Withdrawn};
use crate::store::feeds::{Imported, Outcome};
use crate::text::Count;

/// Schema `egressd.ranges/1`; `since` is the oldest feed at hand that has the range.
pub(super) fn list(listing: &Listing<'_>) -> String {
    written(&ListDocument {
        schema: "egressd.ranges/1",
        feed: listing.shown.into(),
        note: listing.shown.note(),
        ranges: listing.ranges.iter().map(|range| listed(range, listing)).collect(),
        withdrawn: &listing.withdrawn,
    })
}

/// Schema `egressd.ranges-diff/1`.
pub(super) fn diff(from: &FeedSnapshot, to: &FeedSnapshot, change: &FeedDiff) -> String {
    let addresses = Changed { gained: Counts::of(&change.gained), lost: Counts::of(&change.lost) };
    let (added, removed) = (&change.added, &change.removed);
    written(&DiffDocument {
        schema: "egressd.ranges-diff/1",
        from: from.into(),
        to: to.into(),
        added,
        removed,
        addresses,
    })
}

/// Schema `egressd.explain/1`; an address in no feed has `listed: false` and nulls.
pub(super) fn explain(answer: &Answer<'_>) -> String {
    let asked = match answer.asked {
        Asked::Address(address) => address.to_string(),
        Asked::Host(host) => host.clone(),
    };
    let addresses = answer.explained.iter().map(|(address, found)| explained(*address, found.as_ref())).collect();
    written(&ExplainDocument { schema: "egressd.explain/1", asked, addresses })
}

/// Schema `egressd.ranges-history/1`: each list, with what changed from the one before of the same publication.
pub(super) fn history(states: &[ListState<'_>], withdrawn: &[Withdrawn]) -> String {
    let lists = states.iter().map(|state| HistoryEntry {
        list: state.list.into(),
        added: state.change.as_ref().map(|change| change.added.as_slice()),
        removed: state.change.as_ref().map(|change| change.removed.as_slice()),
    });
    written(&HistoryDocument { schema: "egressd.ranges-history/1", lists: lists.collect(), withdrawn })
}

/// Schema `egressd.ranges-update/1`.
pub(super) fn update(updated: &Updated, in_force: &FeedSnapshot) -> String {
    let attempts = updated.attempts.iter().map(|attempt| {
        let offered = attempt.result.as_ref().ok();
        let (outcome, reasons) = match offered.map(|offered| &offered.outcome) {
            None => ("failed", vec![attempt.told()]),
            Some(Outcome::Unchanged) => ("unchanged", Vec::new()),
            Some(Outcome::Accepted) => ("accepted", Vec::new()),
            Some(Outcome::Held(reasons)) => ("held", reasons.clone()),
            Some(Outcome::Refused(reasons)) => ("refused", reasons.clone()),
        };
        AttemptEntry { from: &attempt.from, source: offered.and_then(|offered| offered.source), outcome, reasons }
    });
    written(&UpdateDocument {
        schema: "egressd.ranges-update/1",
        attempts: attempts.collect(),
        changes: updated.changes(),
        in_force: in_force.into(),
    })
}

/// Schema `egressd.ranges-import/1`.
pub(super) fn import(imported: &Imported) -> String {
    let added = imported.added.iter().map(|(file, date)| json!({"file": file, "date": date}));
    let refused = imported.refused.iter().map(|(file, reason)| json!({"file": file, "reason": reason}));
    written(&json!({
        "schema": "egressd.ranges-import/1",
        "added": added.collect::<Vec<_>>(),
        "known": imported.known,
        "refused": refused.collect::<Vec<_>>(),
    }))
}

fn written(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("the documents hold nothing that JSON cannot");
    text.push('\n');
    text
}

fn listed<'a>(range: &'a Range, listing: &Listing<'a>) -> ListedRange<'a> {
    ListedRange { range, since: listing.held.since(range.prefix).map(Since::from) }
}

fn explained<'a>(address: IpAddr, found: Option<&Explanation<'a>>) -> ExplainedAddress<'a> {
    ExplainedAddress {
        address,
        listed: found.is_some(),
        listed_now: found.map(|found| found.listed_now),
        prefix: found.map(|found| found.range.prefix),
        list: found.map(|found| found.range.list),
        role: found.map(|found| found.range.role),
        region: found.and_then(|found| found.range.region.as_deref()),
        origin_facing: found.map(|found| found.origin_facing),
        since: found.map(|found| found.since().into()),
        feeds: found.map_or_else(Vec::new, |found| found.feeds.iter().map(|&feed| feed.into()).collect()),
    }
}

#[derive(Serialize)]
struct ListDocument<'a> {
    schema: &'static str,
    feed: Feed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    ranges: Vec<ListedRange<'a>>,
    /// What the list has no more, and exports still have.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    withdrawn: &'a [&'a Withdrawn],
}

#[derive(Serialize)]
struct ListedRange<'a> {
    #[serde(flatten)]
    range: &'a Range,
    since: Option<Since>,
}

#[derive(Serialize)]
struct HistoryDocument<'a> {
    schema: &'static str,
    lists: Vec<HistoryEntry<'a>>,
    withdrawn: &'a [Withdrawn],
}

/// Of the first list of a publication nothing is known to have changed.
#[derive(Serialize)]
struct HistoryEntry<'a> {
    #[serde(flatten)]
    list: Feed<'a>,
    added: Option<&'a [Range]>,
    removed: Option<&'a [Range]>,
}

#[derive(Serialize)]
struct UpdateDocument<'a> {
    schema: &'static str,
    attempts: Vec<AttemptEntry<'a>>,
    changes: Vec<FeedChange>,
    in_force: Feed<'a>,
}

#[derive(Serialize)]
struct AttemptEntry<'a> {
    from: &'a str,
    source: Option<Source>,
    outcome: &'static str,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct DiffDocument<'a> {
    schema: &'static str,
    from: Feed<'a>,
    to: Feed<'a>,
    added: &'a [Range],
    removed: &'a [Range],
    addresses: Changed,
}

#[derive(Serialize)]
struct Changed {
    gained: Counts,
    lost: Counts,
}

#[derive(Serialize)]
struct ExplainDocument<'a> {
    schema: &'static str,
    asked: String,
    addresses: Vec<ExplainedAddress<'a>>,
}

#[derive(Serialize)]
struct ExplainedAddress<'a> {
    address: IpAddr,
    listed: bool,
    listed_now: Option<bool>,
    prefix: Option<Prefix>,
    list: Option<List>,
    role: Option<Role>,
    region: Option<&'a str>,
    origin_facing: Option<bool>,
    since: Option<Since>,
    feeds: Vec<Feed<'a>>,
}

#[derive(Serialize)]
struct Feed<'a> {
    source: Source,
    serial: Option<&'a str>,
    date: Option<String>,
    sha256: &'a str,
    prefixes: usize,
    name: &'a str,
}

impl<'a> From<&'a FeedSnapshot> for Feed<'a> {
    fn from(feed: &'a FeedSnapshot) -> Self {
        Self {
            source: feed.source,
            serial: feed.serial.as_deref(),
            date: feed.date.map(|date| date.to_string()),
            sha256: &feed.sha256,
            prefixes: feed.ranges.len(),
            name: &feed.name,
        }
    }
}

#[derive(Serialize)]
struct Since {
    source: Source,
    date: Option<String>,
}

impl From<&FeedSnapshot> for Since {
    fn from(feed: &FeedSnapshot) -> Self {
        Self { source: feed.source, date: feed.date.map(|date| date.to_string()) }
    }
}

#[derive(Serialize)]
struct Counts {
    v4: Count,
    v6: Count,
}

impl Counts {
    fn of(addresses: &PrefixSet) -> Self {
        Self { v4: Count(addresses.addresses(Family::V4)), v6: Count(addresses.addresses(Family::V6)) }
    }
}
