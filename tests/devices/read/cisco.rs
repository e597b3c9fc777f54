//! Cisco and Arista.

use super::{port, unknown, words};
use crate::fixtures::PORTS;
use crate::model::{Device, Net, cidr, host, masked};

pub fn ios(device: &mut Device, text: &str) {
    catalyst(device, text, [&["network"], &["v6-network"]], "object-group");
}

pub fn nxos(device: &mut Device, text: &str) {
    catalyst(device, text, [&["ip", "address"], &["ipv6", "address"]], "addrgroup");
}

pub fn iosxr(device: &mut Device, text: &str) {
    catalyst(device, text, [&["network", "ipv4"], &["network", "ipv6"]], "net-group");
}

/// Object groups of one family, by their words, and access lists that name them.
fn catalyst(device: &mut Device, text: &str, kinds: [&[&str]; 2], reference: &str) {
    let (mut group, mut list) = (None, None);
    for line in words(text, "!") {
        let head = |line: &[&str]| {
            let (name, kind) = line.split_last().expect("a line has words");
            let family = kinds.iter().position(|known| *known == kind);
            (family.unwrap_or_else(|| unknown(line)), (*name).to_owned())
        };
        match line[..] {
            ["no", "object-group", ref rest @ ..] => device.ungroup(&head(rest).1),
            ["object-group", ref rest @ ..] => {
                let (family, name) = head(rest);
                named(&name, 63);
                device.group(&name);
                (group, list) = (Some((family, name)), None);
            }
            ["ip" | "ipv4" | "ipv6", "access-list", .., name] => (group, list) = (None, Some(name.to_owned())),
            ["description", ..] if group.is_some() => {}
            ["sequence", ref rest @ ..] if list.is_some() => permit(device, list.as_deref(), rest, reference),
            [_, "permit", ..] if list.is_some() => permit(device, list.as_deref(), &line, reference),
            _ => {
                let (family, name) = group.as_ref().unwrap_or_else(|| unknown(&line));
                let no = line[0] == "no";
                let net = member(&line[usize::from(no)..]);
                assert_eq!(net.0.is_ipv6(), *family == 1, "{line:?} in a group of the other family");
                if no { device.drop(name, net) } else { device.hold(name, net) }
            }
        }
    }
}

fn permit(device: &mut Device, list: Option<&str>, line: &[&str], reference: &str) {
    let [number, "permit", "tcp", "any", word, group, "eq", to] = line else { unknown(line) };
    assert!(*word == reference && number.parse::<u32>().is_ok(), "{line:?}");
    let rule = device.rule(&format!("{} {number}", list.expect("in a list")));
    rule.groups.insert((*group).to_owned());
    rule.ports.insert(port(to));
}

fn member(words: &[&str]) -> Net {
    match *words {
        ["host", address] => host(address),
        [address, mask] => masked(address, mask),
        [prefix] => {
            let net = cidr(prefix);
            assert_ne!(net.0, net.1, "{prefix} would be shown as a host");
            net
        }
        _ => unknown(words),
    }
}

fn named(name: &str, longest: usize) {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    assert!(plain && (1..=longest).contains(&name.len()), "{name:?} is no name");
}

pub fn asa(device: &mut Device, text: &str) {
    let mut group = None;
    for line in words(text, "!") {
        match line[..] {
            ["object-group", "network", name] => {
                named(name, 64);
                device.group(name);
                group = Some(name);
            }
            ["description", ..] if group.is_some() => {}
            ["no", "network-object", ref net @ ..] => device.drop(group.expect("in a group"), member(net)),
            ["network-object", ref net @ ..] => device.hold(group.expect("in a group"), member(net)),
            ["access-list", list, "extended", "permit", "tcp", "any", "object-group", name, "eq", to] => {
                let rule = device.rule(&format!("{list} {name} {to}"));
                rule.groups.insert(name.to_owned());
                rule.ports.insert(port(to));
            }
            _ => unknown(&line),
        }
    }
}

/// A list has no groups: what it permits to one port is taken for one.
pub fn eos(device: &mut Device, text: &str) {
    let mut list = None;
    for line in words(text, "!") {
        match line[..] {
            ["no", "ip" | "ipv6", "access-list", name] => {
                for to in PORTS {
                    device.ungroup(&format!("{name} {to}"));
                }
            }
            ["ip" | "ipv6", "access-list", name] => list = Some(name),
            ["remark", ..] if list.is_some() => {}
            ["no", "permit", "tcp", "any", ref net @ .., "eq", to] => {
                device.drop(&format!("{} {to}", list.expect("in a list")), member(net));
            }
            ["permit", "tcp", "any", ref net @ .., "eq", to] => {
                let name = format!("{} {to}", list.expect("in a list"));
                device.hold(&name, member(net));
                let rule = device.rule(&name);
                rule.groups.insert(name);
                rule.ports.insert(port(to));
            }
            _ => unknown(&line),
        }
    }
}
