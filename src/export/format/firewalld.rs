//! firewalld: a script that writes the files of two sets and two policies.

use std::fmt::{self, Write};

use super::ipset::{inet, room};
use super::{Exporter, by_family, header, suffix, without_length_0};
use crate::export::{Capability, Comments, Entry, Families, Naming, Rules};
use crate::prefix::Family;

/// Sets become sets of ipset or nftables, and policies rules for what this host sends and what it forwards.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "firewalld",
    title: "firewalld 0.9 and later: a script that writes sets and policies",
    capability: Capability {
        families: Families::Apart,
        comments: Comments::Object,
        atomic: Some("the files are replaced, then one reload"),
        validated_by: "firewall-offline-cmd",
        ..Capability::FILE
    },
    write,
};

/// A set of firewalld is one of ipset.
const SETS: Naming = Naming::of(31);

/// The longest name of a policy that leaves room for firewalld's chains.
const POLICIES: Naming = Naming::of(17);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "#!/bin/sh")?;
    header(rules, "#", out)?;
    writeln!(out, "# As root: sh FILE [FOLDER]; only without a folder firewalld is told to read its files again.")?;
    writeln!(out, "set -eu\nfolder=${{1:-/etc/firewalld}}\nmkdir -p \"$folder/ipsets\" \"$folder/policies\"")?;
    for (family, entries) in by_family(rules.entries()) {
        write_set(rules, family, entries, out)?;
    }
    for (suffix, ingress) in [("-out", "HOST"), ("-forward", "ANY")] {
        write_policy(rules, suffix, ingress, out)?;
    }
    writeln!(out, "if [ $# -eq 0 ]; then firewall-cmd --check-config && firewall-cmd --reload; fi")
}

fn write_set(rules: &Rules, family: Family, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    let (name, inet, room) = (set(rules, family), inet(family), room(entries));
    begin(&format!("ipsets/{name}.xml"), out)?;
    writeln!(out, "<ipset type=\"hash:net\">\n  <short>{name}</short>")?;
    writeln!(out, "  <description>{}</description>", rules.description(200))?;
    writeln!(out, "  <option name=\"family\" value=\"{inet}\"/>\n  <option name=\"maxelem\" value=\"{room}\"/>")?;
    for prefix in entries.iter().flat_map(|entry| without_length_0(entry.prefix())) {
        writeln!(out, "  <entry>{prefix}</entry>")?;
    }
    end("ipset", &format!("ipsets/{name}.xml"), out)
}

fn write_policy(rules: &Rules, suffix: &str, ingress: &str, out: &mut dyn Write) -> fmt::Result {
    let name = POLICIES.name(rules.name(), suffix);
    begin(&format!("policies/{name}.xml"), out)?;
    writeln!(out, "<policy priority=\"-100\" target=\"CONTINUE\">\n  <short>{name}</short>")?;
    writeln!(out, "  <ingress-zone name=\"{ingress}\"/>\n  <egress-zone name=\"ANY\"/>")?;
    for (family, _) in by_family(rules.entries()) {
        let (set, family) = (set(rules, family), format!("ipv{}", family.number()));
        for port in rules.ports() {
            write!(out, "  <rule family=\"{family}\"><destination ipset=\"{set}\"/>")?;
            writeln!(out, "<port port=\"{port}\" protocol=\"tcp\"/><accept/></rule>")?;
        }
    }
    end("policy", &format!("policies/{name}.xml"), out)
}

/// Nothing in a file is read by the shell.
fn begin(file: &str, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "cat >\"$folder/{file}.new\" <<'END'\n<?xml version=\"1.0\" encoding=\"utf-8\"?>")
}

fn end(element: &str, file: &str, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "</{element}>\nEND\nmv \"$folder/{file}.new\" \"$folder/{file}\"")
}

fn set(rules: &Rules, family: Family) -> String {
    SETS.name(rules.name(), suffix(family))
}
