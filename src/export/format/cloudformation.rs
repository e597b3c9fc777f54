//! AWS CloudFormation: managed prefix lists with the rules that refer to them, and sets for AWS WAF.

use std::fmt::{self, Write};

use super::{Exporter, json_array, separated, without_length_0};
use crate::export::{Capability, Comments, Families, Group, Limit, Naming, Rules};
use crate::prefix::Family;

const CAPABILITY: Capability = Capability {
    families: Families::Apart,
    atomic: Some("a change set"),
    splits: true,
    validated_by: "cfn-lint",
    ..Capability::FILE
};

/// A list has room for what it holds and no more: a rule that refers to it counts as many as it has room for.
pub(super) const PREFIX_LISTS: Exporter = Exporter {
    name: "cloudformation",
    title: "AWS CloudFormation: managed prefix lists and egress rules of a security group",
    capability: Capability {
        limit: Some(Limit {
            entries: 100,
            of: "AWS::EC2::PrefixList",
            source: "cfn-lint E3032; EC2: entries in one request",
        }),
        ..CAPABILITY
    },
    write: write_prefix_lists,
};

/// One family in each.
pub(super) const IP_SETS: Exporter = Exporter {
    name: "aws-waf",
    title: "AWS WAF: a CloudFormation template with IP sets",
    capability: Capability {
        comments: Comments::Object,
        limit: Some(Limit { entries: 10_000, of: "IP set", source: "AWS WAF quotas: addresses in an IP set" }),
        ..CAPABILITY
    },
    write: write_ip_sets,
};

/// Names of resources are letters and digits alone.
const RESOURCES: Naming = Naming { longest: 255, others: "", lower: false };
const NAMES: Naming = Naming::of(128);

fn write_prefix_lists(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    begin(rules, out)?;
    writeln!(out, "  \"Parameters\": {{\"SecurityGroup\": {{\"Type\": \"AWS::EC2::SecurityGroup::Id\"}}}},")?;
    writeln!(out, "  \"Resources\": {{")?;
    separated(out, rules.groups(), ",\n", |out, group| {
        write_prefix_list(rules, &group, out)?;
        rules.ports().iter().try_for_each(|port| write_egress(rules, &group, *port, out))
    })?;
    writeln!(out, "\n  }}\n}}")
}

fn write_prefix_list(rules: &Rules, group: &Group<'_>, out: &mut dyn Write) -> fmt::Result {
    let (family, entries) = (group.family.map_or(4, Family::number), group.entries);
    writeln!(out, "    \"List{}\": {{\n      \"Type\": \"AWS::EC2::PrefixList\",", resource(rules, group))?;
    writeln!(out, "      \"Properties\": {{\n        \"PrefixListName\": \"{}\",", NAMES.group(rules, group))?;
    writeln!(out, "        \"AddressFamily\": \"IPv{family}\",\n        \"MaxEntries\": {},", entries.len())?;
    write!(out, "        \"Entries\": [")?;
    separated(out, entries, ",", |out, entry| {
        write!(out, "\n          {{\"Cidr\": \"{}\"", entry.prefix())?;
        match rules.comment(entry) {
            "" => write!(out, "}}"),
            comment => write!(out, ", \"Description\": \"{comment}\"}}"),
        }
    })?;
    write!(out, "\n        ]\n      }}\n    }}")
}

fn write_egress(rules: &Rules, group: &Group<'_>, port: u16, out: &mut dyn Write) -> fmt::Result {
    let list = resource(rules, group);
    writeln!(out, ",\n    \"Egress{port}{list}\": {{\n      \"Type\": \"AWS::EC2::SecurityGroupEgress\",")?;
    writeln!(out, "      \"Properties\": {{\n        \"GroupId\": {{\"Ref\": \"SecurityGroup\"}},")?;
    writeln!(out, "        \"IpProtocol\": \"tcp\",\n        \"FromPort\": {port},\n        \"ToPort\": {port},")?;
    write!(
        out,
        "        \"DestinationPrefixListId\": {{\"Fn::GetAtt\": [\"List{list}\", \"PrefixListId\"]}}\n      }}\n    }}"
    )
}

fn write_ip_sets(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    begin(rules, out)?;
    writeln!(out, "  \"Resources\": {{")?;
    separated(out, rules.groups(), ",\n", |out, group| {
        let family = group.family.map_or(4, Family::number);
        writeln!(out, "    \"Set{}\": {{\n      \"Type\": \"AWS::WAFv2::IPSet\",", resource(rules, &group))?;
        writeln!(out, "      \"Properties\": {{\n        \"Name\": \"{}\",", waf_name(rules, &group))?;
        writeln!(
            out,
            "        \"Description\": \"{}\",\n        \"Scope\": \"REGIONAL\",",
            rules.description(256).replace('_', "-")
        )?;
        write!(out, "        \"IPAddressVersion\": \"IPV{family}\",\n        \"Addresses\": ")?;
        json_array(out, "        ", group.entries.iter().flat_map(|entry| without_length_0(entry.prefix())))?;
        write!(out, "\n      }}\n    }}")
    })?;
    writeln!(out, "\n  }}\n}}")
}

fn begin(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{{\n  \"AWSTemplateFormatVersion\": \"2010-09-09\",")?;
    writeln!(out, "  \"Description\": \"{}\",", rules.description(1024))
}

/// WAF's names take no dots, and its descriptions no underscores.
fn waf_name(rules: &Rules, group: &Group<'_>) -> String {
    Naming { others: "-_", ..NAMES }.group(rules, group)
}

fn resource(rules: &Rules, group: &Group<'_>) -> String {
    RESOURCES.group(rules, group).replace('_', "")
}
