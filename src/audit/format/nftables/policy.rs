//! From tables to hooks: which base chains each kind of packet passes, and what they say of it.

use std::collections::HashMap;

use super::document::{self, Base, Document};
use super::statements::{Part, read};
use super::values::Scope;
use crate::audit::packet::{Kind, Packet, reached};
use crate::audit::{Chain, ChainId, Default, Hook, Match, Place, Policy, Question, Rule, Traffic};
use crate::prefix::Family;

pub(super) fn build(document: &Document, question: &Question) -> Policy {
    let traffic = question.traffic.unwrap_or_else(|| usual_traffic(document));
    let mut policy = Policy::default();
    for (kind, suffix) in Packet::KINDS {
        for tracked in [false, true] {
            let packet = Packet { question, traffic, kind, family: None, tracked };
            let (known, waiting) = (HashMap::new(), Vec::new());
            Builder { document, packet, policy: &mut policy, known, waiting }.hooks(suffix);
        }
    }
    policy.notes.push(judged(traffic, question));
    policy.notes.extend(not_judged(document));
    if policy.hooks.is_empty() {
        policy.notes.push("no chain filters that traffic: the kernel lets everything pass".to_owned());
    }
    policy
}

/// A gateway's forward chains decide; a host that forwards nothing has none with a rule.
fn usual_traffic(document: &Document) -> Traffic {
    let filters = |chain: &document::Chain| {
        let base = chain.base.as_ref().filter(|base| base.hook == "forward" && base.kind == "filter");
        base.is_some_and(|base| base.drops || !chain.rules.is_empty())
    };
    if document.chains.iter().any(filters) { Traffic::Forward } else { Traffic::Output }
}

fn judged(traffic: Traffic, question: &Question) -> String {
    let other = if question.traffic.is_some() { "" } else { " (--hook says otherwise)" };
    match traffic {
        Traffic::Forward => format!("judged: what passes through the host, and the replies to it{other}"),
        Traffic::Output => format!("judged: what the host itself sends, and the replies to it{other}"),
    }
}

fn not_judged(document: &Document) -> Option<String> {
    let bridge = document.chains.iter().any(|chain| chain.table.0 == "bridge" && chain.base.is_some());
    bridge.then(|| "tables of the family bridge are not judged: they filter frames, not what is routed".to_owned())
}

struct Builder<'a, 'b> {
    document: &'a Document,
    packet: Packet<'a>,
    policy: &'b mut Policy,
    /// Chains of the file that are in the policy; the rules of those that wait are still to be read.
    known: HashMap<usize, ChainId>,
    waiting: Vec<(usize, ChainId)>,
}

impl Builder<'_, '_> {
    fn hooks(&mut self, suffix: &str) {
        for (at, chain) in self.document.chains.iter().enumerate() {
            let Some(base) = chain.base.as_ref().filter(|base| self.passes(chain, base)) else { continue };
            let family = match chain.table.0.as_str() {
                "ip" => Some(Family::V4),
                "ip6" => Some(Family::V6),
                _ => None,
            };
            let name = format!("{} {} {}{suffix}", chain.table.0, chain.table.1, chain.name);
            let id = if chain.table.0 == "netdev" { self.opaque(chain, base) } else { self.chain(at) };
            let follows = self.packet.kind != Kind::Opening;
            self.policy.hooks.push(Hook { family, follows, ..Hook::new(name, id) });
        }
        self.read();
    }

    /// Whether packets of this kind pass the base chain, and it does anything.
    fn passes(&self, chain: &document::Chain, base: &Base) -> bool {
        let routed = ["ip", "ip6", "inet", "netdev"].contains(&chain.table.0.as_str());
        let hooks: &[&str] = match (self.packet.traffic, self.packet.kind) {
            (Traffic::Forward, _) => &["ingress", "prerouting", "forward", "postrouting", "egress"],
            (Traffic::Output, Kind::Reply) => &["ingress", "prerouting", "input"],
            (Traffic::Output, Kind::Opening | Kind::Later) => &["output", "postrouting", "egress"],
        };
        // Addresses are translated for the first packet of a connection; the others follow it.
        let translated = base.kind == "nat" && self.packet.kind != Kind::Opening;
        routed
            && hooks.contains(&base.hook.as_str())
            && !translated
            && base.tracked == self.packet.tracked
            && (base.drops || !chain.rules.is_empty())
    }

    /// A chain at one device, of which it is not known whether the packets pass it.
    fn opaque(&mut self, chain: &document::Chain, base: &Base) -> ChainId {
        let why = format!("it is not known whether packets pass the {} of that device", base.hook);
        let rule = Rule::not_understood(Place { file: 0, line: 0 }, why);
        self.policy.add(Chain { rules: vec![rule], ..Chain::new(chain.name.clone(), Default::Accept) })
    }

    /// A chain of the file; its rules are read later, so that chains may call each other.
    fn chain(&mut self, at: usize) -> ChainId {
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        let written = &self.document.chains[at];
        let drops = written.base.as_ref().is_some_and(|base| base.drops);
        let name = format!("{} {} {}", written.table.0, written.table.1, written.name);
        let id = self.policy.add(Chain::new(name, if drops { Default::Deny } else { Default::Accept }));
        self.known.insert(at, id);
        self.waiting.push((at, id));
        id
    }

    fn read(&mut self) {
        while let Some((at, id)) = self.waiting.pop() {
            let document = self.document;
            let chain = &document.chains[at];
            let rules = reached(self.packet.kind, chain.rules.iter().flat_map(|rule| self.rules(chain, rule)));
            self.policy.chains[id.0 as usize].rules = rules;
        }
    }

    fn rules(&mut self, chain: &document::Chain, rule: &document::Rule) -> Vec<Rule> {
        let scope = Scope { document: self.document, table: &chain.table, packet: self.packet };
        let mut find = |name: &str| self.document.find(&chain.table, name).map(|at| self.chain(at));
        let parts = read(scope, &rule.statements, &mut find);
        parts.into_iter().map(|Part { matches, action }| named(rule, matches, action)).collect()
    }
}

fn named(rule: &document::Rule, matches: Match, action: crate::audit::Action) -> Rule {
    Rule {
        name: rule.handle.map(|handle| format!("handle {handle}").into()),
        text: Some(serde_json::to_string(&rule.statements).expect("JSON").into()),
        ..Rule::new(Place { file: 0, line: 0 }, matches, action)
    }
}
