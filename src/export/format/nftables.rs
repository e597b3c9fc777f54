//! nftables: a whole table, replaced in one transaction, or the elements of sets in a table that is there.

use std::fmt::{self, Write};

use super::{Exporter, by_family, header, ports, suffix};
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

/// The sets alone, to be included in a table that is there.
pub(super) const SETS: Exporter = Exporter {
    name: "nftables-set",
    title: "nftables: sets to be included in a table of yours",
    capability: CAPABILITY,
    write: write_fragment,
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
    write_sets(rules, "\t", out)?;
    for hook in ["output", "forward"] {
        writeln!(out, "\tchain {hook} {{\n\t\ttype filter hook {hook} priority filter; policy accept;")?;
        for (family, _) in by_family(rules.entries()) {
            writeln!(out, "\t\t{}", rule(rules, family))?;
        }
        writeln!(out, "\t}}")?;
    }
    writeln!(out, "}}")
}

fn write_fragment(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    writeln!(out, "# Inside the table whose chain drops: include \"FILE\", and in the chain:")?;
    for (family, _) in by_family(rules.entries()) {
        writeln!(out, "#   {}", rule(rules, family))?;
    }
    write_sets(rules, "", out)
}

fn write_sets(rules: &Rules, indent: &str, out: &mut dyn Write) -> fmt::Result {
    by_family(rules.entries()).into_iter().try_for_each(|(family, entries)| {
        let kind = format!("ipv{}_addr", family.number());
        writeln!(out, "{indent}set {} {{\n{indent}\ttype {kind}\n{indent}\tflags interval", set(rules, family))?;
        write!(out, "{indent}\telements = ")?;
        write_elements(entries, out)?;
        writeln!(out, "{indent}}}")
    })
}

fn write_elements(entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{{")?;
    entries.iter().try_for_each(|entry| writeln!(out, "\t\t\t{},", entry.prefix()))?;
    writeln!(out, "\t\t}}")
}

fn rule(rules: &Rules, family: Family) -> String {
    let word = if family == Family::V4 { "ip" } else { "ip6" };
    format!("{word} daddr @{} tcp dport {{ {} }} counter accept", set(rules, family), ports(rules, ", "))
}

fn write_update(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "#!/usr/sbin/nft -f")?;
    header(rules, "#", out)?;
    writeln!(out, "# For sets in a table of yours write its name in place of `inet {}`.", table(rules))?;
    if let Some((add, remove)) = rules.change() {
        // What is removed goes first: a larger prefix in place of a smaller one would overlap it.
        write_lists("delete", rules, remove, out)?;
        return write_lists("add", rules, add, out);
    }
    for (family, _) in by_family(rules.entries()) {
        writeln!(out, "flush set inet {} {}", table(rules), set(rules, family))?;
    }
    write_lists("add", rules, rules.entries(), out)
}

fn write_lists(verb: &str, rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    by_family(entries).into_iter().try_for_each(|(family, entries)| {
        write!(out, "{verb} element inet {} {} ", table(rules), set(rules, family))?;
        write_elements(entries, out)
    })
}

fn table(rules: &Rules) -> String {
    NAMES.name(rules.name(), "")
}

fn set(rules: &Rules, family: Family) -> String {
    NAMES.name(rules.name(), suffix(family))
}
