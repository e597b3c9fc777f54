//! Programs of others that serve until they are dropped.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::hosts;

/// A running program on a host.
pub struct Daemon {
    name: String,
    child: Child,
    /// What it writes.
    pub log: PathBuf,
}

/// What a program has opened once it serves.
#[derive(Clone, Copy, Debug)]
pub enum Port {
    /// A TCP port that is listened to.
    Tcp(u16),
    /// A UDP port that is bound.
    Udp(u16),
}

/// Slowest here is mitmproxy, with 2 s on a busy core.
const READY_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl Daemon {
    /// Starts a program in the foreground on a host, and waits until its ports are open.
    pub fn start(host: &str, folder: &Path, program: &[&str], ports: &[Port]) -> Self {
        Self::spawn(
            &mut hosts::on(host, program[0]),
            &program[1..],
            folder,
            &format!("{host}-{}", stem(program)),
            ports,
        )
    }

    /// The same as another user than root, for programs that refuse to be root, or give it up for a user whom this
    /// namespace does not have.
    pub fn start_as_nobody(host: &str, folder: &Path, program: &[&str], ports: &[Port]) -> Self {
        let arguments = [&["--user", "--map-user=65534", "--map-group=65534", "--"], program].concat();
        let name = format!("{host}-{}", stem(program));
        Self::spawn(&mut hosts::on(host, "unshare"), &arguments, folder, &name, ports)
    }

    fn spawn(command: &mut Command, arguments: &[&str], folder: &Path, name: &str, ports: &[Port]) -> Self {
        let log = free_name(folder, name);
        let file = File::create(&log).expect("a log");
        let both = file.try_clone().expect("a second handle");
        // Standard input stays open: some end with it.
        let command = command.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(file).stderr(both);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut daemon = Self { name: name.to_owned(), child, log };
        for port in ports {
            daemon.await_port(*port);
        }
        daemon
    }

    /// Waits until the program has written this.
    pub fn await_line(&mut self, part: &str) {
        self.wait_until(part, |daemon| fs::read_to_string(&daemon.log).is_ok_and(|log| log.contains(part)));
    }

    fn await_port(&mut self, port: Port) {
        self.wait_until(&format!("{port:?}"), |daemon| port.is_open(daemon.child.id()).unwrap_or(false));
    }

    fn wait_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !done(self) {
            let ended = self.child.try_wait().expect("it was started here");
            assert!(ended.is_none(), "{} ended ({ended:?}) before {what}:\n{}", self.name, self.said());
            assert!(began.elapsed() < READY_WITHIN, "{}: no {what}:\n{}", self.name, self.said());
            thread::sleep(LOOK_EVERY);
        }
    }

    fn said(&self) -> String {
        logs(self.log.parent().expect("a folder"))
    }
}

/// The ends of all logs in a folder.
pub fn logs(folder: &Path) -> String {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut logs: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.sort();
    let last_lines = |path: &PathBuf| {
        let log = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        format!("--- {}\n{}\n", path.display(), lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"))
    };
    logs.iter().map(last_lines).collect::<Vec<_>>().concat()
}

/// Enough to see why a program failed.
const LOG_LINES: usize = 15;

impl Drop for Daemon {
    fn drop(&mut self) {
        // Its helpers end with it, and all that is left with the case's process namespace.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Port {
    /// Whether the network of this process has the port open, as `/proc` shows it.
    fn is_open(self, process: u32) -> io::Result<bool> {
        let (protocol, state, port) = match self {
            Self::Tcp(port) => ("tcp", "0A", port),
            Self::Udp(port) => ("udp", "07", port),
        };
        let v4 = fs::read_to_string(format!("/proc/{process}/net/{protocol}"))?;
        let v6 = fs::read_to_string(format!("/proc/{process}/net/{protocol}6"))?;
        let suffix = format!(":{port:04X}");
        let open = |line: &str| {
            let mut fields = line.split_whitespace();
            fields.nth(1).is_some_and(|local| local.ends_with(&suffix)) && fields.nth(1) == Some(state)
        };
        Ok(v4.lines().chain(v6.lines()).any(open))
    }
}

fn stem<'a>(program: &[&'a str]) -> &'a str {
    program[0].rsplit('/').next().expect("a name")
}

/// Two of a kind may run on one host.
fn free_name(folder: &Path, name: &str) -> PathBuf {
    let mut numbered = (1..u8::MAX).map(|number| folder.join(format!("{name}-{number}.log")));
    numbered.find(|path| !path.exists()).expect("no case starts so many")
}
