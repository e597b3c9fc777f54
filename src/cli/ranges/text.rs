//! The results of `egressd ranges` for people.

use std::fmt::{self, Write};
use std::net::IpAddr;

use super::{Answer, Listing};
use crate::cli::Asked;
use crate::net::feed::Updated;
use crate::prefix::{Family, Prefix, special_purpose};
use crate::ranges::{Explanation, FeedChange, FeedDiff, FeedSnapshot, List, ListState, Range, Role, Withdrawn};
use crate::store::feeds::{Imported, Offered, Outcome};
use crate::text::{counted, grouped, printable};

/// The note if there is one, the feed, and a line for each range.
pub(super) fn list(listing: &Listing<'_>) -> String {
    written(|text| {
        if let Some(note) = listing.shown.note() {
            writeln!(text, "note: {note}")?;
        }
        writeln!(text, "{}: {} ranges", feed(listing.shown), listing.ranges.len())?;
        writeln!(text)?;
        writeln!(text, "{:<24} {:<13} {:<13} {:<16} since", "prefix", "list", "role", "region")?;
        for range in &listing.ranges {
            let since = listing.held.since(range.prefix).map_or_else(String::new, dated);
            writeln!(text, "{} {since}", columns(range))?;
        }
        missed(text, listing.withdrawn.iter().copied())
    })
}

/// Each list with what changed from the one before of the same publication, oldest first.
pub(super) fn history(states: &[ListState<'_>], withdrawn: &[Withdrawn]) -> String {
    written(|text| {
        for state in states {
            let count = counted(state.list.ranges.len(), "range", "ranges");
            let serial = state.list.serial.as_ref().map_or_else(String::new, |serial| format!(" (serial {serial})"));
            match &state.change {
                None => writeln!(text, "{}{serial}: {count}", dated(state.list))?,
                Some(change) => {
                    let (added, removed) = (change.added.len(), change.removed.len());
                    writeln!(text, "{}{serial}: {count}, {added} added, {removed} removed", dated(state.list))?;
                    let lines = change.added.iter().map(|range| ('+', range));
                    for (sign, range) in lines.chain(change.removed.iter().map(|range| ('-', range))) {
                        writeln!(text, "  {sign} {}", columns(range).trim_end())?;
                    }
                }
            }
        }
        missed(text, withdrawn.iter())
    })
}

/// What became of each place that was asked, and what the site goes by now.
pub(super) fn update(updated: &Updated, in_force: &FeedSnapshot) -> String {
    written(|text| {
        for attempt in &updated.attempts {
            writeln!(text, "{}: {}", printable(&attempt.from, 200), attempt.told())?;
        }
        changes(text, &updated.changes())?;
        writeln!(text, "in force: {}: {} ranges", feed(in_force), in_force.ranges.len())?;
        if updated.outcomes().any(|outcome| matches!(outcome, Outcome::Held(_))) {
            writeln!(text, "what is held waits for `egressd ranges accept`")?;
        }
        Ok(())
    })
}

/// What changed with lists that a person accepted.
pub(super) fn accept(accepted: &[Offered], in_force: &FeedSnapshot) -> String {
    written(|text| {
        accepted.iter().try_for_each(|offered| changes(text, &offered.changes))?;
        writeln!(text, "in force: {}: {} ranges", feed(in_force), in_force.ranges.len())
    })
}

/// What became of each file.
pub(super) fn import(imported: &Imported) -> String {
    written(|text| {
        for (file, date) in &imported.added {
            writeln!(text, "{}: the list of {date}", printable(file, 200))?;
        }
        for file in &imported.known {
            writeln!(text, "{}: known already", printable(file, 200))?;
        }
        for (file, reason) in &imported.refused {
            writeln!(text, "{}: refused: {}", printable(file, 200), printable(reason, 400))?;
        }
        let (added, known) = (imported.added.len(), imported.known.len());
        writeln!(text, "{} imported, {known} known already", counted(added, "list", "lists"))
    })
}

/// A prefix in each line.
pub(super) fn plain(prefixes: impl Iterator<Item = Prefix>) -> String {
    written(|text| prefixes.into_iter().try_for_each(|prefix| writeln!(text, "{prefix}")))
}

/// One sentence on what changed, then every range that did.
pub(super) fn diff(from: &FeedSnapshot, to: &FeedSnapshot, change: &FeedDiff) -> String {
    written(|text| {
        writeln!(text, "{}", summary(change))?;
        writeln!(text)?;
        writeln!(text, "from  {}: {} ranges", feed(from), from.ranges.len())?;
        writeln!(text, "to    {}: {} ranges", feed(to), to.ranges.len())?;
        section(text, "added", '+', &change.added)?;
        section(text, "removed", '-', &change.removed)
    })
}

/// What each address is; for a host the number of its addresses first.
pub(super) fn explain(answer: &Answer<'_>) -> String {
    written(|text| {
        if let Asked::Host(host) = answer.asked {
            let listed = answer.explained.iter().filter(|(_, found)| found.is_some()).count();
            writeln!(text, "{host}: {listed} of {} addresses are in CloudFront's ranges", answer.explained.len())?;
        }
        for (address, found) in &answer.explained {
            match found {
                Some(found) => explained(text, found)?,
                None => unlisted(text, *address)?,
            }
        }
        Ok(())
    })
}

fn changes(text: &mut String, changes: &[FeedChange]) -> fmt::Result {
    changes.iter().try_for_each(|change| {
        writeln!(text, "  {:<9} {:<24} {}", change.kind.name(), change.prefix.to_string(), change.list)
    })
}

fn missed<'a>(text: &mut String, withdrawn: impl Iterator<Item = &'a Withdrawn>) -> fmt::Result {
    for (index, missed) in withdrawn.enumerate() {
        if index == 0 {
            writeln!(text, "\nwithdrawn, and still in exports")?;
        }
        writeln!(text, "- {} since {}", columns(&missed.range), missed.since.strftime("%F"))?;
    }
    Ok(())
}

fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).expect("a String takes everything");
    text
}

/// IPv6 gets a sentence of its own, without addresses: their number says nothing to anybody.
fn summary(change: &FeedDiff) -> String {
    if change.is_empty() {
        return "the two feeds list the same ranges".to_owned();
    }
    let (gained, lost) = (change.gained.addresses(Family::V4), change.lost.addresses(Family::V4));
    let v4 = changed(change, Family::V4)
        .map(|ranges| format!("{ranges}; {} addresses gained, {} lost", grouped(gained), grouped(lost)));
    v4.into_iter().chain(changed(change, Family::V6)).collect::<Vec<_>>().join("\n")
}

fn changed(change: &FeedDiff, family: Family) -> Option<String> {
    let (global, regional) = (change.counts(List::Global, family), change.counts(List::RegionalEdge, family));
    if (global, regional) == ((0, 0), (0, 0)) {
        return None;
    }
    let name = family.number();
    Some(format!(
        "{} global and {} regional IPv{name} ranges were added, {} and {} removed",
        global.0, regional.0, global.1, regional.1
    ))
}

fn section(text: &mut String, title: &str, sign: char, ranges: &[Range]) -> fmt::Result {
    if ranges.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n{title}")?;
    ranges.iter().try_for_each(|range| writeln!(text, "{sign} {}", columns(range).trim_end()))
}

fn columns(range: &Range) -> String {
    let region = range.region.as_deref().unwrap_or("-");
    format!("{:<24} {:<13} {:<13} {region:<16}", range.prefix.to_string(), range.list, range.role)
}

fn explained(text: &mut String, found: &Explanation<'_>) -> fmt::Result {
    let range = found.range;
    writeln!(
        text,
        "{} is in {}, {} list, {}: {}",
        found.address,
        range.prefix,
        range.list,
        range.role,
        means(range.role)
    )?;
    if let Some(region) = &range.region {
        writeln!(text, "  region     {region}")?;
    }
    if found.origin_facing && matches!(range.role, Role::Viewer | Role::CarrierCn) {
        writeln!(text, "  however    this part of the range talks to origins, not to viewers")?;
    }
    writeln!(text, "  since      {}", dated(found.since()))?;
    match found.feeds.as_slice() {
        [first, .., last] if found.feeds.len() > SHOWN => {
            writeln!(text, "  listed in  {} lists, from {} to {}", found.feeds.len(), feed(first), feed(last))?;
        }
        feeds => feeds.iter().try_for_each(|known| writeln!(text, "  listed in  {}", feed(known)))?,
    }
    if !found.listed_now {
        writeln!(text, "  withdrawn  the newest feed at hand does not have it")?;
    }
    Ok(())
}

/// More lists than this are counted and not named.
const SHOWN: usize = 3;

fn means(role: Role) -> &'static str {
    match role {
        Role::Viewer => "blocking it breaks transfers",
        Role::RegionalEdge => "viewers are never sent there, silence is expected",
        Role::OriginFacing => "it talks to origins and not to viewers, silence is expected",
        Role::CarrierCn => "it is in a Chinese carrier's network and optional outside China",
    }
}

fn unlisted(text: &mut String, address: IpAddr) -> fmt::Result {
    write!(text, "{address} is in none of CloudFront's ranges that are at hand")?;
    match special_purpose(Prefix::host(address)) {
        Some((block, name)) => writeln!(text, "; it is in {block}, {name}"),
        None => writeln!(text),
    }
}

/// Source, date and name of a feed in a line.
fn feed(feed: &FeedSnapshot) -> String {
    format!("{} ({})", dated(feed), printable(&feed.name, 120))
}

fn dated(feed: &FeedSnapshot) -> String {
    match feed.date {
        Some(date) => format!("{} {date}", feed.source),
        None => format!("{}, undated", feed.source),
    }
}
