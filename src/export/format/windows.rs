//! Windows Defender Firewall: a PowerShell script.

use std::fmt::{self, Write};

use super::{Exporter, header, ports, separated};
use crate::export::{Capability, Comments, Families, Group, Limit, Naming, Rules};

/// The name is the key of a rule; `DisplayName` need not be unique.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "windows",
    title: "Windows Defender Firewall: a PowerShell script",
    capability: Capability {
        families: Families::Apart,
        ranges: true,
        comments: Comments::Object,
        atomic: None,
        limit: Some(Limit {
            entries: 1000,
            of: "rule",
            source: "no document of Microsoft's; what IPBan (MaxIpAddressesPerRule) and CrowdSec found to work",
        }),
        splits: true,
        validated_by: "tree-sitter-powershell, a second reader in the tests",
        ..Capability::FILE
    },
    write,
};

const NAMES: Naming = Naming::of(63);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    writeln!(out, "# Outbound rules that allow matter where DefaultOutboundAction is Block.")?;
    writeln!(out, "$ErrorActionPreference = 'Stop'")?;
    let groups: Vec<Group<'_>> = rules.groups().collect();
    groups.iter().try_for_each(|group| write_rule(rules, group, out))?;
    groups.chunk_by(|one, next| one.family == next.family).try_for_each(|family| write_surplus(rules, family, out))
}

fn write_rule(rules: &Rules, group: &Group<'_>, out: &mut dyn Write) -> fmt::Result {
    let (name, ports) = (NAMES.group(rules, group), ports(rules, "','"));
    write!(out, "$addresses = @(")?;
    separated(out, group.entries, ",", |out, entry| write!(out, "\n  '{}'", entry.block))?;
    writeln!(out, "\n)\n$rule = @{{ RemoteAddress = $addresses; Protocol = 'TCP'; RemotePort = @('{ports}');")?;
    writeln!(out, "  Direction = 'Outbound'; Action = 'Allow'; Description = '{}' }}", rules.description(200))?;
    writeln!(out, "if (Get-NetFirewallRule -Name '{name}' -ErrorAction SilentlyContinue) {{")?;
    writeln!(out, "  Set-NetFirewallRule -Name '{name}' @rule\n}} else {{")?;
    writeln!(out, "  New-NetFirewallRule -Name '{name}' -DisplayName '{name}' -Group '{}' @rule\n}}", rules.name())
}

/// Rules of an earlier export that was split into more.
fn write_surplus(rules: &Rules, groups: &[Group<'_>], out: &mut dyn Write) -> fmt::Result {
    let base = NAMES.name(rules.name(), groups[0].family.map_or("", super::suffix));
    let names: Vec<String> = groups.iter().map(|group| format!("'{}'", NAMES.group(rules, group))).collect();
    writeln!(out, "Get-NetFirewallRule -Group '{}' -ErrorAction SilentlyContinue |", rules.name())?;
    writeln!(out, "  Where-Object {{ $_.Name -like '{base}*' -and @({}) -notcontains $_.Name }} |", names.join(","))?;
    writeln!(out, "  Remove-NetFirewallRule")
}
