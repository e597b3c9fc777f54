//! Networks that look odd and in which nothing is wrong.

use crate::hosts;
use crate::middle::{resolver, squid};
use crate::network::{CDN_OTHER, Conditions, FIREWALL_V6, Network, RESOLVER, RESOLVER_V6};
use crate::row::{Endpoint, GET, GET_V6, NOTHING, RECEIVE, Row, TOP, WHOLE};

/// Its certificate is of an authority that the configuration alone trusts.
const HEALTHY: Row = Row {
    name: "",
    produced: None,
    network: Network::build,
    proof: &[(GET, WHOLE), (GET_V6, WHOLE)],
    endpoint: RECEIVE,
    top: TOP,
    environment: &[],
    hop: None,
    said: NOTHING,
};

pub const ROWS: &[Row] = &[
    Row { name: "healthy_with_an_authority_of_its_own", ..HEALTHY },
    Row { name: "healthy_and_far", network: far, ..HEALTHY },
    Row { name: "healthy_with_loss", network: lossy, proof: &[(PATIENT, WHOLE)], ..HEALTHY },
    Row { name: "healthy_without_ipv6", network: without_ipv6, proof: &[(GET, WHOLE), (GET_V6, "7 000")], ..HEALTHY },
    Row { name: "healthy_without_ipv4", network: without_ipv4, proof: &[(GET, WHOLE), (GET_V4, "7 000")], ..HEALTHY },
    Row {
        name: "healthy_behind_nat64",
        network: behind_nat64,
        proof: &[
            ("dig old.example.test aaaa", "NOERROR 64:ff9b::de0:a0a"),
            ("curl https://old.example.test/1m.bin", WHOLE),
        ],
        endpoint: Endpoint { url: "https://old.example.test/1m.bin", ..RECEIVE },
        ..HEALTHY
    },
    Row {
        name: "healthy_with_addresses_in_turn",
        network: in_turn,
        proof: &[
            ("dig cdn.example.test", "NOERROR 13.226.20.20"),
            ("dig @192.88.99.54 cdn.example.test", "NOERROR 13.224.10.10"),
            (GET, WHOLE),
        ],
        ..HEALTHY
    },
    Row {
        name: "healthy_through_the_only_proxy",
        network: proxied,
        proof: &[(GET, "7 000"), ("curl -x 10.9.1.1:3128 https://cdn.example.test/1m.bin", WHOLE)],
        endpoint: Endpoint { proxy: "http://10.9.1.1:3128", ..RECEIVE },
        ..HEALTHY
    },
    Row {
        name: "healthy_through_the_environments_proxy",
        network: proxied,
        proof: &[(GET, "7 000"), ("curl -x 10.9.1.1:3128 https://cdn.example.test/1m.bin", WHOLE)],
        environment: &[("https_proxy", "http://10.9.1.1:3128")],
        ..HEALTHY
    },
    Row { name: "healthy_with_slow_names", network: slow_names, ..HEALTHY },
    Row {
        name: "healthy_with_cut_names",
        network: cut_names,
        proof: &[("dig +ignore cdn.example.test", "NOERROR cut"), (GET, WHOLE)],
        ..HEALTHY
    },
    Row { name: "healthy_with_old_http", network: old_http, ..HEALTHY },
    Row {
        name: "healthy_behind_a_redirect",
        proof: &[
            ("curl https://cdn.example.test/moved/1m.bin", "0 302"),
            ("curl -L https://cdn.example.test/moved/1m.bin", WHOLE),
        ],
        endpoint: Endpoint { url: "https://cdn.example.test/moved/1m.bin", lines: "", ..RECEIVE },
        ..HEALTHY
    },
    Row { name: "healthy_through_a_tunnel", network: tunnelled, ..HEALTHY },
    Row { name: "healthy_without_icmp", network: without_icmp, ..HEALTHY },
];

/// A lost question to a resolver is asked again after five seconds.
const PATIENT: &str = "curl --connect-timeout 20 --max-time 30 https://cdn.example.test/1m.bin";
const GET_V4: &str = "curl -4 https://cdn.example.test/1m.bin";

/// 300 ms there and back, as from the other side of the world.
fn far() -> Network {
    Network::under(&Conditions { delay_ms: 150, ..Conditions::default() })
}

/// Four of a hundred packets are lost on the way there and four on the way back.
fn lossy() -> Network {
    let network = Network::build();
    hosts::forwarding(&["numgen random mod 100 < 4 drop"]);
    network
}

fn without_ipv6() -> Network {
    let network = Network::build();
    hosts::set("client", "net/ipv6/conf/c0/disable_ipv6", "1");
    network
}

fn without_ipv4() -> Network {
    let network = Network::build();
    hosts::run("client", "ip -4 addr flush dev c0");
    network.use_resolvers(&[RESOLVER_V6]);
    network
}

/// The client has IPv6 alone, the name an IPv4 address alone. The server has the translated address itself: a translator
/// in user space would need `/dev/net/tun`, and what the client sees is the same.
fn behind_nat64() -> Network {
    let mut network = Network::build();
    let lines = "module-config: \"dns64 iterator\"\n  dns64-prefix: 64:ff9b::/96";
    resolver::start_unbound(&mut network, lines);
    hosts::own("server", "64:ff9b::de0:a0a/128");
    hosts::run("client", "ip -4 addr flush dev c0");
    network.use_resolvers(&[FIREWALL_V6]);
    network
}

/// One resolver has the one address of the name, and the next resolver the other.
fn in_turn() -> Network {
    let mut network = Network::build();
    resolver::start_dnsmasq(&mut network, &format!("host-record=cdn.example.test,{CDN_OTHER},2600:9000:2000::10"));
    network
}

fn proxied() -> Network {
    let mut network = Network::build();
    squid::start(&mut network, "");
    hosts::forwarding(&["tcp dport { 80, 443 } reject with icmpx type admin-prohibited"]);
    network
}

/// Each answer takes 0.9 s, as where a resolver asks the other side of the world.
fn slow_names() -> Network {
    let mut network = Network::build();
    resolver::start_slow(&mut network, RESOLVER, "0.9");
    network
}

/// Answers over UDP are cut for being long, and asked for again over TCP.
fn cut_names() -> Network {
    let mut network = Network::build();
    resolver::start_unbound(&mut network, "max-udp-size: 40");
    network
}

fn old_http() -> Network {
    Network::under(&Conditions { http2: false, ..Conditions::default() })
}

/// The line to the provider takes packets of 1,300 bytes, and the firewall says so.
fn tunnelled() -> Network {
    let network = Network::build();
    hosts::run("firewall", "ip link set f1 mtu 1300");
    hosts::run("isp", "ip link set i0 mtu 1300");
    network
}

/// Nobody is told anything, but nothing needs to be.
fn without_icmp() -> Network {
    let network = Network::build();
    for host in ["firewall", "isp"] {
        for hook in ["forward", "output"] {
            let statements = [
                "meta l4proto icmp drop",
                "icmpv6 type { destination-unreachable, time-exceeded, packet-too-big } drop",
            ];
            hosts::filter(host, &format!("type filter hook {hook} priority 0"), &statements);
        }
    }
    network
}
