//! Random policies in every syntax with an order: permissions and denials, the port that is asked for and others.
//!
//! They are written here, and judged here address by address: nothing is shared with the readers.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use egressd::audit::{Format, Question};
use egressd::prefix::Prefix;
use proptest::prelude::*;

use crate::world::{file, judged};

/// One rule of a policy, for IPv4.
#[derive(Clone, Debug)]
pub struct Rule {
    pub permits: bool,
    pub to: Prefix,
    pub port: Port,
    pub disabled: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Port {
    Asked,
    Other,
    Range,
    Any,
}

impl Port {
    fn applies(self) -> bool {
        !matches!(self, Self::Other)
    }

    /// In three words: one port, another one, a range; nothing for any.
    pub fn of<T>(self, asked: T, other: T, range: T, any: T) -> T {
        match self {
            Self::Asked => asked,
            Self::Other => other,
            Self::Range => range,
            Self::Any => any,
        }
    }
}

/// How a policy is written, and what becomes of what no rule matches.
pub type Syntax = (&'static str, fn(&[Rule]) -> String, bool);

pub const SYNTAXES: [Syntax; 12] = [
    ("ios", ios, false),
    ("asa", asa, false),
    ("junos", filter, false),
    ("junos", srx, false),
    ("panos", panos, false),
    ("fortios", fortios, false),
    ("routeros", routeros, true),
    ("pfsense", pfsense, false),
    ("azure", azure, true),
    ("gcp", gcp, true),
    ("squid", squid, false),
    ("aws", network_acl, false),
];

pub fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let port =
        prop_oneof![4 => Just(Port::Asked), 1 => Just(Port::Other), 1 => Just(Port::Range), 1 => Just(Port::Any)];
    let to = (0_u8..4, any::<u8>(), 20_u8..=32)
        .prop_map(|(third, fourth, length)| Prefix::containing([13, 32, third, fourth].into(), length));
    let rule = (any::<bool>(), to, port, prop::bool::weighted(0.1));
    let rule = rule.prop_map(|(permits, to, port, disabled)| Rule { permits, to, port, disabled });
    prop::collection::vec(rule, 1..16)
}

/// What the first rule that is for an address does.
pub fn permitted(rules: &[Rule], address: IpAddr, default: bool) -> bool {
    let mut active = rules.iter().filter(|rule| !rule.disabled && rule.port.applies());
    active.find(|rule| rule.to.holds(address)).map_or(default, |rule| rule.permits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn every_address_is_judged_as_by_the_rules_one_after_the_other(rules in rules()) {
        for (format, write, default) in SYNTAXES {
            let text = write(&rules);
            let coverage = judged(Format::named(format).unwrap(), &[file("policy", text.as_str())], &Question::default());
            let coverage = coverage.unwrap_or_else(|error| panic!("{format}: {error}\n{text}"));
            for address in edges(&rules) {
                let expected = permitted(&rules, address, default);
                let set = if expected { &coverage.allowed } else { &coverage.missing };
                prop_assert!(set.holds(address), "{}: {} should be {}\n{}", format, address, expected, text);
            }
        }
    }
}

/// The first and the last address of every rule, and those beside them.
pub fn edges(rules: &[Rule]) -> impl Iterator<Item = IpAddr> {
    rules.iter().flat_map(|rule| {
        let (first, last) = (rule.to.first(), rule.to.last());
        [first, last, beside(first, -1), beside(last, 1)]
    })
}

fn beside(address: IpAddr, by: i32) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits().wrapping_add_signed(by)).into(),
        IpAddr::V6(_) => address,
    }
}

fn mask(prefix: Prefix) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix.len())).unwrap_or(0))
}

fn active(rules: &[Rule]) -> impl Iterator<Item = (usize, &Rule)> {
    rules.iter().enumerate().filter(|(_, rule)| !rule.disabled)
}

fn ios(rules: &[Rule]) -> String {
    let mut text = "interface Gi0/1\n ip access-group L in\nip access-list extended L\n".to_owned();
    for (_, rule) in active(rules) {
        let verb = if rule.permits { "permit" } else { "deny" };
        let protocol = rule.port.of("tcp", "tcp", "tcp", "ip");
        let port = rule.port.of(" eq 443", " eq 80", " range 100 500", "");
        let wildcard = Ipv4Addr::from_bits(!mask(rule.to).to_bits());
        writeln!(text, " {verb} {protocol} any {} {wildcard}{port}", rule.to.first()).unwrap();
    }
    // A list without lines filters nothing.
    text + " deny ip any any\nend\n"
}

