//! The network in which rule sets are tried: a client, a firewall with the rules, and a host that has every address.

use std::io::Write;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use egressd::audit::{AddressSet, Coverage, Format, Question, Required, Side, SourceFile, Traffic, audit};
use egressd::lab::{Lab, LabConfig, enter_user_namespace};
use egressd::prefix::Prefix;
use egressd::ranges::FeedSnapshot;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

/// Addresses that are asked for, 32 of each family.
pub const CELLS: u64 = 64;

/// Where the host with every address answers.
const PORT: u16 = 843;

/// A running network.
pub struct Field {
    lab: Lab,
    feed: FeedSnapshot,
}

/// A rule set as commands take it: the program, its arguments and what it reads.
pub type Load = Vec<(&'static [&'static str], String)>;

/// What came of a rule set.
pub struct Judged {
    pub allowed: usize,
    /// Where audit and kernel differ, with the rules.
    pub differences: Vec<String>,
}

impl Field {
    pub fn new() -> Self {
        enter_user_namespace().unwrap();
        let owned: Vec<Prefix> = ["13.32.0.0/27", "2600:9000::/123"].map(|text| text.parse().unwrap()).to_vec();
        let lab = Lab::start(&LabConfig { owned: owned.clone(), ..LabConfig::default() }).unwrap();
        lab.edge().spawn(serve).unwrap();
        let mut feed = FeedSnapshot::documented();
        let range = feed.ranges[0].clone();
        feed.ranges = owned.into_iter().map(|prefix| egressd::ranges::Range { prefix, ..range.clone() }).collect();
        Self { lab, feed }
    }

    pub fn judge_nft(&self, rules: &str) -> Judged {
        self.load(&[(&["nft", "-f", "-"], format!("flush ruleset\n{rules}"))]);
        let listing = self.output(&["nft", "-j", "list", "ruleset"]);
        self.judge(Format::Nftables, &[file("ruleset", listing)], rules)
    }

    pub fn judge_iptables(&self, rules: &Load) -> Judged {
        self.load(&[(&["nft", "flush", "ruleset"], String::new())]);
        // A set of sets keeps its members.
        self.load(&[(&["ipset", "flush"], String::new())]);
        self.forget_sets();
        self.load(rules);
        let files = [&["iptables-save"][..], &["ip6tables-save"], &["ipset", "save"]];
        let files = files.map(|words| file(words[0], self.output(words)));
        let texts = files.iter().map(|file| file.text.clone()).collect::<Vec<_>>().join("\n");
        self.judge(Format::Iptables, &files, &texts)
    }

    fn judge(&self, format: Format, files: &[SourceFile], rules: &str) -> Judged {
        let question = question();
        let policy = format.read(files, &question).unwrap_or_else(|error| panic!("{error}\n{rules}"));
        let required = Required { feed: &self.feed, held: &[], ranges: self.feed.ranges.iter().collect() };
        let coverage = audit(&policy, files, &required).unwrap_or_else(|error| panic!("{error}\n{rules}"));
        let passed = self.passing(&cells(), Duration::from_millis(150));
        // What was not seen to pass may have been late, and what passed may have met the state of an earlier connection
        // from the same port: it is asked again, from another port and with time for a second try of the kernel.
        let late: Vec<IpAddr> = cells().into_iter().filter(|cell| differs(&coverage, *cell, &passed)).collect();
        let second = if late.is_empty() { Vec::new() } else { self.passing(&late, Duration::from_millis(2500)) };
        let all: Vec<IpAddr> = passed.iter().filter(|cell| !late.contains(cell)).chain(&second).copied().collect();
        let unknown = (!coverage.unknown.is_empty()).then(|| {
            let why: Vec<_> = coverage.unknown_by.iter().map(|share| (&share.rule, &share.reason)).collect();
            format!("unknown: {:?} {why:?}", coverage.unknown)
        });
        let differing: Vec<IpAddr> = cells().into_iter().filter(|cell| differs(&coverage, *cell, &all)).collect();
        let differing = (!differing.is_empty()).then(|| {
            let by: Vec<_> = coverage.missing_by.iter().map(|share| (&share.hook, &share.rule, &share.part)).collect();
            format!("differing: {differing:?} of which pass {all:?}; missing by {by:?}")
        });
        let tell = |difference: String| format!("{difference}\n{rules}");
        Judged { allowed: passed.len(), differences: unknown.into_iter().chain(differing).map(tell).collect() }
    }

