//! The hosts, made with the system's own programs; none has a way out.
//!
//! ```text
//! client .2 - 10.9.1.0/24 - .1 firewall .1 - 10.9.2.0/24 - .2 isp .1 - 10.9.3.0/24 - .2 server
//!                                          ^ 15 ms each way
//! ```
//!
//! IPv6 runs beside it, in `2001:db8:1::/64` and so on with the same last digits.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// One command each; `ip` answers when it is done, so nothing has to be awaited.
const HOSTS: &[&str] = &[
    // `ip netns` keeps its names in /run, which belongs to others.
    "mount -t tmpfs none /run",
    // Squid shares memory under a fixed name, with a Squid of whoever else runs one.
    "mount -t tmpfs none /dev/shm",
    "ip netns add client",
    "ip netns add firewall",
    "ip netns add wire",
    "ip netns add isp",
    "ip netns add server",
    "ip link add c0 netns client type veth peer name f0 netns firewall",
    "ip link add f1 netns firewall type veth peer name w0 netns wire",
    "ip link add i0 netns isp type veth peer name w1 netns wire",
    "ip link add i1 netns isp type veth peer name s0 netns server",
];

/// What `ip -batch` is told on each host.
const LINKS: &[(&str, &str)] = &[
    (
        "client",
        "link set lo up
        addr add 10.9.1.2/24 dev c0
        addr add 2001:db8:1::2/64 dev c0 nodad
        link set c0 up
        route add default via 10.9.1.1
        route add default via 2001:db8:1::1",
    ),
    (
        "firewall",
        "link set lo up
        addr add 10.9.1.1/24 dev f0
        addr add 2001:db8:1::1/64 dev f0 nodad
        addr add 10.9.2.1/24 dev f1
        addr add 2001:db8:2::1/64 dev f1 nodad
        link set f0 up
        link set f1 up
        route add default via 10.9.2.2
        route add default via 2001:db8:2::2",
    ),
    (
        "wire",
        "link set w0 up
        link set w1 up",
    ),
    (
        "isp",
        "link set lo up
        addr add 10.9.2.2/24 dev i0
        addr add 2001:db8:2::2/64 dev i0 nodad
        addr add 10.9.3.1/24 dev i1
        addr add 2001:db8:3::1/64 dev i1 nodad
        link set i0 up
        link set i1 up
        route add 10.9.1.0/24 via 10.9.2.1
        route add 2001:db8:1::/64 via 2001:db8:2::1
        route add default via 10.9.3.2
        route add default via 2001:db8:3::2",
    ),
    (
        "server",
        "link set lo up
        addr add 10.9.3.2/24 dev s0
        addr add 2001:db8:3::2/64 dev s0 nodad
        link set s0 up
        route add default via 10.9.3.1
        route add default via 2001:db8:3::1",
    ),
];

/// Links between which no packet may be longer than a frame, as on real lines: the wire copies frames as they are, and
/// rules that look at lengths must see what a line would carry.
const PLAIN: &[(&str, &str)] =
    &[("client", "c0"), ("firewall", "f0"), ("firewall", "f1"), ("isp", "i0"), ("isp", "i1"), ("server", "s0")];

/// Makes the hosts, in the empty namespaces of this process.
pub fn build() {
    for line in HOSTS {
        fed(&mut words(line), "");
    }
    for host in ["client", "firewall", "isp", "server"] {
        // Daemons that refuse to be root bind ports below 1024 too.
        set(host, "net/ipv4/ip_unprivileged_port_start", "0");
        set(host, "net/ipv4/icmp_ratelimit", "0");
        set(host, "net/ipv6/icmp/ratelimit", "0");
    }
    for host in ["firewall", "isp"] {
        set(host, "net/ipv4/ip_forward", "1");
        set(host, "net/ipv6/conf/all/forwarding", "1");
    }
    for (host, link) in PLAIN {
        fed(on(host, "ethtool").args(["-K", link, "tx", "off", "tso", "off", "gso", "off", "gro", "off"]), "");
    }
    for (host, lines) in LINKS {
        fed(&mut words(&format!("ip -n {host} -batch -")), lines);
    }
}

/// Gives an address to a host, besides those of its links.
pub fn own(host: &str, address: &str) {
    fed(&mut words(&format!("ip -n {host} addr add {address} dev lo")), "");
}

/// Runs a command line, split at blanks, on a host; it has to succeed.
pub fn run(host: &str, line: &str) -> String {
    let output = fed(&mut words(&format!("ip netns exec {host} {line}")), "");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the firewall forwards goes through these statements of nftables.
pub fn forwarding(statements: &[&str]) {
    filter("firewall", "type filter hook forward priority 0", statements);
}

/// What arrives at the firewall goes through these before it is routed.
pub fn arriving(statements: &[&str]) {
    filter("firewall", "type nat hook prerouting priority -100", statements);
}

/// Gives a host a chain of this kind with these statements, besides those that it has.
pub fn filter(host: &str, kind: &str, statements: &[&str]) {
    let name = kind.replace([' ', '-'], "_");
    let rules = format!("table inet {name} {{\nchain {name} {{\n{kind};\n{}\n}}\n}}\n", statements.join("\n"));
    fed(on(host, "nft").args(["-f", "-"]), &rules);
}

/// Sets a value under `/proc/sys` as the host has it.
pub fn set(host: &str, name: &str, value: &str) {
    fed(on(host, "tee").arg(format!("/proc/sys/{name}")), value);
}

/// Puts other content in the place of a file of `/etc`, for all hosts; `/run`, where it may point, is empty.
pub fn replace(path: &str, content: &Path) {
    if let Ok(target) = fs::canonicalize(path) {
        fed(Command::new("mount").arg("--bind").arg(content).arg(target), "");
        return;
    }
    let target = Path::new("/etc").join(fs::read_link(path).expect("a link that leads into /run"));
    fs::create_dir_all(target.parent().expect("a folder")).expect("an empty /run");
    symlink(content, target).expect("a link");
}

/// A program on a host.
pub fn on(host: &str, program: &str) -> Command {
    words(&format!("ip netns exec {host} {program}"))
}

/// A command line, split at blanks.
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
