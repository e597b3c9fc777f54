//! Address space that no public service can use.

use std::sync::LazyLock;

use super::{Prefix, PrefixSet};

/// The block of the IANA special-purpose address registries (RFC 6890 and successors) or of multicast space that
/// overlaps the prefix, with its name there.
///
/// Blocks that the registries mark as globally reachable are included where no content network can be in them.
#[must_use]
pub fn special_purpose(prefix: Prefix) -> Option<(Prefix, &'static str)> {
    BLOCKS.iter().copied().find(|&(block, _)| block.covers(prefix) || prefix.covers(block))
}

/// All of that space.
#[must_use]
pub fn special_purpose_space() -> PrefixSet {
    BLOCKS.iter().map(|&(block, _)| block).collect()
}

static BLOCKS: LazyLock<Vec<(Prefix, &'static str)>> = LazyLock::new(|| {
    TABLE.iter().map(|&(text, name)| (text.parse().expect("the table holds prefixes"), name)).collect()
});

const TABLE: &[(&str, &str)] = &[
    ("0.0.0.0/8", "\"this network\" (RFC 791)"),
    ("10.0.0.0/8", "private use (RFC 1918)"),
    ("100.64.0.0/10", "shared address space (RFC 6598)"),
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("169.254.0.0/16", "link local (RFC 3927)"),
    ("172.16.0.0/12", "private use (RFC 1918)"),
    ("192.0.0.0/24", "IETF protocol assignments (RFC 6890)"),
    ("192.0.2.0/24", "documentation TEST-NET-1 (RFC 5737)"),
    ("192.31.196.0/24", "AS112 (RFC 7535)"),
    ("192.52.193.0/24", "AMT (RFC 7450)"),
    ("192.88.99.0/24", "deprecated 6to4 relay anycast (RFC 7526)"),
    ("192.168.0.0/16", "private use (RFC 1918)"),
    ("192.175.48.0/24", "AS112 direct delegation (RFC 7534)"),
    ("198.18.0.0/15", "benchmarking (RFC 2544)"),
    ("198.51.100.0/24", "documentation TEST-NET-2 (RFC 5737)"),
    ("203.0.113.0/24", "documentation TEST-NET-3 (RFC 5737)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("240.0.0.0/4", "reserved (RFC 1112)"),
    ("::/96", "unspecified, loopback and IPv4-compatible addresses (RFC 4291)"),
    ("::ffff:0:0/96", "IPv4-mapped addresses (RFC 4291)"),
    ("64:ff9b::/96", "IPv4-IPv6 translation (RFC 6052)"),
    ("64:ff9b:1::/48", "IPv4-IPv6 translation (RFC 8215)"),
    ("100::/64", "discard only (RFC 6666)"),
    ("100:0:0:1::/64", "dummy prefix (RFC 9780)"),
    ("2001::/23", "IETF protocol assignments (RFC 2928)"),
    ("2001:db8::/32", "documentation (RFC 3849)"),
    ("2002::/16", "6to4 (RFC 3056)"),
    ("2620:4f:8000::/48", "AS112 direct delegation (RFC 7534)"),
    ("3fff::/20", "documentation (RFC 9637)"),
    ("5f00::/16", "segment routing SIDs (RFC 9602)"),
    ("fc00::/7", "unique local (RFC 4193)"),
    ("fe80::/10", "link local (RFC 4291)"),
    ("ff00::/8", "multicast (RFC 4291)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_in_either_direction_is_found() {
        let name = |text: &str| special_purpose(text.parse().expect("a prefix")).map(|(block, _)| block.to_string());
        assert_eq!(name("10.1.0.0/16").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(name("192.0.0.0/15").as_deref(), Some("192.0.0.0/24"));
        assert_eq!(name("0.0.0.0/0").as_deref(), Some("0.0.0.0/8"));
        assert_eq!(name("fe80::/64").as_deref(), Some("fe80::/10"));
        assert_eq!(name("13.32.0.0/15"), None);
        assert_eq!(name("2600:9000::/28"), None);
        assert_eq!(name("2001:3fc6:20::/43"), None);
    }
}
