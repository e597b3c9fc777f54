//! Kubernetes: a network policy, and the forms of Cilium, Calico and Istio.
//!
//! A policy without a selector would cut off every pod of a namespace from all else, its name servers included. So each
//! of these applies to pods with the label `egress-to: NAME` alone.

use std::fmt::{self, Display, Write};

use super::{Exporter, header};
use crate::export::{Capability, Naming, Rules};

const CAPABILITY: Capability = Capability {
    atomic: Some("kubectl apply"),
    validated_by: "PyYAML, a second reader in the tests",
    ..Capability::FILE
};

/// The standard object.
pub(super) const NETWORK_POLICY: Exporter = Exporter {
    name: "kubernetes",
    title: "Kubernetes: a NetworkPolicy",
    capability: Capability { validated_by: "kubernetes-validate", ..CAPABILITY },
    write: write_network_policy,
};

/// A group of prefixes, and a policy that refers to it.
pub(super) const CILIUM: Exporter = Exporter {
    name: "cilium",
    title: "Cilium 1.18 and later: a CiliumCIDRGroup and a policy",
    capability: CAPABILITY,
    write: write_cilium,
};

/// A set for the whole cluster, and a policy that refers to it.
pub(super) const CALICO: Exporter = Exporter {
    name: "calico",
    title: "Calico: a GlobalNetworkSet and a policy",
    capability: CAPABILITY,
    write: write_calico,
};

/// What is outside the mesh and may be reached.
pub(super) const ISTIO: Exporter = Exporter {
    name: "istio",
    title: "Istio: a ServiceEntry",
    capability: Capability { hosts: true, ..CAPABILITY },
    write: write_istio,
};

/// A DNS label, as names of most objects are.
const NAMES: Naming = Naming::label(63);

fn write_network_policy(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    begin(rules, "networking.k8s.io/v1", "NetworkPolicy", "", out)?;
    writeln!(out, "spec:\n  podSelector:\n    matchLabels:\n      egress-to: \"{}\"", name(rules))?;
    writeln!(out, "  policyTypes:\n    - Egress\n  egress:\n    - to:")?;
    items(rules, out, "        - ipBlock:\n            cidr: ")?;
    writeln!(out, "      ports:")?;
    rules.ports().iter().try_for_each(|port| writeln!(out, "        - protocol: TCP\n          port: {port}"))
}

fn write_cilium(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    begin(rules, "cilium.io/v2", "CiliumCIDRGroup", "", out)?;
    writeln!(out, "spec:\n  externalCIDRs:")?;
    items(rules, out, "    - ")?;
    begin(rules, "cilium.io/v2", "CiliumClusterwideNetworkPolicy", "", out)?;
    writeln!(out, "spec:\n  endpointSelector:\n    matchLabels:\n      egress-to: \"{}\"", name(rules))?;
    writeln!(out, "  egress:\n    - toCIDRSet:\n        - cidrGroupRef: \"{}\"", name(rules))?;
    writeln!(out, "      toPorts:\n        - ports:")?;
    rules
        .ports()
        .iter()
        .try_for_each(|port| writeln!(out, "            - port: \"{port}\"\n              protocol: TCP"))
}

fn write_calico(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let ports: Vec<String> = rules.ports().iter().map(u16::to_string).collect();
    header(rules, "#", out)?;
    begin(rules, "projectcalico.org/v3", "GlobalNetworkSet", "  labels:\n    egress-list: ", out)?;
    writeln!(out, "spec:\n  nets:")?;
    items(rules, out, "    - ")?;
    begin(rules, "projectcalico.org/v3", "GlobalNetworkPolicy", "", out)?;
    writeln!(out, "spec:\n  selector: \"egress-to == '{}'\"\n  types:\n    - Egress", name(rules))?;
    writeln!(out, "  egress:\n    - action: Allow\n      protocol: TCP\n      destination:")?;
    writeln!(out, "        selector: \"egress-list == '{}'\"\n        ports: [{}]", name(rules), ports.join(", "))
}

fn write_istio(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    header(rules, "#", out)?;
    if !rules.entries().is_empty() {
        begin(rules, "networking.istio.io/v1", "ServiceEntry", "", out)?;
        // A name that nobody resolves: the addresses are what counts.
        writeln!(out, "spec:\n  hosts:\n    - \"{}.internal\"\n  addresses:", name(rules))?;
        items(rules, out, "    - ")?;
        write_service(rules, "NONE", out)?;
    }
    if rules.hosts().is_empty() {
        return Ok(());
    }
    let hosts = NAMES.name(rules.name(), "-hosts");
    begin_named(&hosts, "networking.istio.io/v1", "ServiceEntry", rules, out)?;
    writeln!(out, "spec:\n  hosts:")?;
    rules.hosts().iter().try_for_each(|host| writeln!(out, "    - \"{host}\""))?;
    write_service(rules, "DNS", out)
}

fn write_service(rules: &Rules, resolution: &str, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "  location: MESH_EXTERNAL\n  resolution: {resolution}\n  ports:")?;
    rules
        .ports()
        .iter()
        .try_for_each(|port| writeln!(out, "    - number: {port}\n      name: tls-{port}\n      protocol: TLS"))
}

/// The beginning of an object; `labels` is where its own name is to be repeated.
fn begin(rules: &Rules, version: &str, kind: &str, labels: &str, out: &mut dyn Write) -> fmt::Result {
    let name = name(rules);
    begin_named(&name, version, kind, rules, out)?;
    if labels.is_empty() { Ok(()) } else { writeln!(out, "{labels}\"{name}\"") }
}

fn begin_named(name: &str, version: &str, kind: &str, rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "---\napiVersion: {version}\nkind: {kind}\nmetadata:\n  name: \"{name}\"")?;
    writeln!(out, "  annotations:\n    egressd/list: \"{}\"", rules.description(250))
}

/// Each prefix in quotes: a bare `::1` is no text to some readers.
fn items(rules: &Rules, out: &mut dyn Write, before: &str) -> fmt::Result {
    rules.entries().iter().try_for_each(|entry| write_item(out, before, &entry.block, rules.comment(entry)))
}

fn write_item(out: &mut dyn Write, before: &str, item: &dyn Display, comment: &str) -> fmt::Result {
    match comment {
        "" => writeln!(out, "{before}\"{item}\""),
        comment => writeln!(out, "{before}\"{item}\"  # {comment}"),
    }
}

fn name(rules: &Rules) -> String {
    NAMES.name(rules.name(), "")
}
