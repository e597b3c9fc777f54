//! Juniper SRX.

use std::fmt::{self, Write};

use super::device::{Part, hosts, parts};
use super::{Exporter, header};
use crate::export::{Capability, Comments, Families, Limit, Naming, Rules};

/// `set` commands: addresses, an address set that is made anew, an application and a global policy.
///
/// A global policy needs no zones; it is looked at behind the policies between zones.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "junos-srx",
    title: "Juniper SRX: address set and global policy",
    capability: Capability {
        families: Families::Together,
        comments: Comments::Object,
        atomic: Some("`commit`"),
        limit: Some(Limit {
            entries: 1_024,
            of: "policy",
            source: "Juniper's table of policy limits: 1,024 addresses on the smallest model, up to 4,096",
        }),
        splits: true,
        change: true,
        hosts: true,
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write,
};

/// What Junos takes as the name of an address or a policy.
const NAMES: Naming = Naming::of(63);

const BOOK: &str = "security address-book global";

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    let parts = parts(rules, &NAMES);
    if rules.change().is_some() {
        return parts.iter().try_for_each(|part| write_change(rules, part, out));
    }
    let application = write_application(rules, out)?;
    for part in &parts {
        writeln!(out, "delete {BOOK} address-set {}", part.name)?;
        write_addresses(rules, part, out)?;
        write_policy(rules, &part.name, &application, out)?;
    }
    let Some(hosts) = hosts(rules, &NAMES) else { return Ok(()) };
    writeln!(out, "delete {BOOK} address-set {}", hosts.group)?;
    for (name, host) in &hosts.objects {
        writeln!(out, "set {BOOK} address {name} dns-name {host}")?;
        writeln!(out, "set {BOOK} address-set {} address {name}", hosts.group)?;
    }
    write_policy(rules, &hosts.group, &application, out)
}

fn write_addresses(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    part.prefixes().try_for_each(|prefix| {
        let address = NAMES.prefix(rules, prefix);
        writeln!(out, "set {BOOK} address {address} {prefix}")?;
        writeln!(out, "set {BOOK} address-set {} address {address}", part.name)
    })
}

fn write_change(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    if !part.removed {
        return write_addresses(rules, part, out);
    }
    part.prefixes().try_for_each(|prefix| {
        let address = NAMES.prefix(rules, prefix);
        writeln!(out, "delete {BOOK} address-set {} address {address}", part.name)?;
        writeln!(out, "delete {BOOK} address {address}")
    })
}

/// One application for all ports, a term for each; made anew, as terms of earlier ports would stay.
fn write_application(rules: &Rules, out: &mut dyn Write) -> Result<String, fmt::Error> {
    let name = NAMES.name(rules.name(), "-tcp");
    writeln!(out, "delete applications application {name}")?;
    for port in rules.ports() {
        writeln!(out, "set applications application {name} term tcp-{port} protocol tcp destination-port {port}")?;
    }
    Ok(name)
}

fn write_policy(rules: &Rules, name: &str, application: &str, out: &mut dyn Write) -> fmt::Result {
    let policy = format!("set security policies global policy {name}");
    writeln!(out, "{policy} description \"{}\"", rules.description(255))?;
    writeln!(out, "{policy} match source-address any")?;
    writeln!(out, "{policy} match destination-address {name}")?;
    writeln!(out, "{policy} match application {application}")?;
    writeln!(out, "{policy} then permit")
}
