//! What is to be allowed, before any device's syntax: entries, names, ports and where they come from.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::Limit;
use super::text::clean;
use crate::fit;
use crate::prefix::{AddressRange, Family, Prefix};
use crate::text::hexadecimal;

/// A prefix, or a run of addresses for a device that takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// A prefix.
    Prefix(Prefix),
    /// Only where the format's capability has `ranges`.
    Range(AddressRange),
}

/// One line of an allowlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The addresses.
    pub block: Block,
    /// Which of the comments.
    pub(super) comment: u16,
}

/// What a format writes.
///
/// All text in it is harmless in every syntax: it is cleaned when it comes in, and there is no other way in.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) origin: String,
    pub(super) sha256: OnceLock<String>,
    pub(super) notes: Vec<String>,
    pub(super) ports: Vec<u16>,
    pub(super) hosts: Vec<String>,
    pub(super) comments: Vec<String>,
    pub(super) task: Task,
    pub(super) families: Families,
    pub(super) most_in_group: Option<NonZeroUsize>,
    pub(super) limit: Option<Limit>,
    pub(super) input_prefixes: usize,
    pub(super) extra: Vec<Prefix>,
}

/// What is done to the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// The list becomes just this; in order, disjoint, IPv4 first.
    Whole(Vec<Entry>),
    /// Entries are added to a list that is there, then others are removed from it.
    Change {
        /// What the list lacks.
        add: Vec<Entry>,
        /// What it should not have.
        remove: Vec<Entry>,
    },
}

/// How a device holds the two address families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// One object takes both.
    Together,
    /// Each has an object of its own.
    Apart,
    /// It takes IPv4 alone.
    V4Only,
}

/// The entries of one object on the device.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// The one family in it; none where both may be.
    pub family: Option<Family>,
    /// Which of how many, from 1, where one object does not hold them all.
    pub part: Option<(usize, usize)>,
    /// At least one.
    pub entries: &'a [Entry],
}

impl Block {
    /// Its family.
    #[must_use]
    pub fn family(self) -> Family {
        Family::of(self.first())
    }

    /// Its first address.
    #[must_use]
    pub fn first(self) -> IpAddr {
        match self {
            Self::Prefix(prefix) => prefix.first(),
            Self::Range(range) => range.first(),
        }
    }

    /// Its last address.
    #[must_use]
    pub fn last(self) -> IpAddr {
        match self {
            Self::Prefix(prefix) => prefix.last(),
            Self::Range(range) => range.last(),
        }
    }

    /// How many addresses it holds; all of IPv6 saturates.
    #[must_use]
    pub fn addresses(self) -> u128 {
        match self {
            Self::Prefix(prefix) => prefix.addresses(),
            Self::Range(range) => range.addresses(),
        }
    }
}

/// `13.32.0.0/15`, or `13.32.0.0-13.35.1.255`.
impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => prefix.fmt(f),
            Self::Range(range) => range.fmt(f),
        }
    }
}

impl Entry {
    /// Its prefix, in formats without `ranges`.
    ///
    /// # Panics
    /// When it is a range.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        match self.block {
            Block::Prefix(prefix) => prefix,
            Block::Range(..) => panic!("a format without `ranges` is given prefixes alone"),
        }
    }

    /// Its family.
    #[must_use]
    pub fn family(&self) -> Family {
        self.block.family()
    }
}

impl Rules {
    /// The base of the names on the device: letters, digits, `-` and `_`, beginning with a letter.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which publication of what day the entries are from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The destination ports, TCP; at least one.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Host names that are allowed besides; only where the format's capability has `hosts`.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// What the reader has to know before it is used.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What is allowed beyond the list, because the device does not take more entries.
    #[must_use]
    pub fn extra(&self) -> &[Prefix] {
        &self.extra
    }

    /// What is done.
    #[must_use]
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The comment of an entry; it may be empty.
    #[must_use]
    pub fn comment(&self, entry: &Entry) -> &str {
        &self.comments[usize::from(entry.comment)]
    }

