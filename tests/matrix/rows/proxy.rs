//! Proxies that refuse, and what limits bodies on their way.

use crate::hosts;
use crate::middle::{haproxy, nginx, squid, tinyproxy};
use crate::network::Network;
use crate::row::{Endpoint, PUT, RECEIVE, Row, SEND, Said, TOP};

const DENIED: Row = Row {
    name: "",
    produced: Some("proxy_denied"),
    network: Network::build,
    proof: &[],
    endpoint: THROUGH_SQUID,
    top: TOP,
    environment: &[],
    hop: None,
    said: Said { verdict: "blocked", layer: "http", diagnosis: "proxy_denied" },
};

const LIMITED: Row = Row {
    produced: Some("proxy_limit"),
    endpoint: SEND,
    proof: &[(PUT, "0 413"), (SMALL, "0 201")],
    said: Said { verdict: "blocked", layer: "transfer", diagnosis: "proxy_limit" },
    ..DENIED
};

const THROUGH_SQUID: Endpoint = Endpoint { proxy: "http://10.9.1.1:3128", ..RECEIVE };

const SMALL: &str = "curl -T store/64k.bin https://upload.example.test/up/small";

pub const ROWS: &[Row] = &[
    Row {
        name: "denied_by_squid",
        network: || {
            proxied(|network| squid::start(network, "acl media dstdomain cdn.example.test\nhttp_access deny media"))
        },
        proof: &[("curl -x 10.9.1.1:3128 https://cdn.example.test/1m.bin", "56 000")],
        ..DENIED
    },
    Row {
        name: "authentication_asked_by_squid",
        network: || proxied(authenticating),
        proof: &[
            ("curl -x 10.9.1.1:3128 https://cdn.example.test/1m.bin", "56 000"),
            ("curl -x 10.9.1.1:3128 -U user:user https://cdn.example.test/1m.bin", "0 200 1048576"),
        ],
        said: Said { verdict: "blocked", layer: "http", diagnosis: "proxy_auth_required" },
        ..DENIED
    },
    Row {
        name: "denied_by_tinyproxy",
        network: || proxied(|network| tinyproxy::start(network, 8443)),
        proof: &[("curl -x 10.9.1.1:8888 https://cdn.example.test/1m.bin", "56 000")],
        endpoint: Endpoint { proxy: "http://10.9.1.1:8888", ..RECEIVE },
        ..DENIED
    },
    Row {
        name: "denied_by_haproxy",
        network: || proxied(|network| haproxy::start_refusing(network, 403)),
        proof: &[("curl -x 10.9.1.1:8080 https://cdn.example.test/1m.bin", "56 000")],
        endpoint: Endpoint { proxy: "http://10.9.1.1:8080", ..RECEIVE },
        ..DENIED
    },
    Row {
        name: "upload_limited_by_squid",
        network: limited_by_squid,
        proof: &[
            (PUT_TRUSTING, "0 413"),
            ("curl --cacert company.pem -T store/64k.bin https://upload.example.test/up/small", "0 201"),
        ],
        ..LIMITED
    },
    Row { name: "upload_limited_by_nginx", network: || by_nginx("client_max_body_size 512k;"), ..LIMITED },
    Row {
        name: "upload_limited_by_haproxy",
        network: || by_haproxy("http-request deny deny_status 413 if { req.hdr_val(content-length) gt 524288 }"),
        ..LIMITED
    },
    Row {
        name: "requests_limited_by_haproxy",
        network: || by_haproxy("http-request deny deny_status 429"),
        proof: &[(PUT, "0 429")],
        said: Said { verdict: "blocked", layer: "http", diagnosis: "proxy_limit" },
        ..LIMITED
    },
];

const PUT_TRUSTING: &str = "curl --cacert company.pem -T store/1m.bin https://upload.example.test/up/file";

/// A company that lets nothing out but through its proxy.
fn proxied(start: fn(&mut Network)) -> Network {
    let mut network = Network::build();
    start(&mut network);
    hosts::forwarding(&["tcp dport { 80, 443 } reject with icmpx type admin-prohibited"]);
    network
}

fn authenticating(network: &mut Network) {
    let folder = ["/usr/lib/squid", "/usr/lib64/squid"].into_iter().find(|path| std::path::Path::new(path).exists());
    let folder = folder.expect("squid-openssl is installed");
    let lines = format!(
        "auth_param basic program {folder}/basic_fake_auth\nauth_param basic realm Example Corp\nacl known proxy_auth REQUIRED\nhttp_access deny !known"
    );
    squid::start(network, &lines);
}

fn limited_by_squid() -> Network {
    let mut network = Network::build();
    squid::start_transparent(&mut network, "request_body_max_size 512 KB");
    network.trust_company();
    network
}

fn by_nginx(lines: &str) -> Network {
    let mut network = Network::build();
    nginx::start_in_place(&mut network, lines);
    network
}

fn by_haproxy(lines: &str) -> Network {
    let mut network = Network::build();
    let certificate = haproxy::certificate(&network, false);
    haproxy::start_in_place(&mut network, &certificate, lines);
    network
}
