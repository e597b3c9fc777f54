//! A site with a running daemon.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{self, Daemon, Port};
use crate::hosts::{self, Network};
use crate::runner;

/// A network and a daemon on its client, with the folder that holds its files.
pub struct Site {
    pub network: Network,
    pub folder: TempDir,
    /// The published list, where it is not the documented one.
    pub list: Option<String>,
    programs: Vec<Daemon>,
}

/// An answer as curl got it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case, with their values.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The daemon's address.
pub const ADDRESS: &str = "127.0.0.1:9817";

/// Nothing that is waited for here takes longer on a busy machine.
const WITHIN: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Everything that is needed is on the host behind the firewall; what is checked is checked as often as can be.
const CONFIGURATION: &str = r#"
site = "hq"
controls = ["10.9.2.2:443"]
[feed]
urls = []
[scan]
depth = "tcp"
profile = "fast"
[daemon]
ranges_seconds = 60
endpoints_seconds = 10
profile = "fast"
[[endpoint]]
name = "origin"
direction = "receive"
url = "http://10.9.2.2:8080/file.bin"
proxy = "none"
family = "4"
"#;

impl Site {
    /// The network, without a daemon.
    pub fn build() -> Self {
        let network = Network::build();
        let mut site =
            Self { network, folder: tempfile::tempdir().expect("a folder"), list: None, programs: Vec::new() };
        site.write("store/file.bin", &"x".repeat(1000));
        let store = site.path("store");
        site.start_on("edge", &["python3", "-m", "http.server", "8080", "--directory", &store], &[Port::Tcp(8080)]);
        site
    }

    /// The daemon serves as this section says, and has its first result.
    pub fn start(http: &str) -> Self {
        let mut site = Self::build();
        site.serve(http);
        site.await_result();
        site
    }

    /// Starts the daemon; `more` is put in front of the endpoints.
    pub fn serve(&mut self, more: &str) {
        let file = self.configure(more);
        let program = runner::program();
        self.start_on("client", &[program.to_str().expect("UTF-8"), "run", "--config", &file], &[Port::Tcp(9817)]);
    }

    /// Writes its configuration.
    pub fn configure(&self, more: &str) -> String {
        let state = format!("state = {:?}\nfeeds = {:?}\n", self.path("state"), self.list.as_slice());
        let split = CONFIGURATION.find("[[endpoint]]").expect("there is one");
        let (before, endpoints) = CONFIGURATION.split_at(split);
        self.write("egressd.toml", &format!("{state}{before}{more}\n{endpoints}"))
    }

    /// Waits for the first result.
    pub fn await_result(&self) {
        self.wait("a first result", || self.curl(&["http://127.0.0.1:9817/readyz"]).is_some_and(|a| a.status == 200));
    }

    /// Writes a file of the case and gives its path.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("a file");
        self.path(name)
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Starts a program that runs as long as the site.
    pub fn start_on(&mut self, host: &str, program: &[&str], ports: &[Port]) {
        let daemon = Daemon::start(host, self.folder.path(), program, ports);
        self.programs.push(daemon);
    }

    /// Runs a command on the client until its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = hosts::on("client", program);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// The same, which has to succeed; what it printed.
    pub fn succeed(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{program} {arguments:?}: {said}\n{}", self.logs());
        said
    }

    /// Asks with curl and these arguments; none where there is no answer.
    pub fn curl(&self, arguments: &[&str]) -> Option<Answer> {
        let head = self.path(&format!("head-{:?}", thread::current().id()));
        let output = self.run("curl", &[&["-sS", "--max-time", "20", "-D", &head], arguments].concat());
        output.status.success().then(|| Answer::new(&fs::read_to_string(&head).unwrap_or_default(), output.stdout))
    }

    /// Asks the daemon for a path, and gets 200.
    pub fn get(&self, path: &str) -> Answer {
        let answer =
            self.curl(&[&format!("http://{ADDRESS}{path}")]).unwrap_or_else(|| panic!("{path}: {}", self.logs()));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    }

    /// The value of a series that the daemon has now.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let page = self.get("/metrics").text();
        page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// Looks again and again until it holds.
    pub fn wait(&self, what: &str, holds: impl Fn() -> bool) -> Duration {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < WITHIN, "no {what} within {WITHIN:?}\n{}", self.logs());
            thread::sleep(LOOK_EVERY);
        }
        began.elapsed()
    }

    /// What the programs have written, for a case that fails.
    pub fn logs(&self) -> String {
        daemon::logs(self.folder.path())
    }

    /// The process of the daemon.
    pub fn process(&self) -> String {
        let listening = self.succeed("ss", &["-Hltnp", "sport = :9817"]);
        let (_, rest) = listening.split_once("pid=").expect("it listens");
        rest.split(',').next().expect("a number").to_owned()
    }
}

impl Answer {
    fn new(head: &str, body: Vec<u8>) -> Self {
        // Behind a 100 (Continue) comes the answer itself.
        let last = head.trim_end().rsplit("\r\n\r\n").next().unwrap_or_default();
        let mut lines = last.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or_default();
        let header =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        Self { status, headers: lines.filter_map(header).collect(), body }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// The lines of a file that are JSON documents.
pub fn documents(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
