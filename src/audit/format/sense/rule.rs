//! One rule of the filter.

use roxmltree::Node;

use super::alias::Aliases;
use super::{child, is_set, text};
use crate::audit::format::flow::{self, only};
use crate::audit::word::cited;
use crate::audit::{Action, AddressSet, Applies, Destination, Match, Place, Question, Quick, Rule};
use crate::prefix::Family;

/// Which way packets go through an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
    Any,
}

/// A rule as it is written.
pub(super) struct Filter<'a> {
    place: Place,
    name: String,
    action: &'a str,
    /// For which interfaces; none is for all.
    pub(super) interfaces: Vec<&'a str>,
    /// It is for all interfaces but these.
    pub(super) other_interfaces: bool,
    /// Before the rules of interfaces.
    pub(super) floating: bool,
    pub(super) direction: Direction,
    quick: Quick,
    family: &'a str,
    protocol: &'a str,
    source: End<'a>,
    destination: End<'a>,
    conditions: Vec<(&'static str, &'a str)>,
}

/// Addresses and ports of one end.
#[derive(Default)]
struct End<'a> {
    names: Vec<&'a str>,
    ports: &'a str,
    negated: bool,
    doubt: bool,
}

/// Elements that restrict which packets match.
const CONDITIONS: [&str; 8] =
    ["sched", "os", "tcpflags1", "dscp", "vlanprio", "tag-match", "tagged", "max-src-conn-rate"];

impl<'a> Filter<'a> {
    /// A rule of pfSense, or of OPNsense's older list; none where it is disabled.
    pub(super) fn of(node: Node<'a, '_>, place: Place) -> Option<Self> {
        if is_set(node, "disabled") {
            return None;
        }
        let direction = text(node, "direction");
        let floating = is_set(node, "floating");
        Some(Self {
            place,
            name: text(node, "descr").to_owned(),
            action: text(node, "type"),
            interfaces: text(node, "interface").split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
            other_interfaces: is_set(node, "interfacenot"),
            floating,
            direction: direction_of(direction, floating),
            quick: quick(!floating && text(node, "quick") != "0" || is_quick(node)),
            family: text(node, "ipprotocol"),
            protocol: text(node, "protocol"),
            source: End::of(child(node, "source")),
            destination: End::of(child(node, "destination")),
            conditions: conditions(node),
        })
    }

    /// A rule of OPNsense's newer list, in which ends are written flat; likewise.
    pub(super) fn of_newer(node: Node<'a, '_>, place: Place) -> Option<Self> {
        if text(node, "enabled") == "0" {
            return None;
        }
        let end = |net: &str, port: &str, not: &str| End {
            names: text(node, net).split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
            ports: text(node, port),
            negated: text(node, not) == "1",
            doubt: false,
        };
        let interfaces: Vec<&str> = text(node, "interface").split(',').filter(|name| !name.is_empty()).collect();
        Some(Self {
            place,
            name: text(node, "description").to_owned(),
            action: text(node, "action"),
            floating: interfaces.len() != 1,
            other_interfaces: text(node, "interfacenot") == "1",
            interfaces,
            direction: direction_of(text(node, "direction"), true),
            quick: quick(text(node, "quick") != "0"),
            family: text(node, "ipprotocol"),
            protocol: text(node, "protocol"),
            source: end("source_net", "source_port", "source_not"),
            destination: end("destination_net", "destination_port", "destination_not"),
            conditions: conditions(node),
        })
    }

    /// The rule for the flow; none where it only marks packets.
    pub(super) fn read(&self, question: &Question, aliases: &mut Aliases<'a>) -> Option<(Rule, Quick)> {
        if self.action == "match" {
            return None;
        }
        let family = match self.family {
            "inet6" => AddressSet::family(Family::V6),
            "inet46" | "inet4+6" | "any" => AddressSet::all(),
            _ => AddressSet::family(Family::V4),
        };
        let sources = self.source.addresses(aliases);
        let destination = self.destination.addresses(aliases).intersection(&family.into());
        let (destination, from) = flow::from(question, &sources, destination);
        let mut rest = self.carries().and(self.destination.has_port(aliases)).and(from);
        if !matches!(self.source.ports, "" | "any" | "1024:65535" | "1024-65535") {
            rest = rest.and(only("source ports", self.source.ports));
        }
        for (condition, value) in &self.conditions {
            rest = rest.and(only(condition, value));
        }
        let matches = Match { destination, rest };
        let rule = match self.action {
            "pass" => Rule::new(self.place, matches, Action::Accept),
            "block" | "reject" => Rule::new(self.place, matches, Action::Deny),
            other => Rule::not_understood(self.place, format!("what {} does is not known", cited(other))),
        };
        let text = format!("{} {}", self.action, self.name);
        let rule = Rule { text: Some(text.trim().into()), ..rule };
        Some((rule, self.quick))
    }

    fn carries(&self) -> Applies {
        match self.protocol.to_ascii_lowercase().as_str() {
            "" | "any" | "tcp" | "tcp/udp" => Applies::Yes,
            _ => Applies::No,
        }
    }
}

impl<'a> End<'a> {
    fn of(node: Option<Node<'a, '_>>) -> Self {
        let Some(node) = node else { return End { doubt: true, ..End::default() } };
        let mut end = End { negated: is_set(node, "not"), ports: text(node, "port"), ..End::default() };
        if child(node, "any").is_some() {
            end.names.push("any");
        }
        for kind in ["address", "network"] {
            end.names.extend(Some(text(node, kind)).filter(|name| !name.is_empty()));
        }
        end.doubt = end.names.is_empty();
        end
    }

    fn addresses(&self, aliases: &mut Aliases<'a>) -> Destination {
        if self.doubt {
            return Destination::unknown("the rule does not say where from or where to");
        }
        let named = self.names.iter().map(|name| aliases.resolve(name)).reduce(|one, other| one.union(&other));
        let addresses = named.unwrap_or_else(Destination::any);
        if self.negated { addresses.complement() } else { addresses }
    }

    fn has_port(&self, aliases: &mut Aliases<'a>) -> Applies {
        match self.ports {
            "" | "any" => Applies::Yes,
            ports => aliases.has_port(ports),
        }
    }
}

fn direction_of(text: &str, floating: bool) -> Direction {
    match text {
        "out" => Direction::Out,
        "any" => Direction::Any,
        "" if floating => Direction::Any,
        _ => Direction::In,
    }
}

fn quick(is: bool) -> Quick {
    if is { Quick::Yes } else { Quick::No }
}

fn is_quick(node: Node<'_, '_>) -> bool {
    matches!(text(node, "quick"), "yes" | "1")
}

fn conditions<'a>(node: Node<'a, '_>) -> Vec<(&'static str, &'a str)> {
    let set = CONDITIONS.into_iter().map(|name| (name, text(node, name)));
    set.filter(|(name, value)| !matches!((*name, *value), (_, "") | ("tcpflags1", "syn"))).collect()
}
