//! Squid: a part of the configuration, to be included.

use std::fmt::{self, Write};

use super::{Exporter, header, ports};
use crate::export::{Capability, Comments, Naming, Rules};

/// Names work beside addresses, as Squid resolves what it is asked for.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "squid",
    title: "Squid: access lists and a rule, to be included",
    capability: Capability {
        comments: Comments::Object,
        atomic: Some("squid -k reconfigure"),
        hosts: true,
        validated_by: "squid -k parse",
        ..Capability::FILE
    },
    write,
};

/// Squid 5.7 says that it takes 63 characters, but a rule with a name of 63 is refused; older ones took 31.
const NAMES: Naming = Naming::of(31);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let name = |suffix| NAMES.name(rules.name(), suffix);
    let (list, hosts, port, connect) = (name(""), name("-hosts"), name("-ports"), name("-connect"));
    header(rules, "#", out)?;
    writeln!(out, "# Include it before `http_access deny all`, then: squid -k reconfigure")?;
    rules.entries().iter().try_for_each(|entry| writeln!(out, "acl {list} dst {}", entry.block))?;
    rules.hosts().iter().try_for_each(|host| writeln!(out, "acl {hosts} dstdomain {host}"))?;
    writeln!(out, "acl {port} port {}\nacl {connect} method CONNECT", ports(rules, " "))?;
    let lists = [(list, rules.entries().is_empty()), (hosts, rules.hosts().is_empty())];
    let lists = lists.into_iter().filter(|(_, empty)| !empty);
    lists.into_iter().try_for_each(|(list, _)| writeln!(out, "http_access allow {connect} {port} {list}"))
}
