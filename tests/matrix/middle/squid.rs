//! Squid, built with OpenSSL for what it calls bumping.

use crate::daemon::Port;
use crate::hosts;
use crate::network::{Network, RESOLVER};

/// Where it is a proxy that clients know.
pub const PROXY: u16 = 3128;
/// Where connections are redirected to that it opens up.
const TRANSPARENT: u16 = 3129;

/// Starts it with these lines before the one that allows everything.
pub fn start(network: &mut Network, lines: &str) {
    let folder = network.folder().display();
    let certgen = certgen();
    hosts::run("firewall", &format!("{certgen} -c -s {folder}/ssl_db -M 4MB"));
    let ca =
        format!("tls-cert={} tls-key={}", network.company.certificate().display(), network.company.key().display());
    let bump = format!("ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=4MB {ca}");
    let configuration = format!(
        "http_port {PROXY}
http_port {TRANSPARENT}1 intercept
https_port {TRANSPARENT} intercept {bump}
sslcrtd_program {certgen} -s {folder}/ssl_db -M 4MB
tls_outgoing_options cafile={platform}
acl connecting at_step SslBump1
ssl_bump peek connecting
ssl_bump bump all
{lines}
http_access allow all
cache deny all
dns_nameservers {RESOLVER}
visible_hostname proxy.corp.example
pid_filename none
pinger_enable off
shutdown_lifetime 0 seconds
coredump_dir {folder}
cache_log {folder}/squid-cache.log
access_log stdio:{folder}/squid-access.log
",
        platform = network.platform.certificate().display()
    );
    let path = network.write("squid.conf", configuration);
    // It refuses to be root.
    network.start_as_nobody("firewall", &["squid", "-N", "-f", &path], &[Port::Tcp(PROXY), Port::Tcp(TRANSPARENT)]);
}

/// The same, and all connections to port 443 are redirected to it.
pub fn start_transparent(network: &mut Network, lines: &str) {
    start(network, lines);
    hosts::arriving(&[&format!("tcp dport 443 redirect to :{TRANSPARENT}")]);
}

/// Debian and Fedora keep it in different folders.
fn certgen() -> &'static str {
    let known = ["/usr/lib/squid/security_file_certgen", "/usr/lib64/squid/security_file_certgen"];
    known.into_iter().find(|path| std::path::Path::new(path).exists()).expect("squid-openssl is installed")
}
