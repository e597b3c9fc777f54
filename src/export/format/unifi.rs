//! Ubiquiti UniFi.

use std::fmt::{self, Write};

use super::device::parts;
use super::{Exporter, json_array};
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
    write!(out, "[")?;
    for part in &parts(rules, &NAMES) {
        write_group(out, &part.name, part.of("address-group", "ipv6-address-group"), part.prefixes())?;
        write!(out, ",")?;
    }
    write_group(out, &NAMES.name(rules.name(), "-tcp"), "port-group", rules.ports())?;
    writeln!(out, "\n]")
}

fn write_group<T: fmt::Display>(
    out: &mut dyn Write,
    name: &str,
    kind: &str,
    members: impl IntoIterator<Item = T>,
) -> fmt::Result {
    write!(out, "\n  {{\n    \"name\": \"{name}\",\n    \"group_type\": \"{kind}\",\n    \"group_members\": ")?;
    json_array(out, "    ", members)?;
    write!(out, "\n  }}")
}
