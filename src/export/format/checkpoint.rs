//! Check Point, through its management server.

use std::fmt::{self, Write};
use std::net::IpAddr;

use super::device::{Part, is_host, parts};
use super::{Exporter, header};
use crate::export::{Capability, Comments, Families, Naming, Rules};
use crate::prefix::Prefix;

/// A shell script of `mgmt_cli` commands, in one session that is published at its end, or not at all.
///
/// What is there already is taken as it is (`set-if-exists`). Members are added to a group that is there; what has to go
/// is in a change.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "checkpoint",
    title: "Check Point: objects and group, as a script of mgmt_cli",
    capability: Capability {
        families: Families::Together,
        comments: Comments::Object,
        atomic: Some("`publish` of the session"),
        splits: true,
        change: true,
        validated_by: "sh, and a second reader in the tests",
        ..Capability::FILE
    },
    write,
};

/// Far below what the management server takes.
const NAMES: Naming = Naming::of(63);

/// The session's file is an argument, so that no password is in the script.
const PROLOGUE: &str = "\
set -eu
session=${1:?usage: sh this-file SESSION (mgmt_cli login > SESSION)}
run() { mgmt_cli -s \"$session\" \"$@\"; }
trap 'run discard' EXIT";

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "#!/bin/sh")?;
    header(rules, "#", out)?;
    writeln!(out, "{PROLOGUE}")?;
    let parts = parts(rules, &NAMES);
    for part in &parts {
        if part.removed {
            write_removal(rules, part, out)?;
        } else {
            write_members(rules, part, out)?;
        }
    }
    if rules.change().is_none() {
        write_services(rules, out)?;
        // Which layer and which gateways, is for the site to say.
        parts.iter().try_for_each(|part| writeln!(out, "# in the policy: destination {}", part.name))?;
    }
    writeln!(out, "run publish\ntrap - EXIT\n# then install-policy")
}

fn write_members(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    let group = &part.name;
    if rules.change().is_none() {
        writeln!(out, "run add group name {group} comments \"{}\" set-if-exists true", rules.description(100))?;
    }
    part.prefixes().try_for_each(|prefix| {
        let name = NAMES.prefix(rules, prefix);
        writeln!(out, "run add {} {name} {} groups.1 {group} set-if-exists true", kind(prefix), value(prefix))
    })
}

fn write_removal(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    part.prefixes().try_for_each(|prefix| {
        let name = NAMES.prefix(rules, prefix);
        writeln!(out, "run set group name {} members.remove {name}", part.name)?;
        writeln!(out, "run delete {} {name}", kind(prefix))
    })
}

fn write_services(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    rules.ports().iter().try_for_each(|port| {
        let service = NAMES.name(rules.name(), &format!("-tcp-{port}"));
        writeln!(out, "run add service-tcp name {service} port {port} set-if-exists true")
    })
}

/// A single address is an object of its own kind.
fn kind(prefix: Prefix) -> &'static str {
    if is_host(prefix) { "host name" } else { "network name" }
}

fn value(prefix: Prefix) -> String {
    let (first, length) = (prefix.first(), prefix.len());
    match first {
        _ if is_host(prefix) => format!("ip-address {first}"),
        IpAddr::V4(_) => format!("subnet4 {first} mask-length4 {length}"),
        IpAddr::V6(_) => format!("subnet6 {first} mask-length6 {length}"),
    }
}
