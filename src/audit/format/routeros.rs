//! MikroTik RouterOS: what `/export` writes.
//!
//! The chain `forward` decides, or `output` for the router's own packets, and before it the drops of `raw`. What no rule
//! decides is accepted; as an export has no end mark, that is believed only where the section of the rules is followed by
//! another one.

mod rule;

use std::borrow::Cow;
use std::collections::HashMap;

use super::book::{Book, Member};
use super::lines::{CUT, Line, add_doubt, add_hook_of, lines, not_understood};
use super::words::closing;
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::{address_range, cited};
use crate::audit::{Action, Assumed, Chain, ChainId, Default, Place, Policy, Question, Rule, Side, Traffic};
use crate::prefix::Family;

pub(super) const READER: Reader = Reader { name: "routeros", title: "MikroTik RouterOS: an export", recognise, read };

fn recognise(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        ["/ip firewall ", "/ipv6 firewall "].iter().any(|menu| line.starts_with(menu))
    })
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let joined = joined(files);
    let mut export = Export::default();
    for file in joined.chunk_by(|one, next| one.place.file == next.place.file) {
        let mut menu = "";
        for line in file {
            let line = Line { place: line.place, text: line.text.trim(), whole: line.whole };
            if line.text.is_empty() || line.text.starts_with('#') {
                continue;
            }
            let source = &files[usize::from(line.place.file)];
            let words = words(line.text);
            let words = words.map_err(|at| source.error_at(line.place.line, at, "a quote that does not end"))?;
            menu = export.line(menu, line, &words);
        }
    }
    Ok(policy(&export, question))
}

/// A line with those that it goes on in.
struct Joined<'a> {
    place: Place,
    text: Cow<'a, str>,
    whole: bool,
}

/// A backslash at the end of a line joins the next one, without the spaces that this begins with.
fn joined(files: &[SourceFile]) -> Vec<Joined<'_>> {
    let mut joined: Vec<Joined<'_>> = Vec::new();
    for line in lines(files) {
        match joined.last_mut() {
            Some(last) if last.place.file == line.place.file && last.text.ends_with('\\') => {
                let text = last.text.to_mut();
                text.pop();
                text.push_str(line.text.trim_start());
                last.whole = line.whole;
            }
            _ => joined.push(Joined { place: line.place, text: Cow::Borrowed(line.text), whole: line.whole }),
        }
    }
    // A file that ends where a line is to go on was cut.
    joined.iter_mut().filter(|line| line.text.ends_with('\\')).for_each(|line| line.whole = false);
    joined
}

/// A property of an item: its name and its value.
type Property<'a> = (&'a str, &'a str);

/// A rule of a chain.
struct Item<'a> {
    place: Place,
    table: Table,
    properties: Vec<Property<'a>>,
    doubt: Option<String>,
}

/// Where rules stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Table {
    family: Family,
    raw: bool,
}

#[derive(std::default::Default)]
struct Export<'a> {
    items: Vec<Item<'a>>,
    lists: Vec<(Family, &'a str, Member<'a>)>,
    interfaces: HashMap<&'a str, Vec<&'a str>>,
    /// Tables that another section follows, which shows that they are whole.
    whole: Vec<Table>,
    doubts: Vec<(Place, String)>,
}

