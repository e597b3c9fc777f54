//! The same over a whole network with TLS, proxies and a line: the client's way to the platform.

use std::process::Stdio;

use crate::hosts;
use crate::middle::{e2guardian, mitmproxy, squid};
use crate::network::Network;
use crate::place::{Said, egressd};

const FILES: &str = "url = \"https://upload.example.test/up/{name}\"\nreceive = \"https://cdn.example.test/up/{name}\"\n\
                     delete = \"https://upload.example.test/up/{name}\"\nslow_seconds = 0\nfamily = \"4\"\n";

fn send(network: &Network, lines: &str) -> Said {
    let configuration = format!(
        "site = \"send\"\nroots = \"{}\"\ncontrols = [\"192.88.99.1:443\"]\n[[media.send]]\nname = \"files\"\n{FILES}{lines}",
        network.platform.certificate().display()
    );
    let path = network.write("egressd.toml", configuration);
    let mut command = egressd(network.folder(), &[]);
    command.args(["media", "send", "--format", "json", "--config", &path]).stdin(Stdio::null());
    Said::of(&mut command, network.folder())
}

/// Squid in the way opens TLS, limits and filters.
pub fn bumped() {
    let mut network = Network::build();
    network.trust_company();
    let lines = "request_body_max_size 300 KB\nacl dlp req_mime_type -i ^application/zip$\nhttp_access deny dlp";
    squid::start_transparent(&mut network, lines);
    let said = send(&network, "kinds = [\"jpeg\", \"zip\"]\nmax_bytes = 1048576\n");
    let size = &said.over("direct")["size"];
    assert_eq!((&size["largest_bytes"], &size["exact"]), (&(300 << 10).into(), &true.into()), "{:#}", said.report);
    let mut diagnoses = said.diagnoses();
    diagnoses.sort_unstable();
    assert_eq!(diagnoses, ["file_type_refused", "tls_intercepted", "upload_size_limit"], "{:#}", said.report);
}

/// It answers everything to a banned site with a page and status 200.
pub fn page() {
    let mut network = Network::build();
    network.trust_company();
    e2guardian::start(&mut network, "upload.example.test");
    let said = send(&network, "kinds = [\"jpeg\", \"txt\"]\nmax_bytes = 131072\nproxy = \"http://10.9.1.1:8080\"\n");
    assert_eq!(said.over("direct")["verdict"], "open", "{:#}", said.report);
    assert_eq!(said.over("proxy")["verdict"], "blocked", "{:#}", said.report);
    assert!(said.diagnoses().contains(&"block_page"), "{:#}", said.report["diagnoses"]);
}

/// A bit of what comes back is another one.
pub fn changed() {
    let mut network = Network::build();
    network.trust_company();
    mitmproxy::start(&mut network, "change");
    let said = send(&network, "kinds = [\"jpeg\", \"txt\"]\nmax_bytes = 131072\nproxy = \"http://10.9.1.1:8080\"\n");
    assert_eq!(said.failed_kinds("proxy"), ["jpeg", "txt"], "{:#}", said.report);
    assert!(said.diagnoses().contains(&"body_changed"), "{:#}", said.report["diagnoses"]);
    assert_eq!(said.over("direct")["verdict"], "open");
}

/// The line to the provider takes 1,300 bytes, and nobody is told.
pub fn black_hole() {
    let network = Network::build();
    hosts::run("firewall", "ip route change default via 10.9.2.2 mtu lock 1300");
    hosts::filter(
        "firewall",
        "type filter hook output priority 0",
        &["icmp type destination-unreachable icmp code 4 drop"],
    );
    let said = send(&network, "kinds = [\"jpeg\"]\n");
    // Of 1,300 bytes the headers of IPv4 and TCP take 40.
    assert_eq!(said.over("direct")["segment_bytes"], 1260, "{:#}", said.report);
    assert_eq!(said.diagnoses(), ["mtu_black_hole"], "{:#}", said.report);
    let fix = said.report["diagnoses"][0]["fix"].as_str().expect("a fix");
    assert!(fix.contains("1260"), "{fix}");
}
