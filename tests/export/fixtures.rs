//! The lists that every format is tried with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use egressd::export::{Families, RuleFormat, Selected, Selection};
use egressd::prefix::{Family, Prefix};
use egressd::ranges::FeedSnapshot;

/// A list, and what its text is made of.
pub struct Fixture {
    pub name: String,
    pub selected: Selected,
    /// What the objects are to be called.
    pub object: &'static str,
    /// Host names besides.
    pub hosts: Vec<String>,
}

/// Text that would be something else than text in one syntax or another.
pub const HOSTILE: &str = "a\"b'c`\n]};:-->*/ $(touch /tmp/x) ${y} %s #!\\ \u{fc}\u{202e}\t<a>&amp; END\nEOF\r\n";

/// The lists besides those of a limit.
pub fn all() -> Vec<Fixture> {
    let documented = Selection::default().of(&FeedSnapshot::documented());
    vec![
        Fixture { name: "documented".to_owned(), selected: documented, object: "cloudfront", hosts: Vec::new() },
        Fixture {
            name: "names".to_owned(),
            hosts: vec!["api.example.com".to_owned(), "cdn-1.example.com".to_owned()],
            ..list("", &["13.32.0.0/15", "2600:9000:2000::/36"])
        },
        list("both", &["3.10.17.128/25", "13.32.0.0/15", "2600:9000:5308::/45", "2600:9000:2000::/36"]),
        list("ipv4", &["13.32.0.0/15", "13.35.0.0/16", "205.251.200.0/21"]),
        list("ipv6", &["2600:9000:2000::/36", "2600:9000:ddd::/48"]),
        list("hosts", &["56.125.47.0/32", "56.125.47.2/32", "2600:9000::1/128"]),
        // Side by side, but of no common prefix.
        list(
            "neighbours",
            &["13.32.64.0/18", "13.32.128.0/17", "13.33.0.0/16", "2600:9000:1::/48", "2600:9000:2::/47"],
        ),
        Fixture {
            name: "hostile".to_owned(),
            object: HOSTILE,
            ..commented("13.32.0.0/15 2600:9000:2000::/36", HOSTILE)
        },
        Fixture {
            name: "long-name".to_owned(),
            object: "a-name_that-is-longer-than_any-device-takes-for-an-object_0123456789_0123456789",
            ..commented("13.32.0.0/15 2600:9000:2000::/36", &"long comment ".repeat(40))
        },
    ]
}

/// As many entries of each family as there may be, and one more.
pub fn at_and_over(format: RuleFormat, most: usize) -> [Fixture; 2] {
    let of = |name: &str, count| {
        let v6 = format.capability().families == Families::Apart;
        let prefixes = spaced(count, Family::V4).chain(spaced(if v6 { count } else { 0 }, Family::V6));
        let selected = Selected::plain(&prefixes.collect::<Vec<_>>());
        Fixture { name: name.to_owned(), selected, object: "cloudfront", hosts: Vec::new() }
    };
    [of("at-the-limit", most), of("over-the-limit", most + 1)]
}

/// Prefixes of which no two make one, nor touch.
fn spaced(count: usize, family: Family) -> impl Iterator<Item = Prefix> {
    (0..u32::try_from(count).expect("a small number")).map(move |at| match family {
        Family::V4 => Prefix::containing(IpAddr::V4(Ipv4Addr::from_bits((11 << 24) + at * 512)), 24),
        Family::V6 => {
            let base = u128::from(0x2600_9000_u32) << 96;
            Prefix::containing(IpAddr::V6(Ipv6Addr::from_bits(base + (u128::from(at) << 81))), 48)
        }
    })
}

fn list(name: &str, prefixes: &[&str]) -> Fixture {
    let commented = prefixes.iter().map(|text| (text.parse().expect("a prefix"), "viewer eu-west-1".to_owned()));
    Fixture { name: name.to_owned(), selected: Selected::new(commented), object: "cloudfront", hosts: Vec::new() }
}

fn commented(prefixes: &str, comment: &str) -> Fixture {
    let listed = prefixes.split(' ').map(|text| (text.parse().expect("a prefix"), comment.to_owned()));
    Fixture { name: String::new(), selected: Selected::new(listed), object: "cloudfront", hosts: Vec::new() }
}
