//! What a rule set says, whatever it was written in: hooks, chains, rules and what each rule matches.

use std::sync::{Arc, LazyLock};

use super::AddressSet;
use crate::prefix::Family;

/// A whole rule set as it concerns one flow.
///
/// Every hook must accept. One without hooks filters nothing.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Where a packet of the flow is judged; each must accept.
    pub hooks: Vec<Hook>,
    /// All chains; hooks and jumps name them by their index.
    pub chains: Vec<Chain>,
    /// What a reader of the result has to know: what was judged, what was left out.
    pub notes: Vec<String>,
}

/// A place where packets are judged, from the first rule of a chain.
#[derive(Clone, Debug)]
pub struct Hook {
    /// As the platform calls it.
    pub name: String,
    /// The chain that it begins in.
    pub chain: ChainId,
    /// The family of the packets that it judges; both when none is named. Packets of the other pass it.
    pub family: Option<Family>,
    /// Whether it judges replies, or what comes after the first packet: who allows is told of the first.
    pub follows: bool,
}

/// A chain's index in [`Policy::chains`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainId(pub u32);

/// Rules in order: the first that matches decides.
///
/// Platforms where it is not the first, or that have no order, are brought into this form by their readers:
/// [`Chain::of_last_match`] for pf, blocks before permissions for Windows, the order of priorities for Azure and Google.
#[derive(Clone, Debug)]
pub struct Chain {
    /// As the platform calls it.
    pub name: String,
    /// What becomes of what no rule decides, in a chain that a hook begins in; elsewhere it goes back to the caller.
    pub default: Default,
    /// Where that is written.
    pub default_place: Option<Place>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// What becomes of what no rule decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Default {
    /// It passes.
    Accept,
    /// It does not.
    Deny,
    /// It cannot be told, for this reason.
    Unknown(Arc<str>),
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it is written.
    pub place: Place,
    /// Its name or number, where the platform gives rules any.
    pub name: Option<Box<str>>,
    /// Its own text, where that is not the line of its place.
    pub text: Option<Box<str>>,
    /// What it matches.
    pub matches: Match,
    /// What it does with that.
    pub action: Action,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It passes this hook.
    Accept,
    /// It is dropped or rejected.
    Deny,
    /// Another chain judges; what that leaves comes back behind this rule.
    Jump(ChainId),
    /// Another chain judges; what that leaves has also left this chain.
    Goto(ChainId),
    /// It leaves this chain, for the rule behind the jump or the chain's default.
    Return,
    /// Nothing that decides: a counter, a log line.
    Continue,
    /// Not understood: it may do anything. The reason stands in the rule's [`Applies::Maybe`].
    Unknown,
}

/// What a rule matches: destinations, and everything else about the flow that is asked for.
#[derive(Clone, Debug)]
pub struct Match {
    /// The destinations.
    pub destination: Destination,
    /// Whether the rest of the rule fits the flow: protocol, port, interface, source, state, schedule.
    pub rest: Applies,
}

/// Destinations that a rule matches, with negations resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// It matches these for certain.
    pub surely: Arc<AddressSet>,
    /// It may match these besides, for this reason: a host name, a group that is not in the file.
    pub perhaps: Option<(Arc<AddressSet>, Arc<str>)>,
}

/// Whether a rule fits the flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It cannot be told, for this reason.
    Maybe(Arc<str>),
}

/// Where something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Which of the files, from 0.
    pub file: u16,
    /// The line, from 1.
    pub line: u32,
}

impl Policy {
    /// Takes a chain and gives the name that hooks and jumps have for it.
    pub fn add(&mut self, chain: Chain) -> ChainId {
        let id = ChainId(u32::try_from(self.chains.len()).expect("a file has fewer chains than bytes"));
        self.chains.push(chain);
        id
    }

    /// The chain of this index.
    #[must_use]
    pub fn chain(&self, id: ChainId) -> &Chain {
        &self.chains[id.0 as usize]
    }
}

impl Hook {
    /// A hook for packets of both families.
    #[must_use]
    pub fn new(name: impl Into<String>, chain: ChainId) -> Self {
        Self { name: name.into(), chain, family: None, follows: false }
    }
}

impl Chain {
    /// An empty chain.
    #[must_use]
    pub fn new(name: impl Into<String>, default: Default) -> Self {
        Self { name: name.into(), default, default_place: None, rules: Vec::new() }
    }

