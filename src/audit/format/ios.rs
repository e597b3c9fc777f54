//! Cisco IOS and IOS XE: running configurations.
//!
//! An access list counts where an interface uses it. Which interface the flow enters and leaves by is told by the question,
//! by `ip nat inside` and `outside`, or by the words of its name and description; where none of these says it, every list
//! that is used in the direction has to accept. A list ends with an implicit denial.

use std::collections::HashMap;

use super::book::{Member, Part};
use super::cisco::{Mask, Objects, Words};
use super::flow::{self, named};
use super::lines::{CUT, Line, action, add_doubt, add_hook_of, lines, not_understood, nothing};
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::cited;
use crate::audit::{Applies, Chain, Default, Destination, Match, Place, Policy, Question, Rule, Side};
use crate::prefix::Family;

pub(super) const READER: Reader =
    Reader { name: "ios", title: "Cisco IOS, IOS XE: a running configuration", recognise, read };

fn recognise(text: &str) -> bool {
    text.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().take(4).collect();
        match words[..] {
            ["ip", "access-list", "extended" | "standard", _]
            | ["ip", "access-group", _, "in" | "out"]
            | ["ipv6", "traffic-filter", ..]
            | ["object-group", "v6-network", _]
            | ["ipv6", "access-list", _] => true,
            ["access-list", number, "permit" | "deny", ..] => number.parse::<u16>().is_ok(),
            _ => false,
        }
    })
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let mut device = Device {
        objects: Objects::new(question, Mask::Wildcard),
        lists: Vec::new(),
        numbers: HashMap::new(),
        interfaces: Vec::new(),
        bindings: Vec::new(),
        doubts: Vec::new(),
        begun: false,
        ended: false,
    };
    let mut mode = Mode::Top;
    for line in lines(files) {
        device.line(&mut mode, line);
    }
    if device.lists.is_empty() && device.interfaces.is_empty() {
        return Err(nothing(files, "access list and no interface"));
    }
    Ok(device.policy(question))
}

/// What the lines that follow belong to.
#[derive(Clone, Copy)]
enum Mode<'a> {
    Top,
    Network(&'a str),
    Service(&'a str),
    List(usize),
    Interface(usize),
    Other,
}

struct List<'a> {
    name: &'a str,
    family: Family,
    /// Sources alone.
    standard: bool,
    lines: Vec<Line<'a>>,
}

#[derive(std::default::Default)]
struct Interface<'a> {
    name: &'a str,
    side: Option<Side>,
    has_v4: bool,
    has_v6: bool,
    down: bool,
}

struct Binding<'a> {
    list: &'a str,
    family: Family,
    inward: bool,
    interface: usize,
}

struct Device<'a> {
    objects: Objects<'a>,
    lists: Vec<List<'a>>,
    numbers: HashMap<(Family, &'a str), usize>,
    interfaces: Vec<Interface<'a>>,
    bindings: Vec<Binding<'a>>,
    doubts: Vec<(Place, String)>,
    /// Whether it is more than a piece of a configuration.
    begun: bool,
    /// Whether it has its `end`.
    ended: bool,
}

impl<'a> Device<'a> {
    fn line(&mut self, mode: &mut Mode<'a>, line: Line<'a>) {
        let words: Vec<&'a str> = line.text.split_whitespace().collect();
        if words.is_empty() || words[0].starts_with('!') {
            return;
        }
        let indented = line.text.starts_with([' ', '\t']);
        if !(indented || self.belongs(*mode, &words)) {
            *mode = self.top(line, &words);
            return;
        }
        match *mode {
            Mode::Network(name) => self.member(name, line, &words),
            Mode::Service(name) => self.service(name, line, &words),
            Mode::List(list) => self.lists[list].lines.push(line),
            Mode::Interface(index) => self.interface(index, line, &words),
            Mode::Top if indented => *mode = self.top(line, &words),
            Mode::Top | Mode::Other => {}
        }
    }

