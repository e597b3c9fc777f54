//! A prefix, an address or a range of addresses in each line: lists of one's own, External Dynamic Lists, URL tables.
//!
//! What is listed is allowed. Behind the entry a comment may stand, as Palo Alto's lists have it. A host name stands for
//! addresses that are not known.

use super::lines::{CUT, add_hook, lines};
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::{address_range, cited};
use crate::audit::{Action, AddressSet, Applies, Assumed, Chain, Default, Destination, Match, Policy, Question, Rule};

pub(super) const READER: Reader = Reader {
    name: "plain",
    title: "a list of prefixes, addresses or ranges, one in a line; an External Dynamic List",
    recognise,
    read,
};

fn recognise(text: &str) -> bool {
    let mut entries = text.lines().map(entry).filter(|entry| !entry.is_empty()).take(100).peekable();
    entries.peek().is_some() && entries.all(|entry| address_range(entry).is_some() || is_host(entry))
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let default = match question.default {
        Some(Assumed::Allow) => Default::Accept,
        Some(Assumed::Deny) | None => Default::Deny,
    };
    let mut chain = Chain::new("list", default);
    for line in lines(files) {
        let entry = entry(line.text);
        if entry.is_empty() {
            continue;
        }
        let file = &files[usize::from(line.place.file)];
        let destination = match address_range(entry) {
            Some(_) if !line.whole && may_go_on(line.text, entry) => Destination::unknown(CUT),
            Some(range) => AddressSet::from(range).into(),
            None if is_host(entry) => Destination::unknown(format!("host name {}", cited(entry))),
            None => {
                let problem = format!("{} is no address or prefix", cited(entry));
                return Err(file.error(line.place, line.text, entry, problem));
            }
        };
        chain.rules.push(Rule::new(line.place, Match { destination, rest: Applies::Yes }, Action::Accept));
    }
    let mut policy = Policy::default();
    add_hook(&mut policy, "list".to_owned(), chain);
    policy.notes.push("a list says nothing of ports, and that a rule uses it is taken for granted".to_owned());
    Ok(policy)
}

/// A line without its comment, and a range without the spaces around its hyphen.
fn entry(line: &str) -> &str {
    let line = line.split(['#', ';']).next().unwrap_or_default().trim();
    if address_range(line).is_some() { line } else { line.split_whitespace().next().unwrap_or_default() }
}

/// Whether a line without its end may have been another entry: `13.32.0.0/1` may have been `13.32.0.0/15`, which has no
/// longer form. Many editors leave the last line of a list without its end.
fn may_go_on(line: &str, entry: &str) -> bool {
    let longer = |digit| address_range(&format!("{entry}{digit}")).is_some();
    line.ends_with(entry) && (!entry.contains('/') || ('0'..='9').any(longer))
}

/// `cdn.example.com`, `*.example.com`, perhaps with a path: letters are in its last part.
fn is_host(entry: &str) -> bool {
    let name = entry.split('/').next().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.')
        && last.bytes().any(|byte| byte.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'*' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_line_without_its_end_counts_where_it_can_mean_nothing_else() {
        for whole in ["13.32.0.0/15", "10.0.0.0/9", "2600:9000::/28", "13.32.0.0/1 # c", "13.32.0.0/1 "] {
            assert!(!may_go_on(whole, entry(whole)), "{whole}");
        }
        for cut in ["13.32.0.0/1", "10.0.0.0/3", "13.32.0.1", "13.32.0.1-13.32.0.9", "2600:9000::/2"] {
            assert!(may_go_on(cut, entry(cut)), "{cut}");
        }
    }
}
