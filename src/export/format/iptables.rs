//! iptables: one file for both families, as `iptables-restore` and `ip6tables-restore` read it.

use std::fmt::{self, Write};

use super::{Exporter, by_family, header, ipset};
use crate::export::{Capability, Families, Naming, Rules};
use crate::prefix::Family;

const CAPABILITY: Capability = Capability {
    families: Families::Apart,
    atomic: Some("one commit for each family"),
    validated_by: "iptables-restore, ip6tables-restore",
    ..Capability::FILE
};

/// A chain with a rule for each prefix.
pub(super) const RULES: Exporter = Exporter {
    name: "iptables",
    title: "iptables: a chain with a rule for each prefix",
    capability: CAPABILITY,
    write,
};

/// A chain with a rule for each family, which looks into the sets of `ipset`.
pub(super) const SETS: Exporter = Exporter {
    name: "iptables-ipset",
    title: "iptables: a chain that looks into the sets of the format ipset",
    capability: CAPABILITY,
    write: write_sets,
};

/// The kernel's longest name of a chain.
const NAMES: Naming = Naming::of(28);

/// What the match `multiport` takes.
const MOST_PORTS: usize = 15;

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let chain = begin(rules, out)?;
    for entry in rules.entries() {
        let destination = format!("-d {}", entry.prefix());
        write_rule(&chain, &destination, entry.family(), rules.comment(entry), rules.ports(), out)?;
    }
    writeln!(out, "COMMIT")
}

fn write_sets(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let chain = begin(rules, out)?;
    for (family, _) in by_family(rules.entries()) {
        let set = format!("-m set --match-set {} dst", ipset::name(rules, family));
        write_rule(&chain, &set, family, rules.name(), rules.ports(), out)?;
    }
    writeln!(out, "COMMIT")
}

/// The line of the chain empties it, so that the same file twice gives the same rules.
fn begin(rules: &Rules, out: &mut dyn Write) -> Result<String, fmt::Error> {
    let chain = NAMES.name(rules.name(), "");
    header(rules, "#", out)?;
    writeln!(out, "# iptables-restore --noflush FILE and ip6tables-restore --noflush FILE each take their own rules.")?;
    writeln!(out, "# Once: iptables -I OUTPUT -j {chain}, or FORWARD on a gateway; the same with ip6tables.")?;
    writeln!(out, "*filter\n:{chain} - [0:0]")?;
    Ok(chain)
}

fn write_rule(
    chain: &str,
    destination: &str,
    family: Family,
    comment: &str,
    ports: &[u16],
    out: &mut dyn Write,
) -> fmt::Result {
    let family = if family == Family::V4 { "-4" } else { "-6" };
    let comment = if comment.is_empty() { String::new() } else { format!(" -m comment --comment \"{comment}\"") };
    ports.chunks(MOST_PORTS).try_for_each(|ports| {
        writeln!(out, "-A {chain} {family} {destination} -p tcp {}{comment} -j ACCEPT", port_match(ports))
    })
}

fn port_match(ports: &[u16]) -> String {
    match ports {
        [port] => format!("-m tcp --dport {port}"),
        ports => format!("-m multiport --dports {}", ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",")),
    }
}
