//! AWS: scripts for the command line interface.

use std::fmt::{self, Write};

use super::{Exporter, header, separated};
use crate::export::{Capability, Entry, Families, Group, Limit, Naming, Rules};
use crate::prefix::Family;

/// Authorizing and revoking add and take away one by one; what is new is allowed before what is gone is revoked.
pub(super) const SECURITY_GROUP: Exporter = Exporter {
    name: "aws-security-group",
    title: "AWS: a script for the egress rules of security groups",
    capability: Capability {
        families: Families::Apart,
        atomic: None,
        limit: Some(Limit {
            entries: 60,
            of: "security group",
            source: "Amazon VPC quotas: outbound rules, for IPv4 and IPv6 each",
        }),
        splits: true,
        change: true,
        validated_by: "aws with moto",
        ..Capability::FILE
    },
    write: write_security_group,
};

/// A list has versions: a change is made whole or not at all.
pub(super) const PREFIX_LIST: Exporter = Exporter {
    name: "aws-prefix-list",
    title: "AWS: a script for managed prefix lists",
    capability: Capability {
        families: Families::Apart,
        atomic: Some("a version of the list, for 100 changes each"),
        limit: Some(Limit {
            entries: 1000,
            of: "managed prefix list",
            source: "Amazon VPC quotas: entries in a prefix list",
        }),
        splits: true,
        change: true,
        validated_by: "aws with moto",
        ..Capability::FILE
    },
    write: write_prefix_list,
};

const NAMES: Naming = Naming::of(255);

/// How many entries one request may add or remove.
const MOST_IN_REQUEST: usize = 100;

fn write_security_group(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    begin(rules, out)?;
    if let Some((add, remove)) = rules.change() {
        writeln!(out, "# Usage: sh FILE GROUP, such as sg-0123456789abcdef0\n: \"${{1:?which security group}}\"")?;
        write_permissions("authorize", "1", rules, add, out)?;
        return write_permissions("revoke", "1", rules, remove, out);
    }
    let most = rules.groups().filter_map(|group| group.part).map(|(_, count)| count).max().unwrap_or(1);
    writeln!(
        out,
        "# Usage: sh FILE GROUP..., with {most} such as sg-0123456789abcdef0\n: \"${{{most}:?{most} security groups}}\""
    )?;
    rules.groups().try_for_each(|group| {
        let place = group.part.map_or(1, |(part, _)| part).to_string();
        write_permissions("authorize", &place, rules, group.entries, out)
    })
}

/// One request for a port.
fn write_permissions(verb: &str, place: &str, rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    super::by_family(entries).into_iter().try_for_each(|(family, entries)| {
        let (list, key) = if family == Family::V4 { ("IpRanges", "CidrIp") } else { ("Ipv6Ranges", "CidrIpv6") };
        rules.ports().iter().try_for_each(|port| {
            writeln!(out, "aws ec2 {verb}-security-group-egress --group-id \"${{{place}}}\" --ip-permissions '[")?;
            writeln!(out, "  {{\"IpProtocol\": \"tcp\", \"FromPort\": {port}, \"ToPort\": {port}, \"{list}\": [")?;
            separated(out, entries, ",\n", |out, entry| write_described(rules, key, entry, verb == "authorize", out))?;
            writeln!(out, "\n  ]}}\n]'")
        })
    })
}

fn write_prefix_list(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    begin(rules, out)?;
    out.write_str(FUNCTIONS)?;
    match rules.change() {
        Some((add, remove)) => write_modified(rules, add, remove, out),
        None => rules.groups().try_for_each(|group| write_created(rules, &group, out)),
    }
}

/// A list is not to be changed while it still is being changed.
const FUNCTIONS: &str = r#"show() { aws ec2 describe-managed-prefix-lists --prefix-list-ids "$1" --query "PrefixLists[0].$2" --output text; }
named() {
  found=$(aws ec2 describe-managed-prefix-lists --filters "Name=prefix-list-name,Values=$1" --query 'PrefixLists[0].PrefixListId' --output text)
  case $found in pl-*) echo "$found" ;; *) echo "there is no prefix list $1" >&2; exit 1 ;; esac
}
settled() {
  tries=0
  while case $(show "$1" State) in *-complete) false ;; *-failed) exit 1 ;; esac; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { echo "prefix list $1 is still being changed" >&2; exit 1; }
    sleep 1
  done
}
grow() {
  settled "$1"
  aws ec2 modify-managed-prefix-list --prefix-list-id "$1" --max-entries $(($(show "$1" MaxEntries) + $2))
}
change() {
  list=$1
  shift
  settled "$list"
  aws ec2 modify-managed-prefix-list --prefix-list-id "$list" --current-version "$(show "$list" Version)" "$@"
}
"#;

fn write_created(rules: &Rules, group: &Group<'_>, out: &mut dyn Write) -> fmt::Result {
    let (name, family) = (NAMES.group(rules, group), group.family.map_or(4, Family::number));
    write!(out, "list=$(aws ec2 create-managed-prefix-list --prefix-list-name '{name}' --address-family IPv{family} ")?;
    writeln!(out, "--max-entries {} --query PrefixList.PrefixListId --output text)", group.entries.len())?;
    group.entries.chunks(MOST_IN_REQUEST).try_for_each(|entries| {
        write!(out, "change \"$list\"")?;
        write_entries("add", rules, entries, out)?;
        writeln!(out)
    })
}

/// What is added and what is removed go together as far as a request takes both.
fn write_modified(rules: &Rules, add: &[Entry], remove: &[Entry], out: &mut dyn Write) -> fmt::Result {
    for family in [Family::V4, Family::V6] {
        let of_family =
            |entries: &[Entry]| entries.iter().filter(|e| e.family() == family).copied().collect::<Vec<_>>();
        let (add, remove) = (of_family(add), of_family(remove));
        if add.is_empty() && remove.is_empty() {
            continue;
        }
        writeln!(out, "list=$(named '{}')", NAMES.name(rules.name(), super::suffix(family)))?;
        if let more @ 1.. = add.len().saturating_sub(remove.len()) {
            writeln!(out, "grow \"$list\" {more}")?;
        }
        let (mut adding, mut removing) = (add.chunks(MOST_IN_REQUEST), remove.chunks(MOST_IN_REQUEST));
        loop {
            let (add, remove) = (adding.next(), removing.next());
            if add.is_none() && remove.is_none() {
                break;
            }
            write!(out, "change \"$list\"")?;
            write_entries("add", rules, add.unwrap_or_default(), out)?;
            write_entries("remove", rules, remove.unwrap_or_default(), out)?;
            writeln!(out)?;
        }
    }
    Ok(())
}

fn write_entries(verb: &str, rules: &Rules, entries: &[Entry], out: &mut dyn Write) -> fmt::Result {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(out, " --{verb}-entries '[")?;
    separated(out, entries, ",\n", |out, entry| write_described(rules, "Cidr", entry, verb == "add", out))?;
    write!(out, "\n]'")
}

fn write_described(rules: &Rules, key: &str, entry: &Entry, described: bool, out: &mut dyn Write) -> fmt::Result {
    write!(out, "    {{\"{key}\": \"{}\"", entry.prefix())?;
    match rules.comment(entry) {
        comment if comment.is_empty() || !described => write!(out, "}}"),
        comment => write!(out, ", \"Description\": \"{comment}\"}}"),
    }
}

fn begin(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "#!/bin/sh")?;
    header(rules, "#", out)?;
    writeln!(out, "set -eu")
}
