//! The lab's client host, and how a tool is started on it, timed and ended.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use egressd::lab::{Lab, LabConfig, enter_user_namespace};
use egressd::scenario::Wan;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::words::Words;
use crate::work::Work;

/// The firewall's address toward the client: who rejects, and the hop behind which packets end.
pub(crate) const FIREWALL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 1, 1));

/// Round trips of 20 to 120 ms by range, as measured toward CloudFront from one place, and one packet in two hundred lost
/// each way.
const WAN: Wan = Wan { delay_ms: 10.0, jitter_ms: 2.0, loss: 0.005, spread_ms: 100.0 };

/// A tool that takes longer is ended.
const LONGEST: Duration = Duration::from_mins(1);

/// The client of a lab that lives as long as this.
pub(crate) struct Client {
    pub(crate) lab: Lab,
    pub(crate) folder: PathBuf,
}

/// A tool that has ended.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    pub(crate) words: Words,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_kib: u64,
    pub(crate) packets: u64,
    pub(crate) killed: bool,
    /// The tool lists what is open, and by that says that all else is not.
    pub(crate) silence_is_a_word: bool,
    pub(crate) note: String,
    pub(crate) output: String,
}

impl Client {
    /// Builds the lab around this process, which must have one thread; the rules are in force.
    pub(crate) fn start(work: &Work, wan: bool, folder: &Path) -> Self {
        enter_user_namespace().expect("this user may make namespaces");
        let owned = work.feed.ranges.iter().map(|range| range.prefix).collect();
        let wan = wan.then_some(WAN);
        let lab = Lab::start(&LabConfig { owned, rules: Work::rules(), wan, seed: 1, ..LabConfig::default() });
        let client = Self { lab: lab.expect("the lab can be built"), folder: folder.to_owned() };
        client.assert_inside();
        client.firewall_mac();
        client
    }

    /// Runs `work` on the client host.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.lab.client().run(work).expect("the client host can be entered")
    }

    /// Starts a program on the client host.
    pub(crate) fn spawn(&self, command: &mut Command) -> Child {
        self.run(|| command.spawn()).unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
    }

    /// A program that is started here sees the lab's links alone.
    fn assert_inside(&self) {
        let mut command = Command::new("cat");
        let child = self.spawn(command.arg("/proc/net/dev").stdout(Stdio::piped()));
        let output = child.wait_with_output().expect("cat can be waited for");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut links: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(':')?.0.trim())).collect();
        links.sort_unstable();
        assert_eq!(links, ["c0", "lo"], "a program would start outside the lab");
    }

    /// Runs a tool to its end. What it prints goes to files: a full pipe would slow it down.
    pub(crate) fn time(&self, program: &Path, arguments: &[String]) -> Finished {
        let sent = self.packets();
        let mut tool = self.begin(program, arguments);
        let killed = !tool.ends_within(LONGEST);
        let seconds = tool.began.elapsed().as_secs_f64();
        Finished { seconds, killed, packets: self.packets() - sent, output: self.output(), ..self.usage() }
    }

    /// Starts a tool in a group of its own, under `time`.
    pub(crate) fn begin(&self, program: &Path, arguments: &[String]) -> Running {
        self.assert_inside();
        let file = |name| File::create(self.folder.join(name)).expect("the temporary folder can be written to");
        let mut command = Command::new("/usr/bin/time");
        command.args(["-f", "%M %U %S", "-o"]).arg(self.folder.join("usage")).arg(program).args(arguments);
        command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr")).process_group(0);
        command.current_dir(&self.folder).env("HOME", &self.folder);
        let began = Instant::now();
        Running { tool: self.spawn(&mut command), began }
    }

    /// Everything that a tool printed.
    pub(crate) fn output(&self) -> String {
        let read = |name| fs::read(self.folder.join(name)).unwrap_or_default();
        let mut bytes = read("stdout");
        bytes.extend(read("stderr"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A file that a tool wrote.
    pub(crate) fn file(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join(name)).unwrap_or_default()).into_owned()
    }

    /// What `time` says; zeros where it was ended with the tool.
    pub(crate) fn usage(&self) -> Finished {
        let text = self.file("usage");
        // `time` puts a line before it when the tool's status is not 0.
        let Some((peak, cpu)) = text.lines().last().and_then(|line| line.split_once(' ')) else {
            return Finished::default();
        };
        let cpu_seconds = cpu.split(' ').flat_map(str::parse::<f64>).sum();
        Finished { peak_kib: peak.parse().unwrap_or_default(), cpu_seconds, ..Finished::default() }
    }

    /// Packets that have left the client.
    pub(crate) fn packets(&self) -> u64 {
        // Not `/proc/net`, which is the network of the process's first thread.
        let text = self.run(|| fs::read_to_string("/proc/thread-self/net/dev")).expect("the kernel lists links");
        let line = text.lines().find_map(|line| line.trim().strip_prefix("c0:")).expect("the client has its link");
        line.split_whitespace().nth(9).and_then(|field| field.parse().ok()).expect("the tenth field counts packets")
    }

    /// The Ethernet address of the gateway, for tools that write frames; asks for it where it is not known yet.
    pub(crate) fn firewall_mac(&self) -> String {
        self.run(|| {
            let socket = UdpSocket::bind("0.0.0.0:0").expect("a port is free");
            for _ in 0..100 {
                socket.send_to(b"?", (FIREWALL, 9)).expect("the firewall is on the link");
                sleep(Duration::from_millis(10));
                let table = fs::read_to_string("/proc/thread-self/net/arp").expect("the kernel lists neighbours");
                let known = table.lines().find(|line| line.starts_with("10.9.1.1 "));
                let mac = known.and_then(|line| line.split_whitespace().nth(3)).filter(|mac| *mac != NO_MAC);
                if let Some(mac) = mac {
                    return mac.to_owned();
                }
            }
            panic!("the firewall does not answer on the link")
        })
    }
}

const NO_MAC: &str = "00:00:00:00:00:00";

/// A tool under way, with all that it starts.
pub(crate) struct Running {
    tool: Child,
    began: Instant,
}

impl Running {
    /// Whether it ends by itself; else it is ended.
    pub(crate) fn ends_within(&mut self, longest: Duration) -> bool {
        let end = Instant::now() + longest;
        while Instant::now() < end {
            if self.ended() {
                return true;
            }
            sleep(Duration::from_millis(1));
        }
        self.end();
        false
    }

    /// Asks it to end, and ends it where it does not; `time` does not take the first for itself.
    pub(crate) fn end(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.tool.id()).expect("process numbers are small"));
        for signal in [Signal::SIGINT, Signal::SIGKILL] {
            let end = Instant::now() + Duration::from_secs(2);
            // Gone already: just what is wanted.
            let _ = killpg(group, signal);
            while Instant::now() < end {
                if self.ended() {
                    return;
                }
                sleep(Duration::from_millis(10));
            }
        }
    }

    fn ended(&mut self) -> bool {
        self.tool.try_wait().expect("a child can be waited for").is_some()
    }
}
