//! tinyproxy, a small proxy.

use crate::daemon::Port;
use crate::network::Network;

/// Where it listens.
pub const PORT: u16 = 8888;

/// Starts it; it connects to this port alone.
pub fn start(network: &mut Network, connect_port: u16) {
    let configuration = format!("Port {PORT}\nTimeout 30\nConnectPort {connect_port}\nLogLevel Connect\n");
    let path = network.write("tinyproxy.conf", configuration);
    network.start("firewall", &["tinyproxy", "-d", "-c", &path], &[Port::Tcp(PORT)]);
}
