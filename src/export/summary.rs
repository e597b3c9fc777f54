//! What was written, for a program: schema `egressd.export/1`.

use std::fmt::Write as _;

use serde::Serialize;

use super::{RuleFormat, Rules};
use crate::prefix::{Family, Prefix};
use crate::text::{Count, counted};

/// The counts of one export.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    schema: &'static str,
    format: RuleFormat,
    entries: usize,
    /// The most entries in one object; null where the device has no limit.
    limit: Option<usize>,
    objects: usize,
    /// Where it was written.
    pub files: Vec<String>,
    input_prefixes: usize,
    addresses: Count,
    extra_addresses: Count,
    ipv4: Share,
    ipv6: Share,
    /// What is allowed beyond the list.
    extra: Vec<Prefix>,
    sha256: String,
    warnings: Vec<String>,
}

/// What is of one family: the sums of both say nothing, as IPv6 outweighs all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Share {
    entries: usize,
    addresses: Count,
    extra_addresses: Count,
}

impl Summary {
    /// Of these rules in this format.
    #[must_use]
    pub fn new(format: RuleFormat, rules: &Rules) -> Self {
        let [ipv4, ipv6] = [Family::V4, Family::V6].map(|family| Share::of(family, rules));
        let sum = |part: fn(&Share) -> Count| Count(part(&ipv4).0.saturating_add(part(&ipv6).0));
        Self {
            schema: "egressd.export/1",
            format,
            entries: ipv4.entries + ipv6.entries,
            limit: rules.limit.map(|limit| limit.entries),
            objects: rules.groups().count(),
            files: Vec::new(),
            input_prefixes: rules.input_prefixes,
            addresses: sum(|share| share.addresses),
            extra_addresses: sum(|share| share.extra_addresses),
            ipv4,
            ipv6,
            extra: rules.extra().to_vec(),
            sha256: rules.sha256().to_owned(),
            warnings: rules.notes().to_vec(),
        }
    }
}

impl Summary {
    /// One document.
    #[must_use]
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a summary holds nothing that JSON cannot");
        text.push('\n');
        text
    }

    /// A line, and what is allowed beyond the list.
    #[must_use]
    pub fn text(&self) -> String {
        let entries = counted(self.entries, "entry", "entries");
        let objects = counted(self.objects, "object", "objects");
        let mut text = format!("{}: {entries} in {objects}, {}\n", self.format, self.files.join(", "));
        for prefix in &self.extra {
            writeln!(text, "  beyond the list: {prefix}").expect("a String takes everything");
        }
        text
    }
}

impl Share {
    fn of(family: Family, rules: &Rules) -> Self {
        let (kept, removed) = rules.change().unwrap_or((rules.entries(), &[]));
        let entries = kept.iter().chain(removed).filter(|entry| entry.family() == family);
        let extra = rules.extra().iter().filter(|prefix| prefix.family() == family);
        Self {
            entries: entries.clone().count(),
            addresses: sum(entries.map(|entry| entry.block.addresses())),
            extra_addresses: sum(extra.map(|prefix| prefix.addresses())),
        }
    }
}

fn sum(mut addresses: impl Iterator<Item = u128>) -> Count {
    Count(addresses.try_fold(0, u128::checked_add).unwrap_or(u128::MAX))
}
