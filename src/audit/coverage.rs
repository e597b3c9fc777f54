//! What a rule set allows of what is required, by which rule, and what it does not.

mod age;
mod shares;

use std::sync::Arc;

use super::evaluate::{Denials, Outcome, evaluate};
use super::{AddressSet, Exhausted, Hook, Place, Policy, SourceFile};
use crate::exit::ExitStatus;
use crate::prefix::Prefix;
use crate::ranges::{FeedSnapshot, Range, Role};
use crate::text::printable;

pub use age::Age;

/// What a rule set is held against.
#[derive(Clone, Debug)]
pub struct Required<'a> {
    /// The list in force.
    pub feed: &'a FeedSnapshot,
    /// Older lists that are at hand, to recognise old rules.
    pub held: &'a [FeedSnapshot],
    /// Those of its ranges that are required.
    pub ranges: Vec<&'a Range>,
}

/// What a rule set comes to.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// What is required.
    pub required: AddressSet,
    /// What of it passes for certain.
    pub allowed: AddressSet,
    /// What of it is stopped for certain.
    pub missing: AddressSet,
    /// What of it cannot be told.
    pub unknown: AddressSet,
    /// What passes for certain and is not on the list.
    pub beyond: AddressSet,
    /// What may pass, known or not, and is on an older list but not on the one in force.
    pub stale: AddressSet,
    /// By which rule each allowed part passes.
    pub by_rule: Vec<Share>,
    /// By which rule each missing part is stopped, and which later rule would have allowed it.
    pub missing_by: Vec<Share>,
    /// For which reason each unknown part is unknown.
    pub unknown_by: Vec<Share>,
    /// The list that the rules were made from.
    pub age: Option<Age>,
    /// Whether the rules allow the ranges that talk to origins, and none that serves viewers.
    pub origin_facing_instead: bool,
    /// What a reader has to know of how the rules were read.
    pub notes: Vec<String>,
}

/// A part of what is required, and the rule that decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The hook.
    pub hook: String,
    /// The rule that decides, or its default.
    pub rule: RuleName,
    /// A later rule that would have allowed it.
    pub allowed_later: Option<RuleName>,
    /// Why it cannot be told.
    pub reason: Option<Arc<str>>,
    /// Which part.
    pub part: AddressSet,
}

/// A rule as a person finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleName {
    /// The chain.
    pub chain: String,
    /// Its number or name, where the platform gives rules any.
    pub name: Option<String>,
    /// The file and the line, from 1; a default need not be written anywhere.
    pub written: Option<(String, u32)>,
    /// What it says, made harmless; none for a default.
    pub text: Option<String>,
}

/// The answer in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Everything that is required passes.
    Covers,
    /// Something is stopped.
    Misses,
    /// Something cannot be told, and nothing is stopped for certain.
    Undetermined,
}

/// Holds a rule set against what is required.
///
/// # Errors
/// When the rules cannot be followed to their end.
pub fn audit(policy: &Policy, files: &[SourceFile], required: &Required<'_>) -> Result<Coverage, Exhausted> {
    let judged: Vec<Judged<'_>> =
        policy.hooks.iter().map(|hook| Judged::new(policy, hook)).collect::<Result<_, _>>()?;
    let passing = Passing::of(&judged);
    let wanted: AddressSet = required.ranges.iter().map(|range| range.prefix).collect();
    let allowed = wanted.intersection(&passing.surely);
    let missing = wanted.difference(&passing.perhaps);
    let unknown = wanted.difference(&allowed).difference(&missing);
    let names = shares::Names::new(policy, files);
    Ok(Coverage {
        by_rule: shares::allowed(&judged, &names, &allowed),
        missing_by: shares::missing(&judged, &names, &missing)?,
        unknown_by: shares::unknown(&judged, &names, &unknown),
        beyond: passing.surely.difference(&required.feed.addresses().prefixes().into_iter().collect()),
        stale: age::stale(required, &passing),
        age: Age::of(required, &allowed, &missing),
        origin_facing_instead: origin_facing_instead(required, &passing),
        notes: policy.notes.clone(),
        required: wanted,
        allowed,
        missing,
        unknown,
    })
}

