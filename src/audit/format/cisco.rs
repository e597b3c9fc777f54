//! The lines of Cisco's access lists: what IOS and ASA share.

use std::collections::HashMap;

use super::address::{all, between, host, netmask, prefix, wildcard};
use super::book::{Book, Member, Services};
use super::flow::{from, only};
use super::ports::port;
use crate::audit::word::cited;
use crate::audit::{AddressSet, Applies, Destination, Match, Question};
use crate::prefix::Family;

/// How an address list writes which bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// IOS: ones are of no account.
    Wildcard,
    /// ASA: ones count.
    Netmask,
}

/// What the lines of access lists refer to.
pub(super) struct Objects<'a> {
    /// Objects and groups of addresses.
    pub(super) networks: Book<'a>,
    /// Services, groups of them, and of protocols and ports.
    pub(super) services: Services<'a>,
    /// The names that ASA shows in place of addresses.
    pub(super) names: HashMap<&'a str, &'a str>,
    mask: Mask,
}

/// What stands behind a part that was read, or what was not understood.
type Read<T> = Result<T, String>;

impl<'a> Objects<'a> {
    /// None yet.
    pub(super) fn new(question: &Question, mask: Mask) -> Self {
        Self {
            networks: Book::new("object group", |_| None),
            services: Services::new(question.port, |_, _| None),
            names: HashMap::new(),
            mask,
        }
    }

