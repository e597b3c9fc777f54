//! Addresses and applications of the SRX.

use crate::audit::format::address::{between, prefix, wildcard};
use crate::audit::format::book::{Book, Member, Part, Services};
use crate::audit::format::flow::only;
use crate::audit::format::ports::in_range;
use crate::audit::format::tree::Branch;
use crate::audit::word::cited;
use crate::audit::{AddressSet, Applies, Destination, Question};
use crate::prefix::Family;

/// What policies refer to.
pub(super) struct Objects<'a> {
    /// The addresses of all books.
    pub(super) addresses: Book<'a>,
    /// Applications and sets of them.
    pub(super) services: Services<'a>,
}

impl<'a> Objects<'a> {
    /// Those of a configuration. A name that two books have is taken to be both, which is what a doubt would be, too.
    pub(super) fn of(root: Branch<'_, 'a>, question: &Question) -> Self {
        let mut objects =
            Self { addresses: Book::new("address", literal), services: Services::new(question.port, builtin) };
        let books = root.at(&["security", "address-book"]).into_iter().flat_map(Branch::children);
        let zones = root.at(&["security", "zones", "security-zone"]).into_iter().flat_map(Branch::children);
        let books: Vec<_> = books.chain(zones.filter_map(|zone| zone.at(&["address-book"]))).collect();
        let mut twice = std::collections::HashSet::new();
        for book in &books {
            objects.take_book(*book, &mut twice);
        }
        for application in root.at(&["applications", "application"]).into_iter().flat_map(Branch::children) {
            objects.services.add(application.word(), Part::Known(of_terms(application, question.port)));
        }
        for set in root.at(&["applications", "application-set"]).into_iter().flat_map(Branch::children) {
            let parts = objects.services.service(set.word());
            for kind in ["application", "application-set"] {
                parts.extend(set.values(&[kind]).into_iter().map(Part::Named));
            }
        }
        objects
    }

    fn take_book(&mut self, book: Branch<'_, 'a>, twice: &mut std::collections::HashSet<&'a str>) {
        let of = |kind: &str| book.at(&[kind]).into_iter().flat_map(Branch::children).collect::<Vec<_>>();
        for object in of("address").into_iter().chain(of("address-set")) {
            let name = object.word();
            if !twice.insert(name) {
                let why = format!("several address books have {}", cited(name));
                self.addresses.object(name).members = vec![Member::unknown(why)];
            }
        }
        for address in of("address") {
            self.addresses.add(address.word(), member(address));
        }
        for set in of("address-set") {
            for kind in ["address", "address-set"] {
                let members = set.values(&[kind]).into_iter().map(Member::Named);
                self.addresses.object(set.word()).members.extend(members);
            }
        }
    }
}

/// What an address stands for; of several values the last is in force.
fn member<'a>(address: Branch<'_, 'a>) -> Member<'a> {
    let not_understood = || Member::unknown(format!("address {} is not understood", cited(address.word())));
    let Some(value) = address.children().filter(|child| child.word() != "description").last() else {
        return not_understood();
    };
    let words = || value.children().map(Branch::word).last();
    match value.word() {
        "dns-name" => Member::unknown(format!("host name {}", cited(words().unwrap_or_default()))),
        "range-address" => {
            let first = value.children().last();
            let last = first.and_then(|first| first.values(&["to"]).last().copied());
            first
                .zip(last)
                .and_then(|(first, last)| between(first.word(), last))
                .map_or_else(not_understood, Member::Range)
        }
        "wildcard-address" => {
            let read = words().and_then(|word| word.split_once('/')).and_then(|(address, mask)| holed(address, mask));
            read.map_or_else(not_understood, |set| Member::Known(set.into()))
        }
        word => prefix(word).map_or_else(not_understood, Member::Range),
    }
}

/// Ones of the mask count.
fn holed(address: &str, mask: &str) -> Option<AddressSet> {
    let mask: std::net::Ipv4Addr = mask.parse().ok()?;
    let turned = std::net::Ipv4Addr::from_bits(!mask.to_bits());
    Some(wildcard(address, &turned.to_string())?.ok()?.into_iter().collect())
}

fn literal(name: &str) -> Option<Destination> {
    Some(match name {
        "any" => Destination::any(),
        "any-ipv4" => AddressSet::family(Family::V4).into(),
        "any-ipv6" => AddressSet::family(Family::V6).into(),
        _ => return None,
    })
}

/// An application has one match, or one in each of its terms.
fn of_terms(application: Branch<'_, '_>, port: u16) -> Applies {
    let terms = application.at(&["term"]).into_iter().flat_map(Branch::children).collect::<Vec<_>>();
    if terms.is_empty() {
        return of_pairs(&pairs(application), port);
    }
    terms.into_iter().fold(Applies::No, |any, term| any.or(of_pairs(&pairs(term), port)))
}

/// Keywords with their values, which may stand behind each other: `protocol tcp destination-port 443`.
fn pairs<'a>(branch: Branch<'_, 'a>) -> Vec<(&'a str, &'a str)> {
    let mut pairs = Vec::new();
    let mut open: Vec<Branch<'_, 'a>> = branch.children().collect();
    while let Some(key) = open.pop() {
        for value in key.children() {
            pairs.push((key.word(), value.word()));
            open.extend(value.children());
        }
    }
    pairs
}

fn of_pairs(pairs: &[(&str, &str)], port: u16) -> Applies {
    let mut applies = if pairs.iter().any(|(key, _)| *key == "protocol") {
        Applies::Yes
    } else {
        Applies::maybe("the application has no protocol")
    };
    for &(key, value) in pairs {
        applies = applies.and(match key {
            "protocol" => matches!(value, "tcp" | "6" | "0").into(),
            "destination-port" => in_range(value, port).map_or_else(|| only("port", value), Applies::from),
            "source-port" => {
                let whole = [1024, u16::MAX].iter().all(|&port| in_range(value, port) == Some(true));
                if whole { Applies::Yes } else { only("source port", value) }
            }
            "inactivity-timeout" | "description" | "application-protocol" | "alg" => Applies::Yes,
            _ => only("a certain", key),
        });
    }
    applies
}

/// Juniper's own applications, as far as they can be this flow.
fn builtin(name: &str, port: u16) -> Option<Applies> {
    Some(match name {
        "any" | "junos-tcp-any" => Applies::Yes,
        "junos-https" => (port == 443).into(),
        "junos-http" => (port == 80).into(),
        "junos-http-ext" => (port == 7001).into(),
        _ => {
            const OTHERS: [&str; 18] = [
                "junos-udp-any",
                "junos-dns-udp",
                "junos-icmp-all",
                "junos-icmp-ping",
                "junos-icmp6-all",
                "junos-ping",
                "junos-pingv6",
                "junos-ntp",
                "junos-ssh",
                "junos-telnet",
                "junos-ftp",
                "junos-smtp",
                "junos-dhcp-client",
                "junos-dhcp-server",
                "junos-dns-tcp",
                "junos-imap",
                "junos-pop3",
                "junos-syslog",
            ];
            return (OTHERS.contains(&name) && ![20, 21, 22, 23, 25, 53, 110, 143].contains(&port))
                .then_some(Applies::No);
        }
    })
}
