//! Arista EOS.

use std::fmt::{self, Write};

use super::cisco::{self, NAMES};
use super::device::{Part, host_or, parts};
use super::{Exporter, header};
use crate::export::{Capability, Rules};

/// Access lists with a line for each prefix and port: they take no groups.
///
/// Made anew, which within `configure session` takes effect with the commit.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "eos",
    title: "Arista EOS: access lists",
    capability: Capability {
        atomic: Some("`commit` of `configure session`"),
        splits: false,
        validated_by: "a second reader in the tests",
        ..cisco::CAPABILITY
    },
    write,
};

/// What a remark takes.
const LONGEST_REMARK: usize = 100;

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "!", out)?;
    parts(rules, &NAMES).iter().try_for_each(|part| write_list(rules, part, out))
}

fn write_list(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    let list = part.of("ip access-list", "ipv6 access-list");
    if rules.change().is_none() {
        writeln!(out, "no {list} {}", part.name)?;
    }
    writeln!(out, "{list} {}", part.name)?;
    if rules.change().is_none() {
        writeln!(out, "   remark {}", rules.description(LONGEST_REMARK))?;
    }
    let verb = if part.removed { "no " } else { "" };
    for prefix in part.prefixes() {
        let destination = host_or(prefix, |prefix| prefix.to_string());
        for port in rules.ports() {
            writeln!(out, "   {verb}permit tcp any {destination} eq {port}")?;
        }
    }
    writeln!(out, "!")
}
