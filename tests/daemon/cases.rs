//! What it says, and to whom.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::case;
use crate::hosts::Network;
use crate::runner::Case;
use crate::watched::{Home, INTERVAL, until};

pub fn all() -> Vec<Case> {
    vec![
        case("a_blocked_range_shows_within_an_interval_and_ten_seconds", blocked_range),
        case("a_blocked_endpoint_shows_within_an_interval_and_ten_seconds", blocked_endpoint),
        case("an_uplink_that_is_down_blocks_nothing", uplink),
        case("a_restart_announces_nothing_again", restart),
        case("systemd_is_told", told),
        case("sockets_of_systemd_are_served", activated),
        case("a_wrong_configuration_leaves_the_old_one_in_force", reload),
    ]
}

/// The most that may pass from a change to its being seen.
pub const SEEN: Duration = INTERVAL.saturating_add(Duration::from_secs(10));
pub const RANGE: &str = "13.224.0.0/14";

/// The network with something to fetch at port 8080 of its edge.
pub struct Site {
    pub network: Network,
    files: Child,
}

impl Site {
    pub fn build() -> Self {
        let network = Network::build();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", "edge", "python3", "-c", include_str!("files.py")]);
        let mut files = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("`ip` starts");
        let mut line = String::new();
        BufReader::new(files.stdout.take().expect("a pipe")).read_line(&mut line).expect("it speaks");
        assert_eq!(line, "ready\n");
        Self { network, files }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.files.stdin.take());
        let _ = self.files.wait();
    }
}

fn drops(what: &str) -> Vec<String> {
    vec![format!("{what} drop")]
}

fn blocked_range() -> String {
    let (site, home) = (Site::build(), Home::new());
    let daemon = home.start();
    let ready = daemon.ready();
    assert_eq!(daemon.blocked(), [] as [&str; 0]);
    site.network.filter(&drops(&format!("ip daddr {RANGE}")));
    let blocked = daemon.says(RANGE, "blocked", SEEN);
    assert_eq!(daemon.blocked(), [RANGE], "and nothing else");
    let metrics = daemon.get("/metrics").expect("metrics");
    assert!(metrics.contains("egressd_range_blocked{") && metrics.contains(RANGE), "{metrics}");
    site.network.unfilter();
    let open = daemon.says(RANGE, "open", SEEN);
    assert_eq!(daemon.verdict("files").as_deref(), Some("open"));
    let history = daemon.json("/api/v1/history");
    assert!(history.to_string().contains(RANGE), "{history:#}");
    let (status, took) = daemon.stop();
    assert!(status.success() && took < Duration::from_secs(5), "{status} {took:?}");
    format!("ready after {ready:.1?}, blocked after {blocked:.1?}, open after {open:.1?}, ended in {took:.1?}")
}

fn blocked_endpoint() -> String {
    let (site, home) = (Site::build(), Home::new());
    let daemon = home.start();
    daemon.ready();
    site.network.filter(&drops("tcp dport 8080"));
    let blocked = daemon.says("files", "blocked", SEEN);
    site.network.unfilter();
    let open = daemon.says("files", "open", SEEN);
    assert_eq!(daemon.blocked(), [] as [&str; 0]);
    format!("blocked after {blocked:.1?}, open after {open:.1?}")
}

fn uplink() -> String {
    let (site, home) = (Site::build(), Home::new());
    let daemon = home.start();
    daemon.ready();
    site.network.filter(&drops("ip daddr 0.0.0.0/0"));
    let paused = home.logged("nothing is judged: uplink_down", SEEN);
    site.network.unfilter();
    let judging = home.logged("judging again", SEEN);
    assert_eq!((daemon.blocked(), daemon.verdict("files").as_deref()), (vec![], Some("open")));
    assert!(!home.log().contains("blocked"), "{}", home.log());
    format!("paused after {paused:.1?}, judging after {judging:.1?}")
}

fn restart() -> String {
    let (site, home) = (Site::build(), Home::new());
    site.network.filter(&drops(&format!("ip daddr {RANGE}")));
    let daemon = home.start();
    daemon.ready();
    assert_eq!(daemon.blocked(), [RANGE]);
    home.logged(&format!("range {RANGE}: blocked"), SEEN);
    daemon.stop();
    let daemon = home.start();
    daemon.ready();
    assert_eq!(daemon.blocked(), [RANGE]);
    assert!(!home.log().contains(&format!("range {RANGE}")), "{}", home.log());
    String::new()
}

fn told() -> String {
    let (_site, home) = (Site::build(), Home::new());
    let (socket, path) = (home.notified(), home.path("notify"));
    let daemon = home.start_behind(&["env", "WATCHDOG_USEC=400000"], &[("NOTIFY_SOCKET", &path)]);
    let next = |wanted: &str| {
        let mut buffer = [0; 4096];
        for _ in 0..200 {
            let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{wanted}: {error}"));
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.contains(wanted) {
                return text;
            }
        }
        panic!("{wanted} did not come");
    };
    next("READY=1");
    next("WATCHDOG=1");
    next("STATUS=ranges: ");
    daemon.signal(Signal::SIGHUP);
    assert!(next("RELOADING=1").contains("MONOTONIC_USEC="));
    next("READY=1");
    let ended = std::thread::spawn({
        let pid = daemon.pid();
        move || nix::sys::signal::kill(pid, Signal::SIGTERM)
    });
    next("STOPPING=1");
    ended.join().expect("no panic").expect("it ran");
    String::new()
}

/// By systemd's own `systemd-socket-activate`.
fn activated() -> String {
    let (_site, home) = (Site::build(), Home::new());
    let socket = home.path("passed");
    let listen = format!("--listen={}", socket.display());
    let daemon = home.start_behind(&["systemd-socket-activate", &listen], &[]);
    let ask = || {
        let mut command = Command::new("curl");
        command.args(["--silent", "--max-time", "5", "--unix-socket"]).arg(&socket);
        let output = command.arg("http://localhost/healthz").output().expect("`curl` starts");
        (output.stdout == b"ok\n").then_some(())
    };
    until(Duration::from_secs(20), ask).unwrap_or_else(|| panic!("nothing is served: {}", home.log()));
    daemon.ready();
    String::new()
}

fn reload() -> String {
    let (_site, home) = (Site::build(), Home::new());
    let daemon = home.start();
    daemon.ready();
    home.configure("sight = \"hq\"");
    daemon.signal(Signal::SIGHUP);
    home.logged("the old one stays in force", Duration::from_secs(5));
    let status = || daemon.json("/api/v1/status");
    assert!(status()["reload_error"].as_str().is_some_and(|error| error.contains("sight")), "{:#}", status());
    let metrics = daemon.get("/metrics").expect("metrics");
    assert!(metrics.lines().any(|line| line.starts_with("egressd_config") && line.ends_with(" 0")), "{metrics}");
    assert!(daemon.post("/api/v1/reload").contains("sight"), "and by the interface");
    home.configure("");
    daemon.signal(Signal::SIGHUP);
    home.logged("the configuration is in force", Duration::from_secs(5));
    assert_eq!(status()["reload_error"], json!(null));
    daemon.ready();
    String::new()
}
