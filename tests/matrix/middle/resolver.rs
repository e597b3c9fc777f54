//! Resolvers of the company: dnsmasq and unbound.

use crate::daemon::Port;
use crate::hosts;
use crate::network::{FIREWALL, Network, RESOLVER};

/// dnsmasq on the firewall, which the client's system asks, with these lines.
pub fn start_dnsmasq(network: &mut Network, lines: &str) {
    let configuration = format!("no-resolv\nno-hosts\nserver={RESOLVER}\n{lines}\n");
    let path = network.write("company-dnsmasq.conf", configuration);
    network.start("firewall", &["dnsmasq", "--no-daemon", &format!("--conf-file={path}")], &[Port::Udp(53)]);
    network.use_resolvers(&[FIREWALL]);
}

/// unbound on the firewall, which the client's system asks, with these lines in its `server` clause.
pub fn start_unbound(network: &mut Network, lines: &str) {
    let folder = network.folder().display();
    let configuration = format!(
        "server:
  interface: 0.0.0.0
  interface: ::0
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  username: \"\"
  chroot: \"\"
  directory: \"{folder}\"
  pidfile: \"{folder}/unbound.pid\"
  use-syslog: no
  do-daemonize: no
  module-config: \"iterator\"
  local-zone: \"test.\" transparent
  {lines}
forward-zone:
  name: \".\"
  forward-addr: {RESOLVER}
remote-control:
  control-enable: no
"
    );
    let path = network.write("unbound.conf", configuration);
    network.start("firewall", &["unbound", "-d", "-p", "-c", &path], &[Port::Udp(53)]);
    network.use_resolvers(&[FIREWALL]);
}

/// unbound at the platform's side, which answers over HTTPS on port 8443 what the provider's resolver says.
pub fn start_over_https(network: &mut Network) {
    let folder = network.folder().display();
    let files = network.platform.sign("dns", &["dns.example.test"]);
    let configuration = format!(
        "server:
  interface: 0.0.0.0@8443
  https-port: 8443
  tls-service-pem: {certificate}
  tls-service-key: {key}
  access-control: 0.0.0.0/0 allow
  username: \"\"
  chroot: \"\"
  directory: \"{folder}\"
  pidfile: \"{folder}/unbound-https.pid\"
  use-syslog: no
  do-daemonize: no
  module-config: \"iterator\"
  local-zone: \"test.\" transparent
forward-zone:
  name: \".\"
  forward-addr: {RESOLVER}
remote-control:
  control-enable: no
",
        certificate = files.certificate.display(),
        key = files.key.display(),
    );
    let path = network.write("unbound-https.conf", configuration);
    network.start("server", &["unbound", "-d", "-p", "-c", &path], &[Port::Tcp(8443)]);
}

/// Whatever resolver the client asks, the firewall's answers.
pub fn redirect_queries() {
    hosts::arriving(&["udp dport 53 redirect to :53", "tcp dport 53 redirect to :53"]);
}

/// A resolver on the firewall that takes so many seconds longer than the one that it asks.
pub fn start_slow(network: &mut Network, resolver: &str, seconds: &str) {
    let script = network.write("slow.py", include_str!("../slow.py"));
    network.start("firewall", &["python3", &script, FIREWALL, resolver, seconds], &[Port::Udp(53)]);
    network.use_resolvers(&[FIREWALL]);
}

/// A resolver on the firewall that answers as none should.
pub fn start_nasty(network: &mut Network, way: &str) {
    let script = network.write("nasty_names.py", include_str!("../nasty_names.py"));
    network.start("firewall", &["python3", &script, way], &[Port::Udp(53)]);
    network.use_resolvers(&[FIREWALL]);
}
