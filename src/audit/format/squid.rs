//! Squid: a configuration.
//!
//! The rules of `http_access` in order, the first whose lists all match decides, and what none matches has the opposite of
//! the last. `adapted_http_access` has to allow, too, where it stands in the file. The flow is one that a client asks a
//! tunnel for: `CONNECT` on 443, while of other ports the method is not known.

use std::collections::HashMap;

use super::book::{Book, Member};
use super::flow::{self, only};
use super::lines::{CUT, Line, action, add_doubt, add_hook, lines, not_understood, nothing};
use super::ports::in_range;
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::{address_or_prefix, address_range, cited};
use crate::audit::{AddressSet, Applies, Assumed, Chain, Default, Destination, Match, Policy, Question, Rule};
use crate::prefix::AddressRange;

pub(super) const READER: Reader = Reader { name: "squid", title: "Squid: a configuration", recognise, read };

fn recognise(text: &str) -> bool {
    text.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        matches!(words[..], ["http_access", "allow" | "deny", _] | ["http_port" | "cache_peer", _, ..])
            || matches!(words[..], ["acl", _, "dst" | "src" | "port" | "dstdomain" | "method"])
    })
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let mut configuration = Configuration::default();
    for line in lines(files) {
        configuration.line(line);
    }
    if configuration.access.is_empty() && configuration.lists.is_empty() {
        return Err(nothing(files, "`http_access` and no `acl`"));
    }
    Ok(configuration.policy(question))
}

/// An access list: values of one type, of which any matches.
#[derive(std::default::Default)]
struct List<'a> {
    kind: &'a str,
    values: Vec<(&'a str, bool)>,
    doubt: Option<String>,
}

#[derive(std::default::Default)]
struct Configuration<'a> {
    lists: HashMap<&'a str, List<'a>>,
    access: Vec<Line<'a>>,
    adapted: Vec<Line<'a>>,
    doubts: Vec<Line<'a>>,
    /// Whether something else follows the rules, which shows that they are whole.
    followed: bool,
    /// How many `if` are open.
    conditions: usize,
}

