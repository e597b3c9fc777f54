//! nginx: a variable that is 1 for listed addresses.

use std::fmt::{self, Write};

use super::{Exporter, header};
use crate::export::{Capability, Naming, Rules};

/// For the contexts `http` and `stream`.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "nginx",
    title: "nginx: a `geo` block that sets a variable",
    capability: Capability { atomic: Some("reload"), validated_by: "nginx -t", ..Capability::FILE },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    writeln!(out, "# It looks at the client's address; for another write `geo $address ${} {{`.", variable(rules))?;
    writeln!(out, "geo ${} {{\n\tdefault 0;", variable(rules))?;
    rules.entries().iter().try_for_each(|entry| match rules.comment(entry) {
        "" => writeln!(out, "\t{} 1;", entry.prefix()),
        comment => writeln!(out, "\t{} 1; # {comment}", entry.prefix()),
    })?;
    writeln!(out, "}}")
}

/// nginx refuses a name that does not fit the buckets of its table, 64 bytes by default with what else is in them.
fn variable(rules: &Rules) -> String {
    Naming::identifier(31).name(rules.name(), "")
}
