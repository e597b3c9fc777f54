//! Which entries: by list, role and family, with the endpoints' own addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::tz::TimeZone;

use super::rules::{Block, Entry};
use super::text::clean;
use crate::prefix::{Family, Prefix, PrefixSet, aggregate};
use crate::ranges::{FeedSnapshot, List, Range, Role, Withdrawn};
use crate::text::counted;

/// What of a feed is meant; the default is all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// One list alone.
    pub list: Option<List>,
    /// One family alone.
    pub family: Option<Family>,
    /// These roles alone; none: all.
    pub roles: Vec<Role>,
    /// Addresses of endpoints besides.
    pub addresses: Vec<IpAddr>,
}

/// Prefixes, each with a word on why it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// In order; none overlaps another.
    listed: Vec<(Prefix, u16)>,
    comments: Vec<String>,
    /// What whoever takes them has to know.
    notes: Vec<String>,
}

impl Selection {
    /// The ranges of the feed that are meant, and the endpoints' addresses that are in none of them.
    #[must_use]
    pub fn of(&self, feed: &FeedSnapshot) -> Selected {
        let ranges = feed.ranges.iter().filter(|range| self.keeps(range));
        let mut selected = Selected::new(ranges.map(|range| (range.prefix, described(range))));
        let own =
            self.addresses.iter().filter(|address| self.family.is_none_or(|family| family == Family::of(**address)));
        selected.extend(own.map(|&address| (Prefix::host(address), "endpoint".to_owned())));
        selected
    }

    /// The same with ranges that the feed has no more, and that are allowed for a while still.
    #[must_use]
    pub fn with_withdrawn(&self, feed: &FeedSnapshot, withdrawn: &[Withdrawn]) -> Selected {
        let mut selected = self.of(feed);
        let kept: Vec<&Withdrawn> = withdrawn.iter().filter(|missed| self.keeps(&missed.range)).collect();
        let day = |missed: &Withdrawn| missed.since.to_zoned(TimeZone::UTC).date();
        if let Some(first) = kept.iter().map(|missed| day(missed)).min() {
            let ranges = counted(kept.len(), "range", "ranges");
            selected
                .notes
                .push(format!("{ranges} withdrawn from the list since {first}, and still allowed for a while"));
        }
        let comment = |missed: &Withdrawn| format!("{}, withdrawn {}", described(&missed.range), day(missed));
        selected.extend(kept.into_iter().map(|missed| (missed.range.prefix, comment(missed))));
        selected
    }

    /// Whether the range is meant.
    #[must_use]
    pub fn keeps(&self, range: &Range) -> bool {
        self.list.is_none_or(|list| list == range.list)
            && self.family.is_none_or(|family| family == range.prefix.family())
            && (self.roles.is_empty() || self.roles.contains(&range.role))
    }
}

fn described(range: &Range) -> String {
    let region = range.region.as_deref().filter(|region| *region != "GLOBAL");
    region.map_or_else(|| range.role.name().to_owned(), |region| format!("{} {region}", range.role))
}

impl Selected {
    /// These prefixes with their comments; of prefixes that overlap the first alone is kept.
    pub fn new(listed: impl IntoIterator<Item = (Prefix, String)>) -> Self {
        let mut selected = Self { listed: Vec::new(), comments: vec![String::new()], notes: Vec::new() };
        selected.extend(listed);
        selected
    }

    /// Prefixes without comments.
    #[must_use]
    pub fn plain(prefixes: &[Prefix]) -> Self {
        let listed = canonical(prefixes.iter().copied()).into_iter().map(|prefix| (prefix, 0)).collect();
        Self { listed, comments: vec![String::new()], notes: Vec::new() }
    }

    /// The part of it that lies in these prefixes, with its comments.
    #[must_use]
    pub fn within(&self, prefixes: &[Prefix]) -> Self {
        let wanted: PrefixSet = prefixes.iter().copied().collect();
        let part = |&(prefix, comment): &(Prefix, u16)| {
            let common = PrefixSet::from(prefix).intersection(&wanted).prefixes();
            common.into_iter().map(move |prefix| (prefix, comment))
        };
        let listed = self.listed.iter().flat_map(part).collect();
        Self { listed, comments: self.comments.clone(), notes: self.notes.clone() }
    }

    /// How many are listed.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // whether nothing is left is asked of the canonical prefixes
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// What whoever takes them has to know.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The fewest prefixes, in order.
    #[must_use]
    pub fn canonical(&self) -> Vec<Prefix> {
        canonical(self.listed.iter().map(|(prefix, _)| *prefix))
    }

    /// Entries for blocks, each with the comments of what is listed in it; the blocks are in order and disjoint.
    #[must_use]
    pub(super) fn annotated(&self, blocks: impl IntoIterator<Item = Block>) -> (Vec<Entry>, Vec<String>) {
        let mut comments = Comments::of(&self.comments);
        let mut rest = self.listed.as_slice();
        let entries = blocks.into_iter().map(|block| {
            let before = rest.iter().take_while(|(prefix, _)| prefix.last() < block.first()).count();
            let inside = rest[before..].iter().take_while(|(prefix, _)| prefix.first() <= block.last()).count();
            let comment = comments.joined(&rest[before..before + inside]);
            // The last one may reach into the next block.
            rest = &rest[before + inside.saturating_sub(1)..];
            Entry { block, comment }
        });
        (entries.collect(), comments.texts)
    }

