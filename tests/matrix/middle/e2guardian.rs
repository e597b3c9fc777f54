//! e2guardian, a content filter whose block page comes with status 200.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::daemon::Port;
use crate::hosts;
use crate::network::Network;

/// Where it listens.
pub const PORT: u16 = 8080;

/// Starts it as a proxy that clients know and that opens TLS; it blocks one site.
pub fn start(network: &mut Network, banned: &str) {
    let folder = network.folder().join("e2guardian");
    hosts::fed(Command::new("cp").arg("--recursive").arg("/etc/e2guardian").arg(&folder), "");
    let at = folder.to_str().expect("a path in UTF-8");
    let (ca, key) = (network.company.certificate(), network.company.key());
    for (option, value) in [
        ("enablessl", "on"),
        ("cacertificatepath", &ca.display().to_string()),
        ("caprivatekeypath", &key.display().to_string()),
        ("certprivatekeypath", &key.display().to_string()),
        ("generatedcertpath", &format!("{at}/generated/")),
        // By default what it signs is of 2014 and good for ten years.
        ("generatedcertstart", &yesterday().to_string()),
        ("httpworkers", "20"),
        ("nodaemon", "on"),
        ("daemonuser", "nobody"),
        ("daemongroup", "nogroup"),
        ("loglocation", &format!("{at}/access.log")),
        ("filecachedir", at),
        ("pidfilename", &format!("{at}/e2guardian.pid")),
    ] {
        set(&folder.join("e2guardian.conf"), option, value);
    }
    set(&folder.join("e2guardianf1.conf"), "sslmitm", "on");
    network.write("e2guardian/generated/.keep", "");
    network.write("e2guardian/lists/bannedsitelist", format!("{banned}\n"));
    for file in ["e2guardian.conf", "e2guardianf1.conf"] {
        let moved = fs::read_to_string(folder.join(file)).expect("it was copied").replace("/etc/e2guardian", at);
        fs::write(folder.join(file), moved).expect("a file of ours");
    }
    let configuration = format!("{at}/e2guardian.conf");
    network.start_as_nobody("firewall", &["e2guardian", "-N", "-c", &configuration], &[Port::Tcp(PORT)]);
}

/// In seconds since 1970.
fn yesterday() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
    now.as_secs() - 86_400
}

/// Puts an option in the place of those lines that have it, commented out or not, or at the end.
fn set(file: &Path, option: &str, value: &str) {
    let text = fs::read_to_string(file).expect("it was copied");
    let other = |line: &&str| {
        let line = line.trim_start_matches(['#', ' ']);
        line.split_once('=').is_none_or(|(name, _)| name.trim() != option)
    };
    let kept: Vec<&str> = text.lines().filter(other).collect();
    let value = if matches!(value, "on" | "off") { value.to_owned() } else { format!("'{value}'") };
    fs::write(file, format!("{}\n{option} = {value}\n", kept.join("\n"))).expect("a file of ours");
}
