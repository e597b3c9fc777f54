//! From what is asked for to rules that the device can hold, or to the reason why it cannot.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use super::fitting::Fitting;
use super::rules::{Block, Entry, Families, Rules, Task};
use super::select::Selected;
use super::text::{base_name, clean, host_name};
use super::{Capability, ExportError, Limit, RuleFormat};
use crate::prefix::{Family, Prefix};
use crate::text::grouped;

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
    pub max_entries: Option<NonZeroUsize>,
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
        let prefixes = self.selected.canonical();
        self.refuse_what_it_cannot(capability, &prefixes)?;
        let limit = self.limit(capability);
        let fitted = Fitting { format: self.format, limit, overflow: self.overflow }.fit(prefixes)?;
        self.refuse_change_of_split(capability, limit, fitted.most_in_group)?;
        let (entries, comments) = self.selected.annotated(fitted.blocks);
        Ok(Rules {
            name: base_name(self.name),
            source: clean(self.source, LONGEST_SOURCE),
            origin: clean(self.origin, LONGEST_ORIGIN),
            sha256: OnceLock::new(),
            notes: self.selected.notes().iter().cloned().chain(fitted.notes).chain(self.warning(limit)).collect(),
            ports: self.ports.to_vec(),
            hosts: self.hosts.iter().map(|host| host_name(host)).collect(),
            comments,
            task: self.task(entries),
            families: capability.families,
            most_in_group: fitted.most_in_group,
            limit,
            input_prefixes: self.selected.len(),
            extra: fitted.extra,
        })
    }

    fn refuse_what_it_cannot(&self, capability: &Capability, prefixes: &[Prefix]) -> Result<(), ExportError> {
        let format = self.format;
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
        if self.intent != Intent::Replace && !self.hosts.is_empty() {
            return Err(ExportError::HostsInChange);
        }
        if self.intent != Intent::Replace && !capability.change {
            return Err(ExportError::NoChange(format));
        }
        Ok(())
    }

    /// Where a list is in several objects, it is in the order of the whole list which entry is in which.
    fn refuse_change_of_split(
        &self,
        capability: &Capability,
        limit: Option<Limit>,
        most_in_group: Option<NonZeroUsize>,
    ) -> Result<(), ExportError> {
        let split_before = match self.intent {
            Intent::Replace => return Ok(()),
            Intent::Add | Intent::Remove => false,
            Intent::From(previous) | Intent::BackTo(previous) => {
                let (v4, v6): (Vec<Prefix>, Vec<Prefix>) =
                    Selected::plain(previous).canonical().into_iter().partition(|prefix| prefix.family() == Family::V4);
                let together = capability.families == Families::Together;
                let longest = if together { v4.len() + v6.len() } else { v4.len().max(v6.len()) };
                limit.is_some_and(|limit| longest > limit.entries)
            }
        };
        if split_before || most_in_group.is_some() { Err(ExportError::ChangeOfSplit(self.format)) } else { Ok(()) }
    }

    /// How much is on the device already is not known here.
    fn warning(&self, limit: Option<Limit>) -> Option<String> {
        let limit = limit.filter(|_| self.intent == Intent::Add)?;
        Some(format!(
            "one {} takes {} entries, with those that it holds already",
            limit.of,
            grouped(limit.entries as u128)
        ))
    }

    fn limit(&self, capability: &Capability) -> Option<Limit> {
        let asked =
            self.max_entries.map(|entries| Limit { entries: entries.get(), of: "object", source: "--max-entries" });
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

/// What only the entries have, and what only the previous list had.
fn difference(entries: Vec<Entry>, previous: &[Prefix]) -> (Vec<Entry>, Vec<Entry>) {
    let before = Selected::plain(previous).canonical();
    let kept = |prefix: &Prefix| find(&entries, prefix.first()) == Some(Block::Prefix(*prefix));
    let gone = before.iter().filter(|prefix| !kept(prefix));
    let gone = gone.map(|&prefix| Entry { block: Block::Prefix(prefix), comment: 0 }).collect();
    let new = entries.into_iter().filter(|entry| !held(&before, entry.block)).collect();
    (new, gone)
}

fn find(entries: &[Entry], first: IpAddr) -> Option<Block> {
    entries.binary_search_by_key(&first, |entry| entry.block.first()).ok().map(|at| entries[at].block)
}

fn held(before: &[Prefix], block: Block) -> bool {
    matches!(block, Block::Prefix(prefix) if before.binary_search(&prefix).is_ok())
}
