//! Cisco ASA, and FTD as far as its command line shows lists: running configurations.
//!
//! Lists count where an `access-group` binds them: into the interfaces of the inside, out of those of the outside, and
//! globally behind the former. Where none is bound in a whole configuration, traffic passes from a higher security level
//! to a lower one.

use std::collections::HashMap;

use super::address::{between, host, netmask, prefix};
use super::book::{Member, Part};
use super::cisco::{Mask, Objects};
use super::flow::named;
use super::ios::doubtful;
use super::lines::{CUT, Line, action, add_doubt, add_hook, lines, not_understood, nothing};
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::cited;
use crate::audit::{Applies, Chain, Default, Place, Policy, Question, Rule, Side};

pub(super) const READER: Reader = Reader { name: "asa", title: "Cisco ASA: a running configuration", recognise, read };

fn recognise(text: &str) -> bool {
    text.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().take(4).collect();
        matches!(
            words[..],
            ["access-list", _, "extended" | "advanced" | "line", ..]
                | ["access-group", _, "in" | "out", "interface"]
                | ["access-group", _, "global"]
                | ["ASA", "Version", ..]
                | ["network-object", ..]
        )
    })
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let mut device = Device {
        objects: Objects::new(question, Mask::Netmask),
        lists: HashMap::new(),
        interfaces: Vec::new(),
        groups: Vec::new(),
        begun: false,
        ended: false,
    };
    let mut mode = Mode::Other;
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
    Network(&'a str),
    Service(&'a str),
    Protocol(&'a str),
    Interface(usize),
    Other,
}

#[derive(std::default::Default)]
struct Interface<'a> {
    name: &'a str,
    level: Option<u8>,
    down: bool,
}

/// Where a list is bound.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound<'a> {
    In(&'a str),
    Out(&'a str),
    Global,
}

struct Device<'a> {
    objects: Objects<'a>,
    lists: HashMap<&'a str, Vec<Line<'a>>>,
    interfaces: Vec<Interface<'a>>,
    groups: Vec<(Place, &'a str, Bound<'a>)>,
    begun: bool,
    ended: bool,
}

impl<'a> Device<'a> {
    fn line(&mut self, mode: &mut Mode<'a>, line: Line<'a>) {
        let words: Vec<&'a str> = line.text.split_whitespace().collect();
        match (line.text.starts_with(' '), &words[..]) {
            (_, []) => {}
            (true, [first, ..]) if *first != "access-list" => self.below(*mode, line, &words),
            _ => *mode = self.top(line, &words),
        }
    }

    fn top(&mut self, line: Line<'a>, words: &[&'a str]) -> Mode<'a> {
        match *words {
            ["object" | "object-group", "network", name] => {
                self.objects.networks.object(name);
                return Mode::Network(name);
            }
            ["object" | "object-group", "service", name, ..] => {
                self.objects.services.service(name);
                return Mode::Service(name);
            }
            ["object-group", "protocol", name] => {
                self.objects.services.service(name);
                return Mode::Protocol(name);
            }
            // A member that lost its indentation.
            ["network-object" | "port-object" | "service-object" | "group-object" | "protocol-object", ..] => {
                self.groups.push((line.place, "", Bound::Global));
            }
            ["interface", ..] => {
                self.begun = true;
                self.interfaces.push(Interface::default());
                return Mode::Interface(self.interfaces.len() - 1);
            }
            ["access-list", name, ..] => self.lists.entry(name).or_default().push(line),
            ["access-group", list, "in", "interface", name] if line.whole => self.bind(line, list, Bound::In(name)),
            ["access-group", list, "in", "interface", name, "per-user-override"] => {
                self.bind(line, list, Bound::In(name));
            }
            ["access-group", list, "out", "interface", name] if line.whole => self.bind(line, list, Bound::Out(name)),
            ["access-group", list, "global"] if line.whole => self.bind(line, list, Bound::Global),
            ["clear", "configure", "access-list", name] => _ = self.lists.remove(name),
            ["access-group", .., "control-plane"] | [] => {}
            ["access-group", ..] => self.bind(line, "", Bound::Global),
            ["name", address, name, ..] => _ = self.objects.names.insert(name, address),
            [":", "end"] => self.ended = true,
            [first, ..] => self.begun |= matches!(first, "hostname" | "ASA"),
        }
        Mode::Other
    }

    /// A list without a name is one that was not understood.
    fn bind(&mut self, line: Line<'a>, list: &'a str, bound: Bound<'a>) {
        self.groups.push((line.place, list, bound));
    }

    fn below(&mut self, mode: Mode<'a>, line: Line<'a>, words: &[&'a str]) {
        match mode {
            Mode::Network(name) => {
                if let Some(member) = self.member(line, words) {
                    self.objects.networks.add(name, member);
                }
            }
            Mode::Service(name) => {
                if let Some(part) = self.part(line, words) {
                    self.objects.services.add(name, part);
                }
            }
            Mode::Protocol(name) => {
                let part = match *words {
                    ["protocol-object", "ip" | "tcp" | "6"] => Part::Known(Applies::Yes),
                    ["protocol-object", _] => Part::Known(Applies::No),
                    ["group-object", other] => Part::Named(other),
                    ["description", ..] => return,
                    _ => Part::Known(Applies::maybe(not_understood(line))),
                };
                self.objects.services.add(name, part);
            }
            Mode::Interface(index) => {
                let interface = &mut self.interfaces[index];
                match *words {
                    ["nameif", name] => interface.name = name,
                    ["security-level", level] => interface.level = level.parse().ok(),
                    ["shutdown"] => interface.down = true,
                    _ => {}
                }
            }
            Mode::Other => {}
        }
    }

    fn member(&self, line: Line<'a>, words: &[&'a str]) -> Option<Member<'a>> {
        let called = |name: &'a str| self.objects.names.get(name).copied().unwrap_or(name);
        let range = match *words {
            ["description" | "nat", ..] => return None,
            _ if !line.whole => None,
            ["group-object", name] | ["network-object", "object", name] => return Some(Member::Named(name)),
            ["fqdn", .., name] => return Some(Member::unknown(format!("host name {}", cited(name)))),
            ["host", address] | ["network-object", "host", address] => host(called(address)),
            ["subnet" | "network-object", word] => prefix(word),
            ["subnet" | "network-object", address, mask] => netmask(called(address), mask),
            ["range", first, last] => between(first, last),
            _ => None,
        };
        Some(range.map_or_else(|| Member::unknown(not_understood(line)), Member::Range))
    }

    fn part(&mut self, line: Line<'a>, words: &[&'a str]) -> Option<Part<'a>> {
        let read = match *words {
            ["description", ..] => return None,
            _ if !line.whole => Err(String::new()),
            ["group-object", name] | ["service-object", "object", name] => return Some(Part::Named(name)),
            ["port-object", ref ports @ ..] => self.objects.port_object(ports),
            ["service" | "service-object", ref service @ ..] => self.objects.service(service),
            _ => Err(String::new()),
        };
        Some(Part::Known(read.unwrap_or_else(|_| Applies::maybe(not_understood(line)))))
    }

    fn policy(mut self, question: &Question) -> Policy {
        let mut policy = Policy::default();
        let inside = self.on(question, Side::Inside);
        let outside = self.on(question, Side::Outside);
        let groups = std::mem::take(&mut self.groups);
        let passed = |names: &[&str], name: &str| names.is_empty() || names.contains(&name);
        let global: Vec<_> = groups.iter().filter(|(_, _, bound)| *bound == Bound::Global).collect();
        let mut judged = 0;
        let mut bound_in = Vec::new();
        for &(place, list, bound) in &groups {
            let (name, lists) = match bound {
                Bound::In(name) if passed(&inside, name) && self.side(question, name) != Some(Side::Outside) => {
                    bound_in.push(name);
                    (
                        format!("{name} in: {list}"),
                        [(place, list)].into_iter().chain(global.iter().map(|g| (g.0, g.1))).collect(),
                    )
                }
                Bound::Out(name) if passed(&outside, name) && self.side(question, name) != Some(Side::Inside) => {
                    (format!("{name} out: {list}"), vec![(place, list)])
                }
                Bound::Global => continue,
                Bound::In(name) | Bound::Out(name) => {
                    let note = format!("access list {} on {} is not on the way out", cited(list), cited(name));
                    policy.notes.push(note);
                    continue;
                }
            };
            judged += 1;
            let chain = self.chain(question, &lists);
            add_hook(&mut policy, name, chain);
        }
        // An interface without a list of its own has the global one.
        if !global.is_empty() && (bound_in.is_empty() || inside.iter().any(|name| !bound_in.contains(name))) {
            judged += 1;
            let lists: Vec<_> = global.iter().map(|group| (group.0, group.1)).collect();
            let chain = self.chain(question, &lists);
            add_hook(&mut policy, "global".to_owned(), chain);
        }
        if judged == 0 {
            self.unfiltered(&mut policy, !inside.is_empty() && !outside.is_empty());
        }
        if self.begun && !self.ended {
            let why = "the configuration has no `: end`: what follows is not known";
            add_doubt(&mut policy, "end of the configuration", None, why);
        }
        policy
    }

    fn unfiltered(&self, policy: &mut Policy, both_sides: bool) {
        if both_sides && self.ended {
            let note = "no list is bound on the way out: traffic passes from a higher security level to a lower one";
            policy.notes.push(note.to_owned());
            return;
        }
        let mut names: Vec<String> = self.lists.keys().map(|name| cited(name)).collect();
        names.sort();
        let there = if names.is_empty() { String::new() } else { format!(" (there are {})", names.join(", ")) };
        add_doubt(policy, "access-group", None, &format!("no access list is bound on the way out{there}"));
    }

    /// The interfaces that are known to be on a side.
    fn on(&self, question: &Question, side: Side) -> Vec<&'a str> {
        let up = self.interfaces.iter().filter(|interface| !interface.down && !interface.name.is_empty());
        up.map(|interface| interface.name).filter(|name| self.side(question, name) == Some(side)).collect()
    }

    fn side(&self, question: &Question, name: &str) -> Option<Side> {
        let level = self.interfaces.iter().find(|interface| interface.name == name).and_then(|found| found.level);
        let by_level = match level {
            Some(0) => Some(Side::Outside),
            Some(100) => Some(Side::Inside),
            _ => None,
        };
        question.sides.get(name).copied().or_else(|| named(name)).or(by_level)
    }

    /// One list behind the other, and the denial at the end.
    fn chain(&mut self, question: &Question, lists: &[(Place, &'a str)]) -> Chain {
        let mut chain = Chain::new(lists.first().map_or("", |list| list.1), Default::Deny);
        for &(place, name) in lists {
            let lines = self.lists.get(name).filter(|lines| !lines.is_empty());
            let Some(lines) = lines else {
                let why = match name {
                    "" => "how the list is bound is not understood".to_owned(),
                    _ => format!("access list {} is not in the file or has no lines", cited(name)),
                };
                chain.rules.push(Rule::not_understood(place, why));
                continue;
            };
            for &line in lines {
                chain.rules.extend(rule(&mut self.objects, question, line));
            }
        }
        chain
    }
}

fn rule<'a>(objects: &mut Objects<'a>, question: &Question, line: Line<'a>) -> Option<Rule> {
    let words: Vec<&'a str> = line.text.split_whitespace().skip(2).collect();
    let words = match words[..] {
        ["line", _, ref rest @ ..] => rest,
        _ => &words,
    };
    let words = match *words {
        ["extended", ref rest @ ..] => rest,
        _ => words,
    };
    let (permits, rest) = match *words {
        ["permit", ref rest @ ..] => (true, rest),
        ["deny", ref rest @ ..] => (false, rest),
        ["remark", ..] => return None,
        // `show access-list` counts the lines first.
        [count, "elements;", ..] if count.parse::<u32>().is_ok() => return None,
        _ => return Some(Rule::not_understood(line.place, not_understood(line))),
    };
    let read = if line.whole { objects.matches(question, rest) } else { Err(CUT.to_owned()) };
    Some(Rule::new(line.place, read.unwrap_or_else(|what| doubtful(&what)), action(permits)))
}
