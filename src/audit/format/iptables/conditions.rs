//! What the conditions of a rule come to for one kind of packet.

use std::borrow::Cow;
use std::cell::RefCell;

use super::sets::Lookups;
use crate::audit::packet::{Conditions, End, Packet, State, depends_on};
use crate::audit::word::{address_or_prefix, address_range, cited};
use crate::audit::{AddressSet, Applies, Destination, Match, Traffic};

/// What is needed to read rules: the packet they are read for, and the sets that they look into.
pub(super) struct Context<'a> {
    pub(super) packet: Packet<'a>,
    pub(super) lookups: &'a RefCell<Lookups<'a>>,
}

/// Conditions of one rule, as they are read.
pub(super) struct Reading<'a, 'b> {
    context: &'b Context<'a>,
    conditions: Conditions<'a>,
}

/// Modules whose options are read below, or that match what no TCP packet between two hosts is.
const MODULES: &[&str] = &[
    "addrtype",
    "ah",
    "comment",
    "conntrack",
    "dccp",
    "dst",
    "esp",
    "eui64",
    "hbh",
    "icmp",
    "icmp6",
    "iprange",
    "mh",
    "multiport",
    "pkttype",
    "rpfilter",
    "rt",
    "sctp",
    "set",
    "state",
    "tcp",
    "udp",
    "udplite",
];

/// Modules for headers that an ordinary TCP packet does not have.
const OTHER_HEADERS: &[&str] =
    &["ah", "dccp", "dst", "esp", "hbh", "icmp", "icmp6", "mh", "rt", "sctp", "udp", "udplite"];

impl<'a, 'b> Reading<'a, 'b> {
    pub(super) fn new(context: &'b Context<'a>) -> Self {
        Self { context, conditions: Conditions::new(context.packet) }
    }

