//! Fortinet FortiOS: configurations as they are backed up or shown.
//!
//! Policies are looked at in the order of the file, the first that matches decides, and what none matches is denied. Which
//! interfaces are inside and outside is told by the question, by their role, or by the words of name and alias.

use std::collections::HashMap;

use super::address::{all, between, netmask, prefix, wildcard};
use super::book::{Book, Member, Part, Services};
use super::flow::{self, named, only};
use super::lines::{action, add_doubt, add_hook};
use super::ports::in_range;
use super::words::{closing, words};
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::cited;
use crate::audit::{AddressSet, Applies, Chain, Default, Destination, Match, Place, Policy, Question, Rule, Side};
use crate::prefix::Family;

pub(super) const READER: Reader =
    Reader { name: "fortios", title: "Fortinet FortiOS: a configuration", recognise, read };

fn recognise(text: &str) -> bool {
    text.starts_with("#config-version=")
        || text.lines().any(|line| {
            matches!(line.split_whitespace().collect::<Vec<_>>()[..], ["config", "firewall" | "system", ..])
        })
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let mut configuration = Configuration::default();
    for (file, index) in files.iter().zip(0..=u16::MAX) {
        configuration.read(file, index)?;
    }
    Ok(policy(&configuration, question))
}

/// What is edited: the tables that matter, in order.
#[derive(std::default::Default)]
struct Configuration<'a> {
    entries: Vec<Entry<'a>>,
    index: HashMap<(&'a str, &'a str, &'a str), usize>,
}

/// One `edit` of a table.
struct Entry<'a> {
    place: Place,
    domain: &'a str,
    table: &'static str,
    name: &'a str,
    fields: HashMap<&'a str, Vec<&'a str>>,
}

/// The tables that matter.
const TABLES: [&str; 14] = [
    "firewall address",
    "firewall address6",
    "firewall addrgrp",
    "firewall addrgrp6",
    "firewall service custom",
    "firewall service group",
    "firewall policy",
    "firewall policy6",
    "firewall security-policy",
    "firewall consolidated policy",
    "system interface",
    "system zone",
    "firewall interface-policy",
    "firewall interface-policy6",
];

/// How deep `config` and `edit` may stand in each other; FortiOS has ten.
const DEEPEST: usize = 32;

