//! Cisco ASA, and FTD through its command line.

use std::fmt::{self, Write};

use super::cisco::{LONGEST_DESCRIPTION, NAMES};
use super::device::{Part, host_or, parts, with_netmask};
use super::{Exporter, cisco, header};
use crate::export::{Capability, Families, Rules};

/// One object group for both families. A group in use cannot be emptied, so that a whole list adds what the group lacks
/// and removes nothing: what has to go is in a change.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "asa",
    title: "Cisco ASA: object group and access list",
    capability: Capability { families: Families::Together, validated_by: "fwshift", ..cisco::CAPABILITY },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "!", out)?;
    let parts = parts(rules, &NAMES);
    parts.iter().try_for_each(|part| write_group(rules, part, out))?;
    if rules.change().is_some() {
        return Ok(());
    }
    let list = NAMES.name(rules.name(), "-out");
    let lines = parts.iter().flat_map(|part| rules.ports().iter().map(|port| (&part.name, port)));
    // A line that is there already is not added twice.
    lines.into_iter().try_for_each(|(group, port)| {
        writeln!(out, "access-list {list} extended permit tcp any object-group {group} eq {port}")
    })
}

fn write_group(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "object-group network {}", part.name)?;
    if rules.change().is_none() {
        writeln!(out, " description {}", rules.description(LONGEST_DESCRIPTION))?;
    }
    let verb = if part.removed { "no " } else { "" };
    part.prefixes().try_for_each(|prefix| writeln!(out, " {verb}network-object {}", host_or(prefix, with_netmask)))
}