    fn extend(&mut self, listed: impl IntoIterator<Item = (Prefix, String)>) {
        let mut known: BTreeMap<String, u16> = self.comments.iter().cloned().zip(0..).collect();
        for (prefix, comment) in listed {
            let comment = clean(&comment, LONGEST_COMMENT);
            let next = u16::try_from(known.len()).unwrap_or(0);
            let index = *known.entry(comment.clone()).or_insert(next);
            if index == next && usize::from(next) == self.comments.len() {
                self.comments.push(comment);
            }
            self.listed.push((prefix, index));
        }
        self.listed.sort_by_key(|(prefix, _)| *prefix);
        // In this order a prefix that holds others is directly before the first of them.
        self.listed.dedup_by(|later, earlier| earlier.0.covers(later.0));
    }
}

/// No comment of ours is longer; the shortest limit of a device for a comment on an entry is 100 (IOS, `remark`).
const LONGEST_COMMENT: usize = 100;

fn canonical(prefixes: impl Iterator<Item = Prefix>) -> Vec<Prefix> {
    aggregate(prefixes).collect()
}

/// Comments and what they became where entries with several were joined.
struct Comments {
    texts: Vec<String>,
    joined: BTreeMap<Vec<u16>, u16>,
}

impl Comments {
    fn of(texts: &[String]) -> Self {
        Self { texts: texts.to_vec(), joined: BTreeMap::new() }
    }

    fn joined(&mut self, listed: &[(Prefix, u16)]) -> u16 {
        if let [(_, only)] = listed {
            return *only;
        }
        let several: BTreeSet<u16> = listed.iter().map(|(_, comment)| *comment).collect();
        let several: Vec<u16> = several.into_iter().collect();
        if let [only] = several[..] {
            return only;
        }
        let Self { texts, joined } = self;
        *joined.entry(several).or_insert_with_key(|several| {
            let words: Vec<&str> = several.iter().map(|&index| texts[usize::from(index)].as_str()).collect();
            let text = clean(&words.join(", "), LONGEST_COMMENT);
            texts.push(text);
            u16::try_from(texts.len() - 1).unwrap_or(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().expect("a prefix")
    }

    fn blocks(selected: &Selected) -> Vec<(String, String)> {
        let (entries, comments) = selected.annotated(selected.canonical().into_iter().map(Block::Prefix));
        entries.iter().map(|e| (e.block.to_string(), comments[usize::from(e.comment)].clone())).collect()
    }

    #[test]
    fn withdrawn_ranges_are_allowed_and_told() {
        let feed = FeedSnapshot::documented();
        let gone = |text: &str, list, role| Withdrawn {
            range: Range { prefix: prefix(text), list, role, region: None },
            since: "2026-08-01T12:00:00Z".parse().unwrap(),
            told: true,
        };
        let withdrawn = [
            gone("3.172.0.0/18", List::Global, Role::Viewer),
            gone("3.29.57.0/26", List::RegionalEdge, Role::RegionalEdge),
        ];
        let all = Selection::default().with_withdrawn(&feed, &withdrawn);
        assert_eq!(all.len(), 123);
        assert!(blocks(&all).contains(&("3.172.0.0/18".to_owned(), "viewer, withdrawn 2026-08-01".to_owned())));
        let global = Selection { list: Some(List::Global), ..Selection::default() };
        let notes = global.with_withdrawn(&feed, &withdrawn).notes;
        assert_eq!(notes, ["1 range withdrawn from the list since 2026-08-01, and still allowed for a while"]);
        assert!(Selection::default().with_withdrawn(&feed, &[]).notes.is_empty());
    }

    #[test]
    fn neighbours_become_one_entry_with_the_comments_of_both() {
        let listed = [("10.0.0.0/9", "viewer"), ("10.128.0.0/9", "origin"), ("9.0.0.0/8", "viewer"), ("::/1", "six")];
        let selected = Selected::new(listed.map(|(text, comment)| (prefix(text), comment.to_owned())));
        let expected = [("9.0.0.0/8", "viewer"), ("10.0.0.0/8", "viewer, origin"), ("::/1", "six")];
        assert_eq!(blocks(&selected), expected.map(|(block, comment)| (block.to_owned(), comment.to_owned())));
    }

    #[test]
    fn a_part_keeps_its_comment() {
        let selected = Selected::new([(prefix("10.0.0.0/8"), "viewer".to_owned())]);
        let part = selected.within(&[prefix("10.1.0.0/16"), prefix("11.0.0.0/8")]);
        assert_eq!(blocks(&part), [("10.1.0.0/16".to_owned(), "viewer".to_owned())]);
    }

    #[test]
    fn roles_lists_and_families_are_chosen() {
        let feed = FeedSnapshot::documented();
        let count = |selection: Selection| selection.of(&feed).listed.len();
        assert_eq!(count(Selection::default()), 121);
        let viewers = count(Selection { roles: vec![Role::Viewer], ..Selection::default() });
        let regional = count(Selection { list: Some(List::RegionalEdge), ..Selection::default() });
        assert!(viewers < 121 && regional < 121, "{viewers} {regional}");
        assert_eq!(count(Selection { family: Some(Family::V6), ..Selection::default() }), 0);
        let own = ["13.32.0.1", "192.0.2.7", "2600:9000::1"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(count(Selection { addresses: own, ..Selection::default() }), 123, "the first is in a range");
    }
}
