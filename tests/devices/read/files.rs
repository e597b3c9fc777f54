//! Whole files: XML, JSON and lists.

use std::collections::BTreeMap;

use serde_json::Value;

use super::port;
use crate::model::{Device, any_form, host, masked, of_length};

/// A list of entries and nothing else.
pub fn list(device: &mut Device, text: &str) {
    device.empty("list");
    text.lines().for_each(|line| device.hold("list", any_form(line)));
}

/// What stands behind a space is a comment.
pub fn commented_list(device: &mut Device, text: &str) {
    device.empty("list");
    for line in text.lines() {
        device.hold("list", any_form(line.split(' ').next().expect("a line has a word")));
    }
}

/// The texts of a file, each with the names of the elements around it; comments are passed over.
fn texts(xml: &str) -> Vec<(Vec<&str>, &str)> {
    assert!(xml.is_ascii() && !xml.contains('&'), "nothing needs an entity");
    let (mut open, mut found, mut rest) = (Vec::new(), Vec::new(), xml);
    while let Some(start) = rest.find('<') {
        let text = rest[..start].trim();
        if !text.is_empty() {
            found.push((open.clone(), text));
        }
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("--").expect("a comment ends");
            assert!(comment[end..].starts_with("-->"), "two hyphens in a comment");
            rest = &comment[end + 3..];
            continue;
        }
        let end = rest.find('>').expect("a tag ends");
        let (tag, behind) = (&rest[1..end], &rest[end + 1..]);
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "elements are nested"),
            None if tag.starts_with('?') || tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().expect("a tag has a name")),
        }
        rest = behind;
    }
    assert!(open.is_empty(), "{open:?} is not closed");
    found
}

pub fn sophos(device: &mut Device, text: &str) {
    let (mut fields, mut group) = (BTreeMap::new(), "");
    for (path, text) in texts(text) {
        match path[..] {
            ["Configuration", "IPHost", key @ ("Name" | "IPFamily" | "HostType" | "IPAddress" | "Subnet")] => {
                if key == "Name" {
                    defined(device, &std::mem::take(&mut fields));
                }
                fields.insert(key, text);
            }
            ["Configuration", "IPHostGroup", "Name"] => {
                defined(device, &std::mem::take(&mut fields));
                group = text;
                device.empty(group);
            }
            ["Configuration", "IPHostGroup", "HostList", "Host"] => device.join(group, text),
            ["Configuration", "IPHostGroup", "Description" | "IPFamily"] | ["Configuration", "Services", ..] => {}
            _ => panic!("{path:?} {text}"),
        }
    }
}

/// A host whose elements are all read; none before the first.
fn defined(device: &mut Device, fields: &BTreeMap<&str, &str>) {
    let Some(name) = fields.get("Name") else { return };
    let (address, family) = (fields["IPAddress"], fields["IPFamily"]);
    let net = match (fields["HostType"], fields.get("Subnet")) {
        ("IP", None) => host(address),
        ("Network", Some(mask)) if family == "IPv4" => masked(address, mask),
        ("Network", Some(length)) => of_length(address, length),
        other => panic!("{other:?}"),
    };
    assert_eq!(net.0.is_ipv6(), family == "IPv6", "{name} is of the other family");
    device.define(name, net);
}

pub fn watchguard(device: &mut Device, text: &str) {
    let (mut name, mut alias, mut network) = ("", "", "");
    for (path, text) in texts(text) {
        match path[1..] {
            ["address-group-list", "address-group", "name"] => {
                name = text;
                device.empty(name);
            }
            ["address-group-list", "address-group", "addr-group-member", "member", key] => match key {
                "type" => assert!(text == "1" || text == "2", "{text}"),
                "host-ip-addr" => device.hold(name, host(text)),
                "ip-network-addr" => network = text,
                "ip-mask" => device.hold(name, masked(network, text)),
                _ => panic!("{path:?}"),
            },
            ["service-list", "service", "name"] => name = text,
            ["service-list", "service", "service-item", "member", "server-port"] => {
                device.service(name).insert(port(text));
            }
            ["alias-list", "alias", "name"] => alias = text,
            ["alias-list", "alias", .., "address"] => _ = device.rule(alias).groups.insert(text.to_owned()),
            ["alias-list" | "service-list" | "address-group-list", ..] => {}
            _ => panic!("{path:?} {text}"),
        }
    }
    // The policy is the admin's: the alias stands for it, with the one service.
    let service = name.to_owned();
    device.rule(alias).services.insert(service);
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("an array").iter().map(string).collect()
}

fn string(value: &Value) -> &str {
    value.as_str().expect("a string")
}

pub fn unifi(device: &mut Device, text: &str) {
    for group in parsed(text).as_array().expect("an array") {
        let (name, members) = (string(&group["name"]), strings(&group["group_members"]));
        assert!(name.len() <= 31, "{name} is too long");
        if group["group_type"] == "port-group" {
            device.service(name).extend(members.into_iter().map(port));
            continue;
        }
        device.empty(name);
        for member in members {
            assert_eq!(member.contains(':'), group["group_type"] == "ipv6-address-group", "{member}");
            device.hold(name, any_form(member));
        }
    }
}

pub fn meraki(device: &mut Device, text: &str) {
    for rule in parsed(text)["rules"].as_array().expect("an array") {
        assert_eq!([&rule["policy"], &rule["protocol"], &rule["srcCidr"]], ["allow", "tcp", "Any"]);
        let name = string(&rule["comment"]);
        string(&rule["destCidr"]).split(',').for_each(|prefix| device.hold(name, any_form(prefix)));
        device.rule(name).groups.insert(name.to_owned());
        device.rule(name).ports.extend(string(&rule["destPort"]).split(',').map(port));
    }
}

pub fn zscaler(device: &mut Device, text: &str) {
    for group in parsed(text).as_array().expect("an array") {
        assert_eq!(group["type"], "DSTN_IP");
        let name = string(&group["name"]);
        device.empty(name);
        for address in strings(&group["addresses"]) {
            device.hold(name, any_form(address));
        }
    }
}