/// A block that is open.
#[derive(Clone, Copy)]
enum Block<'a> {
    Config(&'a str),
    Edit(&'a str),
}

impl<'a> Configuration<'a> {
    fn read(&mut self, file: &'a SourceFile, index: u16) -> Result<(), ParseError> {
        let mut open: Vec<Block<'a>> = Vec::new();
        let (mut rest, mut number) = (file.text.as_str(), 1_u32);
        while !rest.is_empty() {
            let length = logical(rest);
            let (line, behind) = rest.split_at(length);
            let place = Place { file: index, line: number };
            let text = line.trim();
            if !text.is_empty() && !text.starts_with('#') {
                let words = words(text).map_err(|column| file.error_at(number, column, "a quote that does not end"))?;
                let step = self.step(&mut open, place, text, &words);
                step.map_err(|problem| file.error(place, line, words.first().copied().unwrap_or(line), problem))?;
            }
            number = number.saturating_add(u32::try_from(line.matches('\n').count()).unwrap_or(u32::MAX));
            rest = behind;
        }
        match open.last() {
            None => Ok(()),
            Some(Block::Config(name)) => Err(file.truncated(&format!("the `end` of {}", cited(name)))),
            Some(Block::Edit(name)) => Err(file.truncated(&format!("the `next` of {}", cited(name)))),
        }
    }

    fn step(
        &mut self,
        open: &mut Vec<Block<'a>>,
        place: Place,
        text: &'a str,
        words: &[&'a str],
    ) -> Result<(), String> {
        match *words {
            ["config", ..] if open.len() == DEEPEST => return Err("blocks lie too deep in each other".to_owned()),
            ["config", ..] => open.push(Block::Config(text["config".len()..].trim())),
            ["edit", name] if matches!(open.last(), Some(Block::Config(_))) => {
                open.push(Block::Edit(name));
                self.entry(open, place);
            }
            ["next"] if matches!(open.last(), Some(Block::Edit(_))) => _ = open.pop(),
            ["end"] => {
                // The end of a table ends the entry that is edited, too.
                if matches!(open.last(), Some(Block::Edit(_))) {
                    open.pop();
                }
                if open.pop().is_none() {
                    return Err("`end` where nothing is open".to_owned());
                }
            }
            ["next" | "edit", ..] => return Err(format!("{} does not stand here", cited(text))),
            [verb @ ("set" | "append" | "unset" | "unselect"), field, ref values @ ..] => {
                if let Some(entry) = self.entry(open, place) {
                    entry.change(verb, field, values);
                }
            }
            ["delete", name] => _ = self.entry(open, place).map(|entry| entry.change("set", "deleted", &[name])),
            _ => {}
        }
        Ok(())
    }

    /// The entry that is edited, where its table matters.
    fn entry(&mut self, open: &[Block<'a>], place: Place) -> Option<&mut Entry<'a>> {
        let (domain, open) = match open {
            [Block::Config("vdom"), Block::Edit(domain), rest @ ..] => (*domain, rest),
            [Block::Config("global"), rest @ ..] => ("", rest),
            _ => ("", open),
        };
        let [Block::Config(table), Block::Edit(name)] = *open else { return None };
        let table = TABLES.into_iter().find(|known| *known == table)?;
        let entries = &mut self.entries;
        let index = *self.index.entry((domain, table, name)).or_insert_with(|| {
            entries.push(Entry { place, domain, table, name, fields: HashMap::new() });
            entries.len() - 1
        });
        entries.get_mut(index)
    }

    fn of<'c>(&'c self, domain: &'c str, table: &'static str) -> impl Iterator<Item = &'c Entry<'a>> {
        self.entries.iter().filter(move |entry| entry.table == table && entry.domain == domain)
    }
}

/// How long the first line is, with the lines that a quoted text runs on over.
fn logical(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => return at + 1,
            b'#' if text[..at].trim().is_empty() => {
                return text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
            }
            b'"' => match closing(&bytes[at..]) {
                Some(end) => at += end + 1,
                // It never ends: the words of this line will say so.
                None => return text[at..].find('\n').map_or(text.len(), |end| at + end + 1),
            },
            _ => at += 1,
        }
    }
    text.len()
}

impl<'a> Entry<'a> {
    fn change(&mut self, verb: &str, field: &'a str, values: &[&'a str]) {
        let held = self.fields.entry(field).or_default();
        match verb {
            "set" => *held = values.to_vec(),
            "append" => held.extend(values),
            "unselect" => held.retain(|value| !values.contains(value)),
            _ => _ = self.fields.remove(field),
        }
    }

    fn list(&self, field: &str) -> &[&'a str] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }

    fn one(&self, field: &str) -> Option<&'a str> {
        self.list(field).first().copied()
    }

    fn enabled(&self, field: &str) -> bool {
        self.one(field) == Some("enable")
    }
}

fn policy(configuration: &Configuration<'_>, question: &Question) -> Policy {
    let mut policy = Policy::default();
    let mut domains: Vec<&str> = Vec::new();
    for entry in &configuration.entries {
        let filters = matches!(entry.table, "firewall policy" | "firewall policy6");
        if filters && !domains.contains(&entry.domain) {
            domains.push(entry.domain);
        }
        if matches!(entry.table, "firewall security-policy" | "firewall consolidated policy")
            || entry.table.starts_with("firewall interface-policy")
        {
            let why = format!("`config {}` is not read", entry.table);
            add_doubt(&mut policy, entry.table, Some(entry.place), &why);
        }
    }
    for domain in &domains {
        let mut device = Device::new(configuration, question, domain);
        let mut chain = Chain::new("firewall policy", Default::Deny);
        let both = configuration.of(domain, "firewall policy").map(|entry| (entry, false));
        let v6 = configuration.of(domain, "firewall policy6").map(|entry| (entry, true));
        chain.rules = both.chain(v6).flat_map(|(entry, v6)| device.rules(entry, v6)).collect();
        let name = if domain.is_empty() { "policies".to_owned() } else { format!("policies of vdom {domain}") };
        add_hook(&mut policy, name, chain);
    }
    match domains.len() {
        0 => add_doubt(&mut policy, "policies", None, "there are no policies in the file"),
        1 => {}
        count => policy.notes.push(format!("{count} virtual domains have policies: all of them have to allow")),
    }
    policy
}

