//! The tools with the flags that do best on this work, each with its reason.
//!
//! In the flags `{rate}`, `{interval}`, `{batch}`, `{mac}` and `{list}` stand for the equal rate, the milliseconds between
//! two packets at that rate, the number of connections under way that comes to it, the gateway's Ethernet address, and
//! the addresses with commas between.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::{Client, Finished};
use crate::engine::Task;
use crate::this_program;
use crate::words::{self, Words};
use crate::work::Work;
use crate::{blackbox, throughput};

/// How fast a tool is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Speed {
    /// As fast as its best flags make it.
    Best,
    /// All tools at so many packets or connections a second.
    Equal(u32),
}

/// One row of the table.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// The program; none: egressd, which is in this one.
    program: Option<&'static str>,
    /// How it is asked for its version.
    version: &'static str,
    /// Flags at either speed.
    flags: &'static [&'static str],
    /// Flags at its best speed.
    best: &'static [&'static str],
    /// Flags at the equal rate.
    equal: &'static [&'static str],
    /// Why these.
    pub(crate) why: &'static str,
    pub(crate) run: fn(&mut Client, &Work, Speed, usize) -> Finished,
}

/// All tools.
pub(crate) const TOOLS: [Tool; 10] = [
    Tool {
        name: "egressd",
        program: None,
        version: "",
        flags: &["check", "--resolution", "24", "--depth", "tcp", "--baseline", "FILE"],
        best: &["--rate", "unlimited"],
        equal: &["--rate", "{rate}"],
        why: "a baseline recorded before, in the open lab, which is not timed; up to 12 known addresses a cell, asked \
              until the error rate is under 1 in 10,000; controls, traces and the report are in the time",
        run: |client, _, speed, in_flight| egressd(client, speed, in_flight, true),
    },
    Tool {
        name: "egressd, no baseline",
        program: None,
        version: "",
        flags: &["check", "--resolution", "24", "--depth", "tcp"],
        best: &["--rate", "unlimited"],
        equal: &["--rate", "{rate}"],
        why: "nothing is known before: what share of addresses answers is learnt on the way",
        run: |client, _, speed, in_flight| egressd(client, speed, in_flight, false),
    },
    Tool {
        name: "RustScan",
        program: Some("rustscan"),
        version: "--version",
        flags: &["--no-config", "--no-banner", "-g", "-a", "{list}", "-p", "443", "-t", "1000"],
        best: &["-b", "2000", "-u", "16384"],
        equal: &["-b", "{batch}", "-u", "16384"],
        why: "more at once than cells that do not answer (6,032 at once take longer, and 460 MB), 1 s for silence as for \
              all; the addresses as a list, since it first \
              looks up the name of a file in the DNS, which takes 40 s where there is none; it has no flag for a rate, so fewer at once come to \
              it on average",
        run: |client, _, speed, _| client_run(client, "RustScan", speed, |output, _| words::rustscan(output), true),
    },
    Tool {
        name: "zmap",
        program: Some("zmap"),
        version: "--version",
        flags: ZMAP,
        best: &["-r", "0"],
        equal: &["-r", "{rate}"],
        why: "no limit of the rate; 1 s after the last packet (with 0 s it misses 1,057 cells); resets are printed as well",
        run: |client, _, speed, _| client_run(client, "zmap", speed, |_, file| words::zmap(file), true),
    },
    Tool {
        name: "masscan",
        program: Some("masscan"),
        version: "--version",
        flags: MASSCAN,
        best: &["--max-rate", "4000"],
        equal: &["--max-rate", "{rate}"],
        why: "1 s after the last packet instead of 10; at 10,000 a second it misses twice as many, with --retries it \
              does not end, nor at 2,000 a second; resets are printed as well",
        run: |client, _, speed, _| client_run(client, "masscan", speed, |_, file| words::masscan(file), true),
    },
    Tool {
        name: "blackbox_exporter",
        program: Some("prometheus-blackbox-exporter"),
        version: "--version",
        flags: &["--config.file=blackbox.yml", "--history.limit=1", "--log.level=error"],
        best: &[],
        equal: &[],
        why: "module tcp with a timeout of 1 s; 1,536 requests at once over kept connections: as many as there are \
              cells that do not answer",
        run: |client, work, speed, _| exporter(client, work, speed),
    },
    Tool {
        name: "nmap -sT",
        program: Some("nmap"),
        version: "--version",
        flags: &["-sT", "-n", "-Pn", "-p", "443", "-iL", "targets", "-oX", "words", "--reason"],
        best: NMAP_BEST,
        equal: NMAP_EQUAL,
        why: NMAP_WHY,
        run: |client, _, speed, _| client_run(client, "nmap -sT", speed, |_, file| words::nmap(file), false),
    },
    Tool {
        name: "nmap -sS",
        program: Some("nmap"),
        version: "--version",
        flags: &["-sS", "-n", "-Pn", "-p", "443", "-iL", "targets", "-oX", "words", "--reason"],
        best: NMAP_BEST,
        equal: NMAP_EQUAL,
        why: NMAP_WHY,
        run: |client, _, speed, _| client_run(client, "nmap -sS", speed, |_, file| words::nmap(file), false),
    },
    Tool {
        name: "nmap -sT, its own timing",
        program: Some("nmap"),
        version: "--version",
        flags: &["-sT", "-n", "-Pn", "-p", "443", "-iL", "targets", "-oX", "words", "--reason"],
        best: NMAP_OWN_BEST,
        equal: NMAP_OWN_EQUAL,
        why: "it counts silence after 0.1 s where answers come as quickly as here, and asks the silent a second time: \
              not the second of waiting that the others are given; with `--wan` it had up to 6 open cells wrong in 3 of \
              7 runs",
        run: |client, _, speed, _| {
            client_run(client, "nmap -sT, its own timing", speed, |_, file| words::nmap(file), false)
        },
    },
    Tool {
        name: "fping",
        program: Some("fping"),
        version: "--version",
        flags: &["-r", "0", "-t", "1000", "-f", "targets"],
        best: &["-i", "0"],
        equal: &["-i", "{interval}"],
        why: "ICMP echo, one each: it cannot ask port 443, so cells that are reset there alone answer it",
        run: |client, _, speed, _| client_run(client, "fping", speed, |output, _| words::fping(output), false),
    },
];