impl<'a> Export<'a> {
    fn line(&mut self, menu: &'a str, line: Line<'a>, words: &[&'a str]) -> &'a str {
        if !words[0].starts_with('/') {
            self.item(menu, line, words);
            return menu;
        }
        let verb = words.iter().position(|word| matches!(*word, "add" | "set" | "remove" | "disable" | "enable"));
        let (path, item) = words.split_at(verb.unwrap_or(words.len()));
        let entered = path.last().map_or(menu, |last| {
            let end = last.as_ptr().addr() + last.len() - words[0].as_ptr().addr();
            &line.text[..end]
        });
        if entered != menu {
            self.whole.extend(table(menu));
        }
        if !item.is_empty() {
            self.item(entered, line, item);
        }
        entered
    }

    fn item(&mut self, menu: &'a str, line: Line<'a>, words: &[&'a str]) {
        let doubt = if line.whole { None } else { Some(CUT.to_owned()) };
        let properties = || words[1..].iter().filter_map(|word| word.split_once('=')).map(|(k, v)| (k, unquoted(v)));
        match (menu, words[0]) {
            ("/ip firewall address-list" | "/ipv6 firewall address-list", "add") => {
                self.listed(menu, line, &properties().collect::<Vec<_>>());
            }
            ("/interface list member", "add") => {
                let of = |key| properties().find(|(name, _)| *name == key).map(|(_, value)| value);
                if let Some((list, interface)) = of("list").zip(of("interface")) {
                    self.interfaces.entry(list).or_default().push(interface);
                }
            }
            (_, "add") => {
                let Some(table) = table(menu) else { return };
                // Whatever is no property is something that an export does not have.
                let bare = words[1..].iter().find(|word| !word.contains('='));
                let doubt = doubt.or_else(|| bare.map(|word| format!("{} is not understood", cited(word))));
                self.items.push(Item { place: line.place, table, properties: properties().collect(), doubt });
            }
            _ if table(menu).is_some() || menu.ends_with("firewall address-list") => {
                self.doubts.push((line.place, not_understood(line)));
            }
            _ => {}
        }
    }

    fn listed(&mut self, menu: &str, line: Line<'a>, properties: &[Property<'a>]) {
        let family = if menu.starts_with("/ipv6") { Family::V6 } else { Family::V4 };
        let of = |key| properties.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let Some(list) = of("list") else {
            self.doubts.push((line.place, not_understood(line)));
            return;
        };
        if of("disabled") == Some("yes") {
            return;
        }
        let range = of("address").filter(|_| line.whole).and_then(address_range);
        self.lists.push((family, list, range.map_or_else(|| Member::unknown(not_understood(line)), Member::Range)));
    }
}

/// The rules that stand in a menu.
fn table(menu: &str) -> Option<Table> {
    let (family, table) = match menu {
        "/ip firewall filter" => (Family::V4, false),
        "/ip firewall raw" => (Family::V4, true),
        "/ipv6 firewall filter" => (Family::V6, false),
        "/ipv6 firewall raw" => (Family::V6, true),
        _ => return None,
    };
    Some(Table { family, raw: table })
}

/// Words, with what stands in quotes behind an equals sign; the column of a quote that never ends is the error.
fn words(text: &str) -> Result<Vec<&str>, usize> {
    let (bytes, mut words) = (text.as_bytes(), Vec::new());
    let (mut start, mut at) = (None, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                start.get_or_insert(at);
                at += closing(&bytes[at..]).ok_or(at + 1)?;
            }
            byte if byte.is_ascii_whitespace() => words.extend(start.take().map(|start| &text[start..at])),
            _ => _ = start.get_or_insert(at),
        }
        at += 1;
    }
    words.extend(start.map(|start| &text[start..]));
    Ok(words)
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

fn policy(export: &Export<'_>, question: &Question) -> Policy {
    let mut policy = Policy::default();
    for (place, why) in &export.doubts {
        add_doubt(&mut policy, "export", Some(*place), why);
    }
    for family in [Family::V4, Family::V6] {
        for raw in [true, false] {
            Tables { export, question, table: Table { family, raw } }.add(&mut policy);
        }
    }
    policy
}

struct Tables<'e, 'a> {
    export: &'e Export<'a>,
    question: &'e Question,
    table: Table,
}

impl<'a> Tables<'_, 'a> {
    fn add(&self, policy: &mut Policy) {
        let items: Vec<&Item<'a>> = self.export.items.iter().filter(|item| item.table == self.table).collect();
        if self.table.raw && items.is_empty() {
            return;
        }
        let begin = match (self.table.raw, self.question.traffic) {
            (_, Some(Traffic::Output)) => "output",
            (true, _) => "prerouting",
            (false, _) => "forward",
        };
        let mut lists = self.lists();
        let mut chains: HashMap<&'a str, ChainId> = HashMap::new();
        for item in &items {
            for name in [item.of("chain"), item.of("jump-target")].into_iter().flatten() {
                let new = || policy.add(Chain::new(self.named(name), Default::Deny));
                chains.entry(name).or_insert_with(new);
            }
        }
        for item in &items {
            let Some(&chain) = item.of("chain").and_then(|name| chains.get(name)) else {
                add_doubt(policy, "export", Some(item.place), "a rule without a chain");
                continue;
            };
            let rule = self.rule(item, &mut lists, &chains);
            policy.chains[chain.0 as usize].rules.extend(rule);
        }
        let name = self.named(begin);
        let mut chain = Chain::new(name.clone(), self.default(items.is_empty()));
        if let Some(&begun) = chains.get(begin) {
            chain.rules.append(&mut policy.chains[begun.0 as usize].rules);
        }
        add_hook_of(policy, self.table.family, name, chain);
    }

