//! Firewall filters of routers, switches and the SRX.

use std::collections::HashMap;

use super::interface_side;
use crate::audit::format::address::prefix;
use crate::audit::format::flow::{self, only};
use crate::audit::format::lines::add_hook_of;
use crate::audit::format::ports::in_range;
use crate::audit::format::tree::Branch;
use crate::audit::word::cited;
use crate::audit::{Action, AddressSet, Applies, Chain, Default, Destination, Match, Policy, Question, Rule, Side};
use crate::prefix::{Family, Prefix};

/// A filter where an interface has it.
struct Bound<'a> {
    interface: String,
    side: Option<Side>,
    family: Family,
    inward: bool,
    /// None where there are several in a row.
    filter: Option<&'a str>,
}

/// Adds a hook for each filter on the way out; whether there is any.
pub(super) fn add(root: Branch<'_, '_>, question: &Question, policy: &mut Policy) -> bool {
    let bound = bound(root, question);
    let known = |side| bound.iter().any(|bound| bound.side == Some(side));
    let mut lists = Lists { root, resolved: HashMap::new() };
    let mut judged = Vec::new();
    for one in &bound {
        let passed = if one.inward { Side::Inside } else { Side::Outside };
        let way = if one.inward { "input" } else { "output" };
        if !one.side.map_or(!known(passed), |side| side == passed) {
            let (filter, interface) = (cited(one.filter.unwrap_or("list")), cited(&one.interface));
            policy.notes.push(format!("{way} filter {filter} on {interface} is not on the way out"));
            continue;
        }
        judged.push(one.family);
        let chain = chain(root, question, &mut lists, one);
        add_hook_of(policy, one.family, format!("{} {way}: {}", one.interface, one.filter.unwrap_or("list")), chain);
    }
    if !judged.is_empty() && !root.has(&["security", "policies"]) {
        add_unfiltered(root, &judged, policy);
    }
    !judged.is_empty()
}

/// A family without a filter passes where interfaces have it.
fn add_unfiltered(root: Branch<'_, '_>, judged: &[Family], policy: &mut Policy) {
    for (family, word) in [(Family::V4, "inet"), (Family::V6, "inet6")] {
        if judged.contains(&family) {
            continue;
        }
        let version = family.number();
        let units = root.at(&["interfaces"]).into_iter().flat_map(Branch::children);
        let mut units = units.filter_map(|interface| interface.at(&["unit"])).flat_map(Branch::children);
        if units.any(|unit| unit.has(&["family", word, "address"])) {
            policy.notes.push(format!("no filter is for IPv{version} on the way out"));
        } else {
            let why = format!("no interface has a filter or an address of IPv{version}");
            add_hook_of(policy, family, format!("IPv{version}"), Chain::new("none", Default::Unknown(why.into())));
        }
    }
}

fn bound<'a>(root: Branch<'_, 'a>, question: &Question) -> Vec<Bound<'a>> {
    let mut found = Vec::new();
    for interface in root.at(&["interfaces"]).into_iter().flat_map(Branch::children) {
        // What comes to the device itself is no flow through it.
        if interface.word().starts_with("lo") {
            continue;
        }
        for unit in interface.at(&["unit"]).into_iter().flat_map(Branch::children) {
            let name = format!("{}.{}", interface.word(), unit.word());
            let described = |branch: Branch<'_, 'a>| branch.values(&["description"]).first().copied();
            let description = described(unit).or_else(|| described(interface));
            let side = interface_side(question, &name, description);
            for (word, family) in [("inet", Family::V4), ("inet6", Family::V6)] {
                for (direction, inward) in
                    [("input", true), ("input-list", true), ("output", false), ("output-list", false)]
                {
                    let filters = unit.at(&["family", word, "filter", direction]);
                    let filters: Vec<&'a str> =
                        filters.into_iter().flat_map(Branch::children).map(Branch::word).collect();
                    // Of several in a row the first has no end of its own.
                    let filter = match filters[..] {
                        [] => continue,
                        [one] => Some(one),
                        _ => None,
                    };
                    found.push(Bound { interface: name.clone(), side, family, inward, filter });
                }
            }
        }
    }
    found
}

fn chain<'a>(root: Branch<'_, 'a>, question: &Question, lists: &mut Lists<'_, 'a>, bound: &Bound<'a>) -> Chain {
    let Some(name) = bound.filter else {
        return Chain::new("list", Default::Unknown("several filters in a row are not read".into()));
    };
    let mut chain = Chain::new(name, Default::Deny);
    let family = if bound.family == Family::V4 { "inet" } else { "inet6" };
    let filter = root.at(&["firewall", "family", family, "filter", name]);
    let filter = filter.or_else(|| root.at(&["firewall", "filter", name]).filter(|_| family == "inet"));
    let Some(terms) = filter.and_then(|filter| filter.at(&["term"])) else {
        chain.default = Default::Unknown(format!("filter {} is not in the file", cited(name)).into());
        return chain;
    };
    for term in terms.children() {
        let matches = matches(term, question, lists);
        let action = match decision(term) {
            Ok(action) => Rule::new(term.place(), matches, action),
            Err(why) => Rule::not_understood(term.place(), why),
        };
        chain.rules.push(Rule { name: Some(term.word().into()), ..action });
    }
    chain
}

