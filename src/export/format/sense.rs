//! pfSense and OPNsense: an alias in the form of their configuration.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

use super::{Exporter, separated};
use crate::export::{Capability, Comments, Limit, Naming, Rules};
use crate::text::hexadecimal;

const CAPABILITY: Capability = Capability {
    atomic: Some("the alias is replaced"),
    limit: Some(Limit {
        entries: 200_000,
        of: "firewall",
        source: "Netgate, Aliases: half of Firewall Maximum Table Entries, 400,000 by default",
    }),
    validated_by: "fwshift",
    ..Capability::FILE
};

/// An alias with a description for each entry.
pub(super) const PFSENSE: Exporter = Exporter {
    name: "pfsense",
    title: "pfSense: an alias for config.xml (a URL table alias takes the format plain)",
    capability: CAPABILITY,
    write: write_pfsense,
};

/// An alias of the newer model of the configuration.
pub(super) const OPNSENSE: Exporter = Exporter {
    name: "opnsense",
    title: "OPNsense: an alias for config.xml (a URL table alias takes the format plain)",
    capability: Capability { comments: Comments::Object, ..CAPABILITY },
    write: write_opnsense,
};

const NAMES: Naming = Naming::identifier(31);

/// Restoring the area of aliases replaces all of them: the alias belongs among those that are there.
const WARNING: &str = "Put the alias among yours: restoring this file as an area takes the place of every other alias.";

fn write_pfsense(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    begin(rules, out)?;
    writeln!(out, "<aliases>\n\t<alias>\n\t\t<name>{}</name>\n\t\t<type>network</type>", NAMES.name(rules.name(), ""))?;
    write!(out, "\t\t<address>")?;
    separated(out, rules.entries(), " ", |out, entry| write!(out, "{}", entry.block))?;
    write!(out, "</address>\n\t\t<descr>{}</descr>\n\t\t<detail>", rules.description(200))?;
    separated(out, rules.entries(), "||", |out, entry| write!(out, "{}", rules.comment(entry)))?;
    writeln!(out, "</detail>\n\t</alias>\n</aliases>")
}

fn write_opnsense(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    let name = NAMES.name(rules.name(), "");
    begin(rules, out)?;
    writeln!(out, "<opnsense><OPNsense><Firewall><Alias version=\"1.0.1\"><aliases>")?;
    writeln!(out, "<alias uuid=\"{}\">", identifier(&name))?;
    write!(out, "<enabled>1</enabled><name>{name}</name><type>network</type>")?;
    writeln!(out, "<description>{}</description>", rules.description(200))?;
    write!(out, "<content>")?;
    separated(out, rules.entries(), "\n", |out, entry| write!(out, "{}", entry.block))?;
    writeln!(out, "</content>\n</alias>\n</aliases></Alias></Firewall></OPNsense></opnsense>")
}

fn begin(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>")?;
    rules.header().iter().try_for_each(|line| writeln!(out, "<!-- {} -->", comment(line)))?;
    writeln!(out, "<!-- {WARNING} -->")
}

/// Two hyphens end a comment.
fn comment(line: &str) -> String {
    line.replace("--", "__")
}

/// The same alias has the same identifier in every export.
fn identifier(name: &str) -> String {
    let digest = hexadecimal(&Sha256::digest(name.as_bytes()));
    format!("{}-{}-5{}-8{}-{}", &digest[..8], &digest[8..12], &digest[12..15], &digest[15..18], &digest[18..30])
}
