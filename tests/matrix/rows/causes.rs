//! What the diagnosis tells rather than the mechanism, if there is one.

use crate::hosts;
use crate::middle::{mitmproxy, nginx};
use crate::network::{Network, OTHER_RESOLVER};
use crate::row::{Endpoint, GET, OTHER, RECEIVE, Row, Said, TOP, WHOLE, WORKS};

const CAUSE: Row = Row {
    name: "",
    produced: None,
    network: Network::build,
    proof: &[],
    endpoint: RECEIVE,
    top: TOP,
    environment: &[],
    hop: None,
    said: Said { verdict: "blocked", layer: "", diagnosis: "" },
};

const IN_CLEAR: Endpoint = Endpoint { url: "http://cdn.example.test/1m.bin", ..RECEIVE };
const UNTRUSTED: &str = "60 000";

pub const ROWS: &[Row] = &[
    Row {
        name: "a_body_that_is_changed",
        network: || meddling("change"),
        proof: &[("curl http://cdn.example.test/1m.bin", WHOLE)],
        endpoint: IN_CLEAR,
        said: Said { verdict: "blocked", layer: "transfer", diagnosis: "body_changed" },
        ..CAUSE
    },
    Row {
        name: "a_body_that_is_shortened",
        network: || meddling("shorten"),
        proof: &[("curl http://cdn.example.test/1m.bin", "0 200 524288")],
        endpoint: IN_CLEAR,
        said: Said { verdict: "blocked", layer: "transfer", diagnosis: "body_changed" },
        ..CAUSE
    },
    Row {
        name: "an_expired_certificate",
        network: || with_certificate(&["cdn.example.test"], "-1"),
        proof: &[(GET, UNTRUSTED), (OTHER, WORKS)],
        said: Said { verdict: "blocked", layer: "tls", diagnosis: "certificate_invalid" },
        ..CAUSE
    },
    Row {
        name: "a_certificate_of_another_name",
        network: || with_certificate(&["media.example.test"], "30"),
        proof: &[(GET, UNTRUSTED), (OTHER, WORKS)],
        said: Said { verdict: "blocked", layer: "tls", diagnosis: "certificate_invalid" },
        ..CAUSE
    },
    Row {
        name: "a_clock_that_is_wrong",
        proof: &[(GET, WHOLE)],
        environment: &[
            ("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1"),
            ("FAKETIME", "+400d"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ],
        said: Said { verdict: "blocked", layer: "tls", diagnosis: "clock_wrong" },
        ..CAUSE
    },
    Row {
        name: "resolvers_that_do_not_answer",
        network: || forwarding("udp dport 53 drop"),
        proof: &[("dig cdn.example.test", "SILENT"), ("dig @192.88.99.54 cdn.example.test", "SILENT")],
        said: Said { verdict: "blocked", layer: "dns", diagnosis: "dns_unreachable" },
        ..CAUSE
    },
    Row {
        name: "a_system_resolver_that_is_dead",
        network: dead_resolver,
        proof: &[("dig cdn.example.test", "SILENT"), ("dig @192.88.99.54 cdn.example.test", "NOERROR 13.224.10.10")],
        said: Said { verdict: "blocked", layer: "dns", diagnosis: "resolver_broken" },
        ..CAUSE
    },
    Row {
        name: "an_address_outside_the_ranges",
        proof: &[("dig www.example.test", "NOERROR 192.88.99.1")],
        endpoint: Endpoint { url: "https://www.example.test/1m.bin", ..RECEIVE },
        said: Said { verdict: "open", layer: "", diagnosis: "outside_published_ranges" },
        ..CAUSE
    },
    Row {
        name: "quic_that_is_rejected",
        network: without_quic,
        proof: &[(GET, WHOLE)],
        said: Said { verdict: "open", layer: "", diagnosis: "quic_blocked" },
        ..CAUSE
    },
    Row {
        name: "a_proxy_that_is_not_there",
        network: || forwarding("tcp dport { 80, 443 } reject with icmpx type admin-prohibited"),
        proof: &[("curl -x 10.9.1.1:3128 https://cdn.example.test/1m.bin", "7 000")],
        endpoint: Endpoint { proxy: "http://10.9.1.1:3128", ..RECEIVE },
        said: Said { verdict: "blocked", layer: "tcp", diagnosis: "proxy_unreachable" },
        ..CAUSE
    },
    Row {
        name: "a_connection_cut_while_idle",
        produced: Some("dropped"),
        network: forgetful,
        proof: &[(GET, WHOLE)],
        endpoint: Endpoint { lines: "idle_seconds = 5", url: "https://cdn.example.test/1k.bin", ..RECEIVE },
        said: Said { verdict: "partly_blocked", layer: "transfer", diagnosis: "idle_cut" },
        ..CAUSE
    },
    Row {
        name: "an_uplink_that_is_down",
        network: || forwarding("drop"),
        proof: &[(GET, "28 000"), ("dig cdn.example.test", "SILENT")],
        said: Said { verdict: "undetermined", layer: "dns", diagnosis: "own_uplink_down" },
        ..CAUSE
    },
    Row {
        name: "a_platform_without_the_file",
        proof: &[("curl https://cdn.example.test/none.bin", "0 404")],
        endpoint: Endpoint { url: "https://cdn.example.test/none.bin", ..RECEIVE },
        said: Said { verdict: "blocked", layer: "http", diagnosis: "endpoint_misbehaves" },
        ..CAUSE
    },
];

/// Requests in clear go through a proxy that nobody knows of.
fn meddling(way: &str) -> Network {
    let mut network = Network::build();
    mitmproxy::start_transparent(&mut network, way);
    hosts::arriving(&["tcp dport 80 redirect to :8080"]);
    network
}

fn with_certificate(names: &'static [&'static str], days: &'static str) -> Network {
    let mut network = Network::build();
    nginx::start_with_certificate(&mut network, names, days);
    network
}

fn forwarding(statement: &str) -> Network {
    let network = Network::build();
    hosts::forwarding(&[statement]);
    network
}

/// The platform offers QUIC, and the firewall takes TCP alone.
fn without_quic() -> Network {
    let mut network = Network::build();
    nginx::start_in_place(&mut network, "add_header alt-svc 'h3=\":443\"; ma=86400' always;");
    hosts::forwarding(&["udp dport 443 reject with icmpx type admin-prohibited"]);
    network
}

fn dead_resolver() -> Network {
    let network = Network::build();
    hosts::forwarding(&[&format!("udp dport 53 ip daddr != {OTHER_RESOLVER} drop"), "tcp dport 53 drop"]);
    network
}

/// A firewall that forgets connections after two seconds, and drops what belongs to none that it knows.
fn forgetful() -> Network {
    let network = Network::build();
    hosts::forwarding(&["ct state established accept", "tcp flags & (syn | ack) == ack ct state new drop"]);
    hosts::set("firewall", "net/netfilter/nf_conntrack_tcp_timeout_established", "2");
    network
}