    /// What the list becomes; nothing for a change.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.task {
            Task::Whole(entries) => entries,
            Task::Change { .. } => &[],
        }
    }

    /// What is added and removed; nothing for a whole list.
    #[must_use]
    pub fn change(&self) -> Option<(&[Entry], &[Entry])> {
        match &self.task {
            Task::Whole(_) => None,
            Task::Change { add, remove } => Some((add, remove)),
        }
    }

    /// The objects that a whole list takes, in order; a family without entries has none.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.groups_of(self.entries())
    }

    fn groups_of<'a>(&self, entries: &'a [Entry]) -> impl Iterator<Item = Group<'a>> {
        let most = self.most_in_group;
        self.lists(entries).into_iter().flat_map(move |(family, list)| {
            let parts = most.map_or_else(|| vec![list], |most| fit::split(list, most, |entry| entry.block.first()));
            let count = parts.len();
            let part = move |index| (count > 1).then_some((index + 1, count));
            parts.into_iter().enumerate().map(move |(index, entries)| Group { family, part: part(index), entries })
        })
    }

    /// The lists by family, or the one list of both; none is empty.
    pub(super) fn lists<'a>(&self, entries: &'a [Entry]) -> Vec<(Option<Family>, &'a [Entry])> {
        match self.families {
            Families::Together if entries.is_empty() => Vec::new(),
            Families::Together => vec![(None, entries)],
            Families::Apart | Families::V4Only => {
                by_family(entries).into_iter().map(|(family, list)| (Some(family), list)).collect()
            }
        }
    }

    /// The digest of the list, one entry in a line; what a change removes has a `-` before it.
    #[must_use]
    pub fn sha256(&self) -> &str {
        self.sha256.get_or_init(|| {
            let mut digest = Sha256::new();
            let (kept, removed) = self.change().unwrap_or((self.entries(), &[]));
            for entry in kept {
                digest.update(format!("{}\n", entry.block));
            }
            for entry in removed {
                digest.update(format!("-{}\n", entry.block));
            }
            hexadecimal(&digest.finalize())
        })
    }

    /// What it is, from where and for which ports, a line each, for a comment at the head.
    #[must_use]
    pub fn header(&self) -> Vec<String> {
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        let mut lines = vec![
            format!("{}: {}, TCP {}", self.name, self.counts(), ports.join(" ")),
            format!("source {}, {}", self.source, self.origin),
            format!("list sha256:{}", self.sha256()),
            format!("egressd {}", env!("CARGO_PKG_VERSION")),
        ];
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        lines
    }

    /// The same in one line, cut to the device's longest description.
    #[must_use]
    pub fn description(&self, longest: usize) -> String {
        clean(&format!("{} {} sha256:{}", self.name, self.source, &self.sha256()[..16]), longest)
    }

    fn counts(&self) -> String {
        let counted = |entries: &[Entry]| {
            let v4 = entries.partition_point(|entry| entry.family() == Family::V4);
            format!("{v4} IPv4 and {} IPv6 entries", entries.len() - v4)
        };
        match &self.task {
            Task::Whole(entries) => counted(entries),
            Task::Change { add, remove } => format!("adds {}, removes {}", counted(add), counted(remove)),
        }
    }
}

impl Group<'_> {
    /// What tells the group from its siblings: `-v4`, `-v6-2of3`, or nothing.
    #[must_use]
    pub fn suffix(&self) -> String {
        let family = self.family.map_or_else(String::new, |family| format!("-v{}", family.number()));
        let part = self.part.map_or_else(String::new, |(part, count)| format!("-{part}of{count}"));
        family + &part
    }
}

/// The entries of each family that has any.
pub(super) fn by_family(entries: &[Entry]) -> Vec<(Family, &[Entry])> {
    let (v4, v6) = entries.split_at(entries.partition_point(|entry| entry.family() == Family::V4));
    [(Family::V4, v4), (Family::V6, v6)].into_iter().filter(|(_, list)| !list.is_empty()).collect()
}
