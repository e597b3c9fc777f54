//! The results of `egressd ranges` for programs.

use std::net::IpAddr;

use serde::Serialize;

use super::{Answer, Listing};
use crate::cli::Asked;
use crate::prefix::{Family, Prefix, PrefixSet};
use crate::ranges::{Explanation, FeedDiff, FeedSnapshot, List, Range, Role, Source};
use crate::text::Count;

/// Schema `egressd.ranges/1`; `since` is the oldest feed at hand that has the range.
pub(super) fn list(listing: &Listing<'_>) -> String {
    written(&ListDocument {
        schema: "egressd.ranges/1",
        feed: listing.shown.into(),
        note: listing.shown.note(),
        ranges: listing.ranges.iter().map(|range| listed(range, listing)).collect(),
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
}

#[derive(Serialize)]
struct ListedRange<'a> {
    #[serde(flatten)]
    range: &'a Range,
    since: Option<Since>,
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
