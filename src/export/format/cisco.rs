//! What Cisco's systems with object groups for access lists share.

use std::fmt::{self, Write};

use super::device::{Part, parts};
use super::header;
use crate::export::{Capability, Comments, Families, Naming, Rules};
use crate::prefix::Prefix;

/// How one system says it; of two words the first is for IPv4, the second for IPv6.
pub(super) struct Dialect {
    /// What begins a group.
    pub(super) group: [&'static str; 2],
    /// Whether a group takes a description.
    pub(super) described: bool,
    /// A member of a group.
    pub(super) member: fn(Prefix) -> String,
    /// What begins an access list.
    pub(super) list: [&'static str; 2],
    /// What stands before the number of a line.
    pub(super) numbered: [&'static str; 2],
    /// What a line of an access list calls a group.
    pub(super) reference: &'static str,
    /// What deletes a group so that it can be made anew, where both take effect together.
    pub(super) afresh: bool,
}

/// Object groups hold one family each.
pub(super) const CAPABILITY: Capability = Capability {
    families: Families::Apart,
    comments: Comments::Object,
    atomic: None,
    splits: true,
    change: true,
    ..Capability::FILE
};

/// 64 is what IOS and ASA take, 63 what Cisco's own data model has for NX-OS.
pub(super) const NAMES: Naming = Naming::of(63);

/// What these systems take as a description.
pub(super) const LONGEST_DESCRIPTION: usize = 200;

pub(super) fn write(dialect: &Dialect, rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "!", out)?;
    let parts = parts(rules, &NAMES);
    parts.iter().try_for_each(|part| write_group(dialect, rules, part, out))?;
    if rules.change().is_some() {
        return Ok(());
    }
    [true, false].into_iter().try_for_each(|v4| {
        let groups: Vec<&Part<'_>> = parts.iter().filter(|part| part.is_v4() == v4).collect();
        write_list(dialect, rules, &groups, out)
    })
}

fn write_group(dialect: &Dialect, rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    let group = part.of(dialect.group[0], dialect.group[1]);
    if dialect.afresh && rules.change().is_none() {
        writeln!(out, "no {group} {}", part.name)?;
    }
    writeln!(out, "{group} {}", part.name)?;
    if dialect.described && rules.change().is_none() {
        writeln!(out, " description {}", rules.description(LONGEST_DESCRIPTION))?;
    }
    let verb = if part.removed { "no " } else { "" };
    part.prefixes().try_for_each(|prefix| writeln!(out, " {verb}{}", (dialect.member)(prefix)))?;
    writeln!(out, "!")
}

/// Lines have numbers: the same line under the same number is there already, and not added twice.
fn write_list(dialect: &Dialect, rules: &Rules, groups: &[&Part<'_>], out: &mut dyn Write) -> fmt::Result {
    let Some(first) = groups.first() else { return Ok(()) };
    let name = NAMES.name(rules.name(), first.of("-out-v4", "-out-v6"));
    writeln!(out, "{} {name}", first.of(dialect.list[0], dialect.list[1]))?;
    let numbered = first.of(dialect.numbered[0], dialect.numbered[1]);
    let lines = groups.iter().flat_map(|group| rules.ports().iter().map(|port| (&group.name, port)));
    for (index, (group, port)) in lines.enumerate() {
        let number = 10 * (index + 1);
        writeln!(out, " {numbered}{number} permit tcp any {} {group} eq {port}", dialect.reference)?;
    }
    writeln!(out, "!")
}