struct Device<'q, 'a> {
    question: &'q Question,
    v4: Book<'a>,
    v6: Book<'a>,
    services: Services<'a>,
    sides: HashMap<&'a str, Option<Side>>,
}

impl<'q, 'a> Device<'q, 'a> {
    fn new(configuration: &Configuration<'a>, question: &'q Question, domain: &str) -> Self {
        let mut device = Self {
            question,
            v4: Book::new("address", |name| literal(Family::V4, name)),
            v6: Book::new("address", |name| literal(Family::V6, name)),
            services: Services::new(question.port, builtin),
            sides: HashMap::new(),
        };
        configuration.of(domain, "firewall address").for_each(|entry| device.v4.add(entry.name, address(entry)));
        configuration.of(domain, "firewall address6").for_each(|entry| device.v6.add(entry.name, address6(entry)));
        configuration.of(domain, "firewall addrgrp").for_each(|entry| group(&mut device.v4, entry));
        configuration.of(domain, "firewall addrgrp6").for_each(|entry| group(&mut device.v6, entry));
        for entry in configuration.of(domain, "firewall service custom") {
            device.services.add(entry.name, Part::Known(service(entry, question.port)));
        }
        for entry in configuration.of(domain, "firewall service group") {
            let parts = device.services.service(entry.name);
            parts.extend(entry.list("member").iter().map(|name| Part::Named(name)));
        }
        for domain in ["", domain] {
            for entry in configuration.of(domain, "system interface") {
                device.sides.insert(entry.name, interface_side(entry));
            }
        }
        for entry in configuration.of(domain, "system zone") {
            let side = device.zone_side(entry);
            device.sides.insert(entry.name, side);
        }
        device
    }

    /// A zone is where all its interfaces are.
    fn zone_side(&self, zone: &Entry<'a>) -> Option<Side> {
        let mut sides = zone.list("interface").iter().map(|name| self.sides.get(name).copied().flatten());
        let first = sides.next().flatten();
        named(zone.name).or_else(|| first.filter(|_| sides.all(|side| side == first)))
    }