fn asa(rules: &[Rule]) -> String {
    let mut text = String::new();
    for (index, rule) in rules.iter().enumerate() {
        let verb = if rule.permits { "permit" } else { "deny" };
        let port = rule.port.of(" eq https", " neq 443", " range 100 500", "");
        let inactive = if rule.disabled { " inactive" } else { "" };
        writeln!(text, "object-group network G{index}\n network-object {} {}", rule.to.first(), mask(rule.to)).unwrap();
        writeln!(text, "access-list L extended {verb} tcp any object-group G{index}{port}{inactive}").unwrap();
    }
    text + "access-group L in interface inside\n: end\n"
}

fn filter(rules: &[Rule]) -> String {
    let mut text = "set interfaces ge-0/0/1 unit 0 family inet filter input F\n".to_owned();
    for (index, rule) in rules.iter().enumerate() {
        let term = format!("set firewall family inet filter F term t{index}");
        let then = if rule.permits { "accept" } else { "discard" };
        writeln!(text, "{term} from destination-address {}\n{term} from protocol tcp\n{term} then {then}", rule.to)
            .unwrap();
        let port = rule.port.of("443", "80", "100-500", "");
        if !port.is_empty() {
            writeln!(text, "{term} from destination-port {port}").unwrap();
        }
        if rule.disabled {
            writeln!(text, "deactivate firewall family inet filter F term t{index}").unwrap();
        }
    }
    // A filter without terms is none.
    text + "set firewall family inet filter F term last then discard\n"
}

fn srx(rules: &[Rule]) -> String {
    let mut text =
        "set applications application web protocol tcp\nset applications application web destination-port 100-500\n"
            .to_owned();
    for (index, rule) in rules.iter().enumerate() {
        let policy = format!("security policies from-zone trust to-zone untrust policy p{index}");
        let then = if rule.permits { "permit" } else { "deny" };
        let application = rule.port.of("junos-https", "junos-http", "web", "any");
        writeln!(text, "set security address-book global address a{index} {}", rule.to).unwrap();
        writeln!(text, "set {policy} match source-address any\nset {policy} match destination-address a{index}")
            .unwrap();
        writeln!(text, "set {policy} match application {application}\nset {policy} then {then}").unwrap();
        if rule.disabled {
            writeln!(text, "deactivate {policy}").unwrap();
        }
    }
    text
}

fn panos(rules: &[Rule]) -> String {
    let mut text = "set service web protocol tcp port 80,100-500\n".to_owned();
    for (index, rule) in rules.iter().enumerate() {
        let action = if rule.permits { "allow" } else { "drop" };
        let service = rule.port.of("service-https", "service-http", "web", "any");
        writeln!(
            text,
            "set rulebase security rules r{index} from any to any source any destination {} application any service {service} \
             action {action}",
            rule.to
        )
        .unwrap();
        if rule.disabled {
            writeln!(text, "set rulebase security rules r{index} disabled yes").unwrap();
        }
    }
    text
}

fn fortios(rules: &[Rule]) -> String {
    let mut text =
        "config firewall service custom\nedit \"ALL\"\nset protocol IP\nnext\nedit \"HTTPS\"\nset tcp-portrange 443\nnext\nedit \"HTTP\"\nset tcp-portrange 80\nnext\nedit \"web\"\nset tcp-portrange 100-500\nnext\nend\nconfig firewall address\n"
            .to_owned();
    for (index, rule) in rules.iter().enumerate() {
        writeln!(text, "edit \"a{index}\"\nset subnet {} {}\nnext", rule.to.first(), mask(rule.to)).unwrap();
    }
    text += "end\nconfig firewall policy\n";
    for (index, rule) in rules.iter().enumerate() {
        let action = if rule.permits { "set action accept\n" } else { "" };
        let status = if rule.disabled { "set status disable\n" } else { "" };
        let service = rule.port.of("HTTPS", "HTTP", "web", "ALL");
        writeln!(
            text,
            "edit {}\nset srcintf \"any\"\nset dstintf \"any\"\nset srcaddr \"all\"\nset dstaddr \"a{index}\"\nset schedule \
             \"always\"\nset service \"{service}\"\n{action}{status}next",
            index + 1
        )
        .unwrap();
    }
    text + "end\n"
}

