//! The right side of a match: values, ranges, sets, and what comparing with them comes to.

use serde_json::Value;

use super::document::{Document, TableName};
use super::keys::{Key, flag_bits};
use crate::audit::packet::{Conditions, End, Gathered, Packet, State, depends_on};
use crate::audit::word::{address_or_prefix, cited};
use crate::audit::{AddressSet, Applies, Destination};
use crate::prefix::{AddressRange, Family, Prefix};

/// Where values are looked up.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) document: &'a Document,
    pub(super) table: &'a TableName,
    pub(super) packet: Packet<'a>,
}

/// Values with which something is compared.
struct Values<'a> {
    elements: Vec<Element<'a>>,
    /// Others may be added while packets pass.
    is_dynamic: bool,
    /// It is the whole of a bit mask, or any of several values.
    is_mask: bool,
}

/// One value.
struct Element<'a> {
    value: &'a Value,
    expires: bool,
}

/// How both sides are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    /// Of the bits on the right at least one is set.
    AnyBit,
    /// None is.
    NoBit,
}

impl<'a> Scope<'a> {
    /// Adds a match statement to the conditions.
    pub(super) fn compare(self, conditions: &mut Conditions<'a>, statement: &'a Value) {
        let (Some(left), Some(right)) = (statement.get("left"), statement.get("right")) else {
            return conditions.holds(depends_on(&statement.to_string()));
        };
        let operator = match statement.get("op").and_then(Value::as_str) {
            Some("==") => Operator::Equal,
            Some("!=") => Operator::NotEqual,
            Some("in") => Operator::AnyBit,
            Some("!") => Operator::NoBit,
            _ => return conditions.holds(depends_on(&statement.to_string())),
        };
        let key = super::keys::key(left);
        match self.values(right) {
            Some(values) => self.hold(conditions, &key, &values, operator),
            None => conditions.holds(depends_on(&right.to_string())),
        }
    }

    /// Adds to the conditions that the key has this value, which is an element of a map.
    pub(super) fn is(self, conditions: &mut Conditions<'a>, key: &Key, value: &'a Value) {
        let (value, expires) = unwrapped(value);
        let values = Values { elements: vec![Element { value, expires }], is_dynamic: false, is_mask: false };
        self.hold(conditions, key, &values, Operator::Equal);
    }

    fn hold(self, conditions: &mut Conditions<'a>, key: &Key, values: &Values<'a>, operator: Operator) {
        let negated = matches!(operator, Operator::NotEqual | Operator::NoBit);
        match key {
            Key::Address(end, family) => {
                let meant = values.addresses(*family);
                let meant = if negated { meant.complement() } else { meant };
                conditions.destination(AddressSet::family(*family).into());
                conditions.address_of(*family, *end, &meant);
            }
            Key::Family => conditions.destination(values.families(negated)),
            Key::Several(keys) => {
                let found = self.several(keys, values);
                conditions.destination(if negated { found.complement() } else { found });
                let families = keys.iter().filter_map(Key::family);
                families.for_each(|family| conditions.destination(AddressSet::family(family).into()));
            }
            key => {
                if let Some(family) = key.family() {
                    conditions.destination(AddressSet::family(family).into());
                }
                conditions.holds(self.single(key, values, operator));
            }
        }
    }

    /// Keys that are no address.
    fn single(self, key: &Key, values: &Values<'a>, operator: Operator) -> Applies {
        let packet = self.packet;
        let negated = matches!(operator, Operator::NotEqual | Operator::NoBit);
        let turned = |applies: Applies| if negated { applies.negated() } else { applies };
        if values.is_dynamic {
            return depends_on("a set that rules add to");
        }
        match key {
            Key::Port(end) => {
                turned(values.ports().map_or_else(|| depends_on("a port"), |runs| packet.port(*end, &runs)))
            }
            Key::Interface(end) => self.interface(*end, values, negated),
            Key::Flags(mask) => self.flags(*mask, values, operator),
            Key::State => turned(values.any(|name| state(packet, name))),
            Key::Direction => turned(values.any(|name| ((name == "reply") == packet.is_remote(End::Source)).into())),
            Key::Protocol(_) => turned(values.any(|name| matches!(name, "tcp" | "6").into())),
            Key::AddressType(end) => turned(values.any(|name| address_type(packet, *end, name))),
            // A reverse path that is as it should be is what a flow from the inside has.
            Key::ReversePath => turned(values.any(|name| if name == "false" { Applies::No } else { depends_on(name) })),
            Key::FrameType => turned(values.any(|name| if name == "host" { depends_on(name) } else { Applies::No })),
            Key::Elsewhere => Applies::No,
            Key::Address(..) | Key::Family | Key::Several(_) => depends_on("a combination of addresses"),
            Key::Other(_, text) => depends_on(text),
        }
    }

