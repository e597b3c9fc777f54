//! What the properties of a rule match.

use super::{Item, Tables};
use crate::audit::format::book::Book;
use crate::audit::format::flow::{self, only};
use crate::audit::format::ports::in_list;
use crate::audit::word::address_range;
use crate::audit::{AddressSet, Applies, Destination, Match, Side};

impl<'a> Tables<'_, 'a> {
    pub(super) fn matches(&self, item: &Item<'a>, lists: &mut Book<'a>) -> Match {
        let family = Destination::from(AddressSet::family(self.table.family));
        let (mut sources, mut destination) = (family.clone(), family);
        let mut rest = Applies::Yes;
        for &(key, value) in &item.properties {
            let (negated, value) = match value.strip_prefix('!') {
                Some(value) => (true, value),
                None => (false, value),
            };
            let of = |set: Destination| if negated { set.complement() } else { set };
            match key {
                "dst-address" => destination = destination.intersection(&of(address(value))),
                "dst-address-list" => destination = destination.intersection(&of(lists.resolve(value))),
                "src-address" => sources = sources.intersection(&of(address(value))),
                "src-address-list" => sources = sources.intersection(&of(lists.resolve(value))),
                _ => {
                    let applies = self.applies(key, value);
                    rest = rest.and(if negated { applies.negated() } else { applies });
                }
            }
        }
        let (destination, from) = flow::from(self.question, &sources, destination);
        Match { destination, rest: rest.and(from) }
    }

    fn applies(&self, key: &'a str, value: &'a str) -> Applies {
        let ported =
            |value: &str| in_list(value, self.question.port).map_or_else(|| only("port", value), Applies::from);
        match key {
            "chain"
            | "action"
            | "comment"
            | "jump-target"
            | "log"
            | "log-prefix"
            | "disabled"
            | "reject-with"
            | "address-list"
            | "address-list-timeout"
            | "hw-offload" => Applies::Yes,
            "protocol" => matches!(value, "tcp" | "6").into(),
            "dst-port" => ported(value),
            // Of the source or of the destination.
            "port" => ported(value).or(only("port", "of the source")),
            "src-port" => {
                let whole = [1024, u16::MAX].iter().all(|&port| in_list(value, port) == Some(true));
                if whole { Applies::Yes } else { only("source port", value) }
            }
            "connection-state" => value.split(',').any(|state| state == "new").into(),
            "connection-nat-state" => match value {
                "dstnat" => Applies::No,
                _ => only("state of translation", value),
            },
            "in-interface" | "in-interface-list" | "out-interface" | "out-interface-list" if value == "all" => {
                Applies::Yes
            }
            "in-interface" | "in-interface-list" => self.on(Side::Inside, value),
            "out-interface" | "out-interface-list" => self.on(Side::Outside, value),
            "dst-address-type" => match value {
                "unicast" => Applies::Yes,
                "local" | "broadcast" | "multicast" | "blackhole" | "unreachable" | "prohibit" => Applies::No,
                _ => only("type of address", value),
            },
            "tcp-flags" => match value {
                "syn" | "syn,!ack" | "syn,!ack,!rst,!fin" => Applies::Yes,
                flags if flags.split(',').any(|flag| matches!(flag, "!syn" | "ack" | "rst" | "fin")) => Applies::No,
                _ => only("flags", value),
            },
            "icmp-options" => Applies::No,
            "fragment" => matches!(value, "no").into(),
            _ => only(key, value),
        }
    }
}

fn address(value: &str) -> Destination {
    match address_range(value) {
        Some(range) => AddressSet::from(range).into(),
        None => Destination::unknown(format!("address {}", crate::audit::word::cited(value))),
    }
}
