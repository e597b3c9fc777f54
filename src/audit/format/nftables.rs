//! `nft -j list ruleset`.
//!
//! What a JSON document lacks is lines: a rule is found by its handle, or by [`locate`] where the text that it was made from
//! is at hand.

mod document;
mod keys;
mod locate;
mod policy;
mod statements;
#[cfg(test)]
mod tests;
mod values;

pub use locate::locate;

use super::{ParseError, Reader, SourceFile};
use crate::audit::{Policy, Question};

pub(super) const READER: Reader =
    Reader { name: "nftables", title: "`nft -j list ruleset`, or the text that nft reads", recognise, read };

fn recognise(text: &str) -> bool {
    is_json(text) || is_text(text)
}

fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{') && text.get(..64.min(text.len())).is_some_and(|start| start.contains("\"nftables\""))
}

/// Whether this is what nft reads, rather than what it writes in JSON.
#[must_use]
pub fn is_text(text: &str) -> bool {
    let statements =
        ["table ", "flush ruleset", "define ", "add table ", "include ", "destroy table ", "delete table "];
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let script = text.lines().next().is_some_and(|line| line.starts_with("#!") && line.contains("nft"));
    let first = lines.find(|line| !line.starts_with('#'));
    script || first.is_some_and(|line| statements.iter().any(|statement| line.starts_with(statement)))
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let document = document::read(files)?;
    Ok(policy::build(&document, question))
}
