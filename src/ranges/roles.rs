//! What a range is for: read from the feed where it says so, else from what AWS said in August 2026.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{List, Role};
use crate::prefix::{Family, Prefix, PrefixSet};

/// What a range is for, given the space that talks to origins.
pub(super) fn role(prefix: Prefix, list: List, origin_facing: &PrefixSet) -> Role {
    match list {
        List::RegionalEdge => Role::RegionalEdge,
        List::Global if mostly_in(prefix, origin_facing) => Role::OriginFacing,
        List::Global if in_carrier_space(prefix) => Role::CarrierCn,
        List::Global => Role::Viewer,
    }
}

/// The origin-facing space of August 2026, for feeds that do not tell roles.
pub(super) fn known_origin_facing() -> &'static PrefixSet {
    static KNOWN: LazyLock<PrefixSet> = LazyLock::new(|| {
        let text = include_str!("../../data/feeds/origin-facing.json");
        let known: Known = serde_json::from_str(text).expect("the embedded table is sound");
        known.prefixes.into_iter().collect()
    });
    &KNOWN
}

#[derive(Deserialize)]
struct Known {
    prefixes: Vec<Prefix>,
}

fn mostly_in(prefix: Prefix, origin_facing: &PrefixSet) -> bool {
    let inside = origin_facing.intersection(&prefix.into()).addresses(prefix.family());
    inside * 10 >= prefix.addresses() * 9
}

/// All 25 documented global ranges this small, and all 26 of August 2026, are in networks of Chinese carriers; IPv6 has
/// no such rule.
fn in_carrier_space(prefix: Prefix) -> bool {
    match prefix.family() {
        Family::V4 => prefix.len() >= 25,
        Family::V6 => CARRIERS_V6.iter().any(|carrier| carrier.covers(prefix)),
    }
}

static CARRIERS_V6: LazyLock<Vec<Prefix>> = LazyLock::new(|| {
    CARRIERS_V6_TABLE.iter().map(|&(text, _)| text.parse().expect("the table holds prefixes")).collect()
});

/// APNIC allocations, each with its holder.
const CARRIERS_V6_TABLE: &[(&str, &str)] = &[
    ("2400:7fc0::/32", "Sinnet, which runs AWS in Beijing"),
    ("2404:c2c0::/32", "NWCD, which runs AWS in Ningxia"),
    ("2408:8000::/20", "China Unicom"),
    ("2409:8000::/20", "China Mobile"),
    ("240e::/20", "China Telecom"),
];

#[cfg(test)]
mod tests {
    use super::super::FeedSnapshot;
    use super::*;

    fn documented(role: Role) -> Vec<String> {
        let feed = FeedSnapshot::documented();
        feed.ranges.iter().filter(|range| range.role == role).map(|range| range.prefix.to_string()).collect()
    }

    #[test]
    fn seven_documented_ranges_talk_to_origins() {
        assert_eq!(
            documented(Role::OriginFacing),
            [
                "52.46.0.0/18",
                "64.252.64.0/18",
                "64.252.128.0/18",
                "70.132.0.0/18",
                "130.176.0.0/17",
                "130.176.128.0/18",
                "130.176.192.0/19",
            ]
        );
    }

    #[test]
    fn every_documented_range_has_a_role() {
        let counts =
            [Role::Viewer, Role::RegionalEdge, Role::OriginFacing, Role::CarrierCn].map(|r| documented(r).len());
        assert_eq!(counts, [72 - 7 - 25, 49, 7, 25]);
    }

    #[test]
    fn nine_tenths_decide() {
        let prefix: Prefix = "13.32.0.0/16".parse().unwrap();
        let share = |texts: &[&str]| {
            role(prefix, List::Global, &texts.iter().map(|text| text.parse::<Prefix>().unwrap()).collect())
        };
        assert_eq!(share(&["13.32.0.0/17", "13.32.128.0/18", "13.32.192.0/19"]), Role::Viewer);
        assert_eq!(share(&["13.32.0.0/17", "13.32.128.0/18", "13.32.192.0/19", "13.32.224.0/20"]), Role::OriginFacing);
        assert_eq!(share(&["13.0.0.0/8"]), Role::OriginFacing);
    }

    #[test]
    fn the_documented_origin_facing_space_is_exact() {
        assert_eq!(FeedSnapshot::documented().origin_facing.addresses(Family::V4), 146_688 + 256);
    }
}