    /// What the words behind `permit` or `deny` match.
    pub(super) fn matches(&mut self, question: &Question, words: &[&'a str]) -> Read<Match> {
        let mut words = Words(words);
        let protocol = self.protocol(&mut words)?;
        if protocol == Applies::No {
            return Ok(Match { destination: Destination::any(), rest: Applies::No });
        }
        let somebody = identity(&mut words);
        let source = self.address(&mut words)?;
        let source_port = self.ports(&mut words, true)?;
        let somebody = somebody.and(identity(&mut words));
        let destination = self.address(&mut words)?;
        let port = self.ports(&mut words, false)?;
        let options = options(&mut words)?;
        let (destination, sourced) = from(question, &source, destination);
        let rest = protocol.and(port).and(options).and(source_port).and(somebody).and(sourced);
        Ok(Match { destination, rest })
    }

    fn protocol(&mut self, words: &mut Words<'_, 'a>) -> Read<Applies> {
        match words.next()? {
            "object" | "object-group" => Ok(self.services.resolve(words.next()?)),
            name => protocol(name).ok_or_else(|| format!("protocol {}", cited(name))),
        }
    }

    /// One address, with the words that it takes.
    pub(super) fn address(&mut self, words: &mut Words<'_, 'a>) -> Read<Destination> {
        let word = words.next()?;
        let one = |range: Option<_>| range.map(|range| AddressSet::from(range).into());
        let read = match word {
            "any" => Some(Destination::any()),
            "any4" => one(Some(all(Family::V4))),
            "any6" => one(Some(all(Family::V6))),
            "host" => {
                let name = words.next()?;
                one(host(self.names.get(name).copied().unwrap_or(name)))
            }
            "object" | "object-group" | "addrgroup" | "net-group" => {
                return Ok(self.networks.resolve(words.next()?));
            }
            "interface" => {
                return Ok(Destination::unknown(format!("the address of interface {}", cited(words.next()?))));
            }
            word if word.contains('/') => one(prefix(word)),
            address => {
                let address = self.names.get(address).copied().unwrap_or(address);
                self.masked(address, words.next()?)
            }
        };
        read.ok_or_else(|| format!("address {}", cited(word)))
    }

    fn masked(&self, address: &str, mask: &str) -> Option<Destination> {
        if self.mask == Mask::Netmask {
            return netmask(address, mask).map(|range| AddressSet::from(range).into());
        }
        Some(match wildcard(address, mask)? {
            Ok(ranges) => ranges.into_iter().collect::<AddressSet>().into(),
            Err(most) => Destination {
                surely: AddressSet::none().into(),
                perhaps: Some((AddressSet::from(most).into(), format!("wildcard mask {}", cited(mask)).into())),
            },
        })
    }

    /// Whether the ports that may stand here are those of the flow.
    fn ports(&mut self, words: &mut Words<'_, 'a>, source: bool) -> Read<Applies> {
        if let ["object-group" | "object", name, ..] = *words.0
            && self.services.has(name)
            && !self.networks.has(name)
        {
            words.skip(2);
            let has = self.services.resolve(name);
            return Ok(if source { Applies::maybe(format!("source ports {}", cited(name))) } else { has });
        }
        let asked = self.services.port();
        let Some(ports) = operator(words)? else { return Ok(Applies::Yes) };
        Ok(if source {
            ephemeral(&ports)
        } else {
            ports.iter().any(|&(low, high)| (low..=high).contains(&asked)).into()
        })
    }

    /// A line of a service group or object behind its keyword: `tcp destination eq 443`, `tcp-udp range 1 9`, `ip`.
    pub(super) fn service(&mut self, words: &[&'a str]) -> Read<Applies> {
        let mut words = Words(words);
        let protocol = protocol(words.next()?).ok_or("a protocol")?;
        if protocol == Applies::No {
            return Ok(Applies::No);
        }
        let source = if words.take("source") { self.ports(&mut words, true)? } else { Applies::Yes };
        words.take("destination");
        let port = self.ports(&mut words, false)?;
        words.end()?;
        Ok(protocol.and(port).and(source))
    }

    /// A line of a group of ports: `eq https`, `range 1 9`.
    pub(super) fn port_object(&mut self, words: &[&'a str]) -> Read<Applies> {
        let mut words = Words(words);
        let applies = self.ports(&mut words, false)?;
        words.end()?;
        Ok(applies)
    }

    /// A member of a group of addresses, as IOS has it.
    pub(super) fn member(words: &[&'a str]) -> Read<Member<'a>> {
        match *words {
            ["group-object", name] => Ok(Member::Named(name)),
            ["range", first, last] => between(first, last).map(Member::Range).ok_or_else(|| "a range".to_owned()),
            ["any"] => Ok(Member::Known(Destination::any())),
            ["host", address] => host(address).map(Member::Range).ok_or_else(|| "a host".to_owned()),
            [word] if word.contains('/') => prefix(word).map(Member::Range).ok_or_else(|| "a prefix".to_owned()),
            [address, mask] => netmask(address, mask).map(Member::Range).ok_or_else(|| "an address".to_owned()),
            _ => Err("a member".to_owned()),
        }
    }
}

/// The words that are still to be read.
pub(super) struct Words<'w, 'a>(pub(super) &'w [&'a str]);

impl<'a> Words<'_, 'a> {
    /// The next word, which has to be there.
    pub(super) fn next(&mut self) -> Read<&'a str> {
        let (first, rest) = self.0.split_first().ok_or("the line ends too early")?;
        self.0 = rest;
        Ok(first)
    }

    fn skip(&mut self, count: usize) {
        self.0 = &self.0[count..];
    }

    /// Whether the next word is this one, which is then taken.
    fn take(&mut self, word: &str) -> bool {
        let is = self.0.first() == Some(&word);
        self.skip(is.into());
        is
    }

    fn end(&self) -> Read<()> {
        self.0.first().map_or(Ok(()), |word| Err(cited(word)))
    }
}

/// Whether TCP is in it; none for what is no protocol.
fn protocol(name: &str) -> Option<Applies> {
    const OTHERS: [&str; 21] = [
        "udp", "icmp", "icmp6", "icmpv6", "igmp", "ipinip", "gre", "esp", "esp", "ahp", "ah", "eigrp", "ospf", "pim",
        "nos", "pcp", "sctp", "igrp", "snp", "ipsec", "hbh",
    ];
    match name {
        "ip" | "ipv6" | "ipv4" | "tcp" | "tcp-udp" | "6" => Some(Applies::Yes),
        _ if OTHERS.contains(&name) => Some(Applies::No),
        // ASA takes 0 for any protocol; on IOS it is the protocol of that number, which no flow of TCP has.
        "0" => Some(Applies::maybe("protocol 0")),
        number => number.parse::<u8>().ok().map(|_| Applies::No),
    }
}

/// The ranges of an operator and its ports; none where no operator stands here.
fn operator(words: &mut Words<'_, '_>) -> Read<Option<Vec<(u16, u16)>>> {
    let Some(&operator @ ("eq" | "neq" | "lt" | "gt" | "range")) = words.0.first() else { return Ok(None) };
    words.skip(1);
    let mut numbered = || {
        let word = words.next()?;
        port(word).ok_or_else(|| format!("port {}", cited(word)))
    };
    let first = numbered()?;
    Ok(Some(match operator {
        "range" => vec![(first, numbered()?)],
        "lt" => first.checked_sub(1).map(|last| (0, last)).into_iter().collect(),
        "gt" => first.checked_add(1).map(|first| (first, u16::MAX)).into_iter().collect(),
        listed => {
            let mut ports = vec![first];
            // IOS takes up to ten.
            while let Some(another) = words.0.first().and_then(|word| port(word)) {
                words.skip(1);
                ports.push(another);
            }
            if listed == "eq" { ports.into_iter().map(|port| (port, port)).collect() } else { all_but(ports) }
        }
    }))
}

fn all_but(mut ports: Vec<u16>) -> Vec<(u16, u16)> {
    ports.sort_unstable();
    let mut next = Some(0);
    let mut ranges = Vec::new();
    for port in ports {
        if let Some((first, last)) = next.zip(port.checked_sub(1)).filter(|(first, last)| first <= last) {
            ranges.push((first, last));
        }
        next = port.checked_add(1);
    }
    ranges.extend(next.map(|first| (first, u16::MAX)));
    ranges
}

/// Clients take their ports from 1024 on; which of them the system chooses is not known.
fn ephemeral(ports: &[(u16, u16)]) -> Applies {
    if ports.iter().any(|&(low, high)| low <= 1024 && high == u16::MAX) {
        Applies::Yes
    } else if ports.iter().all(|&(_, high)| high < 1024) {
        Applies::No
    } else {
        Applies::maybe("it holds only for some source ports")
    }
}

/// ASA's conditions on who sends.
fn identity(words: &mut Words<'_, '_>) -> Applies {
    let length = match *words.0 {
        ["user" | "user-group" | "object-group-user" | "object-group-security", ..] => 2,
        ["security-group", ..] => 3,
        _ => return Applies::Yes,
    };
    let name = words.0.get(length - 1).copied().unwrap_or_default();
    words.skip(length.min(words.0.len()));
    only("users or security groups", name)
}

/// What stands behind the ports.
fn options(words: &mut Words<'_, '_>) -> Read<Applies> {
    let mut applies = Applies::Yes;
    while let Ok(word) = words.next() {
        let option = match word {
            "log" | "log-input" => {
                logged(words);
                Applies::Yes
            }
            "interval" | "sequence" | "timeout" | "reflect" => {
                words.next()?;
                Applies::Yes
            }
            "inactive" | "(inactive)" | "established" | "ack" | "rst" | "fragments" | "+ack" | "+rst" | "-syn" => {
                Applies::No
            }
            "syn" | "+syn" | "-ack" | "-rst" | "-fin" | "match-any" | "match-all" => Applies::Yes,
            "time-range" => only("time range", words.next()?),
            "dscp" | "precedence" | "tos" | "option" | "ttl" => {
                let value = words.next()?;
                if matches!(value, "eq" | "gt" | "lt" | "neq") {
                    words.next()?;
                }
                only(word, value)
            }
            counter if counter.starts_with("(hitcnt=") || counter.starts_with("0x") => Applies::Yes,
            other => return Err(cited(other)),
        };
        applies = applies.and(option);
    }
    Ok(applies)
}

/// ASA's level, or the word that IOS prints with it.
fn logged(words: &mut Words<'_, '_>) {
    const LEVELS: [&str; 10] = [
        "emergencies",
        "alerts",
        "critical",
        "errors",
        "warnings",
        "notifications",
        "informational",
        "debugging",
        "disable",
        "default",
    ];
    if words.0.first().is_some_and(|word| LEVELS.contains(word) || word.parse::<u8>().is_ok()) {
        words.skip(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(line: &'static str) -> Applies {
        let words: Vec<&str> = line.split_whitespace().collect();
        let read = Objects::new(&Question::default(), Mask::Wildcard).matches(&Question::default(), &words);
        read.unwrap_or_else(|what| panic!("{line}: {what}")).rest
    }

    #[test]
    fn a_line_is_for_the_flow_or_not() {
        for line in [
            "ip any any",
            "tcp any any eq 443",
            "tcp any any eq 80 443 log",
            "tcp any gt 1023 any range 440 450",
            "6 any any neq 25",
            "tcp any any gt 442",
            "ipv6 any any sequence 10",
            "tcp any any lt 444 log-input",
            "tcp any any eq https syn",
        ] {
            assert_eq!(rest(line), Applies::Yes, "{line}");
        }
        for line in [
            "udp any any",
            "tcp any any eq 80",
            "tcp any any established",
            "icmp any any echo",
            "tcp any any neq 443",
            "tcp any eq 443 any",
            "tcp any any lt 443",
            "tcp any any inactive",
            "17 any any",
        ] {
            assert_eq!(rest(line), Applies::No, "{line}");
        }
        for line in ["tcp any any time-range work", "tcp 10.0.0.0 0.0.0.255 any eq 443", "object-group x any any"] {
            assert!(matches!(rest(line), Applies::Maybe(_)), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let read = |line: &'static str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Objects::new(&Question::default(), Mask::Netmask).matches(&Question::default(), &words).map(|_| ())
        };
        assert_eq!(read("tcp any"), Err("the line ends too early".to_owned()));
        assert_eq!(read("tcp any any eq nonsense"), Err("port `nonsense`".to_owned()));
        assert_eq!(read("tcp any 10.0.0.0 0.255.255.255"), Err("address `10.0.0.0`".to_owned()));
        assert_eq!(read("tcp any any later"), Err("`later`".to_owned()));
    }
}