    fn on(&self, at: Side, names: &[&'a str]) -> Applies {
        let one = |name: &&str| match self.question.on(at, name) {
            Applies::Maybe(why) => match self.sides.get(name).copied().flatten().or_else(|| named(name)) {
                Some(side) => (side == at).into(),
                None => Applies::Maybe(why),
            },
            said => said,
        };
        if names.is_empty() {
            return Applies::maybe("it says not for which interface it is");
        }
        if names.contains(&"any") {
            return Applies::Yes;
        }
        names.iter().fold(Applies::No, |any, name| any.or(one(name)))
    }

    /// A policy is a rule for each family, as each has sources of its own.
    fn rules(&mut self, entry: &Entry<'a>, policy6: bool) -> Vec<Rule> {
        if entry.one("status") == Some("disable") {
            return Vec::new();
        }
        let fields = ["dstaddr", "dstaddr6"].iter().any(|field| !entry.list(field).is_empty());
        if !(fields || entry.enabled("internet-service") || entry.enabled("internet-service6")) {
            let rule = Rule::not_understood(entry.place, "it says not where to");
            return vec![Rule { name: Some(entry.name.into()), ..rule }];
        }
        let permits = match entry.one("action") {
            Some("accept") => Some(true),
            None | Some("deny") => Some(false),
            Some(_) => None,
        };
        let service = if entry.enabled("internet-service") { Applies::Yes } else { self.served(entry) };
        let rest = self
            .on(Side::Outside, entry.list("dstintf"))
            .and(self.on(Side::Inside, entry.list("srcintf")))
            .and(service)
            .and(conditions(entry));
        let families = [(Family::V4, "srcaddr", "dstaddr"), (Family::V6, "srcaddr6", "dstaddr6")];
        let families = if policy6 { vec![(Family::V6, "srcaddr", "dstaddr")] } else { families.to_vec() };
        let mut rules = Vec::new();
        for (family, source, destination) in families {
            let Some((destination, sourced)) = self.addressed(entry, family, source, destination) else { continue };
            let matches = Match { destination, rest: rest.clone().and(sourced) };
            let rule = match permits {
                Some(permits) => Rule::new(entry.place, matches, action(permits)),
                None => Rule::not_understood(entry.place, "what the policy does is not known"),
            };
            rules.push(Rule { name: Some(entry.name.into()), ..rule });
        }
        rules
    }

    fn served(&mut self, entry: &Entry<'a>) -> Applies {
        let served = self.services.any_named(entry.list("service"));
        if entry.enabled("service-negate") { served.negated() } else { served }
    }

    /// Destinations of a family, and whether the sources are the flow's; none where the policy is not for the family.
    fn addressed(
        &mut self,
        entry: &Entry<'a>,
        family: Family,
        source: &'static str,
        destination: &'static str,
    ) -> Option<(Destination, Applies)> {
        let whole = Destination::from(AddressSet::family(family));
        let book = if family == Family::V4 { &mut self.v4 } else { &mut self.v6 };
        let by_service = |field: &str| match family {
            Family::V4 => entry.enabled(field),
            Family::V6 => entry.enabled(&field.replace("service", "service6")),
        };
        let mut addresses = |field: &'static str, service: &'static str| {
            let names = entry.list(field);
            if by_service(service) {
                return Some(Destination::unknown("what Fortinet lists as an internet service"));
            }
            let addresses = if names.is_empty() { None } else { Some(book.any_named(names)) };
            let negated = entry.enabled(&format!("{field}-negate"));
            addresses.map(|addresses| if negated { addresses.complement() } else { addresses })
        };
        let destinations = addresses(destination, "internet-service")?.intersection(&whole);
        let sources = addresses(source, "internet-service-src")?.intersection(&whole);
        Some(flow::from(self.question, &sources, destinations))
    }
}

/// What a policy asks for besides addresses, interfaces and services.
fn conditions(entry: &Entry<'_>) -> Applies {
    const RESTRICTING: [&str; 20] = [
        "groups",
        "users",
        "fsso-groups",
        "devices",
        "device-type",
        "url-category",
        "app-category",
        "application",
        "src-vendor-mac",
        "tos",
        "policy-expiry-date",
        "network-service-dynamic",
        "ztna-ems-tag",
        "custom-app",
        "reputation-minimum",
        "dscp-match",
        "sgt-check",
        "vlan-filter",
        "ntlm",
        "ztna-status",
    ];
    let schedule = match entry.one("schedule") {
        None | Some("always") => Applies::Yes,
        Some(name) => only("schedule", name),
    };
    let restricted = RESTRICTING.iter().find(|field| !matches!(entry.list(field), [] | ["0" | "0x00" | "disable"]));
    schedule.and(restricted.map_or(Applies::Yes, |field| only("certain", field)))
}

fn literal(family: Family, name: &str) -> Option<Destination> {
    match name {
        "all" => Some(AddressSet::from(all(family)).into()),
        "none" => Some(AddressSet::none().into()),
        _ => None,
    }
}

fn address(entry: &Entry<'_>) -> Member<'static> {
    let range = match (entry.one("type").unwrap_or("ipmask"), entry.list("subnet")) {
        ("ipmask", []) => Some(all(Family::V4)),
        ("ipmask", [word]) => prefix(word),
        ("ipmask", [address, mask]) => netmask(address, mask),
        ("iprange", _) => entry.one("start-ip").zip(entry.one("end-ip")).and_then(|(first, last)| between(first, last)),
        ("wildcard", _) => return holed(entry.list("wildcard")),
        (kind, _) => return Member::unknown(format!("address {} is of type {}", cited(entry.name), cited(kind))),
    };
    range.map_or_else(|| Member::unknown(format!("address {} is not understood", cited(entry.name))), Member::Range)
}

fn address6(entry: &Entry<'_>) -> Member<'static> {
    let range = match (entry.one("type").unwrap_or("ipprefix"), entry.one("ip6")) {
        ("ipprefix", None) => Some(all(Family::V6)),
        ("ipprefix", Some(word)) => prefix(word),
        ("iprange", _) => entry.one("start-ip").zip(entry.one("end-ip")).and_then(|(first, last)| between(first, last)),
        (kind, _) => return Member::unknown(format!("address {} is of type {}", cited(entry.name), cited(kind))),
    };
    range.map_or_else(|| Member::unknown(format!("address {} is not understood", cited(entry.name))), Member::Range)
}

/// A mask whose ones count and need not stand together.
fn holed(words: &[&str]) -> Member<'static> {
    let turned =
        |mask: &str| mask.parse::<std::net::Ipv4Addr>().ok().map(|mask| std::net::Ipv4Addr::from_bits(!mask.to_bits()));
    let read = match words {
        [address, mask] => turned(mask).and_then(|mask| wildcard(address, &mask.to_string())),
        _ => None,
    };
    match read {
        Some(Ok(ranges)) => Member::Known(ranges.into_iter().collect::<AddressSet>().into()),
        _ => Member::unknown("a wildcard mask"),
    }
}

fn group<'a>(book: &mut Book<'a>, entry: &Entry<'a>) {
    let object = book.object(entry.name);
    object.members.extend(entry.list("member").iter().map(|name| Member::Named(name)));
    if entry.enabled("exclude") {
        object.except.extend(entry.list("exclude-member").iter().map(|name| Member::Named(name)));
    }
}

fn service(entry: &Entry<'_>, port: u16) -> Applies {
    if ["fqdn", "iprange", "app-category", "application"].iter().any(|field| !entry.list(field).is_empty()) {
        return only("a part of service", entry.name);
    }
    match entry.one("protocol").unwrap_or("TCP/UDP/SCTP") {
        "TCP/UDP/SCTP" | "TCP/UDP/UDP-Lite/SCTP" => {
            entry.list("tcp-portrange").iter().fold(Applies::No, |any, range| any.or(ranged(range, port)))
        }
        "IP" => matches!(entry.one("protocol-number"), None | Some("0" | "6")).into(),
        "ICMP" | "ICMP6" => Applies::No,
        _ => only("the protocol of service", entry.name),
    }
}

/// `443`, `80-90`, and behind a colon the source ports.
fn ranged(text: &str, port: u16) -> Applies {
    let (destination, source) = text.split_once(':').unwrap_or((text, "1-65535"));
    let Some(has) = in_range(destination, port) else { return only("ports", text) };
    let whole = [1024, u16::MAX].iter().all(|&port| in_range(source, port) == Some(true));
    Applies::from(has).and(if whole { Applies::Yes } else { only("source ports", source) })
}

fn builtin(name: &str, port: u16) -> Option<Applies> {
    Some(match name {
        "ALL" | "ALL_TCP" | "ANY" => Applies::Yes,
        "HTTPS" => (port == 443).into(),
        "HTTP" => (port == 80).into(),
        "ALL_UDP" | "ALL_ICMP" | "ALL_ICMP6" | "PING" | "NTP" | "NONE" => Applies::No,
        _ => return None,
    })
}

fn interface_side(entry: &Entry<'_>) -> Option<Side> {
    match entry.one("role") {
        Some("lan") => Some(Side::Inside),
        Some("wan") => Some(Side::Outside),
        _ => entry.one("alias").and_then(named).or_else(|| named(entry.name)),
    }
}