/// A term that says nothing of it accepts.
fn decision(term: Branch<'_, '_>) -> Result<Action, String> {
    let words = term.values(&["then"]);
    let mut decision = Action::Accept;
    for word in words {
        decision = match word {
            "accept" => Action::Accept,
            "discard" | "reject" => Action::Deny,
            "next" => Action::Continue,
            "count" | "log" | "syslog" | "sample" | "policer" | "forwarding-class" | "loss-priority" | "dscp"
            | "port-mirror" | "packet-mode" => continue,
            other => return Err(format!("what {} does is not known", cited(other))),
        };
    }
    Ok(decision)
}

fn matches<'a>(term: Branch<'_, 'a>, question: &Question, lists: &mut Lists<'_, 'a>) -> Match {
    let Some(from) = term.at(&["from"]) else {
        let described = term.children().any(|child| !matches!(child.word(), "then" | "from"));
        let rest = if described { Applies::maybe("the term is not understood") } else { Applies::Yes };
        return Match { destination: Destination::any(), rest };
    };
    let sources = lists.addresses(from, "source-address", "source-prefix-list");
    let destinations = lists.addresses(from, "destination-address", "destination-prefix-list");
    let (destination, mut rest) = flow::from(question, &sources, destinations);
    for field in from.children() {
        rest = rest.and(condition(field, question.port));
    }
    Match { destination, rest }
}

fn condition(field: Branch<'_, '_>, port: u16) -> Applies {
    let any = |of: &dyn Fn(&str) -> Applies| field.children().fold(Applies::No, |any, value| any.or(of(value.word())));
    let ported = |value: &str| in_range(value, port).map_or_else(|| only("port", value), Applies::from);
    match field.word() {
        "destination-address" | "destination-prefix-list" | "source-address" | "source-prefix-list" | "tcp-initial" => {
            Applies::Yes
        }
        "protocol" | "next-header" | "payload-protocol" => any(&|value| matches!(value, "tcp" | "6").into()),
        "protocol-except" | "next-header-except" => any(&|value| matches!(value, "tcp" | "6").into()).negated(),
        "destination-port" => any(&ported),
        "destination-port-except" => any(&ported).negated(),
        // Of the source or of the destination.
        "port" => any(&ported).or(only("port", "of the source")),
        "source-port" => any(&|value| {
            let whole = [1024, u16::MAX].iter().all(|&port| in_range(value, port) == Some(true));
            if whole { Applies::Yes } else { only("source port", value) }
        }),
        "tcp-established" | "is-fragment" | "icmp-type" | "icmp-code" => Applies::No,
        other => only("a certain", other),
    }
}

/// Prefix lists that were read.
struct Lists<'t, 'a> {
    root: Branch<'t, 'a>,
    resolved: HashMap<&'a str, Destination>,
}

impl<'a> Lists<'_, 'a> {
    /// What the addresses and lists of a term stand for; none of them is any.
    fn addresses(&mut self, from: Branch<'_, 'a>, address: &str, list: &str) -> Destination {
        let excepted = |branch: &Branch<'_, 'a>| branch.has(&["except"]);
        let branches = |field: &str| from.at(&[field]).into_iter().flat_map(Branch::children).collect::<Vec<_>>();
        let (addresses, lists) = (branches(address), branches(list));
        if addresses.is_empty() && lists.is_empty() {
            return Destination::any();
        }
        let (without, with): (Vec<_>, Vec<_>) = lists.into_iter().partition(excepted);
        let mut found = by_longest(&addresses);
        for list in &with {
            found = found.union(&self.list(list.word()));
        }
        if addresses.is_empty() && with.is_empty() {
            return Destination::unknown("the term only says what it does not match");
        }
        for list in &without {
            found = found.intersection(&self.list(list.word()).complement());
        }
        found
    }

    fn list(&mut self, name: &'a str) -> Destination {
        let root = self.root;
        self.resolved.entry(name).or_insert_with(|| read_list(root, name)).clone()
    }
}

fn read_list(root: Branch<'_, '_>, name: &str) -> Destination {
    let Some(list) = root.at(&["policy-options", "prefix-list", name]) else {
        return Destination::unknown(format!("prefix list {} is not in the file", cited(name)));
    };
    if list.has(&["apply-path"]) {
        return Destination::unknown(format!("prefix list {} is made of other parts", cited(name)));
    }
    let ranges: Option<AddressSet> = list.children().map(|child| prefix(child.word())).collect::<Option<AddressSet>>();
    ranges.map_or_else(|| Destination::unknown(format!("prefix list {} is not understood", cited(name))), Into::into)
}

/// Of the prefixes that hold an address the longest decides whether it matches.
fn by_longest(addresses: &[Branch<'_, '_>]) -> Destination {
    let mut prefixes: Vec<(Prefix, bool)> = Vec::new();
    for address in addresses {
        let Some(range) = prefix(address.word()) else {
            return Destination::unknown(format!("address {} is not understood", cited(address.word())));
        };
        prefixes.extend(range.prefixes().into_iter().map(|prefix| (prefix, address.has(&["except"]))));
    }
    prefixes.sort_by_key(|(prefix, _)| prefix.len());
    if prefixes.iter().all(|(_, except)| !except) {
        return prefixes.into_iter().map(|(prefix, _)| prefix).collect::<AddressSet>().into();
    }
    let join = |set: AddressSet, (prefix, except): &(Prefix, bool)| {
        let one = AddressSet::from(*prefix);
        if *except { set.difference(&one) } else { set.union(&one) }
    };
    prefixes.iter().fold(AddressSet::none(), join).into()
}
