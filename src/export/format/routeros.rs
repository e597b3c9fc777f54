//! MikroTik RouterOS.

use std::fmt::{self, Write};

use super::device::{Part, is_host, parts};
use super::{Exporter, header, ports};
use crate::export::{Capability, Comments, Families, Naming, Rules};
use crate::prefix::{Family, Prefix};

/// Address lists and a filter rule for each family, for `/import`.
///
/// A list is filled aside and takes its name when it is whole: new connections find an empty list for as long as one
/// command takes.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "routeros",
    title: "MikroTik RouterOS: address lists and filter rules",
    capability: Capability {
        families: Families::Apart,
        comments: Comments::Entry,
        atomic: None,
        change: true,
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write,
};

/// No limit is documented; this keeps a line readable.
const NAMES: Naming = Naming::of(59);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    for part in &parts(rules, &NAMES) {
        let menu = part.of("/ip firewall", "/ipv6 firewall");
        writeln!(out, "{menu} address-list")?;
        match (rules.change().is_some(), part.removed) {
            (true, true) => write_removal(part, out)?,
            (true, false) => write_entries(rules, part, &part.name, out)?,
            (false, _) => {
                write_list(rules, part, out)?;
                write_rule(rules, part, menu, out)?;
            }
        }
    }
    Ok(())
}

fn write_list(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    let name = &part.name;
    writeln!(out, "remove [find list={name}-new]")?;
    write_entries(rules, part, &format!("{name}-new"), out)?;
    writeln!(out, "remove [find list={name}]\nset [find list={name}-new] list={name}")
}

fn write_entries(rules: &Rules, part: &Part<'_>, list: &str, out: &mut dyn Write) -> fmt::Result {
    part.entries.iter().try_for_each(|entry| {
        write!(out, "add list={list} address={}", address(entry.prefix()))?;
        match rules.comment(entry) {
            "" => writeln!(out),
            comment => writeln!(out, " comment=\"{comment}\""),
        }
    })
}

fn write_removal(part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    part.prefixes().try_for_each(|prefix| writeln!(out, "remove [find list={} address={}]", part.name, address(prefix)))
}

/// Found again by its comment, so that a second run adds nothing and leaves the rule where it was moved to.
fn write_rule(rules: &Rules, part: &Part<'_>, menu: &str, out: &mut dyn Write) -> fmt::Result {
    let name = &part.name;
    let ports = ports(rules, ",");
    let rule = format!("chain=forward action=accept protocol=tcp dst-port={ports} dst-address-list={name}");
    writeln!(out, "{menu} filter\n# move it before what drops")?;
    writeln!(out, "set [find comment={name}] {rule}")?;
    writeln!(out, ":if ([:len [find comment={name}]] = 0) do={{ add {rule} comment={name} }}")
}

/// A single IPv4 address is shown without its length, and found in that form.
fn address(prefix: Prefix) -> String {
    if is_host(prefix) && prefix.family() == Family::V4 { prefix.first().to_string() } else { prefix.to_string() }
}
