//! From tables to hooks: which chains each kind of packet passes, and what they say of it.

use std::cell::RefCell;
use std::collections::HashMap;

use super::conditions::Context;
use super::sets::Lookups;
use super::table::{self, Content};
use super::targets::{Read, Target, doubtful, read};
use crate::audit::packet::{Kind, Packet, reached};
use crate::audit::word::cited;
use crate::audit::{Action, Chain, ChainId, Default, Hook, Policy, Question, Rule, Traffic};
use crate::prefix::Family;

/// The chains that a packet passes, in order.
const FORWARD: &[(&str, &str)] = &[
    ("raw", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("nat", "PREROUTING"),
    ("mangle", "FORWARD"),
    ("filter", "FORWARD"),
    ("security", "FORWARD"),
    ("mangle", "POSTROUTING"),
    ("nat", "POSTROUTING"),
];
const OUTPUT: &[(&str, &str)] = &[
    ("raw", "OUTPUT"),
    ("mangle", "OUTPUT"),
    ("nat", "OUTPUT"),
    ("filter", "OUTPUT"),
    ("security", "OUTPUT"),
    ("mangle", "POSTROUTING"),
    ("nat", "POSTROUTING"),
];
const INPUT: &[(&str, &str)] =
    &[("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("mangle", "INPUT"), ("filter", "INPUT"), ("security", "INPUT")];

pub(super) fn build(content: &Content<'_>, question: &Question) -> Policy {
    let traffic = question.traffic.unwrap_or_else(|| usual_traffic(content));
    let lookups = RefCell::new(Lookups::new(&content.sets));
    let mut policy = Policy::default();
    policy.notes.push(judged(traffic, question));
    for family in [Family::V4, Family::V6] {
        if content.has(family) {
            for (kind, name) in Packet::KINDS {
                let packet = Packet { question, traffic, kind, family: Some(family), tracked: true };
                let reading = Context { packet, lookups: &lookups };
                let (known, waiting) = (HashMap::new(), Vec::new());
                Builder { content, context: reading, family, policy: &mut policy, known, waiting }.hooks(name);
            }
        }
        if !content.has_filter(family) {
            let hook = absent(&mut policy, family);
            policy.hooks.push(hook);
        }
    }
    policy
}

/// A gateway's forward chains decide; a host that forwards nothing has none with a rule.
fn usual_traffic(content: &Content<'_>) -> Traffic {
    let filters =
        |chain: &table::Chain<'_>| chain.name == "FORWARD" && chain.table == "filter" && !chain.rules.is_empty();
    if content.chains.iter().any(filters) { Traffic::Forward } else { Traffic::Output }
}

fn judged(traffic: Traffic, question: &Question) -> String {
    let other = if question.traffic.is_some() { "" } else { " (--hook says otherwise)" };
    match traffic {
        Traffic::Forward => format!("judged: what passes through the host, and the replies to it{other}"),
        Traffic::Output => format!("judged: what the host itself sends, and the replies to it{other}"),
    }
}

/// Files of one program say nothing of the other family, and a table nothing of another.
fn absent(policy: &mut Policy, family: Family) -> Hook {
    let program = if family == Family::V4 { "iptables-save" } else { "ip6tables-save" };
    let why = format!("no table `filter` of {program} is among the files");
    let chain = policy.add(Chain::new(program, Default::Unknown(why.into())));
    Hook { family: Some(family), ..Hook::new(program, chain) }
}

struct Builder<'a, 'b> {
    content: &'a Content<'a>,
    context: Context<'a>,
    family: Family,
    policy: &'b mut Policy,
    /// Chains of the file that are in the policy; the rules of those that wait are still to be read.
    known: HashMap<usize, ChainId>,
    waiting: Vec<(usize, ChainId)>,
}

impl Builder<'_, '_> {
    fn hooks(&mut self, suffix: &str) {
        let passed = match (self.context.is_output(), self.context.packet.kind) {
            (false, _) => FORWARD,
            (true, Kind::Reply) => INPUT,
            (true, Kind::Opening | Kind::Later) => OUTPUT,
        };
        for &(table, name) in passed {
            // Addresses are translated for the first packet of a connection; the others follow it.
            if table == "nat" && self.context.packet.kind != Kind::Opening {
                continue;
            }
            let found = self.content.find((self.family, table, name));
            if let Some(at) = found.filter(|&at| filters(&self.content.chains[at])) {
                let name = format!("{table} {name}{suffix}");
                let follows = self.context.packet.kind != Kind::Opening;
                let hook = Hook { family: Some(self.family), follows, ..Hook::new(name, self.chain(at)) };
                self.policy.hooks.push(hook);
            }
        }
        self.read();
    }

    /// A chain of the file; its rules are read later, so that chains may call each other.
    fn chain(&mut self, at: usize) -> ChainId {
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        let written = &self.content.chains[at];
        let chain = Chain { default_place: written.place, ..Chain::new(written.name, default(written.policy)) };
        let id = self.policy.add(chain);
        self.known.insert(at, id);
        self.waiting.push((at, id));
        id
    }

    fn read(&mut self) {
        while let Some((at, id)) = self.waiting.pop() {
            let written = &self.content.chains[at];
            // The table raw is passed before connections are looked up.
            self.context.packet.tracked = written.table != "raw";
            let kind = self.context.packet.kind;
            let rules = reached(kind, written.rules.iter().map(|line| self.rule(written.table, line)));
            self.policy.chains[id.0 as usize].rules = rules;
        }
    }

    fn rule(&mut self, table: &str, line: &table::Line<'_>) -> Rule {
        let Read { mut matches, target } = read(line, &self.context);
        let action = match target {
            Target::Action(action) => action,
            Target::Chain { name, goto } => match self.content.find((self.family, table, &name)) {
                Some(at) if goto => Action::Goto(self.chain(at)),
                Some(at) => Action::Jump(self.chain(at)),
                None => doubtful(&mut matches, &format!("what {} does is not known", cited(&name))),
            },
        };
        Rule::new(line.place, matches, action)
    }
}

fn filters(chain: &table::Chain<'_>) -> bool {
    !chain.rules.is_empty() || chain.policy != Some("ACCEPT")
}

fn default(policy: Option<&str>) -> Default {
    match policy {
        Some("ACCEPT") => Default::Accept,
        Some(_) => Default::Deny,
        None => Default::Unknown("the policy of the chain is not in the file".into()),
    }
}
