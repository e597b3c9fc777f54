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

/// Nothing passes but names.
fn closed(network: &mut Network, page: &str, secure: &str) {
    nginx::start_pages(network, page);
    let mut rules = vec!["tcp dport 80 redirect to :8080"];
    if secure == "redirect" {
        rules.push("tcp dport 443 redirect to :8444");
    } else {
        hosts::forwarding(&[&format!("tcp dport 443 {secure}")]);
    }
    hosts::arriving(&rules);
}

fn redirecting() -> Network {
    let mut network = Network::build();
    closed(&mut network, "location / { return 302 http://portal.corp.example/login?from=$host; }", "drop");
    network
}

fn answering_511() -> Network {
    let mut network = Network::build();
    let page = format!("location / {{ return 511 '{LOGIN}'; }}");
    closed(&mut network, &page, "reject with icmpx type admin-prohibited");
    network
}

fn answering_200() -> Network {
    let mut network = Network::build();
    closed(&mut network, &format!("location / {{ return 200 '{LOGIN}'; }}"), "redirect");
    network
}

fn having_every_name() -> Network {
    let mut network = Network::build();
    resolver::start_dnsmasq(&mut network, &format!("address=/#/{FIREWALL}\naddress=/#/{FIREWALL_V6}"));
    closed(&mut network, "location / { return 302 http://portal.corp.example/login?from=$host; }", "redirect");
    resolver::redirect_queries();
    network
}
