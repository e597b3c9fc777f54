//! pf: the file of a table, for OpenBSD, FreeBSD and macOS.

use std::fmt::{self, Write};

use super::{Exporter, header, ports};
use crate::export::{Capability, Comments, Limit, Naming, Rules};

/// Both families share a table.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "pf",
    title: "pf: the file of a table",
    capability: Capability {
        comments: Comments::Entry,
        atomic: Some("pfctl -T replace"),
        limit: Some(Limit {
            entries: 200_000,
            of: "firewall",
            source: "pf.conf(5), default of `set limit table-entries`",
        }),
        validated_by: "a second reader in the tests",
        ..Capability::FILE
    },
    write,
};

/// `PF_TABLE_NAME_SIZE` is 32 with the byte at the end.
const NAMES: Naming = Naming::identifier(31);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let (table, ports) = (NAMES.name(rules.name(), ""), ports(rules, ", "));
    header(rules, "#", out)?;
    writeln!(out, "# table <{table}> persist file \"/etc/pf/{table}.table\"")?;
    writeln!(out, "# pass out quick proto tcp to <{table}> port {{ {ports} }} flags S/SA keep state")?;
    writeln!(out, "# Without a reload: pfctl -t {table} -T replace -f /etc/pf/{table}.table")?;
    rules.entries().iter().try_for_each(|entry| match rules.comment(entry) {
        "" => writeln!(out, "{}", entry.block),
        comment => writeln!(out, "{} # {comment}", entry.block),
    })
}
