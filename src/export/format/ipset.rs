//! ipset: sets that are filled aside and swapped in.

use std::fmt::{self, Write};

use super::{Exporter, by_family, header, suffix, without_length_0};
use crate::export::{Capability, Comments, Entry, Families, Naming, Rules};
use crate::prefix::Family;

/// As `ipset restore` reads it.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "ipset",
    title: "ipset: sets for `ipset restore`",
    capability: Capability {
        families: Families::Apart,
        comments: Comments::Entry,
        atomic: Some("swap"),
        change: true,
        validated_by: "ipset",
        ..Capability::FILE
    },
    write,
};

/// The kernel's 31 without the `-new` of the set that is filled aside.
pub(super) const NAMES: Naming = Naming::of(27);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    match rules.change() {
        Some((add, remove)) => {
            // What is added goes first: nothing that stays allowed is cut in between.
            write_change("add", rules, add, out)?;
            write_change("del", rules, remove, out)
        }
        None => by_family(rules.entries())
            .into_iter()
            .try_for_each(|(family, entries)| write_set(rules, family, entries, out)),
    }
}

fn write_set(rules: &Rules, family: Family, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    let name = name(rules, family);
    let inet = inet(family);
    let room = room(entries);
    for set in [name.clone(), format!("{name}-new")] {
        writeln!(out, "create {set} hash:net family {inet} hashsize 1024 maxelem {room} comment -exist")?;
    }
    writeln!(out, "flush {name}-new")?;
    write_entries(&format!("add {name}-new"), rules, entries, out)?;
    writeln!(out, "swap {name}-new {name}\ndestroy {name}-new")
}

fn write_change(verb: &str, rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    by_family(entries).into_iter().try_for_each(|(family, entries)| {
        write_entries(&format!("{verb} {} -exist", name(rules, family)), rules, entries, out)
    })
}

fn write_entries(command: &str, rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    entries.iter().try_for_each(|entry| {
        without_length_0(entry.prefix()).into_iter().try_for_each(|prefix| {
            write!(out, "{command} {prefix}")?;
            match rules.comment(entry) {
                comment if comment.is_empty() || command.starts_with("del") => writeln!(out),
                comment => writeln!(out, " comment \"{comment}\""),
            }
        })
    })
}

/// The name of the set of one family.
pub(super) fn name(rules: &Rules, family: Family) -> String {
    NAMES.name(rules.name(), suffix(family))
}

/// What ipset and firewalld call the family.
pub(super) fn inet(family: Family) -> &'static str {
    match family {
        Family::V4 => "inet",
        Family::V6 => "inet6",
    }
}

/// Room to grow: a set that is full refuses what comes later.
pub(super) fn room(entries: &[Entry]) -> usize {
    (2 * entries.len()).next_power_of_two().max(65_536)
}
