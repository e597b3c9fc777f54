//! What is asked of a rule set: which flow must pass, and what the rule set cannot say of itself.

use std::collections::BTreeMap;
use std::fmt;

use super::{AddressSet, Applies, Destination};
use crate::prefix::Family;

/// The flow that must pass: TCP to a port of the listed addresses, opened from the inside.
#[derive(Clone, Debug)]
pub struct Question {
    /// The destination port.
    pub port: u16,
    /// What becomes of what a rule set without a word on it does not mention.
    pub default: Option<Assumed>,
    /// Which packets of a host are meant, where its rules tell them apart.
    pub traffic: Option<Traffic>,
    /// Where the clients are, where rules tell sources apart.
    pub sources: Option<AddressSet>,
    /// On which side an interface or a zone lies, by its name.
    pub sides: BTreeMap<String, Side>,
}

/// What is assumed where the rule set does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumed {
    /// What is not mentioned passes.
    Allow,
    /// What is not mentioned does not.
    Deny,
}

/// Whose packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Those that pass through.
    Forward,
    /// The machine's own.
    Output,
}

/// A side of the firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where the clients are.
    Inside,
    /// Where the addresses are.
    Outside,
}

impl std::default::Default for Question {
    fn default() -> Self {
        Self { port: 443, default: None, traffic: None, sources: None, sides: BTreeMap::new() }
    }
}

impl Question {
    /// Whether a rule that holds for this interface or zone on that side of the flow applies.
    ///
    /// A name that nobody assigned to a side is a doubt, except where others are assigned to it.
    #[must_use]
    pub fn on(&self, side: Side, name: &str) -> Applies {
        match self.sides.get(name) {
            Some(known) if *known != side => Applies::No,
            _ => self.on_any(side, &name, |known| known == name),
        }
    }

    /// The same for a rule that holds for several, cited as `cited`.
    pub fn on_any(&self, side: Side, cited: &dyn fmt::Display, meant: impl Fn(&str) -> bool) -> Applies {
        let word = if side == Side::Inside { "inside" } else { "outside" };
        let mut names = self.sides.iter().filter(|(_, known)| **known == side).map(|(name, _)| meant(name)).peekable();
        if names.peek().is_none() {
            return Applies::maybe(format!("whether `{cited}` is the {word} is not known (--{word} NAME says so)"));
        }
        let (all, any) = names.fold((true, false), |(all, any), meant| (all && meant, any || meant));
        match (all, any) {
            (true, _) => Applies::Yes,
            (_, false) => Applies::No,
            _ => Applies::maybe(format!("it is for `{cited}` and not for the whole {word}")),
        }
    }

    /// Whether a rule for these sources applies.
    #[must_use]
    pub fn from(&self, sources: &Destination) -> Applies {
        Self::from_clients(sources, self.sources.as_ref())
    }

    /// The same for packets of one family.
    #[must_use]
    pub fn from_family(&self, sources: &Destination, family: Family) -> Applies {
        let all = Destination::from(AddressSet::family(family).complement());
        let clients = self.sources.as_ref().map(|clients| clients.only(family)).filter(|clients| !clients.is_empty());
        Self::from_clients(&sources.union(&all), clients.as_ref())
    }

    fn from_clients(sources: &Destination, clients: Option<&AddressSet>) -> Applies {
        match clients {
            _ if sources.surely.is_all() => Applies::Yes,
            None => Applies::maybe("it is for some sources (--source PREFIX says where the clients are)"),
            Some(clients) if sources.surely.covers(clients) => Applies::Yes,
            Some(clients) if sources.at_most().intersection(clients).is_empty() => Applies::No,
            Some(_) => Applies::maybe("it is for a part of the sources"),
        }
    }
}
