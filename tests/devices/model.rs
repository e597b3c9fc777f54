//! A device as far as it matters here: addresses, groups of them, services and rules.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First and last address.
pub type Net = (IpAddr, IpAddr);

/// What a device holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    addresses: BTreeMap<String, Net>,
    hosts: BTreeMap<String, String>,
    /// Members are names of addresses.
    groups: BTreeMap<String, BTreeSet<String>>,
    services: BTreeMap<String, BTreeSet<u16>>,
    rules: BTreeMap<String, Rule>,
}

/// What a rule allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// To which groups.
    pub groups: BTreeSet<String>,
    /// To which ports.
    pub ports: BTreeSet<u16>,
    /// To the ports of which services.
    pub services: BTreeSet<String>,
}

impl Device {
    pub fn define(&mut self, name: &str, net: Net) {
        if let Some(known) = self.addresses.insert(name.to_owned(), net) {
            assert_eq!(known, net, "{name} becomes another address");
        }
    }

    pub fn define_host(&mut self, name: &str, host: &str) {
        assert!(name.len() <= 63, "{name} is too long");
        self.hosts.insert(name.to_owned(), host.to_owned());
    }

    pub fn undefine(&mut self, name: &str) {
        assert!(self.groups.values().all(|members| !members.contains(name)), "{name} is still a member");
        assert!(self.addresses.remove(name).is_some(), "there is no address {name}");
    }

    /// The group is there from now on.
    pub fn group(&mut self, name: &str) {
        self.groups.entry(name.to_owned()).or_default();
    }

    pub fn ungroup(&mut self, name: &str) {
        self.groups.remove(name);
    }

    pub fn rename(&mut self, from: &str, to: &str) {
        let members = self.groups.remove(from).unwrap_or_else(|| panic!("there is no list {from}"));
        assert!(self.groups.insert(to.to_owned(), members).is_none(), "two lists become one");
    }

    pub fn join(&mut self, group: &str, address: &str) {
        assert!(
            self.addresses.contains_key(address) || self.hosts.contains_key(address),
            "there is no address {address}"
        );
        self.groups.entry(group.to_owned()).or_default().insert(address.to_owned());
    }

    pub fn leave(&mut self, group: &str, address: &str) {
        let members = self.groups.get_mut(group).unwrap_or_else(|| panic!("there is no group {group}"));
        assert!(members.remove(address), "{address} is no member of {group}");
    }

    /// A member that has no name of its own.
    pub fn hold(&mut self, group: &str, net: Net) {
        let name = unnamed(net);
        self.define(&name, net);
        self.join(group, &name);
    }

    pub fn drop(&mut self, group: &str, net: Net) {
        let name = unnamed(net);
        self.leave(group, &name);
        if self.groups.values().all(|members| !members.contains(&name)) {
            self.undefine(&name);
        }
    }

    /// Removes all members.
    pub fn empty(&mut self, group: &str) {
        self.groups.insert(group.to_owned(), BTreeSet::new());
    }

    pub fn service(&mut self, name: &str) -> &mut BTreeSet<u16> {
        self.services.entry(name.to_owned()).or_default()
    }

    pub fn rule(&mut self, name: &str) -> &mut Rule {
        self.rules.entry(name.to_owned()).or_default()
    }

    /// The groups that hold addresses.
    pub fn objects(&self) -> usize {
        self.groups.len()
    }

    /// What is allowed to a port: by the rules, or, where rules are the admin's, what the groups hold.
    pub fn allowed(&self, port: u16) -> Vec<Net> {
        merged(self.members(port).filter_map(|name| self.addresses.get(name).copied()))
    }

    /// The host names that are allowed to a port.
    pub fn allowed_hosts(&self, port: u16) -> BTreeSet<&str> {
        self.members(port).filter_map(|name| self.hosts.get(name).map(String::as_str)).collect()
    }

    fn members(&self, port: u16) -> impl Iterator<Item = &String> {
        let named = self.rules.values().filter(move |rule| rule.lets(port, &self.services));
        let groups: BTreeSet<&String> = if self.rules.is_empty() {
            self.groups.keys().collect()
        } else {
            named.flat_map(|rule| &rule.groups).collect()
        };
        groups.into_iter().flat_map(|group| {
            let members = self.groups.get(group);
            members.unwrap_or_else(|| panic!("a rule names {group}, which is not there"))
        })
    }
}

impl Rule {
    fn lets(&self, port: u16, services: &BTreeMap<String, BTreeSet<u16>>) -> bool {
        self.ports.contains(&port) || self.services.iter().any(|name| services[name].contains(&port))
    }
}

fn unnamed((first, last): Net) -> String {
    format!("{first}-{last}")
}

/// In order, overlapping and adjacent ones joined.
pub fn merged(nets: impl IntoIterator<Item = Net>) -> Vec<Net> {
    let mut nets: Vec<Net> = nets.into_iter().collect();
    nets.sort();
    let mut whole: Vec<Net> = Vec::new();
    for (first, last) in nets {
        match whole.last_mut() {
            Some(before) if touches(before.1, first) => before.1 = before.1.max(last),
            _ => whole.push((first, last)),
        }
    }
    whole
}

fn touches(end: IpAddr, first: IpAddr) -> bool {
    match (end, first) {
        (IpAddr::V4(end), IpAddr::V4(first)) => first.to_bits() <= end.to_bits().saturating_add(1),
        (IpAddr::V6(end), IpAddr::V6(first)) => first.to_bits() <= end.to_bits().saturating_add(1),
        _ => false,
    }
}

/// `address/length`; bits behind the length are refused.
pub fn cidr(text: &str) -> Net {
    let (address, length) = text.split_once('/').unwrap_or_else(|| panic!("{text} has no length"));
    of_length(address, length)
}

pub fn of_length(address: &str, length: &str) -> Net {
    let length: u32 = length.parse().unwrap_or_else(|_| panic!("{length} is no length"));
    match parsed(address) {
        IpAddr::V4(first) => {
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            assert!(length <= 32 && first.to_bits() & host == 0, "{address}/{length}");
            (first.into(), Ipv4Addr::from_bits(first.to_bits() | host).into())
        }
        IpAddr::V6(first) => {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            assert!(length <= 128 && first.to_bits() & host == 0, "{address}/{length}");
            (first.into(), Ipv6Addr::from_bits(first.to_bits() | host).into())
        }
    }
}

/// Address and netmask.
pub fn masked(address: &str, mask: &str) -> Net {
    let mask: Ipv4Addr = mask.parse().unwrap_or_else(|_| panic!("{mask} is no mask"));
    assert_eq!(mask.to_bits().leading_ones(), mask.to_bits().count_ones(), "{mask} has holes");
    of_length(address, &mask.to_bits().count_ones().to_string())
}

pub fn host(address: &str) -> Net {
    (parsed(address), parsed(address))
}

/// An address, a prefix or a range.
pub fn any_form(text: &str) -> Net {
    match text.split_once('-') {
        Some((first, last)) => (parsed(first), parsed(last)),
        None if text.contains('/') => cidr(text),
        None => host(text),
    }
}

fn parsed(address: &str) -> IpAddr {
    address.parse().unwrap_or_else(|_| panic!("{address:?} is no address"))
}
