//! The document of `json` in YAML: every text is quoted, as a bare `::1` is no text to some readers.

use std::fmt::{self, Display, Write};

use super::{Exporter, header, ports};
use crate::export::{Capability, Rules};
use crate::prefix::Family;

/// What `--since` reads again.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "yaml",
    title: "a YAML document with both families and where they are from",
    capability: Capability { ranges: true, hosts: true, validated_by: "yamllint, PyYAML", ..Capability::FILE },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    writeln!(out, "---\nschema: \"egressd.prefixes/1\"\nname: \"{}\"", rules.name())?;
    writeln!(out, "source: \"{}\"\nsha256: \"{}\"", rules.source(), rules.sha256())?;
    writeln!(out, "ports: [{}]", ports(rules, ", "))?;
    list(out, "hosts", rules.hosts().iter().map(|host| (host, "")))?;
    for (key, family) in [("ipv4", Family::V4), ("ipv6", Family::V6)] {
        let entries = rules.entries().iter().filter(|entry| entry.family() == family);
        list(out, key, entries.map(|entry| (entry.block, rules.comment(entry))))?;
    }
    Ok(())
}

fn list<'a, T: Display>(out: &mut dyn Write, key: &str, items: impl Iterator<Item = (T, &'a str)>) -> fmt::Result {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return writeln!(out, "{key}: []");
    }
    writeln!(out, "{key}:")?;
    items.into_iter().try_for_each(|(item, comment)| match comment {
        "" => writeln!(out, "  - \"{item}\""),
        comment => writeln!(out, "  - \"{item}\"  # {comment}"),
    })
}
