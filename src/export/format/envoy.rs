//! Envoy: a network filter that lets connections to the listed addresses through.

use std::fmt::{self, Write};

use super::{Exporter, separated};
use crate::export::{Capability, Comments, Rules};

/// JSON, which has no comments, and a message of Envoy has no field for one.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "envoy",
    title: "Envoy: a network filter (RBAC)",
    capability: Capability {
        comments: Comments::None,
        atomic: Some("xDS, or the file is moved"),
        validated_by: "envoy --mode validate",
        ..Capability::FILE
    },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    write!(
        out,
        r#"{{
  "name": "envoy.filters.network.rbac",
  "typed_config": {{
    "@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
    "stat_prefix": "{name}",
    "rules": {{
      "action": "ALLOW",
      "policies": {{
        "{name}": {{
          "principals": [{{"any": true}}],
          "permissions": [{{"and_rules": {{"rules": [
            {{"or_rules": {{"rules": ["#,
        name = rules.name()
    )?;
    separated(out, rules.ports(), ", ", |out, port| write!(out, r#"{{"destination_port": {port}}}"#))?;
    write!(out, "]}}}},\n            {{\"or_rules\": {{\"rules\": [")?;
    separated(out, rules.entries(), ",", |out, entry| {
        let (address, length) = (entry.block.first(), entry.prefix().len());
        let range = format!(r#"{{"address_prefix": "{address}", "prefix_len": {length}}}"#);
        write!(out, "\n              {{\"destination_ip\": {range}}}")
    })?;
    writeln!(out, "\n            ]}}}}\n          ]}}}}]\n        }}\n      }}\n    }}\n  }}\n}}")
}
