//! Palo Alto PAN-OS: configurations as `set` commands, of a firewall or of Panorama.
//!
//! Rules are looked at in order, the first that matches decides, and what goes from one zone to another and matches none
//! is denied, unless the default rule says otherwise. What depends on the application is a doubt: the firewall finds it out
//! from packets that it has let pass already.

use std::collections::HashMap;

use super::address::{between, wildcard};
use super::book::{Book, Member, Part, Services};
use super::flow::{self, on_any, only};
use super::lines::{CUT, Line, action, add_doubt, add_hook, lines, not_understood};
use super::ports::in_list;
use super::words::{listed, words};
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::{address_range, cited};
use crate::audit::{AddressSet, Applies, Chain, Default, Destination, Match, Place, Policy, Question, Rule, Side};

pub(super) const READER: Reader =
    Reader { name: "panos", title: "Palo Alto PAN-OS: a configuration as `set` commands", recognise, read };

fn recognise(text: &str) -> bool {
    text.lines().any(|line| {
        let Some(rest) = line.trim().strip_prefix("set ") else { return false };
        rest.contains("rulebase security rules ")
            || rest.contains(" ip-netmask ")
            || rest.starts_with("deviceconfig ")
            || (rest.starts_with("address-group ") && rest.contains(" static "))
    })
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let mut configuration = Configuration::default();
    for line in lines(files) {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with(['#', '[']) {
            continue;
        }
        let file = &files[usize::from(line.place.file)];
        let words = words(line.text);
        let words = words.map_err(|column| file.error_at(line.place.line, column, "a quote that does not end"))?;
        configuration.line(line, &words);
    }
    Ok(configuration.policy(question))
}

/// Where something is configured: the name of a virtual system or device group, or nothing for what all share.
type Scope<'a> = &'a str;

