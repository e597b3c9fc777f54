//! nginx as a reverse proxy before the platform, as a portal, and as what a name is led to.

use crate::certificate::Files;
use crate::daemon::Port;
use crate::network::{CDN, Network, UPLOAD};
use crate::{hosts, network};

const REVERSE: u16 = 8443;
const PAGES: u16 = 8080;
const SECURE_PAGES: u16 = 8444;

/// Everything to port 443 ends at it, with a certificate that the client trusts and these lines for what it passes on.
pub fn start_in_place(network: &mut Network, lines: &str) {
    let files = network.platform.sign("reverse", &["cdn.example.test", "upload.example.test"]);
    start_reverse(network, &files, UPLOAD, lines);
    hosts::arriving(&[&format!("tcp dport 443 redirect to :{REVERSE}")]);
}

/// What goes to the published range's port 443 ends at it, with a certificate of the platform for these names, good for so
/// many days.
pub fn start_with_certificate(network: &mut Network, names: &[&str], days: &str) {
    let files = network.platform.sign_for_days("wrong", names, days);
    start_reverse(network, &files, CDN, "");
    hosts::arriving(&[
        &format!("ip daddr 13.224.0.0/14 tcp dport 443 redirect to :{REVERSE}"),
        &format!("ip6 daddr 2600:9000::/28 tcp dport 443 redirect to :{REVERSE}"),
    ]);
}

fn start_reverse(network: &mut Network, files: &Files, platform: &str, lines: &str) {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let server = format!(
        "server {{
            listen [::]:{REVERSE} ssl http2 ipv6only=off;
            ssl_certificate {certificate};
            ssl_certificate_key {key};
            {lines}
            location / {{ proxy_pass https://{platform}; proxy_set_header Host $host; }}
        }}"
    );
    start(network, &server, &[Port::Tcp(REVERSE)]);
}

/// Serves these lines on port 8080, and on 8444 with a certificate of its own name.
pub fn start_pages(network: &mut Network, lines: &str) {
    let leaf = network.company.sign("pages", &["portal.corp.example"]);
    let (chain, key) = (leaf.certificate.display(), leaf.key.display());
    let server = format!(
        "types {{ }}
        default_type text/html;
        server {{
            listen [::]:{PAGES} ipv6only=off;
            listen [::]:{SECURE_PAGES} ssl ipv6only=off;
            ssl_certificate {chain};
            ssl_certificate_key {key};
            {lines}
        }}"
    );
    start(network, &server, &[Port::Tcp(PAGES), Port::Tcp(SECURE_PAGES)]);
}

fn start(network: &mut Network, http: &str, ports: &[Port]) {
    let configuration = network::nginx(network.folder(), "middle", http);
    let path = network.write("middle.conf", configuration);
    network.start("firewall", &["nginx", "-c", &path], ports);
}