    fn named(&self, chain: &str) -> String {
        let menu = if self.table.family == Family::V4 { "ip" } else { "ipv6" };
        format!("{menu} {} {chain}", if self.table.raw { "raw" } else { "filter" })
    }

    fn default(&self, empty: bool) -> Default {
        match self.question.default {
            Some(Assumed::Allow) => return Default::Accept,
            Some(Assumed::Deny) => return Default::Deny,
            None => {}
        }
        if self.export.whole.contains(&self.table) {
            return Default::Accept;
        }
        let menu = if self.table.family == Family::V4 { "/ip firewall" } else { "/ipv6 firewall" };
        Default::Unknown(if empty {
            format!("the export has no rules of {menu} filter").into()
        } else {
            format!("the export ends with the rules of {menu}: whether more follow cannot be seen").into()
        })
    }

    fn lists(&self) -> Book<'a> {
        let mut book = Book::new("address list", |_| None);
        for (_, name, member) in self.export.lists.iter().filter(|(family, ..)| *family == self.table.family) {
            book.add(name, member.clone());
        }
        book
    }

    fn rule(&self, item: &Item<'a>, lists: &mut Book<'a>, chains: &HashMap<&'a str, ChainId>) -> Option<Rule> {
        if item.of("disabled") == Some("yes") {
            return None;
        }
        let name = item.of("comment").map(Into::into);
        let doubt = |why: String| Some(Rule { name: name.clone(), ..Rule::not_understood(item.place, why) });
        if let Some(why) = &item.doubt {
            return doubt(why.clone());
        }
        let action = match item.of("action").unwrap_or("accept") {
            "accept" | "fasttrack-connection" => Action::Accept,
            "drop" | "reject" | "tarpit" => Action::Deny,
            "log" | "passthrough" | "notrack" | "add-dst-to-address-list" | "add-src-to-address-list" => {
                Action::Continue
            }
            "return" => Action::Return,
            "jump" => match item.of("jump-target").and_then(|target| chains.get(target)) {
                Some(&target) => Action::Jump(target),
                None => return doubt("where it jumps to is not known".to_owned()),
            },
            other => return doubt(format!("what {} does is not known", cited(other))),
        };
        let matches = self.matches(item, lists);
        Some(Rule { name, ..Rule::new(item.place, matches, action) })
    }

    /// The interfaces of a list, or the interface itself, on a side.
    fn on(&self, at: Side, name: &'a str) -> crate::audit::Applies {
        use super::flow::on;
        let by_name = on(self.question, at, name);
        let crate::audit::Applies::Maybe(why) = by_name else { return by_name };
        let members = self.export.interfaces.get(name);
        let sides = members.into_iter().flatten().map(|member| on(self.question, at, member));
        let any = sides.fold(crate::audit::Applies::No, crate::audit::Applies::or);
        if any == crate::audit::Applies::Yes { any } else { crate::audit::Applies::Maybe(why) }
    }
}

impl<'a> Item<'a> {
    fn of(&self, key: &str) -> Option<&'a str> {
        self.properties.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}
