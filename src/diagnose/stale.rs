//! A firewall that allows an older list than the one in force.

use std::collections::BTreeSet;

use super::{Cause, Diagnosis, Findings, Owner, Severity};
use crate::prefix::{Prefix, PrefixSet};
use crate::ranges::{FeedSnapshot, Range, Role};
use crate::text::{counted, grouped};
use crate::verdict::{RangeVerdict, Verdict};

/// The newest older list of which holds: what is blocked is just what was added to it since.
pub(super) fn stale_allowlist(findings: &Findings<'_>) -> Option<Diagnosis> {
    let mut older: Vec<&FeedSnapshot> = findings.held.iter().collect();
    older.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.date));
    older.into_iter().find_map(|older| Match::of(findings, older)).map(|found| found.diagnosis(findings))
}

struct Match<'a> {
    older: &'a FeedSnapshot,
    /// The ranges that the older list lacks, and those of them that carry transfers and are blocked.
    added: Vec<&'a Range>,
    blocked: Vec<&'a RangeVerdict>,
    /// Viewers' ranges of the older list that are open.
    open: usize,
}

impl<'a> Match<'a> {
    fn of(findings: &Findings<'a>, older: &'a FeedSnapshot) -> Option<Self> {
        let planned: PrefixSet = findings.plan.ranges.iter().map(|planned| planned.range.prefix).collect();
        let added = planned.difference(&older.addresses());
        let viewers = findings.verdicts.iter().filter(|verdict| verdict.range.role == Role::Viewer);
        let (new, old): (Vec<_>, Vec<_>) = viewers.partition(|verdict| added.covers(verdict.range.prefix));
        let all_blocked: PrefixSet = findings.verdicts.iter().flat_map(|verdict| verdict.blocked.clone()).collect();
        let blocked: Vec<_> = new.iter().copied().filter(|verdict| verdict.verdict.accuses()).collect();
        let open = old.iter().filter(|verdict| verdict.verdict == Verdict::Open).count();
        let fits = !blocked.is_empty()
            && open > 0
            && all_blocked.difference(&added).is_empty()
            && new.iter().all(|verdict| verdict.verdict != Verdict::Open);
        let lacks = |range: &&Range| added.covers(range.prefix);
        let added = findings.plan.ranges.iter().map(|planned| &planned.range).filter(lacks).collect();
        fits.then_some(Self { older, added, blocked, open })
    }

    fn diagnosis(&self, findings: &Findings<'_>) -> Diagnosis {
        let prefixes: BTreeSet<Prefix> = self.added.iter().map(|range| range.prefix).collect();
        let alpha: f64 = self.blocked.iter().map(|verdict| verdict.confidence.alpha).sum();
        let missing = counted(self.added.len(), "range", "ranges");
        Diagnosis {
            id: Cause::StaleAllowlist,
            title: format!("the firewall allows {} and nothing newer: {missing} added since are missing", self.name()),
            severity: Severity::Critical,
            owner: Owner::Network,
            endpoints: Vec::new(),
            evidence: self.evidence(findings),
            fix: format!("allow outbound TCP 443 to the {missing} that were added since"),
            command: Some(Self::command(findings)),
            confidence: (1.0 - alpha).max(0.0),
            prefixes: prefixes.into_iter().collect(),
        }
    }

    /// The older list in words.
    fn name(&self) -> String {
        match self.older.date {
            Some(date) => format!("the list of {date}"),
            None => format!("the list in {}", self.older.name),
        }
    }

    fn evidence(&self, findings: &Findings<'_>) -> Vec<String> {
        let newer = self.added.iter().filter(|range| range.role == Role::Viewer).count();
        let addresses: u128 = self.blocked.iter().flat_map(|verdict| &verdict.blocked).map(|p| p.addresses()).sum();
        let feed = findings.feed.date.map_or_else(|| findings.feed.source.to_string(), |date| date.to_string());
        let mut lines = vec![
            format!(
                "{} of the {newer} viewer ranges that {feed} has and {} lacks are blocked ({} addresses)",
                self.blocked.len(),
                self.name(),
                grouped(addresses)
            ),
            format!(
                "{} of the older list are open, none is blocked",
                counted(self.open, "viewer range", "viewer ranges")
            ),
        ];
        let others = self.added.len() - newer;
        if others > 0 {
            lines.push(format!("{others} more of the added ranges serve no viewers: their silence proves nothing"));
        }
        lines
    }

    /// Writes the rules to add; the admin knows the device, and where the report in JSON is.
    fn command(findings: &Findings<'_>) -> String {
        let feed = findings.feed.file().map_or_else(String::new, |name| format!(" --feed {}", shell_word(name)));
        format!("egressd export FORMAT{feed} --only missing --report REPORT")
    }
}

/// A file name as a shell takes it.
fn shell_word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:@".contains(c);
    if name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}