    /// The order for pf: the last match decides, except that a quick rule ends the search.
    ///
    /// A packet that some quick rule matches is decided by the first of these, whatever stands before it; any other by
    /// its last match. So the quick ones come first, in order, and then the others, last first.
    #[must_use]
    pub fn of_last_match(rules: impl IntoIterator<Item = (Rule, Quick)>) -> Vec<Rule> {
        let (quick, slow): (Vec<_>, Vec<_>) = rules.into_iter().partition(|(_, quick)| *quick == Quick::Yes);
        quick.into_iter().chain(slow.into_iter().rev()).map(|(rule, _)| rule).collect()
    }
}

/// Whether a rule of pf ends the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quick {
    /// It does.
    Yes,
    /// A later one may decide otherwise.
    No,
}

impl Rule {
    /// A rule of the line at this place.
    #[must_use]
    pub fn new(place: Place, matches: Match, action: Action) -> Self {
        Self { place, name: None, text: None, matches, action }
    }

    /// Whether nothing comes to the rules behind it.
    pub(super) fn is_last(&self) -> bool {
        let ends = !matches!(self.action, Action::Jump(_) | Action::Continue | Action::Unknown);
        ends && self.matches.rest == Applies::Yes && self.matches.destination.surely.is_all()
    }

    /// A rule of which it is not known what it does or to what, for this reason.
    #[must_use]
    pub fn not_understood(place: Place, why: impl Into<Arc<str>>) -> Self {
        Self::new(place, Match { destination: Destination::any(), rest: Applies::Maybe(why.into()) }, Action::Unknown)
    }
}

/// Most rules of some kinds match everything: one value for all of them.
static EVERYTHING: LazyLock<Arc<AddressSet>> = LazyLock::new(|| Arc::new(AddressSet::all()));

impl Destination {
    /// Every address.
    #[must_use]
    pub fn any() -> Self {
        Self { surely: Arc::clone(&EVERYTHING), perhaps: None }
    }

    /// Nothing for certain, and perhaps anything.
    #[must_use]
    pub fn unknown(why: impl Into<Arc<str>>) -> Self {
        Self { surely: Arc::default(), perhaps: Some((Arc::new(AddressSet::all()), why.into())) }
    }

    /// All that it may match.
    #[must_use]
    pub fn at_most(&self) -> AddressSet {
        self.perhaps.as_ref().map_or_else(|| (*self.surely).clone(), |(perhaps, _)| self.surely.union(perhaps))
    }

    /// Everything that this does not match.
    #[must_use]
    pub fn complement(&self) -> Self {
        let surely = Arc::new(self.at_most().complement());
        let doubtful = self.perhaps.as_ref();
        let perhaps = doubtful.map(|(perhaps, why)| (Arc::new(perhaps.difference(&self.surely)), Arc::clone(why)));
        Self { surely, perhaps }
    }

    /// What either matches.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let perhaps = match (&self.perhaps, &other.perhaps) {
            (Some((a, why)), Some((b, _))) => Some((Arc::new(a.union(b)), Arc::clone(why))),
            (one, another) => one.clone().or_else(|| another.clone()),
        };
        Self { surely: Arc::new(self.surely.union(&other.surely)), perhaps }
    }

    /// What both match.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let surely = self.surely.intersection(&other.surely);
        let why = self.perhaps.as_ref().or(other.perhaps.as_ref()).map(|(_, why)| why);
        let perhaps = why.map(|why| {
            let common = self.at_most().intersection(&other.at_most()).difference(&surely);
            (Arc::new(common), Arc::clone(why))
        });
        Self { surely: Arc::new(surely), perhaps }
    }
}

impl From<AddressSet> for Destination {
    fn from(set: AddressSet) -> Self {
        Self { surely: Arc::new(set), perhaps: None }
    }
}

impl Applies {
    /// When both do; a reason not to know is the first's.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, other) => other,
            (maybe, _) => maybe,
        }
    }

    /// When either does; a reason not to know is the first's.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, other) => other,
            (maybe, _) => maybe,
        }
    }

    /// When this does not.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            maybe @ Self::Maybe(_) => maybe,
        }
    }

    /// A doubt, for this reason.
    #[must_use]
    pub fn maybe(why: impl Into<Arc<str>>) -> Self {
        Self::Maybe(why.into())
    }
}

impl From<bool> for Applies {
    fn from(does: bool) -> Self {
        if does { Self::Yes } else { Self::No }
    }
}
