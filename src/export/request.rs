//! From what is asked for to rules that the device can hold, or to the reason why it cannot.

use std::sync::OnceLock;

use super::rules::{Block, Entry, Families, Rules, Task};
use super::select::Selected;
use super::text::{base_name, clean, host_name};
use super::{Capability, ExportError, Limit, RuleFormat};
use crate::prefix::{Family, Prefix};

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// In which syntax.
    pub format: RuleFormat,
    /// The base of the names on the device.
    pub name: &'a str,
    /// Which publication the entries are from, with its date: in few words, for short descriptions.
    pub source: &'a str,
    /// Which file that was, and its digest: for headers alone.
    pub origin: &'a str,
    /// The entries.
    pub selected: &'a Selected,
    /// What becomes of the list on the device.
    pub intent: Intent<'a>,
    /// Destination ports.
    pub ports: &'a [u16],
    /// Host names that are allowed besides.
    pub hosts: &'a [String],
    /// The most entries in one object, in place of the format's own limit.
    pub max_entries: Option<usize>,
    /// What is done when there are more.
    pub overflow: Overflow,
}

/// What becomes of the list on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent<'a> {
    /// It holds the entries and nothing else.
    Replace,
    /// It holds them besides what it holds already.
    Add,
    /// They are taken away again.
    Remove,
    /// It held these, and now holds the entries.
    From(&'a [Prefix]),
    /// It holds the entries, and goes back to these.
    BackTo(&'a [Prefix]),
}

/// What is done with more entries than the device takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Overflow {
    /// Nothing is written.
    Fail,
    /// As few objects as hold them.
    Split,
    /// Fewer and larger entries, which allow more than the list.
    Cover {
        /// The most that is allowed beyond the list, in per cent of its addresses.
        max_extra_percent: Option<f64>,
    },
}

impl Request<'_> {
    /// The rules.
    ///
    /// # Errors
    /// When the device cannot express them.
    pub fn rules(&self) -> Result<Rules, ExportError> {
        let capability = self.format.capability();
        self.refuse_what_it_cannot(capability)?;
        let (entries, comments) = self.selected.annotated(self.selected.canonical().into_iter().map(Block::Prefix));
        let most_in_group = self.fitted(capability, &entries)?;
        Ok(Rules {
            name: base_name(self.name),
            source: clean(self.source, LONGEST_SOURCE),
            origin: clean(self.origin, LONGEST_ORIGIN),
            sha256: OnceLock::new(),
            notes: Vec::new(),
            ports: self.ports.to_vec(),
            hosts: self.hosts.iter().map(|host| host_name(host)).collect(),
            comments,
            task: self.task(entries),
            families: capability.families,
            most_in_group,
            limit: self.limit(capability),
            input_prefixes: self.selected.len(),
            extra: Vec::new(),
        })
    }

    fn refuse_what_it_cannot(&self, capability: &Capability) -> Result<(), ExportError> {
        let format = self.format;
        let prefixes = self.selected.canonical();
        if prefixes.is_empty() && self.hosts.is_empty() {
            return Err(ExportError::Empty);
        }
        let count = prefixes.iter().filter(|prefix| prefix.family() == Family::V6).count();
        if capability.families == Families::V4Only && count > 0 {
            return Err(ExportError::NoIpv6 { format, count });
        }
        if let (false, Some(host)) = (capability.hosts, self.hosts.first()) {
            return Err(ExportError::NoHosts { format, host: host.clone() });
        }
        if self.intent != Intent::Replace && !capability.change {
            return Err(ExportError::NoChange(format));
        }
        Ok(())
    }

    /// The share of a group where the list is split.
    fn fitted(&self, capability: &Capability, entries: &[Entry]) -> Result<Option<usize>, ExportError> {
        let Some(limit) = self.limit(capability) else { return Ok(None) };
        let over = lists(capability.families, entries).into_iter().find(|(_, list)| list.len() > limit.entries);
        let Some((family, list)) = over else { return Ok(None) };
        match self.overflow {
            Overflow::Split if capability.splits => Ok(Some(limit.entries)),
            Overflow::Split => Err(ExportError::NoSplit(self.format)),
            Overflow::Fail | Overflow::Cover { .. } => {
                Err(ExportError::OverLimit { format: self.format, family, entries: list.len(), limit })
            }
        }
    }

    fn limit(&self, capability: &Capability) -> Option<Limit> {
        let asked = self.max_entries.map(|entries| Limit { entries, of: "object", source: "--max-entries" });
        match (asked, capability.limit) {
            (Some(asked), Some(own)) => Some(Limit { of: own.of, ..asked }),
            (asked, own) => asked.or(own),
        }
    }

    fn task(&self, entries: Vec<Entry>) -> Task {
        match self.intent {
            Intent::Replace => Task::Whole(entries),
            Intent::Add => Task::Change { add: entries, remove: Vec::new() },
            Intent::Remove => Task::Change { add: Vec::new(), remove: entries },
            Intent::From(previous) => {
                let (add, remove) = difference(entries, previous);
                Task::Change { add, remove }
            }
            Intent::BackTo(previous) => {
                let (remove, add) = difference(entries, previous);
                Task::Change { add, remove }
            }
        }
    }
}

/// Leaves room for name and digest in the shortest description that a device takes (64, Google).
const LONGEST_SOURCE: usize = 32;

/// The header has room.
const LONGEST_ORIGIN: usize = 200;

fn lists(families: Families, entries: &[Entry]) -> Vec<(Option<Family>, &[Entry])> {
    let (v4, v6) = entries.split_at(entries.partition_point(|entry| entry.family() == Family::V4));
    match families {
        Families::Together => vec![(None, entries)],
        Families::Apart | Families::V4Only => vec![(Some(Family::V4), v4), (Some(Family::V6), v6)],
    }
}

/// What only the entries have, and what only the previous list had.
fn difference(entries: Vec<Entry>, previous: &[Prefix]) -> (Vec<Entry>, Vec<Entry>) {
    let before = Selected::plain(previous).canonical();
    let before: Vec<Block> = before.into_iter().map(Block::Prefix).collect();
    let lacks = |block: &Block| entries.binary_search_by_key(block, |entry| entry.block).is_err();
    let gone = before.iter().filter(|block| lacks(block)).map(|&block| Entry { block, comment: 0 }).collect();
    let new = entries.into_iter().filter(|entry| before.binary_search(&entry.block).is_err()).collect();
    (new, gone)
}
