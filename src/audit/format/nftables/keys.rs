//! The left side of a match: what of a packet is compared.

use serde_json::Value;

use crate::audit::packet::End;
use crate::prefix::Family;

/// What of a packet is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The address at an end; a packet of the other family does not match, however it is compared.
    Address(End, Family),
    /// The port at an end.
    Port(End),
    /// The protocol behind the IP header; with a family, in that family's header.
    Protocol(Option<Family>),
    /// The family.
    Family,
    /// The interface by which it came in or goes out.
    Interface(End),
    /// What connection tracking makes of it.
    State,
    /// Which way it goes.
    Direction,
    /// Those of its TCP flags that are in the mask.
    Flags(u8),
    /// What the address at an end is to the host.
    AddressType(End),
    /// Whether there is a way back.
    ReversePath,
    /// To whom the frame goes.
    FrameType,
    /// A header that the packets of the flow do not have.
    Elsewhere,
    /// Several at once.
    Several(Vec<Key>),
    /// Something else about a packet of the family, or of any.
    Other(Option<Family>, String),
}

/// Reads the left side of a match or the key of a map.
pub(super) fn key(expression: &Value) -> Key {
    let Some((kind, value)) = expression.as_object().and_then(|object| object.iter().next()) else {
        return other(expression);
    };
    match kind.as_str() {
        "payload" => payload(value).unwrap_or_else(|| other(expression)),
        "meta" => meta(text(value, "key")).unwrap_or_else(|| other(expression)),
        "ct" => tracked(value).unwrap_or_else(|| other(expression)),
        "fib" => fib(value).unwrap_or_else(|| other(expression)),
        "concat" => Key::Several(value.as_array().map_or(&[][..], Vec::as_slice).iter().map(key).collect()),
        "&" => masked(value).unwrap_or_else(|| other(expression)),
        // Extension headers of IPv6: the packets of the flow have none.
        "exthdr" => Key::Elsewhere,
        _ => other(expression),
    }
}

fn other(expression: &Value) -> Key {
    Key::Other(None, expression.to_string())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn payload(value: &Value) -> Option<Key> {
    let (protocol, field) = (text(value, "protocol"), text(value, "field"));
    let family = match protocol {
        "ip" => Some(Family::V4),
        "ip6" => Some(Family::V6),
        _ => None,
    };
    Some(match (protocol, field) {
        ("ip" | "ip6", "saddr") => Key::Address(End::Source, family?),
        ("ip" | "ip6", "daddr") => Key::Address(End::Destination, family?),
        ("ip", "protocol") | ("ip6", "nexthdr") => Key::Protocol(family),
        ("tcp" | "th", "sport") => Key::Port(End::Source),
        ("tcp" | "th", "dport") => Key::Port(End::Destination),
        ("tcp", "flags") => Key::Flags(u8::MAX),
        ("ether", "type") => Key::Family,
        (
            "udp" | "udplite" | "sctp" | "dccp" | "icmp" | "icmpv6" | "igmp" | "esp" | "ah" | "comp" | "arp" | "gre",
            _,
        ) => Key::Elsewhere,
        ("ip" | "ip6", _) => Key::Other(family, value.to_string()),
        _ => return None,
    })
}

fn meta(name: &str) -> Option<Key> {
    Some(match name {
        "l4proto" => Key::Protocol(None),
        "nfproto" | "protocol" => Key::Family,
        "iif" | "iifname" => Key::Interface(End::Source),
        "oif" | "oifname" => Key::Interface(End::Destination),
        "pkttype" => Key::FrameType,
        _ => return None,
    })
}

fn tracked(value: &Value) -> Option<Key> {
    match text(value, "key") {
        "state" => Some(Key::State),
        "direction" => Some(Key::Direction),
        _ => None,
    }
}

fn fib(value: &Value) -> Option<Key> {
    let flags: Vec<&str> = value.get("flags")?.as_array()?.iter().filter_map(Value::as_str).collect();
    match (text(value, "result"), flags.as_slice()) {
        ("type", [end]) => Some(Key::AddressType(if *end == "saddr" { End::Source } else { End::Destination })),
        ("oif" | "oifname", ["saddr", ..]) => Some(Key::ReversePath),
        _ => None,
    }
}

/// `tcp flags & (syn|ack)`
fn masked(value: &Value) -> Option<Key> {
    let [left, masks @ ..] = value.as_array()?.as_slice() else { return None };
    let bits = masks.iter().try_fold(0, |bits, mask| Some(bits | flag_bits(mask)?))?;
    (key(left) == Key::Flags(u8::MAX)).then_some(Key::Flags(bits))
}

/// TCP flags by name, alone, in a list, or joined with `|`.
pub(super) fn flag_bits(value: &Value) -> Option<u8> {
    match value {
        Value::String(name) => Some(match name.as_str() {
            "fin" => 0x01,
            "syn" => 0x02,
            "rst" => 0x04,
            "psh" => 0x08,
            "ack" => 0x10,
            "urg" => 0x20,
            "ecn" => 0x40,
            "cwr" => 0x80,
            _ => return None,
        }),
        Value::Number(number) => u8::try_from(number.as_u64()?).ok(),
        Value::Array(list) => list.iter().try_fold(0, |bits, one| Some(bits | flag_bits(one)?)),
        Value::Object(object) => flag_bits(object.get("|")?),
        _ => None,
    }
}