    fn interface(self, end: End, values: &Values<'a>, negated: bool) -> Applies {
        let names: Option<Vec<&str>> = values.elements.iter().map(|element| element.value.as_str()).collect();
        let Some(names) = names else { return depends_on("an interface") };
        let applies = self.packet.interface(end, &names, '*');
        // A packet without an interface at this end matches neither a name nor its negation.
        if negated && self.packet.has_interface(end) { applies.negated() } else { applies }
    }

    fn flags(self, mask: u8, values: &Values<'a>, operator: Operator) -> Applies {
        if values.is_mask || operator == Operator::AnyBit || operator == Operator::NoBit {
            let bits = values.elements.iter().try_fold(0, |bits, one| Some(bits | flag_bits(one.value)?));
            let Some(bits) = bits else { return depends_on("flags") };
            let none = self.packet.flags(bits & mask, 0);
            return match operator {
                Operator::AnyBit => none.negated(),
                Operator::NoBit => none,
                Operator::Equal => self.packet.flags(mask, bits),
                Operator::NotEqual => self.packet.flags(mask, bits).negated(),
            };
        }
        let one = |element: &Element<'a>| {
            flag_bits(element.value).map_or_else(|| depends_on("flags"), |bits| self.packet.flags(mask, bits))
        };
        let any = values.elements.iter().map(one).fold(Applies::No, Applies::or);
        if operator == Operator::NotEqual { any.negated() } else { any }
    }

    /// Several keys at once: each element holds for addresses of its own.
    fn several(self, keys: &[Key], values: &Values<'a>) -> Destination {
        let remote = keys.iter().position(|key| matches!(key, Key::Address(end, _) if self.packet.is_remote(*end)));
        if values.is_dynamic {
            return Destination::unknown("it depends on a set that rules add to");
        }
        let mut gathered = Gathered::default();
        for element in &values.elements {
            let parts = element.value.get("concat").and_then(Value::as_array).filter(|parts| parts.len() == keys.len());
            let Some(parts) = parts else { return Destination::unknown("a combination is not whole") };
            let start = if element.expires { Applies::maybe(EXPIRES) } else { Applies::Yes };
            let others = (0..keys.len()).filter(|at| Some(*at) != remote);
            let holds = others.fold(start, |applies, at| applies.and(self.part(&keys[at], &parts[at])));
            let ranges = match remote {
                Some(at) => range(unwrapped(&parts[at]).0).map_or_else(Vec::new, |range| vec![range]),
                None => AddressSet::all().ranges().collect(),
            };
            if ranges.is_empty() {
                return Destination::unknown(format!("{} is no address", cited(&element.value.to_string())));
            }
            for range in ranges {
                gathered.add(range, holds.clone());
            }
        }
        gathered.into_destination()
    }

    /// A part of a combination that is not the remote address.
    fn part(self, key: &Key, value: &'a Value) -> Applies {
        let (value, expires) = unwrapped(value);
        let values = Values { elements: vec![Element { value, expires }], is_dynamic: false, is_mask: false };
        match key {
            Key::Address(end, family) => {
                let mut conditions = Conditions::new(self.packet);
                conditions.address_of(*family, *end, &values.addresses(*family));
                conditions.into_match(false).rest
            }
            key => self.single(key, &values, Operator::Equal),
        }
    }

    /// The values that an expression stands for; none where they are not known.
    fn values(self, right: &'a Value) -> Option<Values<'a>> {
        if let Some(name) = right.as_str().and_then(|text| text.strip_prefix('@')) {
            let set = self.document.find_set(self.table, name)?;
            return Some(Values::of(&set.elements, set.is_dynamic));
        }
        if let Some(list) = right.get("set") {
            return Some(match list {
                Value::Array(list) => Values::of(list, false),
                one => Values::of(std::slice::from_ref(one), false),
            });
        }
        match right {
            Value::Array(list) => Some(Values { is_mask: true, ..Values::of(list, false) }),
            one => Some(Values { is_mask: one.get("|").is_some(), ..Values::of(std::slice::from_ref(one), false) }),
        }
    }

    /// The elements of a map with their verdicts, and whether rules add to it.
    pub(super) fn map(self, data: &'a Value) -> Option<(&'a [Value], bool)> {
        if let Some(name) = data.as_str().and_then(|text| text.strip_prefix('@')) {
            return self.document.find_set(self.table, name).map(|set| (set.elements.as_slice(), set.is_dynamic));
        }
        data.get("set")?.as_array().map(|list| (list.as_slice(), false))
    }
}

