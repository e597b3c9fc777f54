//! HAProxy, before or in the place of the platform.

use crate::daemon::Port;
use crate::hosts;
use crate::network::{CDN, Network, UPLOAD};

/// Where connections are redirected to.
const PORT: u16 = 8443;
/// Where it is a proxy that clients know.
pub const PROXY: u16 = 8080;

const GLOBAL: &str = "\
global
  maxconn 500
defaults
  timeout client 10s
  timeout server 10s
  timeout connect 3s
";

/// Everything to port 443 goes through it unopened; these lines see the name of the `ClientHello`.
pub fn start_by_name(network: &mut Network, lines: &str) {
    let frontend = format!(
        "frontend names
  mode tcp
  bind :::{PORT} v4v6
  tcp-request inspect-delay 2s
  {lines}
  tcp-request content accept if {{ req.ssl_hello_type 1 }}
  default_backend platform
backend platform
  mode tcp
  server platform {CDN}:443
"
    );
    start(network, &frontend, PORT);
    redirect();
}

/// Everything to port 443 ends at it, with a certificate of the company or of the platform, and these lines judge
/// requests.
pub fn start_in_place(network: &mut Network, certificate: &str, lines: &str) {
    let frontend = format!(
        "frontend requests
  mode http
  bind :::{PORT} v4v6 ssl crt {certificate}
  {lines}
  default_backend platform
backend platform
  mode http
  server platform {UPLOAD}:443 ssl verify none
"
    );
    start(network, &frontend, PORT);
    redirect();
}

/// A proxy that answers every CONNECT with this status.
pub fn start_refusing(network: &mut Network, status: u16) {
    let frontend = format!(
        "frontend proxy
  mode http
  bind :::{PROXY} v4v6
  http-request deny deny_status {status}
"
    );
    start(network, &frontend, PROXY);
}

/// The file that HAProxy wants: chain and key of a certificate for the platform's names.
pub fn certificate(network: &Network, signed_by_company: bool) -> String {
    let authority = if signed_by_company { &network.company } else { &network.platform };
    let leaf = authority.sign("in-place", &["cdn.example.test", "upload.example.test"]);
    let read = |path| std::fs::read_to_string(path).expect("a file");
    network.write("in-place-both.pem", read(&leaf.certificate) + &read(&leaf.key))
}

fn start(network: &mut Network, configuration: &str, port: u16) {
    let path = network.write("haproxy.cfg", GLOBAL.to_owned() + configuration);
    network.start("firewall", &["haproxy", "-db", "-f", &path], &[Port::Tcp(port)]);
}

fn redirect() {
    hosts::arriving(&[&format!("tcp dport 443 redirect to :{PORT}")]);
}
