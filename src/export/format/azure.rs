//! Azure: templates of the Resource Manager for rules of a network security group, and for IP groups.

use std::fmt::{self, Write};

use super::{Exporter, by_family, json_array, separated, suffix};
use crate::export::{Capability, Comments, Families, Group, Limit, Naming, Rules};

/// Rules of a group that is there; one family in each.
pub(super) const NSG: Exporter = Exporter {
    name: "azure-nsg",
    title: "Azure: a template with rules of a network security group",
    capability: Capability {
        comments: Comments::Object,
        atomic: Some("a deployment replaces each rule"),
        limit: Some(Limit {
            entries: 4000,
            of: "network security group",
            source: "Azure networking limits: addresses or ranges for destination in a security group",
        }),
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write: write_nsg,
};

/// Objects that rules of Azure Firewall refer to; Microsoft documents them with IPv4 alone.
pub(super) const IP_GROUP: Exporter = Exporter {
    name: "azure-ip-group",
    title: "Azure: a template with IP groups for Azure Firewall",
    capability: Capability {
        families: Families::V4Only,
        ranges: true,
        comments: Comments::Object,
        atomic: Some("a deployment replaces the group"),
        limit: Some(Limit {
            entries: 5000,
            of: "IP group",
            source: "MicrosoftDocs, azure-docs issue 103602: addresses in an IP group",
        }),
        splits: true,
        validated_by: "a second reader in the tests",
        ..Capability::FILE
    },
    write: write_ip_groups,
};

/// Names of rules and groups: at most 80 characters, a letter or digit first.
const NAMES: Naming = Naming::of(80);

const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

/// The longest description of a rule.
const LONGEST_DESCRIPTION: usize = 140;

fn write_nsg(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    begin(rules, out)?;
    writeln!(out, "  \"parameters\": {{\n    \"group\": {{\"type\": \"string\"}},")?;
    writeln!(out, "    \"priority\": {{\"type\": \"int\", \"defaultValue\": 1000}}\n  }},\n  \"resources\": [")?;
    separated(out, by_family(rules.entries()).into_iter().enumerate(), ",\n", |out, (at, (family, entries))| {
        let name = NAMES.name(rules.name(), suffix(family));
        writeln!(out, "    {{\n      \"type\": \"Microsoft.Network/networkSecurityGroups/securityRules\",")?;
        writeln!(out, "      \"apiVersion\": \"2023-11-01\",")?;
        writeln!(out, "      \"name\": \"[concat(parameters('group'), '/{name}')]\",\n      \"properties\": {{")?;
        writeln!(out, "        \"description\": \"{}\",", rules.description(LONGEST_DESCRIPTION))?;
        writeln!(
            out,
            "        \"direction\": \"Outbound\",\n        \"access\": \"Allow\",\n        \"protocol\": \"Tcp\","
        )?;
        writeln!(out, "        \"priority\": \"[add(parameters('priority'), {at})]\",")?;
        writeln!(out, "        \"sourceAddressPrefix\": \"*\",\n        \"sourcePortRange\": \"*\",")?;
        write!(out, "        \"destinationPortRanges\": ")?;
        json_array(out, "        ", rules.ports())?;
        write!(out, ",\n        \"destinationAddressPrefixes\": ")?;
        json_array(out, "        ", entries.iter().map(|entry| entry.block))?;
        write!(out, "\n      }}\n    }}")
    })?;
    writeln!(out, "\n  ]\n}}")
}

fn write_ip_groups(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    begin(rules, out)?;
    writeln!(out, "  \"resources\": [")?;
    separated(out, rules.groups(), ",\n", |out, group| write_ip_group(rules, &group, out))?;
    writeln!(out, "\n  ]\n}}")
}

fn write_ip_group(rules: &Rules, group: &Group<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "    {{\n      \"type\": \"Microsoft.Network/ipGroups\",\n      \"apiVersion\": \"2023-11-01\",")?;
    writeln!(out, "      \"name\": \"{}\",", NAMES.group(rules, group))?;
    writeln!(out, "      \"location\": \"[resourceGroup().location]\",")?;
    writeln!(out, "      \"tags\": {{\"list\": \"{}\"}},", rules.description(250))?;
    write!(out, "      \"properties\": {{\n        \"ipAddresses\": ")?;
    json_array(out, "        ", group.entries.iter().map(|entry| entry.block))?;
    write!(out, "\n      }}\n    }}")
}

fn begin(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{{\n  \"$schema\": \"{SCHEMA}\",\n  \"contentVersion\": \"1.0.0.0\",")?;
    writeln!(out, "  \"metadata\": {{\"description\": \"{}\"}},", rules.description(250))
}
