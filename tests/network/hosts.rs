//! The network: three hosts made with the system's own programs, none of which has a way out.
//!
//! ```text
//! client 10.9.1.2 - 10.9.1.1 firewall 10.9.2.1 - 10.9.2.2 edge, which owns every documented prefix
//! ```

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::{documented, runner};

/// The three hosts, until dropped. The process has to be in empty network and mount namespaces.
pub struct Network {
    edge: Child,
}

/// What `egressd check` came to.
pub struct Checked {
    /// Its exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// What it wrote to standard output.
    pub report: Value,
}

/// The firewall's address on the client's side.
pub const FIREWALL: &str = "10.9.1.1";

/// One command each; `ip` answers when it is done, so nothing has to be awaited.
const HOSTS: &[&str] = &[
    // `ip netns` keeps its names in /run, which belongs to others.
    "mount -t tmpfs none /run",
    "ip netns add client",
    "ip netns add firewall",
    "ip netns add edge",
    "ip -n client link set lo up",
    "ip -n firewall link set lo up",
    "ip -n edge link set lo up",
    "ip link add c0 netns client type veth peer name f0 netns firewall",
    "ip link add e0 netns edge type veth peer name f1 netns firewall",
    "ip -n client addr add 10.9.1.2/24 dev c0",
    "ip -n firewall addr add 10.9.1.1/24 dev f0",
    "ip -n firewall addr add 10.9.2.1/24 dev f1",
    "ip -n edge addr add 10.9.2.2/24 dev e0",
    "ip -n client link set c0 up",
    "ip -n firewall link set f0 up",
    "ip -n firewall link set f1 up",
    "ip -n edge link set e0 up",
    "ip -n client route add default via 10.9.1.1",
    "ip -n firewall route add default via 10.9.2.2",
    "ip -n edge route add 10.9.1.0/24 via 10.9.2.1",
];

#[allow(clippy::unused_self)] // the hosts are the process's, but there are none before `build`
impl Network {
    /// Makes the hosts; the firewall lets everything through and answers every refused packet.
    pub fn build() -> Self {
        for line in HOSTS {
            fed(&mut words(line), "");
        }
        set("firewall", "net/ipv4/ip_forward", "1");
        set("firewall", "net/ipv4/icmp_ratelimit", "0");
        set("client", "net/ipv4/ip_local_port_range", "1024 65535");
        set("edge", "net/core/somaxconn", "65535");
        set("edge", "net/ipv4/tcp_max_syn_backlog", "65535");
        let owned: String =
            documented().iter().map(|prefix| format!("route add local {prefix} dev lo\n")).collect::<Vec<_>>().concat();
        fed(&mut words("ip -n edge -batch -"), &owned);
        Self { edge: listening_edge() }
    }

    /// Lets the firewall answer as seldom as Linux does by default: once a second to one address.
    pub fn limit_icmp(&self) {
        set("firewall", "net/ipv4/icmp_ratelimit", "1000");
    }

    /// Lets everything through again.
    pub fn unfilter(&self) {
        fed(on("firewall", "nft").args(["flush", "ruleset"]), "");
    }

    /// Runs a command on the firewall, with this text as its input.
    pub fn on_firewall(&self, command: &str, text: &str) {
        fed(&mut words(&format!("ip netns exec firewall {command}")), text);
    }

    /// Gives a firewall without rules these, each a statement of nftables, for what it forwards.
    pub fn filter(&self, rules: &[String]) {
        filter("forward", rules);
    }

    /// The same for whatever arrives, before the firewall decides where it goes.
    pub fn filter_on_arrival(&self, rules: &[String]) {
        filter("prerouting", rules);
    }

    /// Gives the firewall a route of this kind, such as `blackhole`.
    pub fn route(&self, kind: &str, prefix: &str) {
        fed(&mut words(&format!("ip -n firewall route add {kind} {prefix}")), "");
    }

    /// What a connection from the client to port 443 of the address comes to, as `probe.py` has it.
    pub fn connect(&self, address: &str) -> String {
        let output = fed(on("client", "python3").args(["-c", include_str!("probe.py"), address]), "");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// Runs `egressd check` on the client with `--format json` and these flags besides.
    pub fn check(&self, flags: &[&str]) -> Checked {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = on("client", "timeout");
        // Nothing of the user's own settings or saved feeds may have a say.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home.path());
        command.arg(MOST_SECONDS).arg(runner::program()).args(["check", "--format", "json"]).args(flags);
        let output = command.stdin(Stdio::null()).output().expect("`ip` starts");
        let said = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("no report ({error}), {}: {said}", output.status));
        Checked { status: output.status.code(), report }
    }
}

/// A check of the fast profile takes a few seconds; one that hangs must not hang the tests.
const MOST_SECONDS: &str = "120";

impl Drop for Network {
    fn drop(&mut self) {
        // The edge ends with its standard input; no failure here could say more than the case itself.
        drop(self.edge.stdin.take());
        let _ = self.edge.wait();
    }
}

fn listening_edge() -> Child {
    let mut command = on("edge", "python3");
    command.args(["-c", include_str!("edge.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut edge = command.spawn().expect("`ip` starts");
    let mut line = String::new();
    BufReader::new(edge.stdout.take().expect("a pipe")).read_line(&mut line).expect("the edge speaks");
    assert_eq!(line, "ready\n", "the edge listens");
    edge
}

fn filter(hook: &str, rules: &[String]) {
    let chain = format!("type filter hook {hook} priority 0; policy accept;");
    let table = format!("table inet customer {{\nchain filtering {{\n{chain}\n{}\n}}\n}}\n", rules.join("\n"));
    fed(on("firewall", "nft").args(["-f", "-"]), &table);
}

/// Sets a value under `/proc/sys` as the host has it.
fn set(host: &str, name: &str, value: &str) {
    fed(on(host, "tee").arg(format!("/proc/sys/{name}")), value);
}

/// A program on a host.
pub fn on(host: &str, program: &str) -> Command {
    words(&format!("ip netns exec {host} {program}"))
}

fn words(line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words);
    command
}

/// Runs a command with this text as standard input; it has to succeed.
pub fn fed(command: &mut Command, text: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // A program that fails early leaves the text unread; its status says so.
    let _ = child.stdin.take().expect("a pipe").write_all(text.as_bytes());
    let output = child.wait_with_output().expect("it was started here");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
