//! Terraform: the list as values of a module, which needs no provider.

use std::fmt::{self, Write};

use super::{Exporter, header, ports};
use crate::export::{Capability, Comments, Naming, Rules};
use crate::prefix::Family;

/// Resources of any provider can refer to its outputs.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "terraform",
    title: "Terraform 1.5 and later: a module with the list as outputs",
    capability: Capability {
        comments: Comments::Object,
        atomic: Some("terraform apply"),
        validated_by: "python-hcl2; terraform where it is installed",
        ..Capability::FILE
    },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let name = Naming::identifier(63).name(rules.name(), "");
    header(rules, "#", out)?;
    writeln!(out, "\nlocals {{")?;
    for family in [Family::V4, Family::V6] {
        writeln!(out, "  {name}_ipv{} = [", family.number())?;
        for entry in rules.entries().iter().filter(|entry| entry.family() == family) {
            writeln!(out, "    \"{}\",", entry.prefix())?;
        }
        writeln!(out, "  ]")?;
    }
    writeln!(out, "}}")?;
    for family in [4, 6] {
        write_output(
            &format!("{name}_ipv{family}"),
            &format!("local.{name}_ipv{family}"),
            &rules.description(200),
            out,
        )?;
    }
    write_output(&format!("{name}_ports"), &format!("[{}]", ports(rules, ", ")), "destination ports, TCP", out)?;
    writeln!(out, "\ncheck \"{name}_canonical\" {{\n  assert {{")?;
    writeln!(
        out,
        "    condition     = alltrue([for c in concat(local.{name}_ipv4, local.{name}_ipv6) : cidrsubnet(c, 0, 0) == c])"
    )?;
    writeln!(out, "    error_message = \"a prefix has host bits set\"\n  }}\n}}")
}

fn write_output(name: &str, value: &str, description: &str, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "\noutput \"{name}\" {{\n  description = \"{description}\"\n  value       = {value}\n}}")
}
