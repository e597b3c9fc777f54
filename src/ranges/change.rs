//! A range comes into a published list or leaves it, seen from here: with a delay that hides flapping.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FeedSnapshot, List, Range, Source};
use crate::prefix::{Prefix, PrefixSet};

/// What happened to a range of a published list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct FeedChange {
    /// When it was noticed.
    pub at: Timestamp,
    /// In which publication.
    pub source: Source,
    /// What happened.
    #[serde(rename = "change")]
    pub kind: FeedChangeKind,
    /// The range.
    pub prefix: Prefix,
    /// The list that it is or was in.
    pub list: List,
    /// The serial of the list that shows it.
    pub serial: Option<String>,
    /// The serial of the list before.
    pub previous: Option<String>,
}

/// What happened to a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedChangeKind {
    /// It is listed for the first time.
    Added,
    /// It is listed no more, for longer than ranges come and go; exports still have it.
    Withdrawn,
    /// It was withdrawn and is listed again.
    Returned,
    /// It was withdrawn for so long that exports have it no more.
    Dropped,
}

/// A range that the list in force has no more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Withdrawn {
    /// The range, as it was listed last.
    pub range: Range,
    /// Since when it is missed.
    pub since: Timestamp,
    /// Whether that has been told as a change.
    pub told: bool,
}

/// How long it takes until a range that is missed is believed to be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// One that is missed for a shorter time was never away.
    pub debounce: Duration,
    /// For so long exports keep one that is missed.
    pub grace: Duration,
}

/// What is missed and what changed, once a list has taken the place of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// In order of prefix.
    pub withdrawn: Vec<Withdrawn>,
    /// In order of prefix for each kind.
    pub changes: Vec<FeedChange>,
}

/// Follows a list from one state to the next, or through time where both are the same.
///
/// A range that is new is told at once: where it is missing transfers fail. One that is missed is told after the debounce,
/// and one that comes back before is not told at all. CloudFront had ranges that came and went within four days (the
/// 23.228.224.0/20 area in November 2025).
#[must_use]
pub fn follow(
    before: &FeedSnapshot,
    after: &FeedSnapshot,
    withdrawn: &[Withdrawn],
    patience: Patience,
    now: Timestamp,
) -> Followed {
    let told = |kind, range: &Range| FeedChange {
        at: now,
        source: after.source,
        kind,
        prefix: range.prefix,
        list: range.list,
        serial: after.serial.clone(),
        previous: before.serial.clone(),
    };
    let (listed, listed_before) = (keys(after.ranges.iter()), keys(before.ranges.iter()));
    let missed = keys(withdrawn.iter().map(|missed| &missed.range));
    let new = |range: &&Range| !listed_before.contains(&key(range)) && !missed.contains(&key(range));
    let mut changes: Vec<FeedChange> =
        after.ranges.iter().filter(new).map(|range| told(FeedChangeKind::Added, range)).collect();
    let (back, mut gone): (Vec<Withdrawn>, Vec<Withdrawn>) =
        withdrawn.iter().cloned().partition(|missed| listed.contains(&key(&missed.range)));
    let returned = back.iter().filter(|missed| missed.told);
    changes.extend(returned.map(|missed| told(FeedChangeKind::Returned, &missed.range)));
    let newly = before.ranges.iter().filter(|range| !listed.contains(&key(range)));
    gone.extend(newly.map(|range| Withdrawn { range: range.clone(), since: now, told: false }));
    gone.sort_by_key(|missed| key(&missed.range));
    for missed in gone.iter_mut().filter(|missed| !missed.told && missed.age(now) >= patience.debounce) {
        missed.told = true;
        changes.push(told(FeedChangeKind::Withdrawn, &missed.range));
    }
    let (dropped, kept): (Vec<_>, Vec<_>) = gone.into_iter().partition(|missed| missed.age(now) >= patience.grace);
    changes.extend(dropped.iter().map(|missed| told(FeedChangeKind::Dropped, &missed.range)));
    Followed { withdrawn: kept, changes }
}

/// What exports have besides the list: what is missed for a shorter time than the grace and not listed otherwise.
#[must_use]
pub fn in_grace(feed: &FeedSnapshot, withdrawn: &[Withdrawn], patience: Patience, now: Timestamp) -> Vec<Withdrawn> {
    let listed = feed.addresses();
    let needed = |missed: &&Withdrawn| {
        missed.age(now) < patience.grace && !PrefixSet::from(missed.range.prefix).difference(&listed).is_empty()
    };
    withdrawn.iter().filter(needed).cloned().collect()
}

