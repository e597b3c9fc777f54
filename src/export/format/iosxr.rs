//! Cisco IOS XR.

use std::fmt::{self, Write};

use super::Exporter;
use super::cisco::{self, Dialect};
use super::device::host_or;
use crate::export::{Capability, Rules};

/// Object groups and access lists; the groups are made anew, which takes effect with the commit.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "iosxr",
    title: "Cisco IOS XR: object groups and access lists",
    capability: Capability {
        atomic: Some("`commit`"),
        validated_by: "a second reader in the tests",
        ..cisco::CAPABILITY
    },
    write,
};

const DIALECT: Dialect = Dialect {
    group: ["object-group network ipv4", "object-group network ipv6"],
    described: true,
    member: |prefix| host_or(prefix, |prefix| prefix.to_string()),
    list: ["ipv4 access-list", "ipv6 access-list"],
    numbered: ["", ""],
    reference: "net-group",
    afresh: true,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    cisco::write(&DIALECT, rules, out)
}
