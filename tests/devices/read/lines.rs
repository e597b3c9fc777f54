//! Fortinet, Check Point, MikroTik and Huawei.

use super::{port, unknown, words};
use crate::model::{Device, Net, cidr, host, masked, of_length};

pub fn fortios(device: &mut Device, text: &str) {
    let (mut menu, mut edited) = ("", "");
    for line in words(text, "#") {
        match (menu, &line[..]) {
            ("", ["config", "firewall", "service", "custom"]) => menu = "service",
            ("", ["config", "firewall", name @ ("address" | "address6" | "addrgrp" | "addrgrp6")]) => menu = name,
            (_, ["end"]) => menu = "",
            (_, ["edit", name]) => {
                assert!(name.len() <= 63, "{name} is too long");
                edited = name;
            }
            (_, ["next"]) => edited = "",
            ("address", ["set", "subnet", address, mask]) => device.define(edited, masked(address, mask)),
            ("address6", ["set", "ip6", prefix]) => {
                assert!(prefix.contains(':'), "{prefix} is no IPv6");
                device.define(edited, cidr(prefix));
            }
            ("address", ["set", "fqdn", host]) => device.define_host(edited, host),
            ("address" | "address6", ["delete", name]) => device.undefine(name),
            ("address" | "address6" | "addrgrp" | "addrgrp6", ["set", "comment", _])
            | ("address", ["set", "type", "fqdn"]) => {}
            ("addrgrp" | "addrgrp6", [verb, "member", members @ ..]) => grouped(device, edited, verb, members),
            ("service", ["set", "tcp-portrange", ports @ ..]) => {
                *device.service(edited) = ports.iter().map(|to| port(to)).collect();
            }
            _ => unknown(&line),
        }
    }
    assert_eq!((menu, edited), ("", ""), "the file ends in the middle");
}

fn grouped(device: &mut Device, group: &str, verb: &str, members: &[&str]) {
    if verb == "set" {
        device.empty(group);
    }
    match verb {
        "set" | "append" => members.iter().for_each(|name| device.join(group, name)),
        "unselect" => members.iter().for_each(|name| device.leave(group, name)),
        _ => unknown(&[verb]),
    }
}

/// The lines of the script that are not `mgmt_cli` commands.
const FRAME: [&str; 6] = [
    "set -eu",
    "session=${1:?usage: sh this-file SESSION (mgmt_cli login > SESSION)}",
    "run() { mgmt_cli -s \"$session\" \"$@\"; }",
    "trap 'run discard' EXIT",
    "run publish",
    "trap - EXIT",
];

pub fn checkpoint(device: &mut Device, text: &str) {
    assert!(FRAME.iter().all(|line| text.lines().any(|other| other == *line)), "the script has another frame");
    let commands: Vec<&str> = text.lines().filter(|line| !FRAME.contains(line)).collect();
    for line in words(&commands.join("\n"), "#") {
        match line[..] {
            ["run", "add", "group", "name", group, "comments", _, "set-if-exists", "true"] => device.group(group),
            ["run", "add", "service-tcp", "name", _, "port", _, "set-if-exists", "true"] => {}
            ["run", "add", kind, "name", name, ref net @ .., "groups.1", group, "set-if-exists", "true"] => {
                let net = checked(kind, net);
                device.define(name, net);
                device.join(group, name);
            }
            ["run", "set", "group", "name", group, "members.remove", name] => device.leave(group, name),
            ["run", "delete", "host" | "network", "name", name] => device.undefine(name),
            _ => unknown(&line),
        }
    }
}

fn checked(kind: &str, words: &[&str]) -> Net {
    match (kind, words) {
        ("host", ["ip-address", address]) => host(address),
        ("network", ["subnet4", address, "mask-length4", length]) => {
            assert!(!address.contains(':'), "{words:?}");
            of_length(address, length)
        }
        ("network", ["subnet6", address, "mask-length6", length]) => {
            assert!(address.contains(':'), "{words:?}");
            of_length(address, length)
        }
        _ => unknown(words),
    }
}

