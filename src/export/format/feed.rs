//! Lists that a device fetches by itself: one entry in a line.

use std::fmt::{self, Write};

use super::Exporter;
use crate::export::{Capability, Comments, Families, Limit, Rules};

/// An External Dynamic List. A comment stands behind a space; a header is not documented and left out.
pub(super) const PANOS: Exporter = Exporter {
    name: "panos-edl",
    title: "Palo Alto PAN-OS: External Dynamic List",
    capability: Capability {
        limit: Some(Limit {
            entries: 50_000,
            of: "firewall",
            source: "PAN-OS help, External Dynamic List: over all lists 150,000 on the PA-5000 and PA-7000, 50,000 on others",
        }),
        ..FETCHED
    },
    write: write_commented,
};

/// An external resource of type address. FortiOS documents no comments.
pub(super) const FORTIOS: Exporter = Exporter {
    name: "fortios-feed",
    title: "Fortinet FortiOS: external threat feed of addresses",
    capability: Capability {
        comments: Comments::None,
        limit: Some(Limit {
            entries: 131_072,
            of: "feed",
            source: "FortiOS administration guide: 128K entries or 10 MB before 7.4.4, more since",
        }),
        ..FETCHED
    },
    write,
};

/// A network feed object (R81.20).
pub(super) const CHECKPOINT: Exporter = Exporter {
    name: "checkpoint-feed",
    title: "Check Point: network feed, a flat list",
    capability: Capability { comments: Comments::None, ..FETCHED },
    write,
};

/// A Dynamic External Address Group; whether it takes IPv6 is not documented, and neither are comments.
pub(super) const SONICWALL: Exporter = Exporter {
    name: "sonicwall",
    title: "SonicWall: Dynamic External Address Group",
    capability: Capability { families: Families::V4Only, ranges: false, comments: Comments::None, ..FETCHED },
    write,
};

/// The upload of a network location: one column. Whether it takes IPv6 is not documented.
pub(super) const NETSKOPE: Exporter = Exporter {
    name: "netskope",
    title: "Netskope: network location, as a CSV file of one column",
    capability: Capability {
        families: Families::V4Only,
        comments: Comments::None,
        atomic: Some("the upload replaces the list"),
        ..FETCHED
    },
    write,
};

/// Polled, read whole, and in force without a commit.
const FETCHED: Capability = Capability {
    ranges: true,
    comments: Comments::Entry,
    atomic: Some("the device fetches the whole file"),
    validated_by: "a second reader in the tests",
    ..Capability::FILE
};

fn write(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    rules.entries().iter().try_for_each(|entry| writeln!(out, "{}", entry.block))
}

fn write_commented(rules: &Rules, out: &mut dyn Write) -> fmt::Result {
    rules.entries().iter().try_for_each(|entry| match rules.comment(entry) {
        "" => writeln!(out, "{}", entry.block),
        comment => writeln!(out, "{} {comment}", entry.block),
    })
}
