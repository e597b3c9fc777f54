//! Huawei USG.

use std::fmt::{self, Write};
use std::net::IpAddr;

use super::device::{Part, parts};
use super::{Exporter, header};
use crate::export::{Capability, Comments, Families, Limit, Naming, Rules};
use crate::prefix::Prefix;

/// An address set, which is emptied and filled, a service set and a rule of the security policy.
///
/// Members are removed by a number that the device gives, so that a change cannot be written. New connections find an
/// empty set while it is filled.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "huawei-usg",
    title: "Huawei USG: address set and security policy",
    capability: Capability {
        families: Families::Together,
        comments: Comments::Object,
        atomic: None,
        limit: Some(Limit {
            entries: 4_096,
            of: "set",
            source: "Huawei USG command reference, `address`: members are numbered from 0 to 4095",
        }),
        splits: true,
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write,
};

/// What the USG takes as the name of an address set or a rule.
const NAMES: Naming = Naming::of(63);

/// What it takes as a description.
const LONGEST_DESCRIPTION: usize = 127;

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    let parts = parts(rules, &NAMES);
    parts.iter().try_for_each(|part| write_set(rules, part, out))?;
    let service = NAMES.name(rules.name(), "-tcp");
    writeln!(out, "ip service-set {service} type object")?;
    for (index, port) in rules.ports().iter().enumerate() {
        writeln!(out, " service {index} protocol tcp destination-port {port}")?;
    }
    writeln!(out, "#\nsecurity-policy\n rule name {}", NAMES.name(rules.name(), ""))?;
    writeln!(out, "  description {}", rules.description(LONGEST_DESCRIPTION))?;
    parts.iter().try_for_each(|part| writeln!(out, "  destination-address address-set {}", part.name))?;
    writeln!(out, "  service {service}\n  action permit\n#")
}

fn write_set(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "ip address-set {} type object", part.name)?;
    writeln!(out, " description {}\n undo address all", rules.description(LONGEST_DESCRIPTION))?;
    part.prefixes().try_for_each(|prefix| writeln!(out, " address {}", member(prefix)))?;
    writeln!(out, "#")
}

fn member(prefix: Prefix) -> String {
    match prefix.first() {
        IpAddr::V4(first) => format!("{first} mask {}", prefix.len()),
        IpAddr::V6(first) => format!("{first} {}", prefix.len()),
    }
}
