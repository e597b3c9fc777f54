//! Ubiquiti UniFi.

use std::fmt::{self, Write};

use super::Exporter;
use super::device::{listed, parts};
use crate::export::{Capability, Comments, Families, Limit, Naming, Rules};

/// The bodies for `rest/firewallgroup`, in an array: each replaces the group of its name.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "unifi",
    title: "Ubiquiti UniFi: firewall groups, as bodies of its API",
    capability: Capability {
        families: Families::Apart,
        comments: Comments::None,
        atomic: Some("a PUT replaces the group"),
        limit: Some(Limit {
            entries: 500,
            of: "group",
            source: "crowdsec-unifi-bouncer issues 14 and 28: controllers get unstable above; Ubiquiti documents none",
        }),
        splits: true,
        validated_by: "a JSON parser and a second reader in the tests",
        ..Capability::FILE
    },
    write,
};

/// A group becomes a set of the kernel, whose names have at most 31 bytes.
const NAMES: Naming = Naming::of(31);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "[")?;
    for part in &parts(rules, &NAMES) {
        let kind = part.of("address-group", "ipv6-address-group");
        writeln!(out, "  {{\n    \"name\": \"{}\",\n    \"group_type\": \"{kind}\",", part.name)?;
        writeln!(out, "    \"group_members\": [")?;
        listed(part.prefixes().map(|prefix| format!("\"{prefix}\"")), "      ", out)?;
        writeln!(out, "    ]\n  }},")?;
    }
    let ports = rules.ports().iter().map(|port| format!("\"{port}\""));
    writeln!(out, "  {{\n    \"name\": \"{}\",", NAMES.name(rules.name(), "-tcp"))?;
    writeln!(out, "    \"group_type\": \"port-group\",\n    \"group_members\": [")?;
    listed(ports, "      ", out)?;
    writeln!(out, "    ]\n  }}\n]")
}