fn routeros(rules: &[Rule]) -> String {
    let mut text = "/ip firewall filter\n".to_owned();
    for rule in rules {
        let action = if rule.permits { "accept" } else { "drop" };
        let port = rule.port.of("dst-port=443", "dst-port=80,8080", "dst-port=1,100-500", "");
        let disabled = if rule.disabled { " disabled=yes" } else { "" };
        writeln!(
            text,
            "add action={action} chain=forward dst-address={} {port} protocol=\\\n    tcp{disabled}",
            rule.to
        )
        .unwrap();
    }
    text + "/system identity\nset name=x\n"
}

fn pfsense(rules: &[Rule]) -> String {
    let mut text = "<pfsense><interfaces><lan><enable/></lan></interfaces><filter>".to_owned();
    for rule in rules {
        let kind = if rule.permits { "pass" } else { "block" };
        let port = rule.port.of("<port>443</port>", "<port>80</port>", "<port>100-500</port>", "");
        let disabled = if rule.disabled { "<disabled/>" } else { "" };
        write!(
            text,
            "<rule><type>{kind}</type><interface>lan</interface><ipprotocol>inet</ipprotocol><protocol>tcp</protocol><source><any/>\
             </source><destination><address>{}</address>{port}</destination>{disabled}</rule>",
            rule.to
        )
        .unwrap();
    }
    text + "</filter></pfsense>"
}

fn azure(rules: &[Rule]) -> String {
    let one = |(index, rule): (usize, &Rule)| {
        let access = if rule.permits { "Allow" } else { "Deny" };
        let port = rule.port.of("443", "80", "100-500", "*");
        format!(
            r#"{{"name": "r{index}", "priority": {}, "direction": "Outbound", "access": "{access}", "protocol": "Tcp",
            "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "{}", "destinationPortRange": "{port}"}}"#,
            100 + index,
            rule.to
        )
    };
    // The order in the file is of no account.
    let rules: Vec<String> = active(rules).map(one).collect::<Vec<_>>().into_iter().rev().collect();
    format!(r#"{{"name": "g", "securityRules": [{}]}}"#, rules.join(","))
}

fn gcp(rules: &[Rule]) -> String {
    let one = |(index, rule): (usize, &Rule)| {
        let key = if rule.permits { "allowed" } else { "denied" };
        let port = rule.port.of(r#", "ports": ["443"]"#, r#", "ports": ["80"]"#, r#", "ports": ["1", "100-500"]"#, "");
        format!(
            r#"{{"name": "r{index}", "priority": {index}, "direction": "EGRESS", "disabled": {}, "network": "global/networks/n",
            "destinationRanges": ["{}"], "{key}": [{{"IPProtocol": "tcp"{port}}}]}}"#,
            rule.disabled, rule.to
        )
    };
    let mut rules: Vec<String> = rules.iter().enumerate().map(one).collect();
    rules.reverse();
    rules.push(r#"{"name": "in", "direction": "INGRESS", "network": "global/networks/n", "allowed": []}"#.to_owned());
    format!("[{}]", rules.join(","))
}

fn squid(rules: &[Rule]) -> String {
    let mut text =
        "acl asked port 443\nacl other port 80\nacl range port 100-500\nacl CONNECT method CONNECT\n".to_owned();
    for (index, rule) in active(rules) {
        let verb = if rule.permits { "allow" } else { "deny" };
        let port = rule.port.of("asked", "!asked", "range", "all");
        writeln!(text, "acl a{index} dst {}\nhttp_access {verb} CONNECT {port} a{index}", rule.to).unwrap();
    }
    text + "http_access deny all\n"
}

fn network_acl(rules: &[Rule]) -> String {
    let one = |(index, rule): (usize, &Rule)| {
        let action = if rule.permits { "allow" } else { "deny" };
        let range = rule.port.of((443, 443), (80, 80), (100, 500), (0, 65535));
        format!(
            r#"{{"RuleNumber": {index}, "Egress": true, "RuleAction": "{action}", "Protocol": "6", "CidrBlock": "{}",
            "PortRange": {{"From": {}, "To": {}}}}}"#,
            rule.to, range.0, range.1
        )
    };
    let mut entries: Vec<String> = active(rules).map(one).collect();
    entries.reverse();
    format!(r#"{{"NetworkAcls": [{{"NetworkAclId": "acl-1", "Entries": [{}]}}]}}"#, entries.join(","))
}
