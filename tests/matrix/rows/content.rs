//! Answers that are not the platform's: block pages.

use crate::hosts;
use crate::middle::{e2guardian, mitmproxy, nginx, squid};
use crate::network::Network;
use crate::row::{Endpoint, RECEIVE, Row, Said, TOP};

const PAGE: Row = Row {
    name: "",
    produced: Some("block_page"),
    network: Network::build,
    proof: &[],
    endpoint: RECEIVE,
    top: TOP,
    environment: &[],
    hop: None,
    said: Said { verdict: "blocked", layer: "http", diagnosis: "block_page" },
};

/// What the client's system sees, which trusts the company.
const TRUSTING: &str = "curl --cacert company.pem https://cdn.example.test/1m.bin";

pub const ROWS: &[Row] = &[
    Row {
        name: "block_page_with_200_by_mitmproxy",
        network: || by_mitmproxy("page_200"),
        proof: &[(TRUSTING, "0 200 160 text/html")],
        ..PAGE
    },
    Row {
        name: "block_page_with_403_by_mitmproxy",
        network: || by_mitmproxy("page_403"),
        proof: &[(TRUSTING, "0 403 160 text/html")],
        ..PAGE
    },
    Row {
        name: "block_page_behind_a_redirect_by_mitmproxy",
        network: || by_mitmproxy("page_302"),
        proof: &[(TRUSTING, "0 302 0  https://block.corp.example/")],
        ..PAGE
    },
    Row { name: "block_page_by_squid", network: by_squid, proof: &[(TRUSTING, "0 403")], ..PAGE },
    Row {
        name: "block_page_by_e2guardian",
        network: by_e2guardian,
        proof: &[("curl --cacert company.pem -x http://10.9.1.1:8080 https://cdn.example.test/1m.bin", "0 200")],
        endpoint: Endpoint { proxy: "http://10.9.1.1:8080", ..RECEIVE },
        ..PAGE
    },
    Row {
        name: "block_page_in_clear_by_nginx",
        network: by_nginx,
        proof: &[("curl http://cdn.example.test/1m.bin", "0 200 114 text/html")],
        endpoint: Endpoint { url: "http://cdn.example.test/1m.bin", ..RECEIVE },
        ..PAGE
    },
];

fn by_mitmproxy(way: &str) -> Network {
    let mut network = Network::build();
    mitmproxy::start_transparent(&mut network, way);
    network.trust_company();
    network
}

fn by_squid() -> Network {
    let mut network = Network::build();
    let lines = "acl media ssl::server_name cdn.example.test\nacl opened method GET\nhttp_access deny opened media";
    squid::start_transparent(&mut network, lines);
    network.trust_company();
    network
}

fn by_e2guardian() -> Network {
    let mut network = Network::build();
    e2guardian::start(&mut network, "cdn.example.test");
    network.trust_company();
    network
}

/// Requests in clear for the platform's addresses are led to a page; all else works.
fn by_nginx() -> Network {
    let mut network = Network::build();
    let page = "<html><head><title>Blocked</title></head><body>Access to this site is blocked by your administrator.</body></html>";
    nginx::start_pages(&mut network, &format!("location / {{ return 200 '{page}'; }}"));
    hosts::arriving(&[
        "ip daddr 13.224.0.0/14 tcp dport 80 redirect to :8080",
        "ip6 daddr 2600:9000::/28 tcp dport 80 redirect to :8080",
    ]);
    network
}