const EXPIRES: &str = "an element of the set goes away by itself";

/// The value of an element, without its comment, counter or lifetime; whether it has a lifetime.
pub(super) fn unwrapped(value: &Value) -> (&Value, bool) {
    match value.get("elem") {
        Some(element) => {
            let lifetime = element.get("expires").or_else(|| element.get("timeout"));
            (element.get("val").unwrap_or(element), lifetime.is_some_and(|seconds| seconds != 0))
        }
        None => (value, false),
    }
}

/// An address, a prefix or a range.
fn range(value: &Value) -> Option<AddressRange> {
    if let Some(text) = value.as_str() {
        return address_or_prefix(text).map(AddressRange::from);
    }
    if let Some(prefix) = value.get("prefix") {
        let address = prefix.get("addr")?.as_str()?.parse().ok()?;
        let length = u8::try_from(prefix.get("len")?.as_u64()?).ok()?;
        let longest = if Family::of(address) == Family::V4 { 32 } else { 128 };
        return (length <= longest).then(|| Prefix::containing(address, length).into());
    }
    let ends = value.get("range")?.as_array()?;
    let [first, last] = ends.as_slice() else { return None };
    AddressRange::new(first.as_str()?.parse().ok()?, last.as_str()?.parse().ok()?)
}

impl<'a> Values<'a> {
    fn of(list: &'a [Value], is_dynamic: bool) -> Self {
        let element = |value| {
            let (value, expires) = unwrapped(value);
            Element { value, expires }
        };
        Self { elements: list.iter().map(element).collect(), is_dynamic, is_mask: false }
    }

    fn addresses(&self, family: Family) -> Destination {
        if self.is_dynamic {
            return Destination::unknown("it depends on a set that rules add to");
        }
        let mut gathered = Gathered::default();
        for Element { value, expires } in &self.elements {
            let holds = if *expires { Applies::maybe(EXPIRES) } else { Applies::Yes };
            match range(value) {
                Some(range) => gathered.add(range, holds),
                None if **value == "*" => {
                    for range in AddressSet::family(family).ranges() {
                        gathered.add(range, holds.clone());
                    }
                }
                None => return Destination::unknown(format!("{} is no address", cited(&value.to_string()))),
            }
        }
        gathered.into_destination()
    }

    fn families(&self, negated: bool) -> Destination {
        let one = |element: &Element<'_>| match element.value.as_str() {
            Some("ipv4" | "ip") => AddressSet::family(Family::V4),
            Some("ipv6" | "ip6") => AddressSet::family(Family::V6),
            _ => AddressSet::none(),
        };
        let all = self.elements.iter().map(one).fold(AddressSet::none(), |all, one| all.union(&one));
        if negated { all.complement().into() } else { all.into() }
    }

    fn ports(&self) -> Option<Vec<(u16, u16)>> {
        let port = |value: &Value| value.as_u64().and_then(|number| u16::try_from(number).ok());
        let run = |element: &Element<'_>| match element.value.get("range").and_then(Value::as_array).map(Vec::as_slice)
        {
            Some([first, last]) => Some((port(first)?, port(last)?)),
            Some(_) => None,
            None => port(element.value).map(|port| (port, port)),
        };
        self.elements.iter().map(run).collect()
    }

    /// Whether one of the names holds.
    fn any(&self, holds: impl Fn(&str) -> Applies) -> Applies {
        let one = |element: &Element<'_>| match element.value {
            Value::String(name) => holds(name),
            Value::Number(number) => holds(&number.to_string()),
            Value::Bool(value) => holds(if *value { "true" } else { "false" }),
            other => depends_on(&other.to_string()),
        };
        self.elements.iter().map(one).fold(Applies::No, Applies::or)
    }
}

impl Key {
    /// The family of the packets that can match at all.
    fn family(&self) -> Option<Family> {
        match self {
            Self::Address(_, family) => Some(*family),
            Self::Protocol(family) | Self::Other(family, _) => *family,
            _ => None,
        }
    }
}

fn state(packet: Packet<'_>, name: &str) -> Applies {
    let own = match packet.state() {
        Some(State::New) => "new",
        Some(State::Established) => "established",
        None => return depends_on("a state that is not known yet at this priority"),
    };
    match name {
        name if name == own => Applies::Yes,
        "new" | "established" | "related" | "invalid" | "untracked" => Applies::No,
        other => depends_on(other),
    }
}

fn address_type(packet: Packet<'_>, end: End, name: &str) -> Applies {
    match name {
        "local" => packet.is_local(end).into(),
        "unicast" => (!packet.is_local(end)).into(),
        "broadcast" | "multicast" | "anycast" | "unspec" => Applies::No,
        other => depends_on(other),
    }
}
