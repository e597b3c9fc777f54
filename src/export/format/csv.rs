//! A table for a spreadsheet or a script, as RFC 4180 has it.

use std::fmt::{self, Write};

use super::Exporter;
use crate::export::{Capability, Rules};

/// The names of the columns are in the first line.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "csv",
    title: "a table with first and last address and a comment",
    capability: Capability { ranges: true, validated_by: "Python's csv", ..Capability::FILE },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    write!(out, "prefix,family,first,last,addresses,comment\r\n")?;
    rules.entries().iter().try_for_each(|entry| {
        let (block, comment) = (entry.block, rules.comment(entry));
        let family = block.family().number();
        write!(out, "{block},{family},{},{},{},\"{comment}\"\r\n", block.first(), block.last(), block.addresses())
    })
}
