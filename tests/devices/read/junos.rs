//! Languages of `set` and `delete`.

use super::{port, unknown, words};
use crate::model::{Device, cidr};

pub fn junos(device: &mut Device, text: &str) {
    for line in words(text, "#") {
        match line[..] {
            ["set", "security", "address-book", "global", "address", name, prefix] => device.define(name, cidr(prefix)),
            ["set", "security", "address-book", "global", "address", name, "dns-name", host] => {
                device.define_host(name, host);
            }
            ["set", "security", "address-book", "global", "address-set", set, "address", name] => {
                device.join(set, name);
            }
            ["delete", "security", "address-book", "global", "address-set", set] => device.ungroup(set),
            ["delete", "security", "address-book", "global", "address-set", set, "address", name] => {
                device.leave(set, name);
            }
            ["delete", "security", "address-book", "global", "address", name] => device.undefine(name),
            ["delete", "applications", "application", name] => device.service(name).clear(),
            ["set", "applications", "application", name, "term", _, "protocol", "tcp", "destination-port", to] => {
                device.service(name).insert(port(to));
            }
            ["set", "security", "policies", "global", "policy", policy, ref rest @ ..] => policed(device, policy, rest),
            ["set", "policy-options", "prefix-list", list, prefix] => device.hold(list, cidr(prefix)),
            ["delete", "policy-options", "prefix-list", list] => device.ungroup(list),
            ["delete", "policy-options", "prefix-list", list, prefix] => device.drop(list, cidr(prefix)),
            ["set", "firewall", "family", family, "filter", filter, "term", term, ref rest @ ..] => {
                filtered(device, family, &format!("{filter} {term}"), rest);
            }
            _ => unknown(&line),
        }
    }
}

fn policed(device: &mut Device, policy: &str, words: &[&str]) {
    match *words {
        ["match", "destination-address", set] => _ = device.rule(policy).groups.insert(set.to_owned()),
        ["match", "application", name] => _ = device.rule(policy).services.insert(name.to_owned()),
        ["match", "source-address", "any"] | ["then", "permit"] | ["description", _] => {}
        _ => unknown(words),
    }
}

fn filtered(device: &mut Device, family: &str, rule: &str, words: &[&str]) {
    match (family, words) {
        ("inet" | "inet6", ["from", "destination-prefix-list", list]) => {
            device.rule(rule).groups.insert((*list).to_owned());
        }
        ("inet" | "inet6", ["from", "destination-port", to]) => _ = device.rule(rule).ports.insert(port(to)),
        ("inet", ["from", "protocol", "tcp"])
        | ("inet6", ["from", "next-header", "tcp"])
        | ("inet" | "inet6", ["then", "accept"]) => {}
        _ => unknown(words),
    }
}

pub fn panos(device: &mut Device, text: &str) {
    // There are no comments.
    for line in words(text, "\0") {
        match line[..] {
            ["set", "address", name, "ip-netmask", prefix] => {
                assert!(name.len() <= 63 && !name.contains([':', '/']), "{name:?} is no name");
                device.define(name, cidr(prefix));
            }
            ["set", "address", name, "fqdn", host] => device.define_host(name, host),
            ["set", "address-group", group, "static", name] => device.join(group, name),
            ["set", "address-group", _, "description", _]
            | ["set", "rulebase", "security", "rules", _, "description", _] => {}
            ["delete", "address-group", group, "static", name] => device.leave(group, name),
            ["delete", "address", name] => device.undefine(name),
            ["set", "service", name, "protocol", "tcp", "port", ports] => {
                *device.service(name) = ports.split(',').map(port).collect();
            }
            ["set", "rulebase", "security", "rules", rule, ref rest @ ..] => secured(device, rule, rest),
            _ => unknown(&line),
        }
    }
}

fn secured(device: &mut Device, rule: &str, words: &[&str]) {
    let [
        "from",
        "any",
        "to",
        "any",
        "source",
        "any",
        "destination",
        "[",
        groups @ ..,
        "]",
        "application",
        "any",
        "service",
        service,
        "action",
        "allow",
    ] = words
    else {
        unknown(words)
    };
    let rule = device.rule(rule);
    rule.groups.extend(groups.iter().map(|&group| group.to_owned()));
    rule.services.insert((*service).to_owned());
}

pub fn vyos(device: &mut Device, text: &str) {
    vyatta(device, text, |path| match path {
        ["ipv4", "name", rest @ ..] => ("network-group", rest),
        ["ipv6", "name", rest @ ..] => ("ipv6-network-group", rest),
        _ => unknown(path),
    });
}

pub fn edgeos(device: &mut Device, text: &str) {
    vyatta(device, text, |path| match path {
        ["name", rest @ ..] => ("network-group", rest),
        ["ipv6-name", rest @ ..] => ("ipv6-network-group", rest),
        _ => unknown(path),
    });
}

type Path<'a, 'b> = (&'static str, &'b [&'a str]);

/// `set_of` takes the path to a rule set apart: which groups may stand in it, and the rest.
fn vyatta(device: &mut Device, text: &str, set_of: for<'a, 'b> fn(&'b [&'a str]) -> Path<'a, 'b>) {
    for line in words(text, "#") {
        match line[..] {
            ["set", "firewall", "group", kind, group, "network", prefix] => {
                assert!(group.len() <= 31, "{group} is too long");
                assert_eq!(prefix.contains(':'), kind == "ipv6-network-group", "{line:?}");
                device.hold(group, cidr(prefix));
            }
            ["set", "firewall", "group", _, _, "description", _] => {}
            ["delete", "firewall", "group", _, group] => device.ungroup(group),
            ["delete", "firewall", "group", _, group, "network", prefix] => device.drop(group, cidr(prefix)),
            ["set", "firewall", ref path @ ..] => {
                let (kind, rest) = set_of(path);
                ruled(device, kind, rest);
            }
            _ => unknown(&line),
        }
    }
}

fn ruled(device: &mut Device, kind: &str, words: &[&str]) {
    let [set, "rule", number, rest @ ..] = words else { unknown(words) };
    let rule = device.rule(&format!("{set} {number}"));
    match rest {
        ["action", "accept"] | ["protocol", "tcp"] => {}
        ["destination", "group", group_kind, group] if *group_kind == kind => {
            rule.groups = [(*group).to_owned()].into();
        }
        ["destination", "port", ports] => rule.ports = ports.split(',').map(port).collect(),
        _ => unknown(words),
    }
}
