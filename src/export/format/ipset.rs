//! ipset: sets that are filled aside and swapped in.

use std::fmt::{self, Write};

use super::{Exporter, header};
use crate::export::{Capability, Comments, Entry, Families, Naming, Rules};
use crate::prefix::{Family, Prefix};

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
        None => rules.lists(rules.entries()).into_iter().try_for_each(|(_, entries)| write_set(rules, entries, out)),
    }
}

fn write_set(rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    let name = name(rules, entries);
    let family = if is_v4(entries) { "inet" } else { "inet6" };
    // Room to grow: a set that is full refuses what comes later.
    let room = (2 * entries.len()).next_power_of_two().max(65_536);
    for set in [name.clone(), format!("{name}-new")] {
        writeln!(out, "create {set} hash:net family {family} hashsize 1024 maxelem {room} comment -exist")?;
    }
    writeln!(out, "flush {name}-new")?;
    write_entries(&format!("add {name}-new"), rules, entries, out)?;
    writeln!(out, "swap {name}-new {name}\ndestroy {name}-new")
}

fn write_change(verb: &str, rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    rules.lists(entries).into_iter().try_for_each(|(_, entries)| {
        write_entries(&format!("{verb} {} -exist", name(rules, entries)), rules, entries, out)
    })
}

fn write_entries(command: &str, rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    entries.iter().try_for_each(|entry| {
        parts(entry.prefix()).into_iter().try_for_each(|prefix| {
            write!(out, "{command} {prefix}")?;
            match rules.comment(entry) {
                comment if comment.is_empty() || command.starts_with("del") => writeln!(out),
                comment => writeln!(out, " comment \"{comment}\""),
            }
        })
    })
}

/// `hash:net` has no prefix of length 0.
fn parts(prefix: Prefix) -> Vec<Prefix> {
    if prefix.len() > 0 { vec![prefix] } else { prefix.halves().map_or_else(Vec::new, Vec::from) }
}

/// The name of the set of one family.
pub(super) fn name(rules: &Rules, entries: &[Entry]) -> String {
    NAMES.name(rules.name(), if is_v4(entries) { "-v4" } else { "-v6" })
}

fn is_v4(entries: &[Entry]) -> bool {
    entries.first().is_some_and(|entry| entry.family() == Family::V4)
}