const ZMAP: &[&str] = &[
    "-p",
    "443",
    "-i",
    "c0",
    "-G",
    "{mac}",
    "-w",
    "targets",
    "-b",
    "none",
    "-C",
    "none",
    "-c",
    "1",
    "-O",
    "csv",
    "-f",
    "saddr,classification",
    "--output-filter=repeat = 0",
    "-o",
    "words",
    "-q",
    "-v",
    "0",
    "--disable-syslog",
];

const MASSCAN: &[&str] = &[
    "-p443",
    "-iL",
    "targets",
    "--adapter",
    "c0",
    "--adapter-ip",
    "10.9.1.2",
    "--router-mac",
    "{mac}",
    "--wait",
    "1",
    "--show",
    "open,closed",
    "-oL",
    "words",
];

const NMAP_BEST: &[&str] = &[
    "-T4",
    "--min-hostgroup",
    "8192",
    "--max-retries",
    "0",
    "--min-rtt-timeout",
    "1s",
    "--initial-rtt-timeout",
    "1s",
    "--max-rtt-timeout",
    "1s",
    "--min-parallelism",
    "4000",
];
const NMAP_EQUAL: &[&str] = &[
    "-T4",
    "--min-hostgroup",
    "8192",
    "--max-retries",
    "0",
    "--min-rtt-timeout",
    "1s",
    "--initial-rtt-timeout",
    "1s",
    "--max-rtt-timeout",
    "1s",
    "--min-rate",
    "{rate}",
    "--max-rate",
    "{rate}",
];
const NMAP_WHY: &str = "no name look-ups, no host discovery, all cells in one group, 1 s for silence as for all";
const NMAP_OWN_BEST: &[&str] = &["-T4", "--min-hostgroup", "8192", "--max-retries", "1", "--min-parallelism", "1000"];
const NMAP_OWN_EQUAL: &[&str] =
    &["-T4", "--min-hostgroup", "8192", "--max-retries", "1", "--min-rate", "{rate}", "--max-rate", "{rate}"];

/// Requests to the exporter under way at the most.
const REQUESTS: usize = 1536;

impl Tool {
    /// The first line of what it says of its version; none where it is not installed.
    pub(crate) fn version(&self) -> Option<String> {
        let Some(program) = self.program else { return Some(env!("CARGO_PKG_VERSION").to_owned()) };
        let output = Command::new(find(program)?).arg(self.version).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.');
        text.split_whitespace().find(number).map(|number| number.trim_end_matches(',').to_owned())
    }