    /// Reads the condition that begins the words; says how many words it has.
    pub(super) fn read(&mut self, words: &[Cow<'_, str>]) -> usize {
        let before = usize::from(words[0] == "!");
        let Some((option, behind)) = words[before..].split_first() else { return words.len() };
        // Older versions put the negation behind the option.
        let inner = usize::from(behind.first().is_some_and(|word| word == "!"));
        let values = &behind[inner..];
        let taken = values.iter().take_while(|word| !is_option(word)).count();
        let (used, applies) = self.condition(option, &values[..taken], before + inner == 1);
        self.conditions.holds(applies);
        before + 1 + inner + used
    }

    /// What all of them come to, in a rule that denies or does not.
    pub(super) fn into_match(self, denies: bool) -> Match {
        self.conditions.into_match(denies)
    }

    /// How many values the option has, and whether it holds.
    fn condition(&mut self, option: &str, values: &[Cow<'_, str>], negated: bool) -> (usize, Applies) {
        let packet = self.context.packet;
        let value = values.first().map_or("", |value| value.as_ref());
        let holds = match option {
            "-s" | "--source" | "--src" => self.addresses(End::Source, addresses(value), negated),
            "-d" | "--destination" | "--dst" => self.addresses(End::Destination, addresses(value), negated),
            "--src-range" => self.addresses(End::Source, ranges(value), negated),
            "--dst-range" => self.addresses(End::Destination, ranges(value), negated),
            "--ctorigsrc" => self.original(End::Source, value, negated),
            "--ctorigdst" => self.original(End::Destination, value, negated),
            "--match-set" => return (2, self.set(value, values.get(1).map_or("", |value| value.as_ref()), negated)),
            "--return-nomatch" | "--update-counters" | "--update-subcounters" => return (0, depends_on(option)),
            "-m" | "--match" => return (1, module(value, negated)),
            "--comment" => return (1, Applies::Yes),
            "-c" | "--set-counters" => return (values.len(), Applies::Yes),
            "-f" | "--fragment" => return (0, negated.into()),
            "--syn" => return (0, turned(syn(packet), negated)),
            "--tcp-flags" => {
                return (2, turned(flags(packet, value, values.get(1).map_or("", |v| v.as_ref())), negated));
            }
            // A reverse path that is as it should be is what a flow from the inside has.
            "-4" | "--ipv4" | "-6" | "--ipv6" | "--loose" | "--validmark" | "--accept-local" => {
                return (0, Applies::Yes);
            }
            "--invert" => return (0, Applies::No),
            _ => turned(self.simple(option, value), negated),
        };
        (values.len(), holds)
    }

    /// Conditions with one value that say nothing of addresses.
    fn simple(&self, option: &str, value: &str) -> Applies {
        let packet = self.context.packet;
        match option {
            "-p" | "--protocol" | "--ctproto" => protocol(value),
            "-i" | "--in-interface" => packet.interface(End::Source, &[value], '+'),
            "-o" | "--out-interface" => packet.interface(End::Destination, &[value], '+'),
            "--dport" | "--destination-port" | "--dports" | "--destination-ports" => self.port(End::Destination, value),
            "--sport" | "--source-port" | "--sports" | "--source-ports" => self.port(End::Source, value),
            "--ports" => self.port(End::Source, value).or(self.port(End::Destination, value)),
            "--ctorigdstport" => {
                self.port(if packet.is_remote(End::Destination) { End::Destination } else { End::Source }, value)
            }
            "--state" | "--ctstate" => state(packet, value),
            "--ctdir" => (value.eq_ignore_ascii_case("reply") == packet.is_remote(End::Source)).into(),
            "--dst-type" => address_type(packet, End::Destination, value),
            "--src-type" => address_type(packet, End::Source, value),
            "--pkt-type" => value.eq_ignore_ascii_case("unicast").into(),
            other => depends_on(other),
        }
    }

    fn addresses(&mut self, end: End, addresses: Destination, negated: bool) -> Applies {
        self.conditions.address(end, &if negated { addresses.complement() } else { addresses });
        Applies::Yes
    }

    /// An address of the first packet's header, which a reply has at its other end.
    fn original(&mut self, end: End, value: &str, negated: bool) -> Applies {
        let turned = self.context.packet.is_remote(End::Source);
        let end = match (end, turned) {
            (End::Source, true) => End::Destination,
            (End::Destination, true) => End::Source,
            (end, false) => end,
        };
        self.addresses(end, addresses(value), negated)
    }

    fn set(&mut self, name: &str, directions: &str, negated: bool) -> Applies {
        let found = self.context.lookups.borrow_mut().find(name, directions, negated, self.context.packet);
        self.conditions.destination(found.destination);
        found.rest
    }

    fn port(&self, end: End, value: &str) -> Applies {
        ports(value).map_or_else(|| depends_on(value), |runs| self.context.packet.port(end, &runs))
    }
}

/// Modules for headers that no TCP packet has do not match, whatever their options.
fn module(name: &str, negated: bool) -> Applies {
    match name {
        _ if negated => depends_on(name),
        name if OTHER_HEADERS.contains(&name) => Applies::No,
        name if MODULES.contains(&name) => Applies::Yes,
        other => depends_on(other),
    }
}

fn is_option(word: &str) -> bool {
    word == "!" || word.len() > 1 && word.starts_with('-') && !word[1..].starts_with(|c: char| c.is_ascii_digit())
}

fn turned(applies: Applies, negated: bool) -> Applies {
    if negated { applies.negated() } else { applies }
}

/// `13.32.0.0/15`, or several with commas; names are asked of a resolver by iptables, and never here.
fn addresses(value: &str) -> Destination {
    let sets = value.split(',').map(|one| address_or_prefix(one).map(AddressSet::from));
    all(sets, value)
}

/// `10.0.0.1-10.0.0.9`
fn ranges(value: &str) -> Destination {
    all(std::iter::once(address_range(value).map(AddressSet::from)), value)
}

fn all(mut sets: impl Iterator<Item = Option<AddressSet>>, value: &str) -> Destination {
    let all = sets.try_fold(AddressSet::none(), |all, set| Some(all.union(&set?)));
    all.map_or_else(|| Destination::unknown(format!("{} is no address", cited(value))), Destination::from)
}

/// `80,443,8000:9000`
fn ports(value: &str) -> Option<Vec<(u16, u16)>> {
    let port = |word: &str| match word {
        "https" => Some(443),
        "http" => Some(80),
        number => number.parse().ok(),
    };
    let run = |word: &str| match word.split_once(':') {
        None => port(word).map(|port| (port, port)),
        Some((first, last)) => {
            let first = if first.is_empty() { 0 } else { port(first)? };
            Some((first, if last.is_empty() { u16::MAX } else { port(last)? }))
        }
    };
    value.split(',').map(run).collect()
}

fn protocol(value: &str) -> Applies {
    matches!(value.to_ascii_lowercase().as_str(), "tcp" | "6" | "all" | "0" | "ip").into()
}

fn syn(packet: Packet<'_>) -> Applies {
    flags(packet, "FIN,SYN,RST,ACK", "SYN")
}

fn flags(packet: Packet<'_>, mask: &str, set: &str) -> Applies {
    let (Some(mask), Some(set)) = (flag_bits(mask), flag_bits(set)) else { return depends_on("--tcp-flags") };
    packet.flags(mask, set)
}

fn flag_bits(names: &str) -> Option<u8> {
    names.split(',').try_fold(0, |bits, name| {
        let bit = match name {
            "FIN" => 0x01,
            "SYN" => 0x02,
            "RST" => 0x04,
            "PSH" => 0x08,
            "ACK" => 0x10,
            "URG" => 0x20,
            "ALL" => 0x3f,
            "NONE" => 0,
            _ => return None,
        };
        Some(bits | bit)
    })
}

fn state(packet: Packet<'_>, value: &str) -> Applies {
    let own = match packet.state() {
        Some(State::New) => "NEW",
        Some(State::Established) => "ESTABLISHED",
        None => return depends_on("a state that is not known yet in the table raw"),
    };
    let one = |name: &str| match name {
        name if name == own => Applies::Yes,
        // The host may translate addresses: another table, or a device that is not in the file.
        "SNAT" | "DNAT" => depends_on(name),
        _ => Applies::No,
    };
    value.split(',').map(one).fold(Applies::No, Applies::or)
}

fn address_type(packet: Packet<'_>, end: End, value: &str) -> Applies {
    let one = |name: &str| match name {
        "LOCAL" => packet.is_local(end).into(),
        "UNICAST" => (!packet.is_local(end)).into(),
        "BROADCAST" | "MULTICAST" | "ANYCAST" | "UNSPEC" => Applies::No,
        other => depends_on(other),
    };
    value.split(',').map(one).fold(Applies::No, Applies::or)
}

impl Context<'_> {
    /// Whether the rules are read for the host's own packets.
    pub(super) fn is_output(&self) -> bool {
        self.packet.traffic == Traffic::Output
    }
}
