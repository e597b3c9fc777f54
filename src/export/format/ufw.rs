//! ufw: a command for each prefix.

use std::fmt::{self, Write};

use super::{Exporter, header, ports};
use crate::export::{Capability, Entry, Rules};

/// A rule that is there already is skipped by ufw, so the same script twice changes nothing.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "ufw",
    title: "ufw: a script of commands, one for each prefix",
    capability: Capability { atomic: None, change: true, validated_by: "ufw --dry-run", ..Capability::FILE },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "#!/bin/sh")?;
    header(rules, "#", out)?;
    writeln!(out, "set -eu")?;
    let (add, remove) = rules.change().unwrap_or((rules.entries(), &[]));
    add.iter().try_for_each(|entry| write_rule("ufw allow", rules, entry, out))?;
    remove.iter().try_for_each(|entry| write_rule("ufw delete allow", rules, entry, out))
}

fn write_rule(command: &str, rules: &Rules, entry: &Entry, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{command} out proto tcp to {} port {}", entry.prefix(), ports(rules, ","))?;
    match rules.comment(entry) {
        comment if comment.is_empty() || command.contains("delete") => writeln!(out),
        comment => writeln!(out, " comment '{comment}'"),
    }
}
