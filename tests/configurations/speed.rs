//! Long configurations: time grows with their length, and not with its square. `benches/audit-devices` has the figures.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use egressd::audit::{Format, Question};

use crate::world::{file, judged};

const LINES: u32 = 10_000;

/// A debug build beside other work takes a second at most; the square of the length would take a minute.
const MOST: Duration = Duration::from_secs(10);

/// One of so many networks of 256 addresses, no two of which touch.
fn network(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0d00_0000 + number * 512)
}

type Large = (&'static str, &'static str, fn(&mut String, u32), &'static str);

/// What begins the file, a line for each number, and what ends it.
const LARGE: [(Large, &str); 9] = [
    (
        (
            "ios",
            "interface Gi0/1\n ip access-group L in\nip access-list extended L\n",
            |text, number| {
                writeln!(text, " permit tcp any {} 0.0.0.255 eq 443", network(number)).unwrap();
            },
            "end\n",
        ),
        "rules",
    ),
    (
        (
            "ios",
            "interface Gi0/1\n ip access-group L in\nobject-group network G\n",
            |text, number| {
                writeln!(text, " {} 255.255.255.0", network(number)).unwrap();
            },
            "ip access-list extended L\n permit tcp any object-group G eq 443\nend\n",
        ),
        "members",
    ),
    (
        (
            "asa",
            "",
            |text, number| {
                writeln!(text, "access-list L extended permit tcp any {} 255.255.255.0 eq 443", network(number))
                    .unwrap();
            },
            "access-group L in interface inside\n: end\n",
        ),
        "rules",
    ),
    (
        (
            "junos",
            "set interfaces ge-0/0/1 unit 0 family inet filter input F\n",
            |text, number| {
                writeln!(text, "set policy-options prefix-list L {}/24", network(number)).unwrap();
            },
            "set firewall family inet filter F term t from destination-prefix-list L\nset firewall family inet filter F term t then accept\n",
        ),
        "members",
    ),
    (
        (
            "panos",
            "",
            |text, number| {
                writeln!(
                    text,
                    "set address a{number} ip-netmask {}/24\nset address-group G static a{number}",
                    network(number)
                )
                .unwrap();
            },
            "set rulebase security rules r from any to any source any destination G application any service any action allow\n",
        ),
        "members",
    ),
    (
        (
            "fortios",
            "config firewall address\n",
            |text, number| {
                writeln!(text, "edit \"a{number}\"\nset subnet {} 255.255.255.0\nnext", network(number)).unwrap();
            },
            "end\nconfig firewall policy\nedit 1\nset srcintf \"any\"\nset dstintf \"any\"\nset srcaddr \"all\"\nset dstaddr \"a7\"\nset service \"ALL\"\nset action accept\nnext\nend\n",
        ),
        "objects",
    ),
    (
        (
            "routeros",
            "/ip firewall filter\n",
            |text, number| {
                writeln!(text, "add action=accept chain=forward dst-address={}/24 protocol=tcp", network(number))
                    .unwrap();
            },
            "add action=drop chain=forward\n/system identity\n",
        ),
        "rules",
    ),
    (
        (
            "squid",
            "",
            |text, number| {
                writeln!(text, "acl a{number} dst {}/24\nhttp_access allow a{number}", network(number)).unwrap();
            },
            "http_access deny all\n",
        ),
        "rules",
    ),
    (("plain", "", |text, number| writeln!(text, "{}/24", network(number)).unwrap(), ""), "entries"),
];

#[test]
fn long_configurations_are_read_in_no_time() {
    for ((format, begin, line, end), what) in LARGE {
        let mut text = begin.to_owned();
        (0..LINES).for_each(|number| line(&mut text, number));
        text.push_str(end);
        let files = [file("large", text)];
        let start = Instant::now();
        let coverage = judged(Format::named(format).unwrap(), &files, &Question::default()).unwrap();
        let taken = start.elapsed();
        assert!(coverage.allowed.holds(network(7).into()) && !coverage.allowed.holds([13, 0, 1, 0].into()), "{format}");
        assert!(taken < MOST, "{format} takes {taken:?} for {LINES} {what}");
    }
}
