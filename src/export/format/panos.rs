//! Palo Alto PAN-OS.

use std::fmt::{self, Write};

use super::device::{Part, hosts, parts};
use super::{Exporter, ports};
use crate::export::{Capability, Comments, Families, Limit, Naming, Rules};

/// `set` commands: addresses, a static group, a service and a rule. There are no comments in that language.
///
/// `set` adds to a group that is there, so that a whole list removes nothing: what has to go is in a change.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "panos",
    title: "Palo Alto PAN-OS: address group and rule, as `set` commands",
    capability: Capability {
        families: Families::Together,
        comments: Comments::Object,
        atomic: Some("`commit`"),
        limit: Some(Limit {
            entries: 2_500,
            of: "static group",
            source: "`cfg.general.max-address-per-group` of `show system state`, as most models have it",
        }),
        splits: true,
        change: true,
        hosts: true,
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write,
};

/// What PAN-OS takes as the name of an object, a group or a rule.
const NAMES: Naming = Naming::of(63);

/// What PAN-OS takes as the description of an object.
const LONGEST_DESCRIPTION: usize = 255;

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let parts = parts(rules, &NAMES);
    for part in &parts {
        if part.removed {
            write_removal(rules, part, out)?;
        } else {
            write_members(rules, part, out)?;
        }
    }
    if rules.change().is_some() {
        return Ok(());
    }
    let mut groups: Vec<String> = parts.into_iter().map(|part| part.name).collect();
    groups.extend(write_hosts(rules, out)?);
    write_rule(rules, &groups, out)
}

/// The name of their group.
fn write_hosts(rules: &Rules, out: &mut dyn Write) -> Result<Option<String>, fmt::Error> {
    let Some(hosts) = hosts(rules, &NAMES) else { return Ok(None) };
    for (name, host) in &hosts.objects {
        writeln!(out, "set address {name} fqdn {host}\nset address-group {} static {name}", hosts.group)?;
    }
    Ok(Some(hosts.group))
}

fn write_members(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    for prefix in part.prefixes() {
        let address = NAMES.prefix(rules, prefix);
        writeln!(out, "set address {address} ip-netmask {prefix}")?;
        writeln!(out, "set address-group {} static {address}", part.name)?;
    }
    writeln!(out, "set address-group {} description \"{}\"", part.name, rules.description(LONGEST_DESCRIPTION))
}

fn write_removal(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    part.prefixes().try_for_each(|prefix| {
        let address = NAMES.prefix(rules, prefix);
        writeln!(out, "delete address-group {} static {address}\ndelete address {address}", part.name)
    })
}

/// From any zone to any: the addresses say where to, and the zones of the site are not known here.
fn write_rule(rules: &Rules, groups: &[String], out: &mut dyn Write) -> fmt::Result {
    let (rule, service) = (NAMES.name(rules.name(), ""), NAMES.name(rules.name(), "-tcp"));
    writeln!(out, "set service {service} protocol tcp port {}", ports(rules, ","))?;
    let groups = groups.join(" ");
    writeln!(
        out,
        "set rulebase security rules {rule} from any to any source any destination [ {groups} ] application any \
         service {service} action allow"
    )?;
    writeln!(out, "set rulebase security rules {rule} description \"{}\"", rules.description(LONGEST_DESCRIPTION))
}
