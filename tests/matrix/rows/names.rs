//! Names that resolvers forge or refuse.

use crate::hosts;
use crate::middle::{nginx, resolver};
use crate::network::Network;
use crate::row::{GET, OTHER, RECEIVE, Row, Said, TOP, WORKS};

const FORGED: Row = Row {
    name: "",
    produced: Some("dns_tampered"),
    network: Network::build,
    proof: &[],
    endpoint: RECEIVE,
    top: TOP,
    environment: &[],
    hop: None,
    said: Said { verdict: "blocked", layer: "dns", diagnosis: "dns_tampered" },
};

/// Addresses of nobody here, as those of sinkholes often are.
const ELSEWHERE: &str = "address=/cdn.example.test/45.60.0.9\naddress=/cdn.example.test/2a02:e980::9";

const A: &str = "dig cdn.example.test";
const AAAA: &str = "dig cdn.example.test aaaa";
const TRUE: &str = "dig @192.88.99.54 cdn.example.test";

pub const ROWS: &[Row] = &[
    Row {
        name: "forged_address_by_dnsmasq",
        network: || by_dnsmasq(ELSEWHERE),
        proof: &[
            (A, "NOERROR 45.60.0.9"),
            (AAAA, "NOERROR 2a02:e980::9"),
            (TRUE, "NOERROR 13.224.10.10"),
            (OTHER, WORKS),
        ],
        ..FORGED
    },
    Row {
        name: "forged_address_with_a_page_behind_it",
        network: with_page,
        proof: &[(A, "NOERROR 45.60.0.9"), (TRUE, "NOERROR 13.224.10.10"), (GET, "60 000"), (OTHER, WORKS)],
        ..FORGED
    },
    Row {
        name: "no_address_by_dnsmasq",
        network: || by_dnsmasq("address=/cdn.example.test/0.0.0.0\naddress=/cdn.example.test/::"),
        proof: &[(A, "NOERROR 0.0.0.0"), (AAAA, "NOERROR ::"), (OTHER, WORKS)],
        ..FORGED
    },
    Row {
        name: "private_address_from_whatever_resolver",
        network: whatever_resolver,
        proof: &[(A, "NOERROR 10.9.1.1"), (TRUE, "NOERROR 10.9.1.1"), (OTHER, WORKS)],
        ..FORGED
    },
    Row {
        name: "no_such_name_by_unbound",
        network: || by_unbound("always_nxdomain"),
        proof: &[(A, "NXDOMAIN"), (TRUE, "NOERROR 13.224.10.10"), (OTHER, WORKS)],
        ..FORGED
    },
    Row {
        name: "refused_name_by_unbound",
        network: || by_unbound("refuse"),
        proof: &[(A, "REFUSED"), (TRUE, "NOERROR 13.224.10.10"), (OTHER, WORKS)],
        ..FORGED
    },
    Row {
        name: "unanswered_name_by_unbound",
        network: || by_unbound("deny"),
        proof: &[(A, "SILENT"), (TRUE, "NOERROR 13.224.10.10"), (OTHER, WORKS)],
        ..FORGED
    },
];

fn by_dnsmasq(lines: &str) -> Network {
    let mut network = Network::build();
    resolver::start_dnsmasq(&mut network, lines);
    network
}

/// The same where the resolver that knows better is asked in other ways: no rows of the matrix.
pub const ASKED_OTHERWISE: &[Row] = &[
    Row {
        name: "forged_address_known_over_tcp",
        network: || by_dnsmasq(ELSEWHERE),
        proof: OVER_TCP,
        top: ASKING_TCP,
        ..FORGED
    },
    Row {
        name: "forged_address_known_over_https",
        network: over_https,
        proof: OVER_HTTPS,
        top: ASKING_HTTPS,
        ..FORGED
    },
];

const OVER_TCP: &[(&str, &str)] =
    &[(A, "NOERROR 45.60.0.9"), ("dig +tcp @192.88.99.54 cdn.example.test", "NOERROR 13.224.10.10")];
const OVER_HTTPS: &[(&str, &str)] = &[
    (A, "NOERROR 45.60.0.9"),
    ("curl --doh-url https://dns.example.test:8443/dns-query https://cdn.example.test/1k.bin", "0 200 1024"),
];

const ASKING_TCP: &str = "controls = [\"192.88.99.1:443\"]\n[dns]\nresolvers = [\"tcp://192.88.99.54:53\"]";
const ASKING_HTTPS: &str =
    "controls = [\"192.88.99.1:443\"]\n[dns]\nresolvers = [\"https://dns.example.test:8443/dns-query\"]";

/// One resolver forges, and another, which is asked over HTTPS, does not.
fn over_https() -> Network {
    let mut network = by_dnsmasq(ELSEWHERE);
    resolver::start_over_https(&mut network);
    network
}

fn by_unbound(kind: &str) -> Network {
    let mut network = Network::build();
    resolver::start_unbound(&mut network, &format!("local-zone: \"cdn.example.test.\" {kind}"));
    network
}

/// The forged address answers, with a certificate of another name.
fn with_page() -> Network {
    let mut network = by_dnsmasq(ELSEWHERE);
    hosts::own("firewall", "45.60.0.9/32");
    hosts::own("firewall", "2a02:e980::9/128");
    nginx::start_pages(&mut network, "location / { return 200 'Blocked by your administrator'; }");
    for address in ["ip daddr 45.60.0.9", "ip6 daddr 2a02:e980::9"] {
        hosts::arriving(&[
            &format!("{address} tcp dport 443 redirect to :8444"),
            &format!("{address} tcp dport 80 redirect to :8080"),
        ]);
    }
    network
}

fn whatever_resolver() -> Network {
    let network = by_dnsmasq("address=/cdn.example.test/10.9.1.1\naddress=/cdn.example.test/fd00::1");
    resolver::redirect_queries();
    network
}