impl Withdrawn {
    /// How long it is missed; a clock that was set back makes that none.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Duration {
        now.duration_since(self.since).try_into().unwrap_or_default()
    }
}

impl FeedChangeKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Added, Self::Withdrawn, Self::Returned, Self::Dropped];

    /// The name in JSON and in the history.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Withdrawn => "withdrawn",
            Self::Returned => "returned",
            Self::Dropped => "dropped",
        }
    }
}

fn key(range: &Range) -> (Prefix, List) {
    (range.prefix, range.list)
}

fn keys<'a>(ranges: impl Iterator<Item = &'a Range>) -> BTreeSet<(Prefix, List)> {
    ranges.map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::super::made::list;
    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const PATIENCE: Patience =
        Patience { debounce: Duration::from_hours(4 * 24), grace: Duration::from_hours(30 * 24) };

    fn feed(prefixes: &[&str]) -> FeedSnapshot {
        FeedSnapshot::parse("made", list(prefixes, &[]).as_bytes()).unwrap()
    }

    fn day(day: u32) -> Timestamp {
        Timestamp::UNIX_EPOCH + DAY * day
    }

    /// What is told over days, each with the list of that day: `a` is always there, `b` comes and goes.
    fn told(days: &[(u32, bool)]) -> Vec<String> {
        let (with, without) = (feed(&["13.32.0.0/15", "99.84.0.0/16"]), feed(&["13.32.0.0/15"]));
        let (mut before, mut withdrawn, mut told) = (&without, Vec::new(), Vec::new());
        for (number, listed) in days {
            let after = if *listed { &with } else { &without };
            let followed = follow(before, after, &withdrawn, PATIENCE, day(*number));
            told.extend(followed.changes.iter().map(|change| format!("{number} {}", change.kind.name())));
            (before, withdrawn) = (after, followed.withdrawn);
        }
        told
    }

    #[test]
    fn a_range_comes_and_goes_and_is_told_when_it_is_believed() {
        let days = [(0, true), (10, false), (13, false), (14, false), (39, false), (40, false), (41, false)];
        assert_eq!(told(&days), ["0 added", "14 withdrawn", "40 dropped"]);
    }

    #[test]
    fn a_range_that_flaps_is_told_once() {
        let days: Vec<(u32, bool)> = (0..60).map(|number| (number, number % 3 != 2)).collect();
        assert_eq!(told(&days), ["0 added"]);
    }

    #[test]
    fn a_range_that_returns_after_it_was_told_is_told_again() {
        assert_eq!(told(&[(0, true), (1, false), (9, false), (12, true)]), ["0 added", "9 withdrawn", "12 returned"]);
    }

    #[test]
    fn a_range_that_returns_after_the_grace_is_new() {
        let days = [(0, true), (1, false), (60, false), (61, true)];
        assert_eq!(told(&days), ["0 added", "60 withdrawn", "60 dropped", "61 added"]);
    }

    #[test]
    fn a_clock_that_is_set_back_drops_nothing() {
        assert_eq!(told(&[(100, true), (101, false), (3, false)]), ["100 added"]);
    }

    #[test]
    fn exports_keep_what_is_missed_and_not_listed_otherwise() {
        let before = feed(&["13.32.0.0/15", "99.84.0.0/16", "205.251.200.0/21"]);
        let after = feed(&["13.32.0.0/15", "205.251.200.0/22", "205.251.204.0/22"]);
        let followed = follow(&before, &after, &[], PATIENCE, day(0));
        assert_eq!(followed.withdrawn.len(), 2);
        let kept = |at| in_grace(&after, &followed.withdrawn, PATIENCE, at);
        let names: Vec<String> = kept(day(29)).iter().map(|missed| missed.range.prefix.to_string()).collect();
        assert_eq!(names, ["99.84.0.0/16"], "a range that was split is listed");
        assert!(kept(day(30)).is_empty(), "also where nobody has looked for a month");
    }

    #[test]
    fn a_split_range_is_added_and_missed_but_loses_nothing() {
        let (before, after) = (feed(&["13.32.0.0/15"]), feed(&["13.32.0.0/16", "13.33.0.0/16"]));
        let followed = follow(&before, &after, &[], PATIENCE, day(0));
        assert_eq!((followed.withdrawn.len(), followed.changes.len()), (1, 2));
    }
}
