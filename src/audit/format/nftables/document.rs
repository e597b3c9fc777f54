//! From JSON to tables, sets and chains; what a rule says is read later, once for each kind of packet.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::audit::{ParseError, SourceFile};

/// Everything in the documents.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) chains: Vec<Chain>,
    /// Sets and maps by their tables and names.
    sets: BTreeMap<TableName, BTreeMap<String, Set>>,
    /// The chains of a table by their names.
    index: BTreeMap<TableName, BTreeMap<String, usize>>,
}

/// Family and name of a table.
pub(super) type TableName = (String, String);

/// A chain as it is written.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) table: TableName,
    pub(super) name: String,
    /// Where it is called from, if not from rules.
    pub(super) base: Option<Base>,
    pub(super) rules: Vec<Rule>,
}

/// What makes a chain a base chain.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// `filter`, `nat`, `route`
    pub(super) kind: String,
    pub(super) hook: String,
    pub(super) drops: bool,
    /// Whether connections are looked up before it is passed: they are at priority -200.
    pub(super) tracked: bool,
}

/// A rule as it is written.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) handle: Option<u64>,
    pub(super) statements: Vec<Value>,
}

/// A set or a map.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) elements: Vec<Value>,
    /// Rules add to it, so that what is in it now says little.
    pub(super) is_dynamic: bool,
}

#[derive(Deserialize)]
struct File {
    nftables: Vec<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct ChainEntry {
    family: String,
    table: String,
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    hook: Option<String>,
    prio: Option<i64>,
    policy: Option<String>,
}

/// The priority at which connections are looked up (`NF_IP_PRI_CONNTRACK`).
const CONNTRACK: i64 = -200;

#[derive(Deserialize)]
struct RuleEntry {
    family: String,
    table: String,
    chain: String,
    handle: Option<u64>,
    #[serde(default)]
    expr: Vec<Value>,
}

#[derive(Deserialize)]
struct SetEntry {
    family: String,
    table: String,
    name: String,
    #[serde(default)]
    elem: Option<Value>,
    #[serde(default)]
    flags: Option<Value>,
    timeout: Option<Value>,
}

/// What the ruleset consists of besides chains, rules and sets.
const OTHERS: &[&str] = &[
    "metainfo",
    "table",
    "counter",
    "quota",
    "limit",
    "ct helper",
    "ct timeout",
    "ct expectation",
    "flowtable",
    "secmark",
    "synproxy",
    "tunnel",
];

pub(super) fn read(files: &[SourceFile]) -> Result<Document, ParseError> {
    let mut document = Document::default();
    for file in files {
        let at = |error: &serde_json::Error| {
            let line = u32::try_from(error.line().max(1)).unwrap_or(u32::MAX);
            file.error_at(line, error.column().max(1), format!("not what `nft -j list ruleset` writes: {error}"))
        };
        let content: File = serde_json::from_str(&file.text).map_err(|error| at(&error))?;
        for (name, value) in content.nftables.into_iter().flatten() {
            document.take(&name, value).map_err(|problem| file.error_at(1, 1, problem))?;
        }
    }
    Ok(document)
}

impl Document {
    fn take(&mut self, name: &str, value: Value) -> Result<(), String> {
        let wrong = |error| format!("an entry `{name}` is not whole: {error}");
        match name {
            "chain" => self.chain(serde_json::from_value(value).map_err(wrong)?),
            "rule" => self.rule(serde_json::from_value(value).map_err(wrong)?)?,
            "set" | "map" => self.set(serde_json::from_value(value).map_err(wrong)?),
            // Newer versions list elements by themselves.
            "element" => self.elements(serde_json::from_value(value).map_err(wrong)?),
            name if OTHERS.contains(&name) => {}
            other => return Err(format!("an entry `{}` is not known", crate::text::printable(other, 64))),
        }
        Ok(())
    }

    fn chain(&mut self, entry: ChainEntry) {
        let table = (entry.family, entry.table);
        let base = entry.hook.map(|hook| Base {
            kind: entry.kind.unwrap_or_default(),
            tracked: !["prerouting", "output", "ingress"].contains(&hook.as_str())
                || entry.prio.is_none_or(|priority| priority > CONNTRACK),
            hook,
            drops: entry.policy.is_some_and(|policy| policy != "accept"),
        });
        let index = self.index.entry(table.clone()).or_default();
        index.insert(entry.name.clone(), self.chains.len());
        self.chains.push(Chain { table, name: entry.name, base, rules: Vec::new() });
    }

    fn rule(&mut self, entry: RuleEntry) -> Result<(), String> {
        let table = (entry.family, entry.table);
        let at = self.find(&table, &entry.chain);
        let at = at.ok_or_else(|| {
            format!("a rule is for the chain {}, which is not there", crate::audit::word::cited(&entry.chain))
        })?;
        for statement in &entry.expr {
            // A rule that adds to a set while packets pass.
            let target = statement.get("set").or_else(|| statement.get("map")).and_then(|set| set.get("set"));
            if let Some(name) = target.and_then(Value::as_str) {
                let name = name.trim_start_matches('@').to_owned();
                self.sets.entry(table.clone()).or_default().entry(name).or_default().is_dynamic = true;
            }
        }
        self.chains[at].rules.push(Rule { handle: entry.handle, statements: entry.expr });
        Ok(())
    }

    fn set(&mut self, entry: SetEntry) {
        let has = |flag: &str| match &entry.flags {
            Some(Value::Array(flags)) => flags.iter().any(|one| one == flag),
            Some(one) => one == flag,
            None => false,
        };
        let set = self.sets.entry((entry.family, entry.table)).or_default().entry(entry.name).or_default();
        // One with a lifetime and without elements is filled by rules or from outside.
        let elements = list(entry.elem);
        set.is_dynamic |= has("dynamic") || entry.timeout.is_some() && elements.is_empty();
        set.elements.extend(elements);
    }

    fn elements(&mut self, entry: SetEntry) {
        let set = self.sets.entry((entry.family, entry.table)).or_default().entry(entry.name).or_default();
        set.elements.extend(list(entry.elem));
    }

    /// The index of a chain.
    pub(super) fn find(&self, table: &TableName, name: &str) -> Option<usize> {
        self.index.get(table)?.get(name).copied()
    }

    /// The set or map of this name.
    pub(super) fn find_set(&self, table: &TableName, name: &str) -> Option<&Set> {
        self.sets.get(table)?.get(name)
    }
}

fn list(elements: Option<Value>) -> Vec<Value> {
    match elements {
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
        None => Vec::new(),
    }
}
