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

pub(super) const READER: Reader = Reader {
    name: "iptables",
    title: "iptables-save and ip6tables-save, with `ipset save` where rules look into sets",
    recognise,
    read,
};

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
