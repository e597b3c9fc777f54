//! One prefix in a line, for everything that fetches a list.

use std::fmt::{self, Write};

use super::Exporter;
use crate::export::{Capability, Comments, Rules};

/// Without a header: not every reader of lists knows comments (Palo Alto's and SonicWall's do not).
pub(super) const EXPORTER: Exporter = Exporter {
    name: "plain",
    title: "one prefix in a line",
    capability: Capability {
        ranges: true,
        comments: Comments::None,
        validated_by: "Python's ipaddress",
        ..Capability::FILE
    },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    rules.entries().iter().try_for_each(|entry| writeln!(out, "{}", entry.block))
}