/// What a hook makes of every address.
struct Judged<'a> {
    hook: &'a Hook,
    outcome: Outcome,
}

impl<'a> Judged<'a> {
    fn new(policy: &Policy, hook: &'a Hook) -> Result<Self, Exhausted> {
        let concerned = hook.family.map_or_else(AddressSet::all, AddressSet::family);
        Ok(Self { hook, outcome: evaluate(policy, hook, &concerned, Denials::Count)? })
    }

    /// What may pass.
    fn perhaps(&self) -> AddressSet {
        let unconcerned =
            self.hook.family.map_or_else(AddressSet::none, |family| AddressSet::family(family).complement());
        self.outcome.accepted.addresses().union(&unconcerned)
    }
}

/// What passes all hooks.
struct Passing {
    surely: AddressSet,
    perhaps: AddressSet,
}

impl Passing {
    fn of(judged: &[Judged<'_>]) -> Self {
        let mut passing = Self { surely: AddressSet::all(), perhaps: AddressSet::all() };
        for hook in judged {
            let perhaps = hook.perhaps();
            let surely = perhaps.difference(&hook.outcome.denied.addresses());
            passing.surely = passing.surely.intersection(&surely);
            passing.perhaps = passing.perhaps.intersection(&perhaps);
        }
        passing
    }
}

/// The list for rules of origins, which AWS offers as a prefix list, is often taken for the one that viewers need.
fn origin_facing_instead(required: &Required<'_>, passing: &Passing) -> bool {
    let of =
        |role| -> AddressSet { required.feed.ranges.iter().filter(|r| r.role == role).map(|r| r.prefix).collect() };
    let (viewers, origins) = (of(Role::Viewer), AddressSet::from(&required.feed.origin_facing));
    let origin_alone = viewers.difference(&origins);
    !origins.is_empty() && passing.surely.covers(&origins) && passing.perhaps.intersection(&origin_alone).is_empty()
}

impl Coverage {
    /// The answer in a word.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match (self.missing.is_empty(), self.unknown.is_empty()) {
            (false, _) => Answer::Misses,
            (true, false) => Answer::Undetermined,
            (true, true) => Answer::Covers,
        }
    }

    /// The process status that says the same.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        match self.answer() {
            Answer::Covers => ExitStatus::Reachable,
            Answer::Misses => ExitStatus::NotReachable,
            Answer::Undetermined => ExitStatus::Inconclusive,
        }
    }
}

impl Answer {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Covers => "covers",
            Self::Misses => "misses",
            Self::Undetermined => "undetermined",
        }
    }
}

impl RuleName {
    /// In few words: where it is, or what it is called.
    #[must_use]
    pub fn short(&self) -> String {
        let place = self.written.as_ref().map(|(file, line)| format!("{}:{line}", printable(file, 64)));
        match (place, &self.name, &self.text) {
            (Some(place), _, None) => format!("the default of {}, {place}", self.chain),
            (Some(place), ..) => place,
            (None, Some(name), _) => format!("{} {name}", self.chain),
            (None, None, Some(_)) => format!("a rule in {}", self.chain),
            (None, None, None) => format!("the default of {}", self.chain),
        }
    }
}

/// A place in words: the file's name and the line.
fn written(files: &[SourceFile], place: Place) -> Option<(String, u32)> {
    (place.line > 0).then(|| files.get(usize::from(place.file)).map(|file| (file.name.clone(), place.line))).flatten()
}

/// The required ranges of which some part lies in the set.
#[must_use]
pub(super) fn touched<'a>(ranges: &[&'a Range], set: &AddressSet) -> Vec<&'a Range> {
    let touches = |prefix: Prefix| !AddressSet::from(prefix).intersection(set).is_empty();
    ranges.iter().copied().filter(|range| touches(range.prefix)).collect()
}

#[cfg(test)]
mod tests;