#[derive(std::default::Default)]
struct Configuration<'a> {
    scopes: Vec<Scope<'a>>,
    addresses: Vec<(Scope<'a>, &'a str, Member<'a>)>,
    services: Vec<(Scope<'a>, &'a str, Said<'a>)>,
    rules: Vec<SecurityRule<'a>>,
    index: HashMap<(Scope<'a>, Base, &'a str), usize>,
    interzone: Option<(Place, bool)>,
    doubts: Vec<(Place, String)>,
}

/// What a line says of a service.
enum Said<'a> {
    Ports(Option<&'a str>),
    SourcePorts(&'a str),
    Not,
    Members(Vec<&'a str>),
}

/// Which of the lists of rules, in the order in which they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Base {
    Pre,
    Own,
    Post,
}

struct SecurityRule<'a> {
    place: Place,
    scope: Scope<'a>,
    base: Base,
    name: &'a str,
    fields: HashMap<&'a str, Vec<&'a str>>,
    doubt: Option<String>,
}

impl<'a> Configuration<'a> {
    fn line(&mut self, line: Line<'a>, words: &[&'a str]) {
        let ["set", rest @ ..] = words else {
            let why = format!("only `set` is read: {}", cited(line.text.trim()));
            self.doubts.push((line.place, why));
            return;
        };
        let (scope, rest) = match rest {
            ["shared", rest @ ..] => ("", rest),
            ["devices", _, "vsys" | "device-group", scope, rest @ ..] | ["vsys" | "device-group", scope, rest @ ..] => {
                (*scope, rest)
            }
            _ => ("", rest),
        };
        if !line.whole {
            self.doubts.push((line.place, CUT.to_owned()));
        }
        match *rest {
            ["address", name, ref value @ ..] => self.address(scope, name, value, line),
            ["address-group", name, "static", ref members @ ..] => {
                for member in listed(members) {
                    self.addresses.push((scope, name, Member::Named(member)));
                }
            }
            ["address-group", name, "dynamic", ..] => {
                let why = format!("address group {} is dynamic", cited(name));
                self.addresses.push((scope, name, Member::unknown(why)));
            }
            ["service", name, "protocol", "tcp", "port", ports, ..] => {
                self.services.push((scope, name, Said::Ports(Some(ports))));
            }
            ["service", name, "protocol", "tcp", "source-port", ports, ..] => {
                self.services.push((scope, name, Said::SourcePorts(ports)));
            }
            ["service", name, "protocol", "tcp", ..] => self.services.push((scope, name, Said::Ports(None))),
            ["service", name, "protocol", ..] => self.services.push((scope, name, Said::Not)),
            ["service-group", name, "members", ref members @ ..] => {
                self.services.push((scope, name, Said::Members(listed(members).to_vec())));
            }
            [base, "security", "rules", name, ref fields @ ..] if base.ends_with("rulebase") => {
                let base = match base {
                    "pre-rulebase" => Base::Pre,
                    "post-rulebase" => Base::Post,
                    _ => Base::Own,
                };
                self.rule(line.place, (scope, base, name)).take(fields);
            }
            [_, "default-security-rules", "rules", "interzone-default", ref fields @ ..] => {
                if let Some(at) = fields.iter().position(|field| *field == "action") {
                    self.interzone = Some((line.place, fields.get(at + 1) == Some(&"allow")));
                }
            }
            _ => {}
        }
    }

    fn address(&mut self, scope: Scope<'a>, name: &'a str, value: &[&'a str], line: Line<'a>) {
        let member = match *value {
            ["description" | "tag" | "disable-override", ..] => return,
            ["ip-netmask", word] => address_range(word).map(Member::Range),
            ["ip-range", word] => {
                word.split_once('-').and_then(|(first, last)| between(first, last)).map(Member::Range)
            }
            ["ip-wildcard", word] => word
                .split_once('/')
                .and_then(|(address, mask)| wildcard(address, mask))
                .and_then(|ranges| Some(Member::Known(ranges.ok()?.into_iter().collect::<AddressSet>().into()))),
            ["fqdn", host] => Some(Member::unknown(format!("host name {}", cited(host)))),
            _ => None,
        };
        let member = member.filter(|_| line.whole).unwrap_or_else(|| Member::unknown(not_understood(line)));
        self.addresses.push((scope, name, member));
    }

    fn rule(&mut self, place: Place, key: (Scope<'a>, Base, &'a str)) -> &mut SecurityRule<'a> {
        let (scope, base, name) = key;
        if !scope.is_empty() && !self.scopes.contains(&scope) {
            self.scopes.push(scope);
        }
        let rules = &mut self.rules;
        let index = *self.index.entry(key).or_insert_with(|| {
            rules.push(SecurityRule { place, scope, base, name, fields: HashMap::new(), doubt: None });
            rules.len() - 1
        });
        &mut self.rules[index]
    }

    fn policy(self, question: &Question) -> Policy {
        let mut policy = Policy::default();
        let scopes = if self.scopes.is_empty() { vec![""] } else { self.scopes.clone() };
        for scope in &scopes {
            let chain = self.chain(question, scope);
            let name =
                if scope.is_empty() { "security rules".to_owned() } else { format!("security rules of {scope}") };
            add_hook(&mut policy, name, chain);
        }
        if self.rules.is_empty() {
            add_doubt(&mut policy, "rules", None, "there are no security rules in the file");
        }
        for (place, why) in &self.doubts {
            add_doubt(&mut policy, "configuration", Some(*place), why);
        }
        if scopes.len() > 1 {
            let count = scopes.len();
            policy
                .notes
                .push(format!("{count} virtual systems or device groups have rules: all of them have to allow"));
        }
        let note = "`set` commands have no end mark: whether the file is whole cannot be seen";
        policy.notes.push(note.to_owned());
        policy
    }

    fn chain(&self, question: &Question, scope: Scope<'a>) -> Chain {
        let (mut book, mut services) = (Book::new("address", literal), Services::new(question.port, builtin));
        for scope in if scope.is_empty() { vec![""] } else { vec!["", scope] } {
            self.define(scope, question.port, &mut book, &mut services);
        }
        let mut chain = Chain::new("security rules", Default::Deny);
        if let Some((place, true)) = self.interzone {
            chain.default = Default::Accept;
            chain.default_place = Some(place);
        }
        let mut rules: Vec<&SecurityRule<'a>> =
            self.rules.iter().filter(|rule| rule.scope == scope || rule.scope.is_empty()).collect();
        // Shared rules enclose those of a scope.
        rules.sort_by_key(|rule| match (rule.base, rule.scope.is_empty()) {
            (Base::Pre, true) => 0,
            (Base::Pre, false) => 1,
            (Base::Own, _) => 2,
            (Base::Post, false) => 3,
            (Base::Post, true) => 4,
        });
        chain.rules = rules.into_iter().filter_map(|rule| rule.read(question, &mut book, &mut services)).collect();
        chain
    }

    /// What a scope defines takes the place of what is shared.
    fn define(&self, scope: Scope<'a>, port: u16, book: &mut Book<'a>, services: &mut Services<'a>) {
        let mut seen = std::collections::HashSet::new();
        for (_, name, member) in self.addresses.iter().filter(|(of, ..)| *of == scope) {
            if seen.insert(*name) {
                book.object(name).members.clear();
            }
            book.add(name, member.clone());
        }
        let mut seen: HashMap<&str, Applies> = HashMap::new();
        for (_, name, said) in self.services.iter().filter(|(of, ..)| *of == scope) {
            let parts = match said {
                Said::Members(members) => members.iter().map(|name| Part::Named(name)).collect(),
                Said::Not => vec![Part::Known(Applies::No)],
                Said::Ports(ports) => {
                    let known = seen.remove(name).unwrap_or(Applies::Yes);
                    let has = ports.map_or(Some(true), |ports| in_list(ports, port));
                    let has = has.map_or_else(|| only("ports", ports.unwrap_or_default()), Applies::from);
                    vec![Part::Known(known.and(has))]
                }
                Said::SourcePorts(ports) => {
                    seen.insert(name, only("source ports", ports));
                    let held = std::mem::take(services.service(name));
                    held.into_iter().map(|part| with(part, &only("source ports", ports))).collect()
                }
            };
            let service = services.service(name);
            if matches!(said, Said::Members(_)) { service.extend(parts) } else { *service = parts }
        }
    }
}

