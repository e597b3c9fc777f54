//! Cisco NX-OS.

use std::fmt::{self, Write};

use super::Exporter;
use super::cisco::{self, Dialect};
use super::device::host_or;
use crate::export::{Capability, Rules};

/// Object groups and access lists. Within `configure session` they take effect together; members are added to a group
/// that is there, and what has to go is in a change.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "nxos",
    title: "Cisco NX-OS: object groups and access lists",
    capability: Capability {
        atomic: Some("`commit` of `configure session`"),
        validated_by: "a second reader in the tests",
        ..cisco::CAPABILITY
    },
    write,
};

const DIALECT: Dialect = Dialect {
    group: ["object-group ip address", "object-group ipv6 address"],
    described: false,
    member: |prefix| host_or(prefix, |prefix| prefix.to_string()),
    list: ["ip access-list", "ipv6 access-list"],
    numbered: ["", ""],
    reference: "addrgroup",
    afresh: false,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    cisco::write(&DIALECT, rules, out)
}
