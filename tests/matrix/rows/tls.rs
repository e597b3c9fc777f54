//! Names that are dropped or reset in the handshake, and handshakes that somebody else ends.

use crate::hosts;
use crate::middle::{haproxy, mitmproxy, squid};
use crate::network::Network;
use crate::row::{Endpoint, GET, GET_V6, OTHER, RECEIVE, Row, Said, TOP, WHOLE, WORKS};

const BY_NAME: Row = Row {
    name: "",
    produced: Some("dropped"),
    network: Network::build,
    proof: &[(GET, "28 000"), (GET_V6, "28 000"), (OTHER, WORKS)],
    endpoint: RECEIVE,
    top: TOP,
    environment: &[],
    hop: None,
    said: Said { verdict: "blocked", layer: "tls", diagnosis: "sni_blocked" },
};

const RESET_BY_NAME: Row = Row {
    hop: Some(1),
    produced: Some("reset"),
    proof: &[(GET, "35 000"), (GET_V6, "35 000"), (OTHER, WORKS)],
    ..BY_NAME
};

/// The client's system trusts the company: what curl fetches with that is whole.
const INSPECTED: Row = Row {
    produced: Some("tls_intercepted"),
    hop: Some(1),
    proof: &[(GET, "60 000"), (TRUSTING, WHOLE), (TRUSTING_V6, WHOLE)],
    said: Said { verdict: "blocked", layer: "tls", diagnosis: "tls_intercepted" },
    ..BY_NAME
};

const TRUSTING: &str = "curl --cacert company.pem https://cdn.example.test/1m.bin";
const TRUSTING_V6: &str = "curl --cacert company.pem -6 https://cdn.example.test/1m.bin";

pub const ROWS: &[Row] = &[
    Row { name: "dropped_by_name_by_iptables", network: || by_iptables("DROP"), ..BY_NAME },
    Row { name: "dropped_by_name_by_haproxy", network: || by_haproxy("silent-drop"), ..BY_NAME },
    Row {
        name: "reset_by_name_by_iptables",
        network: || by_iptables("REJECT --reject-with tcp-reset"),
        ..RESET_BY_NAME
    },
    Row { name: "reset_by_name_by_haproxy", network: || by_haproxy("reject"), hop: None, ..RESET_BY_NAME },
    Row { name: "intercepted_by_squid", network: by_squid, ..INSPECTED },
    Row { name: "intercepted_by_squid_that_is_trusted", network: || trusting(by_squid()), ..INSPECTED },
    Row { name: "intercepted_by_mitmproxy", network: by_mitmproxy, ..INSPECTED },
    Row { name: "intercepted_by_mitmproxy_that_is_trusted", network: || trusting(by_mitmproxy()), ..INSPECTED },
    Row {
        name: "intercepted_by_mitmproxy_as_a_proxy",
        network: by_mitmproxy_as_a_proxy,
        proof: &[
            ("curl -x 10.9.1.1:8080 https://cdn.example.test/1m.bin", "60 000"),
            ("curl --cacert company.pem -x 10.9.1.1:8080 https://cdn.example.test/1m.bin", WHOLE),
        ],
        endpoint: Endpoint { proxy: "http://10.9.1.1:8080", ..RECEIVE },
        hop: None,
        ..INSPECTED
    },
    Row { name: "intercepted_by_haproxy", network: in_place, ..INSPECTED },
];

fn trusting(network: Network) -> Network {
    network.trust_company();
    network
}

/// The name is in the `ClientHello` as it is.
fn by_iptables(action: &str) -> Network {
    let network = Network::build();
    for program in ["iptables", "ip6tables"] {
        let matching = "-p tcp --dport 443 -m string --algo bm --string cdn.example.test";
        hosts::run("firewall", &format!("{program} -A FORWARD {matching} -j {action}"));
    }
    network
}

fn by_haproxy(action: &str) -> Network {
    let mut network = Network::build();
    haproxy::start_by_name(
        &mut network,
        &format!("tcp-request content {action} if {{ req.ssl_sni -i cdn.example.test }}"),
    );
    network
}

fn by_squid() -> Network {
    let mut network = Network::build();
    squid::start_transparent(&mut network, "");
    network
}

fn by_mitmproxy() -> Network {
    let mut network = Network::build();
    mitmproxy::start_transparent(&mut network, "watch");
    network
}

/// Known to its clients, who have no other way out.
fn by_mitmproxy_as_a_proxy() -> Network {
    let mut network = Network::build();
    mitmproxy::start(&mut network, "watch");
    hosts::forwarding(&["tcp dport { 80, 443 } reject with icmpx type admin-prohibited"]);
    network
}

fn in_place() -> Network {
    let mut network = Network::build();
    let certificate = haproxy::certificate(&network, true);
    haproxy::start_in_place(&mut network, &certificate, "");
    network
}
