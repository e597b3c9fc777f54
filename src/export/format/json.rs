//! A JSON document of our own, schema `egressd.prefixes/1`.

use std::fmt::{self, Write};

use super::{Exporter, json_array, ports};
use crate::export::{Capability, Comments, Rules};
use crate::prefix::Family;

/// What `--since` reads again.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "json",
    title: "a JSON document with both families and where they are from",
    capability: Capability {
        ranges: true,
        comments: Comments::Object,
        hosts: true,
        validated_by: "Python's json",
        ..Capability::FILE
    },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let entries =
        |family| rules.entries().iter().filter(move |entry| entry.family() == family).map(|entry| entry.block);
    writeln!(out, "{{\n  \"schema\": \"egressd.prefixes/1\",\n  \"name\": \"{}\",", rules.name())?;
    writeln!(out, "  \"source\": \"{}\",\n  \"sha256\": \"{}\",", rules.source(), rules.sha256())?;
    write!(out, "  \"notes\": ")?;
    json_array(out, "  ", rules.notes())?;
    write!(out, ",\n  \"ports\": [{}],\n  \"hosts\": ", ports(rules, ", "))?;
    json_array(out, "  ", rules.hosts())?;
    write!(out, ",\n  \"ipv4\": ")?;
    json_array(out, "  ", entries(Family::V4))?;
    write!(out, ",\n  \"ipv6\": ")?;
    json_array(out, "  ", entries(Family::V6))?;
    writeln!(out, "\n}}")
}
