//! What a tool says of a cell.

use std::collections::BTreeMap;
use std::net::IpAddr;

use egressd::verdict::Mechanism;

/// What a tool says of an address; nothing is not a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Word {
    Open,
    Blocked {
        /// How, where it says that.
        how: Option<Mechanism>,
        /// By whom, where it says that: the sender of the rejection, or the hop behind which packets end.
        by: Option<IpAddr>,
    },
}

/// By target of the cells.
pub(crate) type Words = BTreeMap<IpAddr, Word>;

/// A word as a line, for another process.
pub(crate) fn write_word(target: IpAddr, word: Word) -> String {
    match word {
        Word::Open => format!("{target} open"),
        Word::Blocked { how, by } => {
            let by = by.map_or(String::new(), |by| by.to_string());
            format!("{target} blocked {} {by}", how.map_or("unknown", Mechanism::name))
        }
    }
}

/// The lines of [`write_word`].
pub(crate) fn egressd(output: &str) -> Words {
    let word = |line: &str| {
        let mut fields = line.split(' ');
        let target = fields.next()?.parse().ok()?;
        let open = fields.next()? == "open";
        let known = [Mechanism::Dropped, Mechanism::RejectedIcmp, Mechanism::Reset];
        let how = fields.next().and_then(|how| known.into_iter().find(|known| known.name() == how));
        let by = fields.next().and_then(|by| by.parse().ok());
        Some((target, if open { Word::Open } else { Word::Blocked { how, by } }))
    };
    output.lines().filter_map(word).collect()
}

/// Not open, and that is all.
pub(crate) const CLOSED: Word = Word::Blocked { how: None, by: None };

const DROPPED: Word = Word::Blocked { how: Some(Mechanism::Dropped), by: None };
const RESET: Word = Word::Blocked { how: Some(Mechanism::Reset), by: None };

/// nmap's XML, a host at a time: state, reason, and the sender of an ICMP message where it is not the target.
pub(crate) fn nmap(output: &str) -> Words {
    output.split("<host ").skip(1).filter_map(nmap_host).collect()
}

fn nmap_host(host: &str) -> Option<(IpAddr, Word)> {
    let address = attribute(host, "<address ", "addr")?.parse().ok()?;
    let by = attribute(host, "<state ", "reason_ip").and_then(|by| by.parse().ok());
    let how = match attribute(host, "<state ", "reason")? {
        "no-response" => Some(Mechanism::Dropped),
        "reset" | "conn-refused" => Some(Mechanism::Reset),
        "admin-prohibited" | "host-unreach" | "net-prohibited" => Some(Mechanism::RejectedIcmp),
        _ => None,
    };
    let open = attribute(host, "<state ", "state")? == "open";
    Some((address, if open { Word::Open } else { Word::Blocked { how, by } }))
}

fn attribute<'a>(text: &'a str, element: &str, name: &str) -> Option<&'a str> {
    let element = &text[text.find(element)? + element.len()..];
    let element = &element[..element.find('>')?];
    let value = element.split(&format!("{name}=\"")).nth(1)?;
    value.split('"').next()
}

/// masscan's list: `open tcp 443 13.32.0.10 1700000000`.
pub(crate) fn masscan(output: &str) -> Words {
    let word = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let word = match *fields.first()? {
            "open" => Word::Open,
            "closed" => RESET,
            _ => return None,
        };
        Some((fields.get(3)?.parse().ok()?, word))
    };
    output.lines().filter_map(word).collect()
}

/// zmap's CSV: `saddr,classification`.
pub(crate) fn zmap(output: &str) -> Words {
    let word = |line: &str| {
        let (address, class) = line.split_once(',')?;
        let word = if class == "synack" { Word::Open } else { RESET };
        Some((address.parse().ok()?, word))
    };
    output.lines().filter_map(word).collect()
}

/// fping's `13.32.0.10 is alive`, and `ICMP Host Unreachable from 10.9.1.1 for ICMP Echo sent to 13.32.0.10`.
pub(crate) fn fping(output: &str) -> Words {
    let mut words = Words::new();
    for line in output.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let address = |at: Option<&&str>| at.and_then(|text| text.parse::<IpAddr>().ok());
        if let (Some(target), Some(by)) = (address(fields.last()), line.split(" from ").nth(1)) {
            let by = by.split(' ').next().and_then(|by| by.parse().ok());
            words.insert(target, Word::Blocked { how: Some(Mechanism::RejectedIcmp), by });
        } else if let Some(target) = address(fields.first()) {
            let word = if line.ends_with("is alive") { Word::Open } else { DROPPED };
            words.entry(target).or_insert(word);
        }
    }
    words
}

/// `RustScan`'s `13.32.0.10 -> [443]`.
pub(crate) fn rustscan(output: &str) -> Words {
    let word = |line: &str| Some((line.split(" -> ").next()?.trim().parse().ok()?, Word::Open));
    output.lines().filter_map(word).collect()
}
