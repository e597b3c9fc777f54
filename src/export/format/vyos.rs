//! VyOS, and Ubiquiti's EdgeOS, which has the same ancestor.

use std::fmt::{self, Write};

use super::device::{Part, parts};
use super::{Exporter, header, ports};
use crate::export::{Capability, Comments, Families, Naming, Rules};

/// `set` commands of VyOS 1.4 and later: network groups that are made anew, and a rule set to jump to.
pub(super) const VYOS: Exporter = Exporter {
    name: "vyos",
    title: "VyOS: network groups and rule sets",
    capability: CAPABILITY,
    write: |rules, out| write(rules, ["firewall ipv4 name", "firewall ipv6 name"], out),
};

/// The same for EdgeOS, where rule sets are elsewhere.
pub(super) const EDGEOS: Exporter = Exporter {
    name: "edgeos",
    title: "Ubiquiti EdgeOS: network groups and rule sets",
    capability: CAPABILITY,
    write: |rules, out| write(rules, ["firewall name", "firewall ipv6-name"], out),
};

const CAPABILITY: Capability = Capability {
    families: Families::Apart,
    comments: Comments::Object,
    atomic: Some("`commit`"),
    splits: true,
    change: true,
    validated_by: "a second reader in the tests",
    ..Capability::FILE
};

/// A group becomes a set of the kernel, whose names have at most 31 bytes; VyOS puts two before.
const NAMES: Naming = Naming::of(28);

fn write(rules: &Rules, sets: [&str; 2], out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    let parts = parts(rules, &NAMES);
    parts.iter().try_for_each(|part| write_group(rules, part, out))?;
    if rules.change().is_some() {
        return Ok(());
    }
    [true, false].into_iter().try_for_each(|v4| {
        let groups: Vec<&Part<'_>> = parts.iter().filter(|part| part.is_v4() == v4).collect();
        write_rules(rules, &groups, sets, out)
    })
}

fn write_group(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    let group = format!("firewall group {} {}", part.of("network-group", "ipv6-network-group"), part.name);
    if rules.change().is_none() {
        writeln!(out, "delete {group}\nset {group} description '{}'", rules.description(200))?;
    }
    let verb = if part.removed { "delete" } else { "set" };
    // A member of an `ipv6-network-group` is called `network` as well.
    part.prefixes().try_for_each(|prefix| writeln!(out, "{verb} {group} network {prefix}"))
}

/// A rule for each group, numbered in steps of ten.
fn write_rules(rules: &Rules, groups: &[&Part<'_>], sets: [&str; 2], out: &mut dyn Write) -> fmt::Result {
    for (index, group) in groups.iter().enumerate() {
        let set = NAMES.name(rules.name(), group.of("-out-v4", "-out-v6"));
        let rule = format!("set {} {set} rule {}", group.of(sets[0], sets[1]), 10 * (index + 1));
        writeln!(out, "{rule} action accept\n{rule} protocol tcp")?;
        writeln!(out, "{rule} destination group {} {}", group.of("network-group", "ipv6-network-group"), group.name)?;
        writeln!(out, "{rule} destination port {}", ports(rules, ","))?;
    }
    Ok(())
}