impl<'a> Configuration<'a> {
    fn line(&mut self, line: Line<'a>) {
        let words: Vec<&'a str> = line.text.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        if self.conditions > 0 && !matches!(words.first(), None | Some(&"endif")) {
            self.doubts.push(line);
        }
        match words[..] {
            [] => {}
            // What goes on in the next line is read as two lines here, of which neither says what the whole does.
            _ if line.text.ends_with('\\') => self.doubts.push(line),
            ["acl", name, kind, ref values @ ..] => self.list(name, kind, values, line),
            ["http_access", ..] => {
                self.access.push(line);
                self.followed = false;
            }
            ["adapted_http_access" | "http_access2", ..] => self.adapted.push(line),
            ["include", ..] => self.doubts.push(line),
            ["if", ..] => {
                self.conditions += 1;
                self.doubts.push(line);
            }
            ["endif"] => self.conditions = self.conditions.saturating_sub(1),
            _ => self.followed |= line.whole,
        }
    }

    fn list(&mut self, name: &'a str, kind: &'a str, values: &[&'a str], line: Line<'a>) {
        let list = self.lists.entry(name).or_default();
        if !list.kind.is_empty() && list.kind != kind {
            list.doubt = Some(format!("access list {} has two types", cited(name)));
        }
        list.kind = kind;
        if !line.whole {
            list.doubt = Some(CUT.to_owned());
        }
        list.values.extend(values.iter().filter(|value| !matches!(**value, "-n" | "--")).map(|value| (*value, true)));
    }

    fn policy(mut self, question: &Question) -> Policy {
        let mut policy = Policy::default();
        for line in &self.doubts {
            add_doubt(&mut policy, "configuration", Some(line.place), &not_understood(*line));
        }
        let (access, adapted) = (std::mem::take(&mut self.access), std::mem::take(&mut self.adapted));
        let mut lists = Lists::of(&self.lists, question);
        let default = self.fallback(&access, question);
        let mut chain = Chain::new("http_access", default);
        chain.rules = access.iter().map(|line| lists.rule(*line)).collect();
        add_hook(&mut policy, "http_access".to_owned(), chain);
        if !adapted.is_empty() {
            let mut chain = Chain::new("adapted_http_access", opposite(&adapted));
            chain.rules = adapted.iter().map(|line| lists.rule(*line)).collect();
            add_hook(&mut policy, "adapted_http_access".to_owned(), chain);
        }
        policy
    }

    fn fallback(&self, access: &[Line<'a>], question: &Question) -> Default {
        match (question.default, opposite(access)) {
            (Some(Assumed::Allow), _) => Default::Accept,
            (Some(Assumed::Deny), _) | (None, Default::Deny) => Default::Deny,
            (None, accept) if self.followed => accept,
            (None, _) => Default::Unknown("the file ends with the rules: whether more follow cannot be seen".into()),
        }
    }
}

/// What follows the last rule: its opposite, and a denial where there are none.
fn opposite(rules: &[Line<'_>]) -> Default {
    let last = rules.last().and_then(|line| line.text.split_whitespace().nth(1));
    if last == Some("deny") { Default::Accept } else { Default::Deny }
}

/// What an access list says of the flow.
#[derive(Clone)]
enum Says {
    Destination(Destination),
    Source(Destination),
    Rest(Applies),
}

struct Lists<'q, 'a> {
    question: &'q Question,
    says: HashMap<&'a str, Says>,
}

impl<'q, 'a> Lists<'q, 'a> {
    fn of(lists: &HashMap<&'a str, List<'a>>, question: &'q Question) -> Self {
        let says = lists.iter().map(|(name, list)| (*name, says(name, list, question))).collect();
        Self { question, says }
    }

    fn rule(&mut self, line: Line<'a>) -> Rule {
        let words: Vec<&'a str> = line.text.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let (permits, names) = match words[..] {
            _ if !line.whole => return Rule::not_understood(line.place, CUT),
            [_, "allow", ref names @ ..] => (true, names),
            [_, "deny", ref names @ ..] => (false, names),
            _ => return Rule::not_understood(line.place, not_understood(line)),
        };
        let (mut destination, mut sources) = (Destination::any(), Destination::any());
        let mut rest = Applies::Yes;
        for name in names {
            let (negated, name) = name.strip_prefix('!').map_or((false, *name), |name| (true, name));
            let of = |set: Destination| if negated { set.complement() } else { set };
            match self.says(name) {
                Says::Destination(set) => destination = destination.intersection(&of(set)),
                Says::Source(set) => sources = sources.intersection(&of(set)),
                Says::Rest(applies) => rest = rest.and(if negated { applies.negated() } else { applies }),
            }
        }
        // The client may reach the proxy by one family and the server by the other.
        let (_, from) = flow::from(self.question, &sources, Destination::any());
        Rule::new(line.place, Match { destination, rest: rest.and(from) }, action(permits))
    }

    /// A list of the file, or one that Squid brings.
    fn says(&self, name: &str) -> Says {
        if let Some(says) = self.says.get(name) {
            return says.clone();
        }
        let these = |prefixes: &[&str]| -> Destination {
            prefixes.iter().filter_map(|prefix| address_or_prefix(prefix)).collect::<AddressSet>().into()
        };
        match name {
            "all" => Says::Rest(Applies::Yes),
            "manager" => Says::Rest(Applies::No),
            "localhost" => Says::Source(these(&["127.0.0.1", "::1"])),
            "to_localhost" => Says::Destination(these(&["127.0.0.0/8", "0.0.0.0", "::1", "::"])),
            "to_linklocal" => Says::Destination(these(&["169.254.0.0/16", "fe80::/10"])),
            "CONNECT" => Says::Rest(method(&["CONNECT"], self.question.port)),
            _ => Says::Rest(Applies::maybe(format!("access list {} is not in the file", cited(name)))),
        }
    }
}

fn says(name: &str, list: &List<'_>, question: &Question) -> Says {
    if let Some(why) = &list.doubt {
        return Says::Rest(Applies::maybe(why.as_str()));
    }
    let values = || list.values.iter().map(|(value, _)| *value);
    match list.kind {
        "dst" => Says::Destination(addresses(values())),
        "src" => Says::Source(addresses(values())),
        "port" => Says::Rest(values().fold(Applies::No, |any, value| {
            any.or(in_range(value, question.port).map_or_else(|| only("port", value), Applies::from))
        })),
        "method" => Says::Rest(method(&values().collect::<Vec<_>>(), question.port)),
        "myport" | "localport" => Says::Rest(only("the proxy's port", name)),
        kind => Says::Rest(only(&format!("what {kind} finds in"), name)),
    }
}

/// A tunnel is asked for with this method; whether another port is asked for in a tunnel is not known.
fn method(methods: &[&str], port: u16) -> Applies {
    let connect = methods.contains(&"CONNECT");
    match port {
        443 => connect.into(),
        _ => only("method", methods.first().copied().unwrap_or_default()),
    }
}

fn addresses<'a>(values: impl Iterator<Item = &'a str>) -> Destination {
    let mut book = Book::new("address", |_| None);
    let members: Vec<Member<'_>> = values.map(member).collect();
    book.any_of(&members)
}

/// `A`, `A/length`, `A/mask`, `A-B`, `A-B/length`, `all`; names and files are not known.
fn member(value: &str) -> Member<'_> {
    if value == "all" {
        return Member::Known(Destination::any());
    }
    let run = |(range, length): (&str, &str)| {
        let (first, last) = range.split_once('-')?;
        let (first, last) =
            (address_or_prefix(&format!("{first}/{length}"))?, address_or_prefix(&format!("{last}/{length}"))?);
        AddressRange::new(first.first(), last.last())
    };
    let range = address_range(value).or_else(|| value.split_once('/').and_then(run));
    range.map_or_else(|| Member::unknown(format!("{} is no address", cited(value))), Member::Range)
}