fn with<'a>(part: Part<'a>, condition: &Applies) -> Part<'a> {
    match part {
        Part::Known(known) => Part::Known(known.and(condition.clone())),
        named @ Part::Named(_) => named,
    }
}

impl<'a> SecurityRule<'a> {
    /// Takes the fields of a line: all of a rule, or one of them.
    fn take(&mut self, mut words: &[&'a str]) {
        const LISTS: [&str; 12] = [
            "from",
            "to",
            "source",
            "destination",
            "source-user",
            "category",
            "application",
            "service",
            "tag",
            "hip-profiles",
            "source-hip",
            "destination-hip",
        ];
        const SINGLE: [&str; 15] = [
            "action",
            "negate-source",
            "negate-destination",
            "disabled",
            "description",
            "schedule",
            "log-start",
            "log-end",
            "log-setting",
            "rule-type",
            "group-tag",
            "uuid",
            "icmp-unreachable",
            "qos",
            "disable-inspect",
        ];
        // What stands behind these does not say which packets match.
        const BEYOND: [&str; 3] = ["profile-setting", "option", "qos"];
        while let [field, rest @ ..] = words {
            let (values, behind) = match rest {
                _ if BEYOND.contains(field) => return,
                ["[", rest @ ..] if LISTS.contains(field) => {
                    let end = rest.iter().position(|word| *word == "]");
                    let end = end.unwrap_or_else(|| {
                        self.doubt = Some("a list that does not end".to_owned());
                        rest.len()
                    });
                    (&rest[..end], rest.get(end + 1..).unwrap_or_default())
                }
                [_, behind @ ..] if LISTS.contains(field) || SINGLE.contains(field) => (&rest[..1], behind),
                _ => {
                    self.doubt = Some(format!("{} of the rule is not understood", cited(field)));
                    return;
                }
            };
            let held = self.fields.entry(field).or_default();
            if !LISTS.contains(field) {
                held.clear();
            }
            held.extend(values);
            words = behind;
        }
    }

    fn list(&self, field: &str) -> &[&'a str] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }

    fn is(&self, field: &str, value: &str) -> bool {
        self.list(field) == [value]
    }

    fn read(&self, question: &Question, book: &mut Book<'a>, services: &mut Services<'a>) -> Option<Rule> {
        if self.is("disabled", "yes") || self.is("rule-type", "intrazone") {
            return None;
        }
        let permits = match self.list("action") {
            ["allow"] => Some(true),
            ["deny" | "drop" | "reset-client" | "reset-server" | "reset-both"] => Some(false),
            _ => None,
        };
        let rule = match (permits, &self.doubt) {
            (Some(permits), None) => Rule::new(self.place, self.matches(question, book, services), action(permits)),
            (None, None) => Rule::not_understood(self.place, "what the rule does is not known"),
            (_, Some(why)) => Rule::not_understood(self.place, why.as_str()),
        };
        Some(Rule { name: Some(self.name.into()), ..rule })
    }

    fn matches(&self, question: &Question, book: &mut Book<'a>, services: &mut Services<'a>) -> Match {
        let mut addresses = |field: &str, negation: &str| {
            let all = book.any_named(self.list(field));
            if self.is(negation, "yes") { all.complement() } else { all }
        };
        let destination = addresses("destination", "negate-destination");
        let (destination, sourced) = flow::from(question, &addresses("source", "negate-source"), destination);
        let any = |field: &str| match self.list(field) {
            [] => Applies::Yes,
            values if values.contains(&"any") => Applies::Yes,
            values => only(field, values[0]),
        };
        let schedule = self.list("schedule").first().map_or(Applies::Yes, |name| only("schedule", name));
        let rest = on_any(question, Side::Outside, self.list("to"))
            .and(on_any(question, Side::Inside, self.list("from")))
            .and(services.any_named(self.list("service")))
            .and(any("application"))
            .and(any("source-user"))
            .and(any("category"))
            .and(any("hip-profiles").and(any("source-hip")).and(any("destination-hip")))
            .and(schedule)
            .and(sourced);
        Match { destination, rest }
    }
}

fn literal(name: &str) -> Option<Destination> {
    if name == "any" {
        return Some(Destination::any());
    }
    address_range(name).map(|range| AddressSet::from(range).into())
}

fn builtin(name: &str, port: u16) -> Option<Applies> {
    match name {
        "any" => Some(Applies::Yes),
        "service-https" => Some((port == 443).into()),
        "service-http" => Some(matches!(port, 80 | 8080).into()),
        "application-default" => Some(Applies::maybe("it holds only for the usual ports of the application")),
        _ => None,
    }
}
