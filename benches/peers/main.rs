//! egressd against its peers: the same cells, the same firewall, one fresh lab for each run.
//!
//! `benches/peers.sh` installs the peers and starts this; `-- [--only TOOL] [--rate N] [--runs N] [--wan] [--throughput]`. Nothing
//! here runs outside the lab: each run is a process that enters namespaces of its own, and before a tool is started a
//! program started in the same way must see the links `lo` and `c0` and no others.
#![allow(clippy::print_stdout, clippy::print_stderr)] // the output of a bench

mod blackbox;
mod client;
mod engine;
mod score;
mod table;
mod throughput;
mod tools;
mod words;
mod work;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;

use client::Client;
use score::Score;
use tools::{Speed, TOOLS, Tool};
use work::Work;

/// The flags.
#[derive(Clone, Debug, Parser)]
struct Flags {
    /// Only tools whose name holds this
    #[arg(long, default_value = "")]
    only: String,
    /// Packets or connections a second of the run at equal rates
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// Runs of each tool at each speed
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// Connections under way at the most, for egressd at its best speed
    #[arg(long, default_value_t = 1000)]
    in_flight: usize,
    /// Put a line between firewall and edge, with delays that differ by range, and with loss
    #[arg(long)]
    wan: bool,
    /// Measure connections a second instead
    #[arg(long)]
    throughput: bool,
    /// What `cargo bench` says to every bench
    #[arg(long, hide = true)]
    bench: bool,
    /// One run, in this process: the name of a tool and of a speed
    #[arg(long, hide = true, num_args = 2)]
    one: Option<Vec<String>>,
    /// egressd itself, on the client host; the file says what to do
    #[arg(long, hide = true)]
    engine: Option<PathBuf>,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    if let Some(task) = &flags.engine {
        engine::run(task);
    } else if let Some(one) = &flags.one {
        let tool = TOOLS.iter().find(|tool| tool.name == one[0]).expect("the parent knows the names");
        let speed = if one[1] == Speed::Best.name() { Speed::Best } else { Speed::Equal(flags.rate) };
        let score = run_one(tool, speed, &flags);
        println!("{}", serde_json::to_string(&score).expect("plain values"));
    } else if flags.throughput {
        throughput::run(flags.runs, flags.in_flight);
    } else {
        return run_all(&flags);
    }
    ExitCode::SUCCESS
}

/// Each run in a process of its own, one after the other.
fn run_all(flags: &Flags) -> ExitCode {
    let wanted: Vec<&Tool> = TOOLS.iter().filter(|tool| tool.name.contains(&flags.only)).collect();
    let missing: Vec<&str> = wanted.iter().filter(|tool| tool.version().is_none()).map(|tool| tool.name).collect();
    if !missing.is_empty() {
        eprintln!("not installed: {}; benches/peers.sh installs what is missing", missing.join(", "));
        return ExitCode::FAILURE;
    }
    for speed in [Speed::Best, Speed::Equal(flags.rate)] {
        let rows: Vec<(&Tool, Vec<Score>)> = wanted.iter().map(|tool| (*tool, runs_of(tool, speed, flags))).collect();
        println!("{}", table::write(speed, &rows));
    }
    println!("{}", table::notes(&wanted));
    ExitCode::SUCCESS
}

/// A tool that had to be killed is not run again.
fn runs_of(tool: &Tool, speed: Speed, flags: &Flags) -> Vec<Score> {
    let mut scores = Vec::new();
    while scores.len() < flags.runs as usize && !scores.last().is_some_and(|score: &Score| score.killed) {
        scores.push(in_child(tool, speed, flags));
    }
    scores
}

fn in_child(tool: &Tool, speed: Speed, flags: &Flags) -> Score {
    let mut command = Command::new(this_program());
    command.args(["--one", tool.name, speed.name(), "--rate", &flags.rate.to_string()]);
    command.args(["--in-flight", &flags.in_flight.to_string()]).stderr(Stdio::inherit());
    command.args(flags.wan.then_some("--wan"));
    let output = command.output().expect("this program starts again");
    assert!(output.status.success(), "{} at {}: {}", tool.name, speed.name(), output.status);
    let score = serde_json::from_slice(&output.stdout).expect("the child writes a score");
    eprintln!("{} {}: {score:?}", tool.name, speed.name());
    score
}

/// One run of one tool in a lab of its own.
fn run_one(tool: &Tool, speed: Speed, flags: &Flags) -> Score {
    let work = Work::new();
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let mut client = Client::start(&work, flags.wan, folder.path());
    work.write_targets(&folder.path().join("targets"));
    let finished = (tool.run)(&mut client, &work, speed, flags.in_flight);
    Score::new(&work, finished)
}

/// The path of this program.
fn this_program() -> &'static Path {
    Path::new("/proc/self/exe")
}
