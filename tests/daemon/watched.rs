//! A daemon under test: started on the client, asked over its socket, told by signals.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::runner;

/// The interval of endpoints and pulses in all of these tests: the shortest that is allowed.
pub const INTERVAL: Duration = Duration::from_secs(10);

/// Where a daemon lives: its configuration, its state and its socket.
pub struct Home {
    folder: TempDir,
    /// Where the state is kept.
    pub state: PathBuf,
}

/// A daemon that runs.
pub struct Daemon<'h> {
    home: &'h Home,
    child: Child,
}

impl Home {
    /// With the usual configuration.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Self { state: folder.path().join("state"), folder };
        home.configure("");
        home
    }

    /// The usual configuration, and some lines before it.
    pub fn configure(&self, more: &str) {
        let text = include_str!("egressd.toml").replace("FOLDER", &self.path("").display().to_string());
        fs::write(self.path("egressd.toml"), format!("{more}\n{text}")).expect("a configuration");
    }

    /// A file of its own.
    pub fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.folder.path().to_owned() } else { self.folder.path().join(name) }
    }

    /// What it wrote to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// A daemon on the client, behind this command, such as `faketime`.
    pub fn start_behind(&self, before: &[&str], environment: &[(&str, &Path)]) -> Daemon<'_> {
        // What a killed one left; the daemon replaces it, but nothing would be asked of it in vain.
        let _ = fs::remove_file(self.path("socket"));
        self.start_as_it_is(before, environment)
    }

    /// The same where the socket is a link to another place.
    pub fn start_linked(&self, before: &[&str]) -> Daemon<'_> {
        self.start_as_it_is(before, &[])
    }

    fn start_as_it_is(&self, before: &[&str], environment: &[(&str, &Path)]) -> Daemon<'_> {
        let log = fs::File::create(self.path("log")).expect("a file");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", "client"]).args(before).arg(runner::program());
        command.args(["run", "--config"]).arg(self.path("egressd.toml"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(environment.iter().copied()).stdin(Stdio::null()).stderr(log);
        Daemon { home: self, child: command.spawn().expect("`ip` starts") }
    }

    /// A daemon on the client.
    pub fn start(&self) -> Daemon<'_> {
        self.start_behind(&[], &[])
    }

    /// Waits until the log has a line with this text.
    pub fn logged(&self, text: &str, limit: Duration) -> Duration {
        until(limit, || self.log().contains(text).then_some(()))
            .unwrap_or_else(|| panic!("no {text}: {}", self.log()))
            .1
    }

    /// Where systemd would be told; whoever starts the daemon names it in `NOTIFY_SOCKET`.
    pub fn notified(&self) -> UnixDatagram {
        let socket = UnixDatagram::bind(self.path("notify")).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        socket
    }
}

impl Daemon<'_> {
    /// What is answered to GET; none while nobody listens.
    pub fn get(&self, path: &str) -> Option<String> {
        self.curl(&[], path)
    }

    fn curl(&self, flags: &[&str], path: &str) -> Option<String> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--max-time", "5", "--unix-socket"]).arg(self.home.path("socket")).args(flags);
        let output = command.arg(format!("http://localhost{path}")).output().expect("`curl` starts");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
    }

    /// What is answered to POST.
    pub fn post(&self, path: &str) -> String {
        self.curl(&["--request", "POST"], path).expect("an answer")
    }

    /// The answer as JSON.
    pub fn json(&self, path: &str) -> Value {
        let text = self.get(path).unwrap_or_else(|| panic!("no answer: {}", self.home.log()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Waits for the first result.
    pub fn ready(&self) -> Duration {
        let ready = || self.get("/readyz").filter(|text| text == "ready\n");
        until(Duration::from_mins(1), ready).unwrap_or_else(|| panic!("never ready: {}", self.home.log())).1
    }

    /// Waits until what is said of a range or an endpoint is this.
    pub fn says(&self, of: &str, verdict: &str, limit: Duration) -> Duration {
        let said = || (self.verdict(of).as_deref() == Some(verdict)).then_some(());
        until(limit, said)
            .unwrap_or_else(|| panic!("{of} is {:?} and not {verdict}: {}", self.verdict(of), self.home.log()))
            .1
    }

    /// What is said of a range or an endpoint.
    pub fn verdict(&self, of: &str) -> Option<String> {
        let report: Value = serde_json::from_str(&self.get("/api/v1/report")?).ok()?;
        let all = ["ranges", "endpoints"].map(|list| report[list].as_array().cloned().unwrap_or_default()).concat();
        let named = all.into_iter().find(|one| one["prefix"] == of || one["name"] == of)?;
        Some(named["verdict"].as_str()?.to_owned())
    }

    /// Ranges that are said to be blocked.
    pub fn blocked(&self) -> Vec<String> {
        let report = self.json("/api/v1/report");
        let ranges = report["ranges"].as_array().expect("ranges").clone();
        let accused = ranges.iter().filter(|range| range["mechanism"].is_string());
        accused.map(|range| range["prefix"].as_str().expect("a prefix").to_owned()).collect()
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it runs");
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a number"))
    }

    /// Whether it runs still.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("it was started here").is_none()
    }

    /// Resident kilobytes.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a figure");
        line.split_whitespace().nth(1).and_then(|figure| figure.parse().ok()).expect("a number")
    }

    /// Ends it, and says how long that took.
    pub fn stop(mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        self.signal(Signal::SIGTERM);
        (self.child.wait().expect("it was started here"), began.elapsed())
    }

    /// Ends it at once.
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().expect("it was started here");
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // It may have ended; no failure here could say more than the case itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer, for so long at the most; how long that took.
pub fn until<T>(limit: Duration, ask: impl Fn() -> Option<T>) -> Option<(T, Duration)> {
    const PAUSE: Duration = Duration::from_millis(50);
    let began = Instant::now();
    while began.elapsed() < limit {
        if let Some(answer) = ask() {
            return Some((answer, began.elapsed()));
        }
        sleep(PAUSE);
    }
    None
}
