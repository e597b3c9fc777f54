//! Sets as `ipset save` writes them, and what looking into one comes to.

use std::collections::HashMap;
use std::sync::Arc;

use super::lex::words;
use super::table::first_word;
use crate::audit::packet::{End, Gathered, Kind, Packet, depends_on};
use crate::audit::word::{address_range, cited};
use crate::audit::{AddressSet, Applies, Destination, Match};
use crate::prefix::{AddressRange, Family};

/// All sets by their names.
#[derive(Debug, Default)]
pub(super) struct Sets<'a> {
    sets: HashMap<&'a str, Set<'a>>,
}

/// One set as it is written.
#[derive(Debug)]
struct Set<'a> {
    /// `hash:net,port`
    kind: &'a str,
    entries: Vec<Entry<'a>>,
}

/// One entry.
#[derive(Debug)]
struct Entry<'a> {
    /// `13.32.0.0/15,tcp:443`
    value: &'a str,
    /// It is an exception.
    nomatch: bool,
    /// It goes away by itself.
    expires: bool,
}

/// Whether a line is one of `ipset save`.
pub(super) fn is_statement(line: &str) -> bool {
    ["create ", "add ", "-N ", "-A ", "--create ", "--add "].iter().any(|word| line.starts_with(word))
}

impl<'a> Sets<'a> {
    /// Reads a line; the word that is wrong, and what is wrong with it.
    pub(super) fn read(&mut self, line: &'a str) -> Result<(), (&'a str, String)> {
        let (command, behind) = first_word(line);
        let (name, rest) = first_word(behind);
        let (value, options) = first_word(rest);
        if value.is_empty() {
            return Err((line, "the line ends before the entry or the type of the set".to_owned()));
        }
        if command.ends_with("create") || command == "-N" {
            self.sets.insert(name, Set { kind: value, entries: Vec::new() });
            return Ok(());
        }
        let Some(set) = self.sets.get_mut(name) else {
            return Err((name, format!("no set {} was created", cited(name))));
        };
        set.check(value).map_err(|problem| (value, problem))?;
        let words = words(options).ok_or_else(|| (options, "a quotation does not end".to_owned()))?;
        let mut words = words.iter().map(AsRef::as_ref);
        let (mut nomatch, mut expires) = (false, false);
        while let Some(word) = words.next() {
            match word {
                "comment" => _ = words.next(),
                "nomatch" => nomatch = true,
                "timeout" => expires = words.next() != Some("0"),
                _ => {}
            }
        }
        set.entries.push(Entry { value, nomatch, expires });
        Ok(())
    }
}

impl Set<'_> {
    fn dimensions(&self) -> impl Iterator<Item = &str> {
        self.kind.split_once(':').map_or("", |(_, dimensions)| dimensions).split(',')
    }

    /// What the audit relies on must be whole.
    fn check(&self, value: &str) -> Result<(), String> {
        let dimensions: Vec<&str> = self.dimensions().collect();
        let parts: Vec<&str> = value.split(',').collect();
        let known = self.kind.starts_with("hash:") || self.kind.starts_with("bitmap:");
        if !known {
            return Ok(());
        }
        if parts.len() != dimensions.len() {
            return Err(format!("{} has not the parts of {}", cited(value), cited(self.kind)));
        }
        let sound = |(dimension, part): (&&str, &&str)| !is_address(dimension) || address_range(part).is_some();
        let sound = dimensions.iter().zip(&parts).all(sound);
        if sound { Ok(()) } else { Err(format!("{} is no entry of {}", cited(value), cited(self.kind))) }
    }
}

fn is_address(dimension: &str) -> bool {
    dimension == "ip" || dimension == "net"
}

/// Sets as conditions; each is made once for each use.
#[derive(Debug)]
pub(super) struct Lookups<'a> {
    sets: &'a Sets<'a>,
    made: HashMap<(String, String, bool, Kind, Option<Family>), Match>,
}

impl<'a> Lookups<'a> {
    pub(super) fn new(sets: &'a Sets<'a>) -> Self {
        Self { sets, made: HashMap::new() }
    }

    /// What `--match-set NAME src,dst` comes to for a packet.
    pub(super) fn find(&mut self, name: &str, directions: &str, negated: bool, packet: Packet<'_>) -> Match {
        let key = (name.to_owned(), directions.to_owned(), negated, packet.kind, packet.family);
        if let Some(made) = self.made.get(&key) {
            return made.clone();
        }
        let ends: Vec<End> =
            directions.split(',').map(|word| if word == "src" { End::Source } else { End::Destination }).collect();
        let found = self.sets.lookup(name, &ends, packet, 0);
        let made = if negated { complement(found) } else { found };
        self.made.insert(key, made.clone());
        made
    }
}

/// A set of sets may hold sets of sets; the kernel allows no deeper nesting than one.
const DEEPEST: usize = 4;

impl Sets<'_> {
    fn lookup(&self, name: &str, ends: &[End], packet: Packet<'_>, depth: usize) -> Match {
        let unknown = |why: String| Match { destination: Destination::unknown(why), rest: Applies::Yes };
        let Some(set) = self.sets.get(name) else {
            return unknown(format!("the set {} is not among the files (`ipset save` writes it)", cited(name)));
        };
        let exceptions = set.entries.iter().any(|entry| entry.nomatch);
        match set.kind {
            "list:set" if depth < DEEPEST => {
                let members = set.entries.iter().map(|entry| self.lookup(entry.value, ends, packet, depth + 1));
                members.reduce(either).unwrap_or_else(nothing)
            }
            kind if !kind.starts_with("hash:") && !kind.starts_with("bitmap:") => {
                unknown(format!("sets of the type {} are not understood", cited(kind)))
            }
            kind if exceptions && kind != "hash:net" => {
                unknown(format!("exceptions in a set of the type {} are not understood", cited(kind)))
            }
            _ => set.lookup(ends, packet, exceptions),
        }
    }
}

