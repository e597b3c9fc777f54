//! mitmproxy, which opens TLS and does to answers what an addon says.

use std::fs;

use crate::daemon::Port;
use crate::hosts;
use crate::network::Network;

/// Where it listens.
pub const PORT: u16 = 8080;

/// Where `tests/run` installs it.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/matrix-python/bin/mitmdump");

/// Starts it as a proxy that clients know, with one of the addon's ways.
pub fn start(network: &mut Network, way: &str) {
    start_in_mode(network, "regular", way);
}

/// All connections to port 443 are redirected to it.
pub fn start_transparent(network: &mut Network, way: &str) {
    start_in_mode(network, "transparent", way);
    hosts::arriving(&[&format!("tcp dport 443 redirect to :{PORT}")]);
}

fn start_in_mode(network: &mut Network, mode: &str, way: &str) {
    let key = fs::read_to_string(network.company.key()).expect("a key");
    let certificate = fs::read_to_string(network.company.certificate()).expect("a certificate");
    network.write("mitmproxy/mitmproxy-ca.pem", key + &certificate);
    let addon = network.write("addon.py", include_str!("addon.py"));
    let folder = network.folder().join("mitmproxy");
    let confdir = format!("confdir={}", folder.display());
    let roots = format!("ssl_verify_upstream_trusted_ca={}", network.platform.certificate().display());
    let way = format!("way={way}");
    let port = PORT.to_string();
    let program = [
        &[PROGRAM, "--mode", mode, "--listen-port", &port, "--scripts", &addon, "--flow-detail", "1"][..],
        &["--set", &confdir, "--set", &roots, "--set", &way, "--set", "stream_large_bodies=3m"],
    ];
    network.start("firewall", &program.concat(), &[Port::Tcp(PORT)]);
}
