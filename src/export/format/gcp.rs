//! Google Cloud: firewall rules of a VPC network.

use std::fmt::{self, Write};

use super::{Exporter, json_array, separated};
use crate::export::{Capability, Comments, Families, Group, Limit, Naming, Rules};

/// An array in the form that `gcloud compute firewall-rules list --format json` has.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "gcp",
    title: "Google Cloud: bodies for compute.firewalls.insert and patch",
    capability: Capability {
        families: Families::Apart,
        comments: Comments::Object,
        atomic: Some("patch replaces the ranges of a rule"),
        limit: Some(Limit {
            entries: 5000,
            of: "rule",
            source: "Google's discovery document, destIpRanges; for rules of a network so in crowdsec's cs-cloud-firewall-bouncer 27",
        }),
        splits: true,
        validated_by: "Google's discovery document, fwshift",
        ..Capability::FILE
    },
    write,
};

/// `[a-z]([-a-z0-9]{0,61}[a-z0-9])?`, the pattern of the discovery document.
const NAMES: Naming = Naming::label(63);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "[")?;
    separated(out, rules.groups(), ",\n", |out, group| write_rule(rules, &group, out))?;
    writeln!(out, "\n]")
}

fn write_rule(rules: &Rules, group: &Group<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "  {{\n    \"name\": \"{}\",", NAMES.group(rules, group))?;
    writeln!(out, "    \"description\": \"{}\",", rules.description(200))?;
    writeln!(
        out,
        "    \"network\": \"global/networks/default\",\n    \"direction\": \"EGRESS\",\n    \"priority\": 1000,"
    )?;
    write!(out, "    \"allowed\": [{{\"IPProtocol\": \"tcp\", \"ports\": [")?;
    separated(out, rules.ports(), ", ", |out, port| write!(out, "\"{port}\""))?;
    write!(out, "]}}],\n    \"destinationRanges\": ")?;
    json_array(out, "    ", group.entries.iter().map(|entry| entry.block))?;
    write!(out, "\n  }}")
}
