//! Paths that lose what is large, what comes fast, or what comes late.

use crate::hosts;
use crate::middle::{nginx, squid};
use crate::network::Network;
use crate::row::{Endpoint, GET, GET_V6, PUT, RECEIVE, Row, SEND, Said, TOP, WORKS};

const BLACK_HOLE: Row = Row {
    name: "",
    produced: Some("mtu_black_hole"),
    network: Network::build,
    proof: &[],
    endpoint: RECEIVE,
    top: TOP,
    environment: &[],
    hop: None,
    said: Said { verdict: "blocked", layer: "transfer", diagnosis: "mtu_black_hole" },
};

const THROTTLED: Row = Row {
    produced: Some("throttled"),
    said: Said { verdict: "partly_blocked", layer: "transfer", diagnosis: "throttled" },
    ..BLACK_HOLE
};

const CUT: Row = Row { said: Said { verdict: "blocked", layer: "transfer", diagnosis: "transfer_cut" }, ..BLACK_HOLE };

/// The server's certificates already do not fit.
const WITHOUT_HANDSHAKE: Said = Said { verdict: "blocked", layer: "tls", diagnosis: "mtu_black_hole" };

const THROUGH_SQUID: Endpoint = Endpoint { proxy: "http://10.9.1.1:3128", ..RECEIVE };

/// An answer that fits into a small packet.
const IN_CLEAR: &str = "curl http://www.example.test/";
const SMALL_PUT: &str = "curl -T store/1k.bin https://upload.example.test/up/small";
const SMALL_GET: &str = "curl https://cdn.example.test/1k.bin";

pub const ROWS: &[Row] = &[
    Row {
        name: "black_hole_upstream",
        network: upstream,
        proof: &[(PUT, "28 000"), (GET, "0 200")],
        endpoint: SEND,
        ..BLACK_HOLE
    },
    Row {
        name: "black_hole_downstream",
        network: downstream,
        proof: &[(GET, "28 000"), (GET_V6, "28 000"), (IN_CLEAR, WORKS)],
        said: WITHOUT_HANDSHAKE,
        ..BLACK_HOLE
    },
    Row {
        name: "black_hole_by_length",
        network: by_length,
        proof: &[(GET, "28 000"), (GET_V6, "28 000"), (IN_CLEAR, WORKS)],
        said: WITHOUT_HANDSHAKE,
        ..BLACK_HOLE
    },
    Row {
        name: "upload_shaped_by_tc",
        network: || shaped("f1"),
        proof: &[(SMALL_GET, "0 200 1024"), (PUT, "28 000")],
        endpoint: SEND,
        ..THROTTLED
    },
    Row {
        name: "download_shaped_by_tc",
        network: || shaped("f0"),
        proof: &[(SMALL_GET, "0 200 1024"), (GET, "28 200")],
        ..THROTTLED
    },
    Row {
        name: "download_slowed_by_nginx",
        network: slowed_by_nginx,
        proof: &[(SMALL_GET, "0 200 1024"), (GET, "28 200")],
        ..THROTTLED
    },
    Row {
        name: "download_slowed_by_squid",
        network: slowed_by_squid,
        proof: &[("curl -x 10.9.1.1:3128 https://cdn.example.test/1m.bin", "28 200")],
        endpoint: THROUGH_SQUID,
        ..THROTTLED
    },
    Row {
        name: "upload_policed_by_nftables",
        network: policed,
        proof: &[(PUT, "28 000"), (SMALL_PUT, "0 201")],
        endpoint: SEND,
        ..THROTTLED
    },
    Row {
        name: "reset_after_300_kb",
        produced: Some("reset"),
        network: || after_300_kb("reject with tcp reset"),
        proof: &[(PUT, "5"), (SMALL_PUT, "0 201")],
        endpoint: SEND,
        ..CUT
    },
    Row {
        name: "dropped_after_300_kb",
        produced: Some("dropped"),
        network: || after_300_kb("drop"),
        proof: &[(PUT, "28 000"), (SMALL_PUT, "0 201")],
        endpoint: SEND,
        ..CUT
    },
];

/// The line to the provider takes less than the client's, and nobody is told.
fn upstream() -> Network {
    let network = Network::build();
    hosts::run("firewall", "ip route change default via 10.9.2.2 mtu lock 1300");
    hosts::run("firewall", "ip -6 route change default via 2001:db8:2::2 mtu lock 1300");
    keep_too_big_secret("firewall");
    network
}

fn downstream() -> Network {
    let network = Network::build();
    hosts::run("isp", "ip route change 10.9.1.0/24 via 10.9.2.1 mtu lock 1300");
    hosts::run("isp", "ip -6 route change 2001:db8:1::/64 via 2001:db8:2::1 mtu lock 1300");
    keep_too_big_secret("isp");
    network
}

fn keep_too_big_secret(host: &str) {
    let statements = ["icmp type destination-unreachable icmp code 4 drop", "icmpv6 type packet-too-big drop"];
    hosts::filter(host, "type filter hook output priority 0", &statements);
}

/// A tunnel that loses what does not fit, in both directions.
fn by_length() -> Network {
    let network = Network::build();
    hosts::forwarding(&["meta l4proto tcp meta length > 1300 drop"]);
    network
}

fn shaped(link: &str) -> Network {
    let network = Network::build();
    hosts::run("firewall", &format!("tc qdisc add dev {link} root tbf rate 64kbit burst 3000 latency 1s"));
    network
}

fn slowed_by_nginx() -> Network {
    let mut network = Network::build();
    nginx::start_in_place(&mut network, "limit_rate 8k;");
    network
}

fn slowed_by_squid() -> Network {
    let mut network = Network::build();
    let lines = "delay_pools 1\ndelay_class 1 1\ndelay_parameters 1 8000/8000\ndelay_access 1 allow all";
    squid::start(&mut network, lines);
    network
}

fn policed() -> Network {
    let network = Network::build();
    hosts::forwarding(&["tcp dport 443 limit rate over 8 kbytes/second burst 6 kbytes drop"]);
    network
}

fn after_300_kb(action: &str) -> Network {
    let network = Network::build();
    hosts::set("firewall", "net/netfilter/nf_conntrack_acct", "1");
    hosts::forwarding(&[&format!("tcp dport 443 ct original bytes > 300000 {action}")]);
    network
}