pub fn routeros(device: &mut Device, text: &str) {
    let mut menu = String::new();
    for line in words(text, "#") {
        let plain: Vec<&str> = line.iter().map(|word| word.trim_matches(['[', ']'])).collect();
        match plain[..] {
            ["/ip" | "/ipv6", "firewall", sub] => menu = format!("{} {sub}", line[0]),
            _ if menu.ends_with("address-list") => listed(device, menu.starts_with("/ipv6"), &plain),
            ["set", "find", _, ref rule @ ..] => filtered(device, rule, false),
            [":if", "(", ..] | [":if", ..] => {
                let rule = line.split(|word| *word == "add").nth(1).unwrap_or_else(|| unknown(&line));
                filtered(device, &rule[..rule.len() - 1], true);
            }
            _ => unknown(&line),
        }
    }
}

fn listed(device: &mut Device, v6: bool, line: &[&str]) {
    let value = |word: &str, key: &str| word.strip_prefix(key).unwrap_or_else(|| unknown(line)).to_owned();
    match line {
        ["add", list, address, ..] => {
            let net = address_of(&value(address, "address="));
            assert_eq!(net.0.is_ipv6(), v6, "{line:?} in the menu of the other family");
            device.hold(&value(list, "list="), net);
        }
        ["remove", "find", list] => device.ungroup(&value(list, "list=")),
        ["remove", "find", list, address] => {
            device.drop(&value(list, "list="), address_of(&value(address, "address=")));
        }
        ["set", "find", from, to] => device.rename(&value(from, "list="), &value(to, "list=")),
        _ => unknown(line),
    }
}

/// A single IPv4 address is kept without its length.
fn address_of(text: &str) -> Net {
    assert!(!text.ends_with("/32") || text.contains(':'), "{text} would not be found");
    if text.contains('/') { cidr(text) } else { host(text) }
}

/// The parameters of a rule; a `set` without a rule to set does nothing.
fn filtered(device: &mut Device, words: &[&str], added: bool) {
    let ["chain=forward", "action=accept", "protocol=tcp", ports, list, ..] = words else { unknown(words) };
    let ports = ports.strip_prefix("dst-port=").unwrap_or_else(|| unknown(words));
    let list = list.strip_prefix("dst-address-list=").unwrap_or_else(|| unknown(words));
    if added {
        let rule = device.rule(list);
        rule.groups.insert(list.to_owned());
        rule.ports = ports.split(',').map(port).collect();
    }
}

pub fn huawei(device: &mut Device, text: &str) {
    let (mut view, mut name) = ("", "");
    for line in words(text, "#") {
        match (view, &line[..]) {
            (_, ["ip", "address-set", set, "type", "object"]) => {
                (view, name) = ("address-set", set);
                device.group(set);
            }
            (_, ["ip", "service-set", set, "type", "object"]) => (view, name) = ("service-set", set),
            (_, ["security-policy"]) => view = "policy",
            ("address-set" | "rule", ["description", ..]) | ("rule", ["action", "permit"]) => {}
            ("address-set", ["undo", "address", "all"]) => device.empty(name),
            ("address-set", ["address", address, "mask", length]) => {
                assert!(!address.contains(':'), "{line:?}");
                device.hold(name, of_length(address, length));
            }
            ("address-set", ["address", address, length]) => {
                assert!(address.contains(':'), "{line:?}");
                device.hold(name, of_length(address, length));
            }
            ("service-set", ["service", _, "protocol", "tcp", "destination-port", to]) => {
                device.service(name).insert(port(to));
            }
            ("policy", ["rule", "name", rule]) => (view, name) = ("rule", rule),
            ("rule", ["destination-address", "address-set", set]) => {
                device.rule(name).groups.insert((*set).to_owned());
            }
            ("rule", ["service", service]) => _ = device.rule(name).services.insert((*service).to_owned()),
            _ => unknown(&line),
        }
    }
}
