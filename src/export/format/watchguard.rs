//! WatchGuard Firebox.

use std::fmt::{self, Write};

use super::Exporter;
use super::device::{Part, is_host, netmask, parts, xml_header};
use crate::export::{Capability, Comments, Families, Naming, Rules};
use crate::prefix::Prefix;

/// The parts of a Policy Manager file that hold addresses, an alias and a service, to be put into a saved configuration.
///
/// WatchGuard documents no schema: these are the elements that published readers agree on, and IPv6 is in none of them.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "watchguard",
    title: "WatchGuard Firebox: address group and alias, as parts of a configuration file",
    capability: Capability {
        families: Families::V4Only,
        comments: Comments::Object,
        atomic: Some("the configuration is saved whole"),
        splits: true,
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write,
};

/// No limit is documented; this is what others take.
const NAMES: Naming = Naming::of(63);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let parts = parts(rules, &NAMES);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    xml_header(rules, out)?;
    writeln!(out, "<profile>\n  <address-group-list>")?;
    parts.iter().try_for_each(|part| write_group(rules, part, out))?;
    writeln!(out, "  </address-group-list>\n  <service-list>")?;
    write_service(rules, out)?;
    writeln!(out, "  </service-list>\n  <alias-list>")?;
    write_alias(rules, &parts, out)?;
    writeln!(out, "  </alias-list>\n  <policy-list/>\n</profile>")
}

fn write_group(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "    <address-group>\n      <name>{}</name>", part.name)?;
    writeln!(out, "      <description>{}</description>", rules.description(255))?;
    writeln!(out, "      <addr-group-member>")?;
    part.prefixes().try_for_each(|prefix| writeln!(out, "        <member>{}</member>", member(prefix)))?;
    writeln!(out, "      </addr-group-member>\n    </address-group>")
}

/// Type 1 is a host, type 2 a network.
fn member(prefix: Prefix) -> String {
    let first = prefix.first();
    if is_host(prefix) {
        return format!("<type>1</type><host-ip-addr>{first}</host-ip-addr>");
    }
    format!("<type>2</type><ip-network-addr>{first}</ip-network-addr><ip-mask>{}</ip-mask>", netmask(prefix))
}

/// Protocol 6 is TCP, type 1 a single port.
fn write_service(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "    <service>\n      <name>{}</name>\n      <service-item>", NAMES.name(rules.name(), "-tcp"))?;
    rules.ports().iter().try_for_each(|port| {
        writeln!(out, "        <member><type>1</type><protocol>6</protocol><server-port>{port}</server-port></member>")
    })?;
    writeln!(out, "      </service-item>\n    </service>")
}

/// The addresses at any external interface.
fn write_alias(rules: &Rules, parts: &[Part<'_>], out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "    <alias>\n      <name>{}</name>\n      <alias-member-list>", NAMES.name(rules.name(), "-out"))?;
    parts.iter().try_for_each(|part| {
        writeln!(
            out,
            "        <alias-member><type>1</type><user>Any</user><address>{}</address>\
             <interface>Any-External</interface></alias-member>",
            part.name
        )
    })?;
    writeln!(out, "      </alias-member-list>\n    </alias>")
}
