//! Zscaler Internet Access.

use std::fmt::{self, Write};

use super::device::parts;
use super::{Exporter, json_array, separated};
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
    write!(out, "[")?;
    separated(out, parts(rules, &NAMES), ",", |out, part| {
        write!(out, "\n  {{\n    \"name\": \"{}\",\n    \"type\": \"DSTN_IP\",", part.name)?;
        write!(out, "\n    \"description\": \"{}\",\n    \"addresses\": ", rules.description(255))?;
        json_array(out, "    ", part.entries.iter().map(|entry| entry.block))?;
        write!(out, "\n  }}")
    })?;
    writeln!(out, "\n]")
}
