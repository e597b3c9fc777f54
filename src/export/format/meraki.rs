//! Cisco Meraki MX.

use std::fmt::{self, Write};

use super::device::{Part, parts};
use super::{Exporter, ports, separated};
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
    write!(out, "{{\n  \"rules\": [")?;
    separated(out, parts(rules, &NAMES), ",", |out, part| write_rule(rules, &part, out))?;
    writeln!(out, "\n  ]\n}}")
}

fn write_rule(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    write!(out, "\n    {{\n      \"comment\": \"{} {}\",", part.name, rules.description(100))?;
    write!(out, "\n      \"policy\": \"allow\",\n      \"protocol\": \"tcp\",")?;
    write!(out, "\n      \"srcPort\": \"Any\",\n      \"srcCidr\": \"Any\",")?;
    write!(out, "\n      \"destPort\": \"{}\",\n      \"destCidr\": \"", ports(rules, ","))?;
    separated(out, part.prefixes(), ",", |out, prefix| write!(out, "{prefix}"))?;
    write!(out, "\",\n      \"syslogEnabled\": false\n    }}")
}
