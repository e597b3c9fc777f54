//! HAProxy: the file of an access list.

use std::fmt::{self, Write};

use super::{Exporter, header};
use crate::export::{Capability, Comments, Naming, Rules};

/// A comment has a line of its own.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "haproxy",
    title: "HAProxy: the file of an access list",
    capability: Capability {
        comments: Comments::Object,
        atomic: Some("prepare acl, add acl, commit acl"),
        validated_by: "haproxy -c",
        ..Capability::FILE
    },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let list = Naming::of(63).name(rules.name(), "");
    header(rules, "#", out)?;
    writeln!(out, "# acl {list} dst -f /etc/haproxy/{list}.acl")?;
    rules.entries().iter().try_for_each(|entry| writeln!(out, "{}", entry.prefix()))
}