    /// Those that a byte can be sent to, with a byte coming back.
    fn passing(&self, cells: &[IpAddr], patience: Duration) -> Vec<IpAddr> {
        let ask = || {
            runtime().block_on(async {
                let asked = cells.iter().map(|cell| tokio::time::timeout(patience, exchange(*cell)));
                let answers = futures_util::future::join_all(asked).await;
                let passed = |(cell, answer): (&IpAddr, Result<std::io::Result<()>, _>)| {
                    matches!(answer, Ok(Ok(()))).then_some(*cell)
                };
                cells.iter().zip(answers).filter_map(passed).collect()
            })
        };
        self.lab.client().run(ask).unwrap()
    }

    /// The kernel lets go of sets a while after the last rule that looks into them is gone.
    fn forget_sets(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.lab.firewall().run(|| fed(&["ipset", "destroy"], "")).unwrap().status.success() {
            assert!(Instant::now() < deadline, "sets are still in use");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn load(&self, rules: &[(&'static [&'static str], String)]) {
        for (words, text) in rules {
            let output = self.lab.firewall().run(|| fed(words, text)).unwrap();
            assert!(output.status.success(), "{words:?}: {}\n{text}", String::from_utf8_lossy(&output.stderr));
        }
    }

    fn output(&self, words: &[&'static str]) -> String {
        let output = self.lab.firewall().run(|| Command::new(words[0]).args(&words[1..]).output().unwrap()).unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn fed(words: &[&str], text: &str) -> std::process::Output {
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that reads nothing may have ended.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    child.wait_with_output().unwrap()
}

fn file(name: &str, text: String) -> SourceFile {
    SourceFile { name: name.to_owned(), text }
}

/// Everything is known of the network, so that nothing need be unknown of the rules.
fn question() -> Question {
    let clients = ["10.9.1.2/32", "fd09:1::2/128"].map(|text| text.parse::<Prefix>().unwrap());
    let mut question = Question { port: PORT, traffic: Some(Traffic::Forward), ..Question::default() };
    question.sources = Some(clients.into_iter().collect::<AddressSet>());
    question.sides.insert("f0".to_owned(), Side::Inside);
    question.sides.insert("f1".to_owned(), Side::Outside);
    question
}

fn differs(coverage: &Coverage, cell: IpAddr, passed: &[IpAddr]) -> bool {
    let judged = coverage.allowed.holds(cell) || coverage.missing.holds(cell);
    judged && coverage.allowed.holds(cell) != passed.contains(&cell)
}

fn cells() -> Vec<IpAddr> {
    let v4 = (0..32).map(|host| IpAddr::from([13, 32, 0, host]));
    v4.chain((0..32).map(|host| Ipv6Addr::new(0x2600, 0x9000, 0, 0, 0, 0, 0, host).into())).collect()
}

async fn exchange(cell: IpAddr) -> std::io::Result<()> {
    let socket = if cell.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_zero_linger()?;
    let mut stream = socket.connect(SocketAddr::new(cell, PORT)).await?;
    stream.write_all(b"?").await?;
    stream.read_exact(&mut [0]).await.map(|_| ())
}

/// Sends back a byte, for ever.
fn serve() {
    runtime().block_on(async {
        let wildcards = [IpAddr::from([0; 4]), Ipv6Addr::UNSPECIFIED.into()];
        let serving = wildcards.map(|address| async move {
            let listener = TcpListener::bind((address, PORT)).await.unwrap();
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { continue };
                tokio::spawn(async move {
                    let mut byte = [0];
                    if stream.read_exact(&mut byte).await.is_ok() {
                        let _ = stream.write_all(&byte).await;
                    }
                });
            }
        });
        futures_util::future::join_all(serving).await
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
