//! Cisco Meraki MX.

use std::fmt::{self, Write};

use super::Exporter;
use super::device::{joined, listed, parts};
use crate::export::{Capability, Comments, Families, Naming, Rules};

/// The body for `appliance/firewall/l3FirewallRules`, with a rule for each group of addresses.
///
/// A PUT replaces all rules: these are to be put before those that are there. How long a list of addresses in a rule may
/// be is not documented, and Meraki's support could not say (dashboard-api-python issue 96).
pub(super) const EXPORTER: Exporter = Exporter {
    name: "meraki",
    title: "Cisco Meraki MX: outbound rules, as a body of its API",
    capability: Capability {
        families: Families::V4Only,
        comments: Comments::Object,
        atomic: Some("a PUT replaces all rules"),
        splits: true,
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write,
};

/// No limit is documented; this is what policy objects take.
const NAMES: Naming = Naming::of(127);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let ports = joined(rules.ports(), ",");
    writeln!(out, "{{\n  \"rules\": [")?;
    let rule = |part: super::device::Part<'_>| {
        let comment = format!("{} {}", part.name, rules.description(100));
        let addresses = joined(part.prefixes(), ",");
        format!(
            "{{\"comment\": \"{comment}\", \"policy\": \"allow\", \"protocol\": \"tcp\", \"srcPort\": \"Any\", \
             \"srcCidr\": \"Any\", \"destPort\": \"{ports}\", \"destCidr\": \"{addresses}\", \"syslogEnabled\": false}}"
        )
    };
    listed(parts(rules, &NAMES).into_iter().map(rule), "    ", out)?;
    writeln!(out, "  ]\n}}")
}
