//! Juniper's prefix lists, for the filters of routers and switches.

use std::fmt::{self, Write};

use super::device::{Part, parts};
use super::{Exporter, header};
use crate::export::{Capability, Comments, Families, Naming, Rules};

/// `set` commands: prefix lists that are made anew, and a term of a filter for each family.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "junos-prefix-list",
    title: "Juniper Junos: prefix lists and firewall filters",
    capability: Capability {
        families: Families::Apart,
        comments: Comments::None,
        atomic: Some("`commit`"),
        splits: true,
        change: true,
        validated_by: "a second reader in the tests",
        ..Capability::FILE
    },
    write,
};

/// What Junos takes as the name of a filter or a list.
const NAMES: Naming = Naming::of(63);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    for part in &parts(rules, &NAMES) {
        let verb = if part.removed { "delete" } else { "set" };
        if rules.change().is_none() {
            writeln!(out, "delete policy-options prefix-list {}", part.name)?;
        }
        part.prefixes()
            .try_for_each(|prefix| writeln!(out, "{verb} policy-options prefix-list {} {prefix}", part.name))?;
        if rules.change().is_none() {
            write_term(rules, part, out)?;
        }
    }
    Ok(())
}

/// A filter drops what no term accepts: this is a term for a filter that is there, or the first of a new one.
fn write_term(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    let filter = NAMES.name(rules.name(), part.of("-out-v4", "-out-v6"));
    let family = part.of("inet", "inet6");
    let term = format!("set firewall family {family} filter {filter} term {}", part.name);
    writeln!(out, "{term} from destination-prefix-list {}", part.name)?;
    writeln!(out, "{term} from {} tcp", part.of("protocol", "next-header"))?;
    rules.ports().iter().try_for_each(|port| writeln!(out, "{term} from destination-port {port}"))?;
    writeln!(out, "{term} then accept")
}
