//! Cisco IOS and IOS XE.

use std::fmt::{self, Write};

use super::Exporter;
use super::cisco::{self, Dialect};
use super::device::{host_or, with_netmask};
use crate::export::{Capability, Rules};

/// Object groups and access lists, to be pasted in configuration mode.
///
/// A group in use can be neither deleted nor emptied, so that a whole list adds what the group lacks and removes
/// nothing: what has to go is in a change. The limit is the TCAM of the model.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "ios",
    title: "Cisco IOS, IOS XE: object groups and access lists",
    capability: Capability { validated_by: "fwshift", ..cisco::CAPABILITY },
    write,
};

/// Groups take a netmask, where lines of an access list would take a wildcard.
const DIALECT: Dialect = Dialect {
    group: ["object-group network", "object-group v6-network"],
    described: true,
    member: |prefix| host_or(prefix, with_netmask),
    list: ["ip access-list extended", "ipv6 access-list"],
    numbered: ["", "sequence "],
    reference: "object-group",
    afresh: false,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    cisco::write(&DIALECT, rules, out)
}
