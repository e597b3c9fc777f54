//! `iptables-save`, `ip6tables-save` and `ipset save`, one file each or all in one.

mod conditions;
mod lex;
mod policy;
mod sets;
mod table;
mod targets;
#[cfg(test)]
mod tests;

use super::{ParseError, Reader, SourceFile};
use crate::audit::{Policy, Question};
use crate::prefix::Family;

pub(super) const READER: Reader = Reader {
    name: "iptables",
    title: "iptables-save and ip6tables-save, with `ipset save` where rules look into sets",
    recognise,
    read,
};

/// Which program reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// Sets come first: rules look into them.
    Ipset,
    /// Rules of IPv4.
    Iptables,
    /// Rules of IPv6.
    Ip6tables,
}

impl Program {
    /// The program that reads this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        if lines.find(|line| !line.starts_with('#')).is_some_and(sets::is_statement) {
            return Self::Ipset;
        }
        match table::family_of(text) {
            Family::V4 => Self::Iptables,
            Family::V6 => Self::Ip6tables,
        }
    }

    /// The command that restores what it saved.
    #[must_use]
    pub fn command(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Ipset => ("ipset", &["restore"]),
            Self::Iptables => ("iptables-restore", &[]),
            Self::Ip6tables => ("ip6tables-restore", &[]),
        }
    }
}

/// A table begins with its name behind an asterisk; a set with `create`.
fn recognise(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| {
        let table = line.strip_prefix('*').is_some_and(|name| table::TABLES.contains(&name));
        table || sets::is_statement(line)
    })
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let content = table::read(files)?;
    Ok(policy::build(&content, question))
}
