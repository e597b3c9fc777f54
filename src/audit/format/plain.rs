//! A prefix, an address or a range of addresses in each line: lists of one's own, External Dynamic Lists, URL tables.

use super::{ParseError, Reader, SourceFile};
use crate::audit::word::{address_range, cited};
use crate::audit::{Action, AddressSet, Applies, Assumed, Chain, Default, Hook, Match, Policy, Question, Rule};

pub(super) const READER: Reader = Reader {
    name: "plain",
    title: "a list of prefixes, addresses or ranges, one in a line; an External Dynamic List",
    recognise,
    read,
};

fn recognise(text: &str) -> bool {
    let mut entries = text.lines().map(entry).filter(|entry| !entry.is_empty()).take(100).peekable();
    entries.peek().is_some() && entries.all(|entry| address_range(entry).is_some())
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let default = match question.default {
        Some(Assumed::Allow) => Default::Accept,
        Some(Assumed::Deny) | None => Default::Deny,
    };
    let mut chain = Chain::new("list", default);
    for (index, file) in files.iter().enumerate() {
        for (place, line) in file.lines(index) {
            let entry = entry(line);
            if entry.is_empty() {
                continue;
            }
            let range = address_range(entry)
                .ok_or_else(|| file.error(place, line, entry, format!("{} is no address or prefix", cited(entry))))?;
            let matches = Match { destination: AddressSet::from(range).into(), rest: Applies::Yes };
            chain.rules.push(Rule::new(place, matches, Action::Accept));
        }
    }
    let mut policy = Policy::default();
    let chain = policy.add(chain);
    policy.hooks.push(Hook::new("list", chain));
    policy.notes.push("a list says nothing of ports, and that a rule uses it is taken for granted".to_owned());
    Ok(policy)
}

/// A line without its comment.
fn entry(line: &str) -> &str {
    line.split(['#', ';']).next().unwrap_or_default().trim()
}
