//! nftables: a whole table, replaced in one transaction, or the elements of sets in a table that is there.

use std::fmt::{self, Write};

use super::{Exporter, header};
use crate::export::{Capability, Comments, Entry, Families, Naming, Rules};
use crate::prefix::Family;

const CAPABILITY: Capability = Capability {
    families: Families::Apart,
    comments: Comments::Object,
    atomic: Some("one transaction of `nft -f`"),
    validated_by: "nft",
    ..Capability::FILE
};

/// A table of its own, with sets, chain and rules.
pub(super) const TABLE: Exporter = Exporter {
    name: "nftables",
    title: "nftables: a table with sets and rules",
    capability: CAPABILITY,
    write: write_table,
};

/// What replaces or changes the elements of the sets in a table that is there: rules and counters stay.
pub(super) const UPDATE: Exporter = Exporter {
    name: "nftables-update",
    title: "nftables: new elements for the sets of the exported table",
    capability: Capability { change: true, ..CAPABILITY },
    write: write_update,
};

/// 31 is what the kernels of small routers take; newer ones take 255.
const NAMES: Naming = Naming::identifier(31);

/// What nft takes as a comment.
const LONGEST_COMMENT: usize = 128;

fn write_table(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let table = table(rules);
    writeln!(out, "#!/usr/sbin/nft -f")?;
    header(rules, "#", out)?;
    writeln!(
        out,
        "# An accept in this table does not outweigh a drop in another: where the chain that drops is in a table"
    )?;
    writeln!(out, "# of yours, export nftables-set and include it there.")?;
    // The first line makes sure that the second has something to delete; both are part of the transaction.
    writeln!(out, "table inet {table}\ndelete table inet {table}\ntable inet {table} {{")?;
    writeln!(out, "\tcomment \"{}\"", rules.description(LONGEST_COMMENT))?;
    for group in rules.groups() {
        write_set(rules, &group.suffix(), group.entries, out)?;
    }
    for hook in ["output", "forward"] {
        writeln!(out, "\tchain {hook} {{\n\t\ttype filter hook {hook} priority filter; policy accept;")?;
        for group in rules.groups() {
            writeln!(out, "\t\t{}", rule(rules, &group.suffix(), group.entries))?;
        }
        writeln!(out, "\t}}")?;
    }
    writeln!(out, "}}")
}

fn write_set(rules: &Rules, suffix: &str, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    let kind = if is_v4(entries) { "ipv4_addr" } else { "ipv6_addr" };
    writeln!(out, "\tset {} {{\n\t\ttype {kind}\n\t\tflags interval", NAMES.name(rules.name(), suffix))?;
    write!(out, "\t\telements = ")?;
    write_elements(entries, out)?;
    writeln!(out, "\t}}")
}

fn write_elements(entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{{")?;
    entries.iter().try_for_each(|entry| writeln!(out, "\t\t\t{},", entry.prefix()))?;
    writeln!(out, "\t\t}}")
}

fn rule(rules: &Rules, suffix: &str, entries: &[Entry]) -> String {
    let ports: Vec<String> = rules.ports().iter().map(u16::to_string).collect();
    let family = if is_v4(entries) { "ip" } else { "ip6" };
    let set = NAMES.name(rules.name(), suffix);
    format!("{family} daddr @{set} tcp dport {{ {} }} counter accept", ports.join(", "))
}

fn write_update(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "#!/usr/sbin/nft -f")?;
    header(rules, "#", out)?;
    if let Some((add, remove)) = rules.change() {
        // What is removed goes first: a larger prefix in place of a smaller one would overlap it.
        write_lists("delete", rules, remove, out)?;
        return write_lists("add", rules, add, out);
    }
    for (_, entries) in rules.lists(rules.entries()) {
        writeln!(out, "flush set inet {} {}", table(rules), set(rules, entries))?;
    }
    write_lists("add", rules, rules.entries(), out)
}

fn write_lists(verb: &str, rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    rules.lists(entries).into_iter().try_for_each(|(_, entries)| {
        write!(out, "{verb} element inet {} {} ", table(rules), set(rules, entries))?;
        write_elements(entries, out)
    })
}

fn table(rules: &Rules) -> String {
    NAMES.name(rules.name(), "")
}

fn set(rules: &Rules, entries: &[Entry]) -> String {
    NAMES.name(rules.name(), if is_v4(entries) { "-v4" } else { "-v6" })
}

fn is_v4(entries: &[Entry]) -> bool {
    entries.first().is_some_and(|entry| entry.family() == Family::V4)
}
