//! Addresses and ports that a firewall drops, rejects or resets.

use crate::hosts;
use crate::network::Network;
use crate::row::{GET, GET_V6, OTHER, RECEIVE, Row, Said, TOP, WORKS};

const DROPPED: Row = Row {
    name: "",
    produced: Some("dropped"),
    network: Network::build,
    proof: &[(GET, "28 000"), (GET_V6, "28 000"), (OTHER, WORKS)],
    endpoint: RECEIVE,
    top: TOP,
    environment: &[],
    hop: Some(1),
    said: Said { verdict: "blocked", layer: "ip", diagnosis: "endpoint_dropped" },
};

const REJECTED: Row = Row {
    produced: Some("rejected_icmp"),
    proof: &[(GET, "7 000"), (GET_V6, "7 000"), (OTHER, WORKS)],
    said: Said { verdict: "blocked", layer: "ip", diagnosis: "endpoint_rejected" },
    ..DROPPED
};

pub const ROWS: &[Row] = &[
    Row { name: "dropped_by_address", network: dropped_by_address, ..DROPPED },
    Row {
        name: "dropped_by_port",
        network: dropped_by_port,
        proof: &[(GET, "28 000"), (OTHER, "28 000")],
        top: HTTP_CONTROLS,
        ..DROPPED
    },
    Row { name: "dropped_by_a_blackhole_route", network: || routed("blackhole"), hop: Some(0), ..DROPPED },
    Row { name: "dropped_on_the_way_back", network: dropped_on_the_way_back, hop: Some(2), ..DROPPED },
    Row { name: "rejected_as_prohibited", network: rejected_as_prohibited, ..REJECTED },
    Row {
        name: "rejected_as_iptables_does",
        network: || rejected_by_iptables("icmp-port-unreachable", "icmp6-port-unreachable"),
        ..REJECTED
    },
    Row {
        name: "rejected_as_firewalld_does",
        network: || rejected_by_iptables("icmp-host-prohibited", "icmp6-adm-prohibited"),
        ..REJECTED
    },
    Row { name: "rejected_by_a_prohibit_route", network: || routed("prohibit"), ..REJECTED },
    Row {
        name: "reset_by_address",
        produced: Some("reset"),
        network: reset_by_address,
        said: Said { verdict: "blocked", layer: "tcp", diagnosis: "endpoint_reset" },
        ..REJECTED
    },
];

/// Where nothing gets to port 443, another port has to show that the line is up.
const HTTP_CONTROLS: &str = "controls = [\"192.88.99.1:80\", \"[2a00:1450:1::1]:80\"]
[dns]
resolvers = [\"udp://192.88.99.54:53\"]";

/// The platform's addresses, as the firewall has them in its rules.
const PLATFORM: [&str; 2] = ["ip daddr 13.224.0.0/14", "ip6 daddr 2600:9000::/28"];

fn to_platform(action: &str) -> Network {
    let network = Network::build();
    hosts::forwarding(&PLATFORM.map(|matching| format!("{matching} {action}")).each_ref().map(String::as_str));
    network
}

fn dropped_by_address() -> Network {
    to_platform("drop")
}

fn rejected_as_prohibited() -> Network {
    to_platform("reject with icmpx type admin-prohibited")
}

fn reset_by_address() -> Network {
    to_platform("meta l4proto tcp reject with tcp reset")
}

fn dropped_by_port() -> Network {
    let network = Network::build();
    hosts::forwarding(&["tcp dport 443 drop"]);
    network
}

fn routed(kind: &str) -> Network {
    let network = Network::build();
    hosts::run("firewall", &format!("ip route add {kind} 13.224.0.0/14"));
    hosts::run("firewall", &format!("ip -6 route add {kind} 2600:9000::/28"));
    network
}

/// The provider loses what the platform answers.
fn dropped_on_the_way_back() -> Network {
    let network = Network::build();
    let statements = ["ip saddr 13.224.0.0/14 drop", "ip6 saddr 2600:9000::/28 drop"];
    hosts::filter("isp", "type filter hook forward priority 0", &statements);
    network
}

fn rejected_by_iptables(v4: &str, v6: &str) -> Network {
    let network = Network::build();
    hosts::run("firewall", &format!("iptables -A FORWARD -d 13.224.0.0/14 -j REJECT --reject-with {v4}"));
    hosts::run("firewall", &format!("ip6tables -A FORWARD -d 2600:9000::/28 -j REJECT --reject-with {v6}"));
    network
}
