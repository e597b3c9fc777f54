//! What our exporters write is read back, with what a device has around it: where the list is bound, and what denies the
//! rest.

use std::collections::BTreeSet;

use egressd::audit::{AddressSet, Format, Question, SourceFile};
use egressd::export::{Intent, Overflow, Request, RuleFormat, Selected};
use egressd::prefix::{Family, Prefix};
use proptest::prelude::*;

use crate::world::{file, judged};

/// An exporter, the reader for what it writes, and what makes a configuration of it.
type Trip = (&'static str, &'static str, fn(&str, &[Family]) -> Vec<SourceFile>);

const TRIPS: [Trip; 19] = [
    ("ios", "ios", ios),
    ("asa", "asa", |text, _| one(&format!("{text}access-group cloudfront-out in interface inside\n: end\n"))),
    ("junos-srx", "junos", |text, _| one(text)),
    ("junos-prefix-list", "junos", junos),
    ("panos", "panos", |text, _| one(text)),
    ("fortios", "fortios", fortios),
    ("routeros", "routeros", |text, _| one(&routeros(text))),
    ("pfsense", "pfsense", |text, _| vec![file("alias", text), file("config", SENSE.replace("SENSE", "pfsense"))]),
    ("opnsense", "opnsense", |text, _| vec![file("alias", text), file("config", SENSE.replace("SENSE", "opnsense"))]),
    ("azure-nsg", "azure", |text, _| vec![file("template", text), file("group", DENYING_GROUP)]),
    ("gcp", "gcp", |text, _| vec![file("rules", text), file("denial", DENYING_RULE)]),
    ("aws-security-group", "aws", |text, _| {
        one(&format!("{{\"GroupId\": \"sg-1\", \"IpPermissions\": [{}]}}", arguments(text)))
    }),
    ("aws-prefix-list", "aws", aws_lists),
    ("windows", "windows", |text, _| one(&windows(text))),
    ("squid", "squid", |text, _| one(&format!("{text}http_access deny all\n"))),
    ("plain", "plain", |text, _| one(text)),
    ("panos-edl", "plain", |text, _| one(text)),
    ("fortios-feed", "plain", |text, _| one(text)),
    ("checkpoint-feed", "plain", |text, _| one(text)),
];

fn one(text: &str) -> Vec<SourceFile> {
    vec![file("configuration", text)]
}

fn ios(text: &str, families: &[Family]) -> Vec<SourceFile> {
    let mut text = format!("{text}interface GigabitEthernet0/1\n description LAN\n");
    for family in families {
        text.push_str(match family {
            Family::V4 => " ip access-group cloudfront-out-v4 in\n",
            Family::V6 => " ipv6 traffic-filter cloudfront-out-v6 in\n",
        });
    }
    one(&(text + "end\n"))
}

fn junos(text: &str, families: &[Family]) -> Vec<SourceFile> {
    let bound = families.iter().map(|family| match family {
        Family::V4 => "set interfaces ge-0/0/1 unit 0 family inet filter input cloudfront-out-v4\n",
        Family::V6 => "set interfaces ge-0/0/1 unit 0 family inet6 filter input cloudfront-out-v6\n",
    });
    one(&(text.to_owned() + &bound.collect::<String>()))
}

/// The comments at the end say what belongs into the policy.
fn fortios(text: &str, _: &[Family]) -> Vec<SourceFile> {
    let fields = text.lines().filter_map(|line| line.strip_prefix("# in the policy: append "));
    let fields: Vec<String> = fields.map(|field| format!("        append {field}\n")).collect();
    let sources = "        set srcaddr \"all\"\n        set srcaddr6 \"all\"\n        set srcintf \"any\"\n        set dstintf \"any\"\n";
    let policy = format!("    edit 1\n{sources}        set action accept\n{}    next\n", fields.concat());
    one(&format!("{text}config firewall policy\n{policy}end\n"))
}

/// What RouterOS exports after the import, with a denial at the end.
fn routeros(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("remove ") && !line.starts_with("set "));
    let named: Vec<String> = lines
        .map(|line| match line.split_once("do={ ") {
            Some((_, rule)) => rule.trim_end_matches(" }").to_owned(),
            None => line.replace("-new ", " "),
        })
        .collect();
    let denials = ["ip", "ipv6"].map(|menu| format!("/{menu} firewall filter\nadd action=drop chain=forward\n"));
    format!("{}\n{}/system identity\nset name=x\n", named.join("\n"), denials.concat())
}

