//! Proxy auto-configuration: what goes to the listed addresses goes around the proxy.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use super::{Exporter, header, ports, separated};
use crate::export::{Capability, Comments, Rules};
use crate::prefix::Family;

/// The standard functions know IPv4 alone; IPv6 is for browsers that have Microsoft's extension.
pub(super) const EXPORTER: Exporter = Exporter {
    name: "pac",
    title: "proxy auto-configuration: listed addresses go around the proxy",
    capability: Capability { comments: Comments::Object, hosts: true, validated_by: "pacparser", ..Capability::FILE },
    write,
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let entries = |family| rules.entries().iter().filter(move |entry| entry.family() == family);
    header(rules, "//", out)?;
    writeln!(out, "// Put your proxy here; this one does not exist.")?;
    writeln!(out, "var otherwise = \"PROXY proxy.invalid:3128\";\nvar ports = [{}];", ports(rules, ", "))?;
    write!(out, "var hosts = [")?;
    separated(out, rules.hosts(), ", ", |out, host| write!(out, "\"{}\"", host.to_ascii_lowercase()))?;
    write!(out, "];\nvar ipv4 = [")?;
    separated(out, entries(Family::V4), ",", |out, entry| {
        write!(out, "\n  [\"{}\", \"{}\"]", entry.block.first(), mask(entry.prefix().len()))
    })?;
    write!(out, "\n];\nvar ipv6 = [")?;
    separated(out, entries(Family::V6), ",", |out, entry| write!(out, "\n  \"{}\"", entry.prefix()))?;
    write!(out, "\n];\n{FUNCTIONS}")
}

/// A name is resolved once, and not for each of the entries.
const FUNCTIONS: &str = r#"
function portOf(url) {
  var parts = /^([a-z]+):\/\/(?:\[[^\]]*\]|[^\/:]*)(?::(\d+))?/.exec(url.toLowerCase());
  return !parts ? 0 : parts[2] ? Number(parts[2]) : parts[1] === "https" || parts[1] === "wss" ? 443 : 80;
}

function isListed(host) {
  var i, address, addresses;
  for (i = 0; i < hosts.length; i++) {
    if (hosts[i] === host.toLowerCase()) { return true; }
  }
  address = dnsResolve(host);
  for (i = 0; address && i < ipv4.length; i++) {
    if (isInNet(address, ipv4[i][0], ipv4[i][1])) { return true; }
  }
  if (typeof isInNetEx !== "function" || typeof dnsResolveEx !== "function") { return false; }
  addresses = String(dnsResolveEx(host)).split(";");
  for (i = 0; i < ipv6.length * addresses.length; i++) {
    address = addresses[i % addresses.length];
    if (address.indexOf(":") >= 0 && isInNetEx(address, ipv6[Math.floor(i / addresses.length)])) { return true; }
  }
  return false;
}

function FindProxyForURL(url, host) {
  return ports.indexOf(portOf(url)) >= 0 && isListed(host) ? "DIRECT" : otherwise;
}
"#;

fn mask(length: u8) -> IpAddr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into()
}
