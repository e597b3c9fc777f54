//! What every name in a report means, what it rests on, and what to do about it: `data/failures.toml`, read once.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::diagnose::Owner;

const EMBEDDED: &str = include_str!("../data/failures.toml");

/// What is said of one name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name in JSON and labels; a failure, a mechanism and a diagnosis may share one.
    pub id: String,
    /// What the name is one of.
    pub kind: Kind,
    /// What it is, in one line.
    pub title: String,
    /// What follows from it, and what does not.
    pub meaning: String,
    /// What must have been seen before it is said.
    pub evidence: String,
    /// The usual causes, the commonest first.
    pub causes: Vec<String>,
    /// What to change.
    pub fix: String,
    /// Whose job that usually is; none where it depends.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// Commands and lines of configuration that bring it about in a lab.
    pub reproduce: Vec<String>,
    /// The public document that the meaning is from; a provider's code has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Related names.
    #[serde(default)]
    pub see: Vec<String>,
}

/// What a name is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A code with which a provider of messages refuses one.
    Provider,
    /// The outcome of one operation on one address.
    Failure,
    /// The way in which a range or an endpoint is blocked.
    Mechanism,
    /// A cause behind many of them.
    Diagnosis,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entries {
    entry: Vec<Entry>,
}

/// Everything, in the order in which it is documented.
pub fn entries() -> &'static [Entry] {
    static PARSED: OnceLock<Vec<Entry>> = OnceLock::new();
    PARSED.get_or_init(|| toml::from_str::<Entries>(EMBEDDED).expect("the embedded entries are sound").entry)
}

/// What is said of a name, by kind: diagnoses before mechanisms before failures.
#[must_use]
pub fn explain(id: &str) -> Vec<&'static Entry> {
    let mut found: Vec<&Entry> = entries().iter().filter(|entry| entry.id == id).collect();
    found.sort_by_key(|entry| std::cmp::Reverse(entry.kind));
    found
}

/// The name that was probably meant; none where all are far off.
#[must_use]
pub fn nearest(asked: &str) -> Option<&'static str> {
    // Longer texts are no misspelt names, and the distance takes time with the product of both lengths.
    let asked: String = asked.to_lowercase().chars().take(40).collect();
    let off = |id: &str| {
        let contains = asked.len() > 2 && id.contains(&asked);
        if contains { 0 } else { distance(id, &asked) }
    };
    let (id, off) = entries().iter().map(|entry| (entry.id.as_str(), off(&entry.id))).min_by_key(|(_, off)| *off)?;
    (off <= asked.len().div_ceil(3)).then_some(id)
}

/// How many letters have to be put in, taken out or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, against) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(letter != against);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

impl Kind {
    /// All of them, the most telling last: from a provider's code and the single observation to the cause.
    pub const ALL: [Self; 4] = [Self::Provider, Self::Failure, Self::Mechanism, Self::Diagnosis];

    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Mechanism => "mechanism",
            Self::Diagnosis => "diagnosis",
            Self::Provider => "provider",
        }
    }

    /// Several of them.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Failure => "failures",
            Self::Mechanism => "mechanisms",
            Self::Diagnosis => "diagnoses",
            Self::Provider => "provider codes",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnose::Cause;
    use crate::observe::Failure;
    use crate::scenario::Scenario;
    use crate::verdict::Mechanism;

    fn documented(kind: Kind) -> BTreeSet<&'static str> {
        let of_kind = entries().iter().filter(|entry| entry.kind == kind);
        let ids: Vec<&str> = of_kind.map(|entry| entry.id.as_str()).collect();
        let set: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(set.len(), ids.len(), "one of the {} stands twice", kind.plural());
        set
    }

    #[test]
    fn each_name_of_the_code_is_documented_and_nothing_else() {
        assert_eq!(documented(Kind::Failure), BTreeSet::from(Failure::NAMES));
        assert_eq!(documented(Kind::Mechanism), Mechanism::ALL.map(Mechanism::name).into());
        assert_eq!(documented(Kind::Diagnosis), Cause::ALL.map(Cause::name).into());
    }

    #[test]
    fn every_entry_says_all_of_it() {
        for entry in entries() {
            let texts = [&entry.meaning, &entry.evidence, &entry.fix];
            let whole = texts.iter().all(|text| text.ends_with('.') && text.starts_with(|c: char| !c.is_lowercase()));
            assert!(whole, "{}: meaning, evidence and fix are sentences", entry.id);
            let line = !entry.title.ends_with('.') && (10..=70).contains(&entry.title.len());
            assert!(line, "{}: the title is one short line", entry.id);
            assert!(!entry.causes.is_empty() && !entry.reproduce.is_empty(), "{}", entry.id);
            assert!(entry.owner.is_some() || entry.id == "unknown", "{}: who?", entry.id);
            assert!(entry.title.chars().all(|c| !"|<>".contains(c)), "{}: the title stands in tables", entry.id);
        }
    }

    #[test]
    fn a_providers_code_has_a_source_and_nothing_else_has() {
        for entry in entries() {
            assert_eq!(entry.source.is_some(), entry.kind == Kind::Provider, "{}", entry.id);
        }
        assert!(documented(Kind::Provider).len() > 15);
    }

    #[test]
    fn related_names_exist_and_are_others() {
        for entry in entries() {
            let known = |id: &String| *id != entry.id && !explain(id).is_empty();
            assert!(entry.see.iter().all(known), "{}: {:?}", entry.id, entry.see);
        }
    }

    #[test]
    fn scenarios_that_are_named_exist() {
        let named =
            entries().iter().flat_map(|entry| &entry.reproduce).filter_map(|line| line.split("--scenario ").nth(1));
        let named: BTreeSet<&str> = named.collect();
        let known: BTreeSet<&str> = Scenario::names().collect();
        assert!(named.len() > 8 && named.is_subset(&known), "{named:?}");
    }

    #[test]
    fn a_shared_name_is_explained_for_each_kind() {
        let kinds = |id| explain(id).iter().map(|entry| entry.kind).collect::<Vec<_>>();
        assert_eq!(kinds("block_page"), [Kind::Diagnosis, Kind::Mechanism, Kind::Failure]);
        assert_eq!(kinds("no_answer"), [Kind::Failure]);
        assert!(kinds("nothing_of_the_kind").is_empty());
    }

    #[test]
    fn what_was_meant_is_found() {
        for (asked, due) in [
            ("tls_intercept", Some("tls_intercepted")),
            ("range-droped", Some("range_dropped")),
            ("STALE_ALLOWLIST", Some("stale_allowlist")),
            ("mtu", Some("mtu_black_hole")),
            ("uplink", Some("own_uplink_down")),
            ("rset", Some("reset")),
            ("zzzzzzzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(asked), due, "{asked}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20)), None);
    }

    #[test]
    fn the_distance_counts_letters() {
        for (one, other, due) in [("", "", 0), ("", "ab", 2), ("reset", "rset", 1), ("kitten", "sitting", 3)] {
            assert_eq!((distance(one, other), distance(other, one)), (due, due), "{one} {other}");
        }
    }
}
