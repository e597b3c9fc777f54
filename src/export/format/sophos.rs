//! Sophos Firewall (SFOS).

use std::fmt::{self, Write};
use std::net::IpAddr;

use super::Exporter;
use super::device::{Part, is_host, netmask, parts, xml_header};
use crate::export::{Capability, Comments, Families, Naming, Rules};
use crate::prefix::Prefix;

/// `Entities.xml`, to be packed with tar and imported: hosts, then the groups that list them, and a service.
///
/// An import adds and replaces, and removes nothing.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "sophos",
    title: "Sophos Firewall: hosts and groups, as Entities.xml",
    capability: Capability {
        families: Families::Apart,
        comments: Comments::Object,
        atomic: None,
        splits: true,
        validated_by: "fwshift",
        ..Capability::FILE
    },
    write,
};

/// Sophos API reference, `Name`.
const NAMES: Naming = Naming::of(60);

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    xml_header(rules, out)?;
    writeln!(out, "<Configuration APIVersion=\"1900.1\">")?;
    parts(rules, &NAMES).iter().try_for_each(|part| {
        part.prefixes().try_for_each(|prefix| write_host(rules, prefix, out))?;
        write_group(rules, part, out)
    })?;
    write_service(rules, out)?;
    writeln!(out, "</Configuration>")
}

fn write_host(rules: &Rules, prefix: Prefix, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "  <IPHost>\n    <Name>{}</Name>", NAMES.prefix(rules, prefix))?;
    writeln!(out, "    <IPFamily>IPv{}</IPFamily>", prefix.family().number())?;
    writeln!(out, "    <HostType>{}</HostType>", if is_host(prefix) { "IP" } else { "Network" })?;
    writeln!(out, "    <IPAddress>{}</IPAddress>", prefix.first())?;
    match prefix.first() {
        _ if is_host(prefix) => {}
        IpAddr::V4(_) => writeln!(out, "    <Subnet>{}</Subnet>", netmask(prefix))?,
        IpAddr::V6(_) => writeln!(out, "    <Subnet>{}</Subnet>", prefix.len())?,
    }
    writeln!(out, "  </IPHost>")
}

fn write_group(rules: &Rules, part: &Part<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "  <IPHostGroup>\n    <Name>{}</Name>", part.name)?;
    writeln!(out, "    <Description>{}</Description>", rules.description(255))?;
    writeln!(out, "    <IPFamily>{}</IPFamily>\n    <HostList>", part.of("IPv4", "IPv6"))?;
    part.prefixes().try_for_each(|prefix| writeln!(out, "      <Host>{}</Host>", NAMES.prefix(rules, prefix)))?;
    writeln!(out, "    </HostList>\n  </IPHostGroup>")
}

fn write_service(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "  <Services>\n    <Name>{}</Name>", NAMES.name(rules.name(), "-tcp"))?;
    writeln!(out, "    <Type>TCPorUDP</Type>\n    <ServiceDetails>")?;
    rules.ports().iter().try_for_each(|port| {
        writeln!(
            out,
            "      <ServiceDetail><SourcePort>1:65535</SourcePort><DestinationPort>{port}</DestinationPort>\
             <Protocol>TCP</Protocol></ServiceDetail>"
        )
    })?;
    writeln!(out, "    </ServiceDetails>\n  </Services>")
}