impl Set<'_> {
    fn lookup(&self, ends: &[End], packet: Packet<'_>, exceptions: bool) -> Match {
        let dimensions: Vec<&str> = self.dimensions().collect();
        let remote = |at: usize| is_address(dimensions[at]) && ends.get(at).is_some_and(|end| packet.is_remote(*end));
        match (0..dimensions.len()).find(|&at| remote(at)) {
            Some(at) if exceptions => Match { destination: self.longest_match(at), rest: Applies::Yes },
            Some(at) => Match { destination: self.remote(&dimensions, ends, packet, at), rest: Applies::Yes },
            None if exceptions => {
                Match { destination: Destination::any(), rest: packet.client(&self.longest_match(0)) }
            }
            None => Match { destination: Destination::any(), rest: self.other(&dimensions, ends, packet) },
        }
    }

    /// Entries of which one part is the remote address.
    fn remote(&self, dimensions: &[&str], ends: &[End], packet: Packet<'_>, at: usize) -> Destination {
        let mut gathered = Gathered::default();
        for entry in &self.entries {
            let parts = entry.value.split(',').collect::<Vec<_>>();
            if let Some(range) = address_range(parts[at]) {
                gathered.add(range, entry.holds(dimensions, &parts, ends, packet, Some(at)));
            }
        }
        gathered.into_destination()
    }

    /// Entries of which no part is the remote address.
    fn other(&self, dimensions: &[&str], ends: &[End], packet: Packet<'_>) -> Applies {
        if let ([dimension], [end]) = (dimensions, ends)
            && is_address(dimension)
        {
            let all: AddressSet = self.entries.iter().filter_map(|entry| address_range(entry.value)).collect();
            return packet.address(*end, &all.into()).1;
        }
        let holds = |entry: &Entry<'_>| {
            entry.holds(dimensions, &entry.value.split(',').collect::<Vec<_>>(), ends, packet, None)
        };
        self.entries.iter().map(holds).fold(Applies::No, Applies::or)
    }

    /// Of entries one in another the longest prefix decides; entries and exceptions alternate.
    fn longest_match(&self, at: usize) -> Destination {
        let range = |entry: &Entry<'_>| Some((address_range(entry.value.split(',').nth(at)?)?, entry.nomatch));
        let mut entries: Vec<(AddressRange, bool)> = self.entries.iter().filter_map(range).collect();
        entries.sort_by_key(|(range, _)| std::cmp::Reverse(range.addresses()));
        let mut set = AddressSet::none();
        for same_length in entries.chunk_by(|a, b| a.0.addresses() == b.0.addresses()) {
            let of = |nomatch| same_length.iter().filter(|e| e.1 == nomatch).map(|e| e.0).collect::<AddressSet>();
            set = set.union(&of(false)).difference(&of(true));
        }
        let expiring = self.entries.iter().any(|entry| entry.expires);
        let perhaps = expiring.then(|| (Arc::new(AddressSet::all()), Arc::from(EXPIRES)));
        Destination { surely: Arc::new(if expiring { AddressSet::none() } else { set }), perhaps }
    }
}

const EXPIRES: &str = "an entry of the set goes away by itself";

impl Entry<'_> {
    /// Whether all parts but one hold.
    fn holds(
        &self,
        dimensions: &[&str],
        parts: &[&str],
        ends: &[End],
        packet: Packet<'_>,
        but: Option<usize>,
    ) -> Applies {
        let start = if self.expires { Applies::maybe(EXPIRES) } else { Applies::Yes };
        let others = (0..dimensions.len().min(parts.len())).filter(|at| Some(*at) != but);
        others.fold(start, |applies, at| match ends.get(at) {
            Some(end) => applies.and(part(dimensions[at], parts[at], *end, packet)),
            None => applies.and(depends_on(parts[at])),
        })
    }
}

/// Whether a part of an entry that is not the remote address holds.
fn part(dimension: &str, value: &str, end: End, packet: Packet<'_>) -> Applies {
    match dimension {
        "port" => port(value, end, packet),
        "iface" => packet.interface(end, &[value.trim_start_matches("physdev:")], '+'),
        // Two remote addresses in one entry would be two ends of one packet.
        "ip" | "net" if !packet.is_remote(end) => {
            let range = address_range(value).map(AddressSet::from);
            range.map_or_else(|| depends_on(value), |set| packet.client(&set.into()))
        }
        _ => depends_on(value),
    }
}

/// `443`, `tcp:443`, `tcp:8000-9000`
fn port(value: &str, end: End, packet: Packet<'_>) -> Applies {
    let (protocol, number) = value.split_once(':').unwrap_or(("tcp", value));
    if !["tcp", "6"].contains(&protocol.to_ascii_lowercase().as_str()) {
        return Applies::No;
    }
    let (first, last) = number.split_once('-').unwrap_or((number, number));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => packet.port(end, &[(first, last)]),
        _ => depends_on(value),
    }
}

fn nothing() -> Match {
    Match { destination: AddressSet::none().into(), rest: Applies::Yes }
}

/// What is in either of two sets; a doubt about one is a doubt about what it would match.
fn either(a: Match, b: Match) -> Match {
    Match { destination: a.weighed().union(&b.weighed()), rest: Applies::Yes }
}

fn complement(one: Match) -> Match {
    Match { destination: one.weighed().complement(), rest: Applies::Yes }
}
