//! Fortinet FortiOS.

use std::fmt::{self, Write};

use super::device::{Hosts, Part, hosts, parts, with_netmask};
use super::{Exporter, header, ports};
use crate::export::{Capability, Comments, Families, Naming, Rules};

/// Addresses, groups and a service. `set member` replaces the members of a group that is there.
///
/// How many members a group takes depends on the model: `print tablesize` shows `firewall.addrgrp:member`.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "fortios",
    title: "Fortinet FortiOS: addresses, groups and a service",
    capability: Capability {
        families: Families::Apart,
        comments: Comments::Entry,
        atomic: None,
        splits: true,
        change: true,
        hosts: true,
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write,
};

/// 63 is what FortiOS 6.0 takes; 7 takes more.
const NAMES: Naming = Naming::of(63);

/// FortiOS CLI reference 6.0, `comment`.
const LONGEST_COMMENT: usize = 255;

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    let parts = parts(rules, &NAMES);
    if rules.change().is_some() {
        return parts.iter().try_for_each(|part| write_change(rules, part, out));
    }
    parts.iter().try_for_each(|part| {
        write_addresses(rules, part, out)?;
        write_group(rules, part, out)
    })?;
    let hosts = hosts(rules, &NAMES);
    hosts.iter().try_for_each(|hosts| write_hosts(hosts, out))?;
    write_service(rules, out)?;
    // Which policy, between which interfaces, is for the site to say.
    for part in &parts {
        writeln!(out, "# in the policy: append {} \"{}\"", part.of("dstaddr", "dstaddr6"), part.name)?;
    }
    if let Some(hosts) = &hosts {
        writeln!(out, "# in the policy: append dstaddr \"{}\"", hosts.group)?;
    }
    writeln!(out, "# in the policy: append service \"{}\"", NAMES.name(rules.name(), "-tcp"))
}

fn write_addresses(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "config firewall {}", part.of("address", "address6"))?;
    for entry in part.entries {
        writeln!(out, "    edit \"{}\"", NAMES.prefix(rules, entry.prefix()))?;
        writeln!(out, "        set {} {}", part.of("subnet", "ip6"), with_netmask(entry.prefix()))?;
        match rules.comment(entry) {
            "" => {}
            comment => writeln!(out, "        set comment \"{comment}\"")?,
        }
        writeln!(out, "    next")?;
    }
    writeln!(out, "end")
}

fn write_hosts(hosts: &Hosts<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "config firewall address")?;
    for (name, host) in &hosts.objects {
        writeln!(out, "    edit \"{name}\"\n        set type fqdn\n        set fqdn \"{host}\"\n    next")?;
    }
    writeln!(out, "end\nconfig firewall addrgrp\n    edit \"{}\"", hosts.group)?;
    let members: Vec<String> = hosts.objects.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    writeln!(out, "        set member {}\n    next\nend", members.join(" "))
}

fn write_group(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    begin_group(part, out)?;
    writeln!(out, "        set comment \"{}\"", rules.description(LONGEST_COMMENT))?;
    writeln!(out, "        set member {}", members(rules, part))?;
    writeln!(out, "    next\nend")
}

/// What is added is there before it becomes a member, and what goes is no member any more when it is deleted. `append`
/// and `unselect` are there since FortiOS 5.0 (Fortinet's technical tip 197205).
fn write_change(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    if !part.removed {
        write_addresses(rules, part, out)?;
    }
    begin_group(part, out)?;
    let verb = if part.removed { "unselect" } else { "append" };
    writeln!(out, "        {verb} member {}", members(rules, part))?;
    writeln!(out, "    next\nend")?;
    if part.removed { delete_addresses(rules, part, out) } else { Ok(()) }
}

fn begin_group(part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "config firewall {}\n    edit \"{}\"", part.of("addrgrp", "addrgrp6"), part.name)
}

fn members(rules: &Rules, part: &Part<'_>) -> String {
    part.prefixes().map(|prefix| format!("\"{}\"", NAMES.prefix(rules, prefix))).collect::<Vec<_>>().join(" ")
}

fn delete_addresses(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "config firewall {}", part.of("address", "address6"))?;
    part.prefixes().try_for_each(|prefix| writeln!(out, "    delete \"{}\"", NAMES.prefix(rules, prefix)))?;
    writeln!(out, "end")
}

fn write_service(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "config firewall service custom\n    edit \"{}\"", NAMES.name(rules.name(), "-tcp"))?;
    writeln!(out, "        set tcp-portrange {}", ports(rules, " "))?;
    writeln!(out, "    next\nend")
}
