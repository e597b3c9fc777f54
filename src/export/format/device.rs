//! What the languages of network devices share.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use sha2::{Digest, Sha256};

use crate::export::{Entry, Group, Naming, Rules};
use crate::prefix::{Family, Prefix};
use crate::text::hexadecimal;

/// Entries that are added to one object of the device, or removed from it.
pub(super) struct Part<'a> {
    /// The name of the object.
    pub(super) name: String,
    /// At least one; of one family where the format holds the families apart.
    pub(super) entries: &'a [Entry],
    /// Whether they go.
    pub(super) removed: bool,
}

/// The objects of a whole list; for a change what is added, then what is removed, so that nothing that stays allowed is
/// cut in between.
pub(super) fn parts<'a>(rules: &'a Rules, names: &Naming) -> Vec<Part<'a>> {
    let Some((add, remove)) = rules.change() else {
        let part = |group: Group<'a>| Part { name: names.group(rules, &group), entries: group.entries, removed: false };
        return rules.groups().map(part).collect();
    };
    let lists = |entries: &'a [Entry], removed| {
        rules.lists(entries).into_iter().map(move |(family, entries)| {
            let name = names.group(rules, &Group { family, part: None, entries });
            Part { name, entries, removed }
        })
    };
    lists(add, false).chain(lists(remove, true)).collect()
}

impl Part<'_> {
    /// Whether it is of IPv4.
    pub(super) fn is_v4(&self) -> bool {
        self.entries.first().is_some_and(|entry| entry.family() == Family::V4)
    }

    /// Its prefixes.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = Prefix> {
        self.entries.iter().map(Entry::prefix)
    }

    /// One of two, by family.
    pub(super) fn of<T>(&self, v4: T, v6: T) -> T {
        if self.is_v4() { v4 } else { v6 }
    }
}

/// The objects of host names, which have a group of their own: resolved by the device, they are not of one family.
pub(super) struct Hosts<'a> {
    /// The name of the group.
    pub(super) group: String,
    /// The name of each object, and the host name.
    pub(super) objects: Vec<(String, &'a str)>,
}

/// None where no host names are allowed; they go with a whole list.
pub(super) fn hosts<'a>(rules: &'a Rules, names: &Naming) -> Option<Hosts<'a>> {
    let object = |host: &'a String| (names.name(rules.name(), &format!("-{}", shortened(host))), host.as_str());
    let objects: Vec<_> = rules.hosts().iter().map(object).collect();
    (!objects.is_empty()).then(|| Hosts { group: names.name(rules.name(), "-names"), objects })
}

/// A host name may have 253 characters, the name of an object 63: of a long one the digest tells it from others.
fn shortened(host: &str) -> String {
    if host.len() <= 40 {
        return host.to_owned();
    }
    format!("{}-{}", &host[..31], &hexadecimal(&Sha256::digest(host))[..8])
}

/// Whether it is a single address, which many devices hold as one.
pub(super) fn is_host(prefix: Prefix) -> bool {
    prefix.host_bits() == 0
}

/// `3.10.17.128 255.255.255.128`; IPv6 stays a prefix.
pub(super) fn with_netmask(prefix: Prefix) -> String {
    match prefix.first() {
        IpAddr::V4(first) => format!("{first} {}", netmask(prefix)),
        IpAddr::V6(_) => prefix.to_string(),
    }
}

/// `255.255.255.128` of an IPv4 prefix.
pub(super) fn netmask(prefix: Prefix) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix.len())).unwrap_or(0))
}

/// `host 56.125.47.0` for a single address, else the prefix in this form: as the device shows it, so that a comparison
/// with its configuration finds nothing to do.
pub(super) fn host_or(prefix: Prefix, other: impl Fn(Prefix) -> String) -> String {
    if is_host(prefix) { format!("host {}", prefix.first()) } else { other(prefix) }
}

/// The header as a comment of XML, in which two hyphens may not stand together.
pub(super) fn xml_header(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "<!--")?;
    rules.header().iter().try_for_each(|line| writeln!(out, "  {}", line.replace("--", "__")))?;
    writeln!(out, "-->")
}