    /// Its flags at either speed, as they are documented.
    pub(crate) fn flags(&self) -> String {
        self.flags.join(" ")
    }

    /// The flags that differ between the speeds, as they are documented.
    pub(crate) fn own_flags(&self) -> String {
        if self.best.is_empty() && self.equal.is_empty() {
            return String::new();
        }
        format!(" with `{}`, at the equal rate `{}`", self.best.join(" "), self.equal.join(" "))
    }

    fn flags_at(&self, speed: Speed) -> impl Iterator<Item = &&'static str> {
        self.flags.iter().chain(if speed == Speed::Best { self.best } else { self.equal })
    }

    /// The program as it is called.
    pub(crate) fn command(&self) -> &'static str {
        self.program.unwrap_or("egressd")
    }
}

impl Speed {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Equal(_) => "equal",
        }
    }

    fn rate(self) -> Option<u32> {
        match self {
            Self::Best => None,
            Self::Equal(rate) => Some(rate),
        }
    }
}

/// A program on the search path, or among those that `peers.sh` has built.
fn find(program: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([own, "/usr/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|program| program.is_file())
}

fn client_run(
    client: &Client,
    name: &str,
    speed: Speed,
    read: fn(&str, &str) -> Words,
    silence_is_a_word: bool,
) -> Finished {
    let tool = TOOLS.iter().find(|tool| tool.name == name).expect("a tool knows its name");
    let mac = client.firewall_mac();
    let list = client.file("targets").trim_end().replace('\n', ",");
    let flags: Vec<String> = tool.flags_at(speed).map(|flag| filled(flag, &mac, &list, speed)).collect();
    // zmap wants its lists of exceptions and of settings to be files.
    fs::write(client.folder.join("none"), "").expect("the temporary folder can be written to");
    let finished = client.time(&find(tool.command()).expect("it is installed"), &flags);
    let words = read(&finished.output, &client.file("words"));
    let note = if words.is_empty() { finished.output.chars().take(400).collect() } else { String::new() };
    Finished { words, silence_is_a_word, note, ..finished }
}

fn filled(flag: &str, mac: &str, list: &str, speed: Speed) -> String {
    let rate = speed.rate().unwrap_or_default();
    // One connection in six is silent and takes the whole second; the others take no time to speak of.
    let batch = rate * 1024 / 6032;
    let interval = 1000.0 / f64::from(rate.max(1));
    flag.replace("{mac}", mac)
        .replace("{rate}", &rate.to_string())
        .replace("{batch}", &batch.to_string())
        .replace("{interval}", &interval.to_string())
        .replace("{list}", list)
}

fn exporter(client: &mut Client, work: &Work, speed: Speed) -> Finished {
    let program = find("prometheus-blackbox-exporter").expect("it is installed");
    let sent = client.packets();
    let finished = blackbox::run(client, work, &program, speed.rate(), REQUESTS);
    Finished { packets: finished.packets - sent, ..finished }
}

fn egressd(client: &mut Client, speed: Speed, in_flight: usize, with_baseline: bool) -> Finished {
    let baseline = with_baseline.then(|| client.folder.join("baseline"));
    if baseline.is_some() {
        client.lab.replace_rules(&[]).expect("the rules can be taken away");
        throughput::record(client, baseline.clone(), in_flight);
        client.lab.replace_rules(&Work::rules()).expect("the rules can be put back");
    }
    // The fast profile's limit, where there is a rate.
    let in_flight = if speed == Speed::Best { in_flight } else { 1000 };
    let finished = engine(client, &Task { baseline, record: false, rate: speed.rate(), in_flight });
    let note = client.file("stderr").trim().to_owned();
    Finished { words: words::egressd(&finished.output), note, ..finished }
}

/// egressd as a process of its own on the client host.
pub(crate) fn engine(client: &Client, task: &Task) -> Finished {
    let file = client.folder.join("task");
    fs::write(&file, serde_json::to_string(task).expect("plain values"))
        .expect("the temporary folder can be written to");
    let program = fs::read_link(this_program()).expect("the kernel knows this program");
    client.time(&program, &["--engine".to_owned(), file.display().to_string()])
}
