//! Networks that want a login first.

use crate::hosts;
use crate::middle::{nginx, resolver};
use crate::network::{FIREWALL, FIREWALL_V6, Network};
use crate::row::{GET, RECEIVE, Row, Said, TOP};

const PORTAL: Row = Row {
    name: "",
    produced: Some("portal"),
    network: Network::build,
    proof: &[],
    endpoint: RECEIVE,
    top: TOP,
    environment: &[],
    hop: None,
    said: Said { verdict: "blocked", layer: "http", diagnosis: "captive_portal" },
};

const IN_CLEAR: &str = "curl http://www.example.test/";

const LOGIN: &str =
    "<html><head><title>Guest Wi-Fi login</title></head><body>Please accept the terms of use.</body></html>";

pub const ROWS: &[Row] = &[
    Row {
        name: "portal_that_redirects",
        network: redirecting,
        proof: &[(GET, "28 000"), (IN_CLEAR, "0 302 145 text/html http://portal.corp.example/")],
        ..PORTAL
    },
    Row {
        name: "portal_that_answers_511",
        network: answering_511,
        proof: &[(GET, "7 000"), (IN_CLEAR, "0 511")],
        ..PORTAL
    },
    Row {
        name: "portal_that_answers_200_and_takes_tls",
        network: answering_200,
        proof: &[(GET, "60 000"), (IN_CLEAR, "0 200")],
        ..PORTAL
    },
    Row {
        name: "portal_that_has_every_name",
        network: having_every_name,
        proof: &[("dig cdn.example.test", "NOERROR 10.9.1.1"), (GET, "60 000"), (IN_CLEAR, "0 302")],
        ..PORTAL
    },
];

/// What is asked in clear is answered with a page.
fn with_pages(page: &str) -> Network {
    let mut network = Network::build();
    nginx::start_pages(&mut network, &format!("location / {{ {page} }}"));
    hosts::arriving(&["tcp dport 80 redirect to :8080"]);
    network
}

const TO_LOGIN: &str = "return 302 http://portal.corp.example/login?from=$host;";

fn redirecting() -> Network {
    let network = with_pages(TO_LOGIN);
    hosts::forwarding(&["tcp dport 443 drop"]);
    network
}

fn answering_511() -> Network {
    let network = with_pages(&format!("return 511 '{LOGIN}';"));
    hosts::forwarding(&["tcp dport 443 reject with icmpx type admin-prohibited"]);
    network
}

fn answering_200() -> Network {
    let network = with_pages(&format!("return 200 '{LOGIN}';"));
    hosts::arriving(&["tcp dport 443 redirect to :8444"]);
    network
}

fn having_every_name() -> Network {
    let mut network = with_pages(TO_LOGIN);
    resolver::start_dnsmasq(&mut network, &format!("address=/#/{FIREWALL}\naddress=/#/{FIREWALL_V6}"));
    resolver::redirect_queries();
    hosts::arriving(&["tcp dport 443 redirect to :8444"]);
    network
}