    /// Whether a line that is not indented is of the mode all the same, as the device would take it.
    fn belongs(&mut self, mode: Mode<'a>, words: &[&'a str]) -> bool {
        match mode {
            Mode::Network(_) => words[0] == "group-object" || Objects::member(words).is_ok(),
            Mode::Service(_) => words[0] == "group-object" || self.objects.service(words).is_ok(),
            Mode::List(_) => matches!(words[0], "permit" | "deny" | "remark" | "sequence") || number(words[0]),
            Mode::Interface(_) => matches!(words[..], ["ip", "access-group", ..] | ["ipv6", "traffic-filter", ..]),
            Mode::Top | Mode::Other => false,
        }
    }

    fn top(&mut self, line: Line<'a>, words: &[&'a str]) -> Mode<'a> {
        match *words {
            ["object-group", "network" | "v6-network", name] => {
                self.objects.networks.object(name);
                Mode::Network(name)
            }
            ["object-group", "service", name, ..] => {
                self.objects.services.service(name);
                Mode::Service(name)
            }
            ["ip", "access-list", kind @ ("extended" | "standard"), name] => {
                Mode::List(self.list(Family::V4, name, kind == "standard"))
            }
            ["ipv6", "access-list", name] => Mode::List(self.list(Family::V6, name, false)),
            ["access-list", name, "permit" | "deny" | "remark" | "dynamic", ..] if number(name) => {
                let standard = name.parse().is_ok_and(|number: u16| number < 100 || (1300..2000).contains(&number));
                let list = self.list(Family::V4, name, standard);
                let text = line.text.split_once(name).map_or(line.text, |(_, behind)| behind);
                self.lists[list].lines.push(Line { text, ..line });
                Mode::Top
            }
            ["interface", name, ..] => {
                self.begun = true;
                self.interfaces.push(Interface { name, ..Interface::default() });
                Mode::Interface(self.interfaces.len() - 1)
            }
            ["end"] => {
                self.ended = true;
                Mode::Top
            }
            ["zone-pair", "security", ..] => self.doubt(line, "zone-based policies are not read"),
            ["no", "object-group", "network" | "v6-network" | "service", name] => {
                self.objects.networks.remove(name);
                self.objects.services.remove(name);
                Mode::Other
            }
            ["no", "ip", "access-list", "extended" | "standard", name] | ["no", "access-list", name] => {
                self.remove(Family::V4, name)
            }
            ["no", "ipv6", "access-list", name] => self.remove(Family::V6, name),
            ["no", "object-group" | "access-list", ..] | ["no", "ip" | "ipv6", "access-list", ..] => {
                self.doubt(line, "what is removed is not followed")
            }
            _ => {
                self.begun |= matches!(words[0], "version" | "hostname");
                Mode::Other
            }
        }
    }

    fn doubt(&mut self, line: Line<'a>, why: &str) -> Mode<'a> {
        self.doubts.push((line.place, format!("{why}: {}", cited(line.text.trim()))));
        Mode::Other
    }

    fn remove(&mut self, family: Family, name: &'a str) -> Mode<'a> {
        if let Some(&list) = self.numbers.get(&(family, name)) {
            self.lists[list].lines.clear();
        }
        Mode::Other
    }

    fn list(&mut self, family: Family, name: &'a str, standard: bool) -> usize {
        let lists = &mut self.lists;
        *self.numbers.entry((family, name)).or_insert_with(|| {
            lists.push(List { name, family, standard, lines: Vec::new() });
            lists.len() - 1
        })
    }

    fn member(&mut self, group: &'a str, line: Line<'a>, words: &[&'a str]) {
        if words[0] == "description" {
            return;
        }
        let read = if line.whole { Objects::member(words) } else { Err(CUT.to_owned()) };
        self.objects.networks.add(group, read.unwrap_or_else(|_| Member::unknown(not_understood(line))));
    }

    fn service(&mut self, group: &'a str, line: Line<'a>, words: &[&'a str]) {
        let part = match *words {
            ["description", ..] => return,
            ["group-object", name] if line.whole => Part::Named(name),
            _ => match self.objects.service(words) {
                Ok(applies) if line.whole => Part::Known(applies),
                _ => Part::Known(Applies::maybe(not_understood(line))),
            },
        };
        self.objects.services.add(group, part);
    }

    fn interface(&mut self, index: usize, line: Line<'a>, words: &[&'a str]) {
        let interface = &mut self.interfaces[index];
        let bound =
            |family, list, direction: &str| Binding { list, family, inward: direction == "in", interface: index };
        match *words {
            ["ip", "access-group", name, way @ ("in" | "out")] => self.bindings.push(bound(Family::V4, name, way)),
            ["ipv6", "traffic-filter", name, way @ ("in" | "out")] => self.bindings.push(bound(Family::V6, name, way)),
            ["ip", "access-group", ..] | ["ipv6", "traffic-filter", ..] | ["zone-member", "security", ..] => {
                self.doubt(line, "how the interface filters is not understood");
            }
            ["ip", "nat", "inside"] => interface.side = Some(Side::Inside),
            ["ip", "nat", "outside"] => interface.side = Some(Side::Outside),
            ["description", ref said @ ..] => interface.side = interface.side.or_else(|| named(&said.join(" "))),
            ["ip", "address" | "unnumbered", ..] => interface.has_v4 = true,
            ["ipv6", "address" | "enable", ..] => interface.has_v6 = true,
            ["shutdown"] => interface.down = true,
            _ => {}
        }
    }

    fn policy(mut self, question: &Question) -> Policy {
        let mut policy = Policy::default();
        let sides: Vec<Option<Side>> = self.interfaces.iter().map(|interface| side(question, interface)).collect();
        let judged = self.judged(&sides, &mut policy.notes);
        for binding in &judged {
            let chain = self.chain(question, binding);
            let way = if binding.inward { "in" } else { "out" };
            add_hook_of(
                &mut policy,
                binding.family,
                format!("{} {way}: {}", self.interfaces[binding.interface].name, binding.list),
                chain,
            );
        }
        for (place, why) in &self.doubts {
            add_doubt(&mut policy, "configuration", Some(*place), why);
        }
        self.add_unbound(&mut policy, &judged);
        if self.begun && !self.ended {
            let why = "the configuration has no `end`: what follows is not known";
            add_doubt(&mut policy, "end of the configuration", None, why);
        }
        policy
    }

    /// The lists that the flow passes.
    fn judged(&mut self, sides: &[Option<Side>], notes: &mut Vec<String>) -> Vec<Binding<'a>> {
        let (interfaces, bindings) = (&self.interfaces, std::mem::take(&mut self.bindings));
        let known = |side| sides.contains(&Some(side));
        let passes = |binding: &Binding<'a>| {
            let passed = if binding.inward { Side::Inside } else { Side::Outside };
            sides[binding.interface].map_or(!known(passed), |side| side == passed)
        };
        let used = bindings.into_iter().filter(|binding| !interfaces[binding.interface].down);
        let (judged, passed_over): (Vec<_>, Vec<_>) = used.partition(passes);
        notes.extend(passed_over.iter().map(|binding| {
            let name = interfaces[binding.interface].name;
            format!("access list {} on {} is not on the way out", cited(binding.list), cited(name))
        }));
        judged
    }

    /// A family without a list is not filtered where the router passes it on; a file without any list says nothing.
    fn add_unbound(&self, policy: &mut Policy, judged: &[Binding<'a>]) {
        for family in [Family::V4, Family::V6] {
            if judged.iter().any(|binding| binding.family == family) {
                continue;
            }
            let has = |one: &Interface<'_>| if family == Family::V4 { one.has_v4 } else { one.has_v6 };
            let passes = !judged.is_empty() && self.interfaces.iter().any(has);
            let version = family.number();
            if passes {
                policy.notes.push(format!("no access list filters IPv{version} on the way out"));
                continue;
            }
            let names: Vec<String> =
                self.lists.iter().filter(|list| list.family == family).map(|list| cited(list.name)).collect();
            let there = if names.is_empty() { String::new() } else { format!(" (there are {})", names.join(", ")) };
            let why = format!("no interface uses an IPv{version} access list on the way out{there}");
            let chain = Chain::new(format!("IPv{version}"), Default::Unknown(why.into()));
            add_hook_of(policy, family, format!("IPv{version}"), chain);
        }
    }

    fn chain(&mut self, question: &Question, binding: &Binding<'a>) -> Chain {
        let mut chain = Chain::new(binding.list, Default::Deny);
        let list = self.numbers.get(&(binding.family, binding.list)).map(|&index| &self.lists[index]);
        let Some(list) = list.filter(|list| !list.lines.is_empty()) else {
            let why = format!("access list {} is not in the file or has no lines", cited(binding.list));
            chain.default = Default::Unknown(why.into());
            return chain;
        };
        for &line in &list.lines {
            chain.rules.extend(rule(&mut self.objects, question, list.standard, line));
        }
        chain
    }
}

fn rule<'a>(objects: &mut Objects<'a>, question: &Question, standard: bool, line: Line<'a>) -> Option<Rule> {
    let words: Vec<&'a str> = line.text.split_whitespace().collect();
    let mut words = &words[..];
    words = match *words {
        ["sequence", _, ref rest @ ..] => rest,
        [first, ref rest @ ..] if number(first) => rest,
        _ => words,
    };
    let (permits, rest) = match *words {
        ["permit", ref rest @ ..] => (true, rest),
        ["deny", ref rest @ ..] => (false, rest),
        // A reflexive list holds answers alone.
        ["remark" | "evaluate", ..] | [] => return None,
        _ => return Some(Rule::not_understood(line.place, not_understood(line))),
    };
    let read = match standard {
        _ if !line.whole => Err(CUT.to_owned()),
        true => source_alone(objects, question, rest),
        false => objects.matches(question, rest),
    };
    let matches = read.unwrap_or_else(|what| doubtful(&what));
    Some(Rule::new(line.place, matches, action(permits)))
}

/// A line of a standard list: `any`, `host A`, `A`, `A WILDCARD`.
fn source_alone<'a>(objects: &mut Objects<'a>, question: &Question, words: &[&'a str]) -> Result<Match, String> {
    let words = match words {
        [rest @ .., "log"] => rest,
        _ => words,
    };
    let address = match *words {
        [address] if address != "any" => &["host", address],
        _ => words,
    };
    let source = objects.address(&mut Words(address))?;
    let (destination, rest) = flow::from(question, &source, Destination::any());
    Ok(Match { destination, rest })
}

/// The side of an interface, as far as anything says so.
fn side(question: &Question, interface: &Interface<'_>) -> Option<Side> {
    question.sides.get(interface.name).copied().or(interface.side).or_else(|| named(interface.name))
}

pub(super) fn doubtful(what: &str) -> Match {
    Match { destination: Destination::any(), rest: Applies::maybe(format!("not understood: {what}")) }
}

fn number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}
