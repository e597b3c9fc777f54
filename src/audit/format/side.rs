//! On which side of the firewall a zone or an interface is, as far as its name says so.

use crate::audit::Side;

/// What administrators and vendors' defaults call the way out.
const OUTSIDE: [&str; 11] =
    ["outside", "untrust", "untrusted", "internet", "wan", "external", "public", "uplink", "isp", "egress", "pppoe"];

/// What they call the inside.
const INSIDE: [&str; 14] = [
    "inside",
    "trust",
    "trusted",
    "lan",
    "internal",
    "private",
    "users",
    "user",
    "clients",
    "client",
    "corp",
    "office",
    "intranet",
    "bridgelocal",
];

/// By the words in the name or description: `L3-Untrust`, `wan1`, `bridge_lan`; none where they do not say, or say both.
pub(super) fn named(name: &str) -> Option<Side> {
    let lower = name.to_ascii_lowercase();
    let words = || lower.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    match (words().any(|word| INSIDE.contains(&word)), words().any(|word| OUTSIDE.contains(&word))) {
        (true, false) => Some(Side::Inside),
        (false, true) => Some(Side::Outside),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_where_they_are_clear() {
        for (name, expected) in [
            ("outside", Some(Side::Outside)),
            ("L3-Untrust", Some(Side::Outside)),
            ("wan1", Some(Side::Outside)),
            ("WAN_2", Some(Side::Outside)),
            ("ether1-wan", Some(Side::Outside)),
            ("inside", Some(Side::Inside)),
            ("bridge-lan", Some(Side::Inside)),
            ("dmz", None),
            ("ge-0/0/0.0", None),
            ("swan", None),
            ("lan-to-wan", None),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
    }
}