const SENSE: &str = "<SENSE><interfaces><lan><enable>1</enable></lan></interfaces><filter><rule><type>pass</type>\
    <interface>lan</interface><ipprotocol>inet46</ipprotocol><protocol>tcp</protocol><source><any>1</any></source>\
    <destination><address>cloudfront</address><port>443</port></destination></rule></filter></SENSE>";

const DENYING_GROUP: &str = r#"{"name": "g", "securityRules": [{"name": "rest", "direction": "Outbound", "access": "Deny",
    "priority": 4096, "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*",
    "destinationAddressPrefix": "*", "destinationPortRange": "*"}]}"#;

const DENYING_RULE: &str = r#"[{"name": "rest", "network": "global/networks/default", "direction": "EGRESS",
    "priority": 65000, "denied": [{"IPProtocol": "all"}], "destinationRanges": ["0.0.0.0/0", "::/0"]}]"#;

/// What stands between `'[` and `]'`, which is given to commands.
fn arguments(script: &str) -> String {
    let parts = script.split("'[").skip(1).map(|part| part.split("]'").next().unwrap_or_default().trim());
    parts.collect::<Vec<_>>().join(",\n")
}

fn aws_lists(script: &str, _: &[Family]) -> Vec<SourceFile> {
    let entries = format!("{{\"Entries\": [{}]}}", arguments(script));
    let group = r#"{"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
        "PrefixListIds": [{"PrefixListId": "pl-1"}]}]}"#;
    vec![file("group", group), file("pl-1.json", entries)]
}

/// What the rules of the script are on the machine.
fn windows(script: &str) -> String {
    let rules = script.split("$addresses = @(").skip(1).map(|part| {
        let addresses = part.split("\n)").next().unwrap_or_default().replace('\'', "\"");
        format!(
            r#"{{"Name": "r", "Direction": "Outbound", "Action": "Allow", "Enabled": "True", "Program": "Any",
            "Protocol": "TCP", "RemotePort": "443", "RemoteAddress": [{addresses}]}}"#
        )
    });
    let rules: Vec<String> = rules.collect();
    format!(r#"{{"Rules": [{}], "Profiles": [{{"DefaultOutboundAction": "Block"}}]}}"#, rules.join(",\n"))
}

fn exported(format: RuleFormat, prefixes: &[Prefix]) -> Option<String> {
    let selected = Selected::new(prefixes.iter().map(|&prefix| (prefix, "viewer".to_owned())));
    let request = Request {
        format,
        name: "cloudfront",
        source: "list",
        origin: "test",
        selected: &selected,
        intent: Intent::Replace,
        ports: &[443],
        hosts: &[],
        max_entries: None,
        overflow: Overflow::Fail,
    };
    let mut text = String::new();
    format.write(&request.rules().ok()?, &mut text).unwrap();
    Some(text)
}

fn prefixes() -> impl Strategy<Value = Vec<Prefix>> {
    let v4 = (any::<u32>(), 8_u8..=32).prop_map(|(bits, length)| Prefix::containing(bits.to_be_bytes().into(), length));
    // Neighbours and nested ones are likely here.
    let near = (0_u8..4, 22_u8..=32).prop_map(|(third, length)| Prefix::containing([13, 32, third, 77].into(), length));
    let v6 =
        (any::<u128>(), 3_u8..=128).prop_map(|(bits, length)| Prefix::containing(bits.to_be_bytes().into(), length));
    prop::collection::vec(prop_oneof![v4, near, v6], 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_exported_is_what_the_audit_finds(list in prefixes()) {
        for (exporter, reader, around) in TRIPS {
            let (exporter, reader) = (RuleFormat::named(exporter).unwrap(), Format::named(reader).unwrap());
            let takes_v6 = exporter.capability().families != egressd::export::Families::V4Only;
            let list: Vec<Prefix> = list.iter().copied().filter(|one| takes_v6 || one.family() == Family::V4).collect();
            let Some(text) = exported(exporter, &list) else { continue };
            let families: Vec<Family> = list.iter().map(|prefix| prefix.family()).collect::<BTreeSet<_>>().into_iter().collect();
            let files = around(&text, &families);
            let coverage = judged(reader, &files, &Question::default());
            let coverage = coverage.unwrap_or_else(|error| panic!("{exporter}: {error}"));
            let expected: AddressSet = list.iter().copied().collect();
            prop_assert_eq!(&coverage.allowed, &expected, "{}: {:?}", exporter, coverage.unknown_by.first());
        }
    }
}
