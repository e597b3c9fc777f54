//! Zscaler Internet Access.

use std::fmt::{self, Write};

use super::Exporter;
use super::device::{listed, parts};
use crate::export::{Capability, Comments, Families, Naming, Rules};

/// The bodies for `ipDestinationGroups`, in an array: each replaces the group of its name, in force with the activation.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "zscaler",
    title: "Zscaler Internet Access: destination IP groups, as bodies of its API",
    capability: Capability {
        families: Families::V4Only,
        ranges: true,
        comments: Comments::Object,
        atomic: Some("activation"),
        splits: true,
        validated_by: "a JSON parser and a second reader in the tests",
        ..Capability::FILE
    },
    write,
};

/// Zscaler's API: letters, digits, `_`, `.` and `-`.
const NAMES: Naming = Naming::of(127);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "[")?;
    let groups = parts(rules, &NAMES);
    for (index, part) in groups.iter().enumerate() {
        writeln!(out, "  {{\n    \"name\": \"{}\",\n    \"type\": \"DSTN_IP\",", part.name)?;
        writeln!(out, "    \"description\": \"{}\",\n    \"addresses\": [", rules.description(255))?;
        listed(part.entries.iter().map(|entry| format!("\"{}\"", entry.block)), "      ", out)?;
        writeln!(out, "    ]\n  }}{}", if index + 1 < groups.len() { "," } else { "" })?;
    }
    writeln!(out, "]")
}
