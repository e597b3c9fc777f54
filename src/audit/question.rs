//! What is asked of a rule set: which flow must pass, and what the rule set cannot say of itself.

use std::collections::BTreeMap;

use super::{AddressSet, Applies, Destination};

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
    /// A name that nobody assigned to a side is a doubt, except where both sides are assigned and it is another.
    #[must_use]
    pub fn on(&self, side: Side, name: &str) -> Applies {
        let word = if side == Side::Inside { "inside" } else { "outside" };
        match self.sides.get(name) {
            Some(known) => (*known == side).into(),
            None if self.sides.values().any(|known| *known == side) => Applies::No,
            None => Applies::maybe(format!("whether `{name}` is the {word} is not known (--{word} NAME says so)")),
        }
    }

    /// Whether a rule for these sources applies.
    #[must_use]
    pub fn from(&self, sources: &Destination) -> Applies {
        let everyone = sources.surely.is_all();
        match &self.sources {
            _ if everyone => Applies::Yes,
            None => Applies::maybe("it is for some sources (--source PREFIX says where the clients are)"),
            Some(clients) if sources.surely.covers(clients) => Applies::Yes,
            Some(clients) if sources.at_most().intersection(clients).is_empty() => Applies::No,
            Some(_) => Applies::maybe("it is for a part of the sources"),
        }
    }
}
