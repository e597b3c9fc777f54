//! Connections a second when nothing is paced: a recording of all cells, several addresses in each, in the open lab.

use std::path::PathBuf;
use std::process::Command;

use crate::client::{Client, Finished};
use crate::engine::Task;
use crate::this_program;
use crate::tools::engine;
use crate::work::Work;

/// What a recording says of itself.
#[derive(Clone, Copy, Debug)]
struct Rate {
    connects: f64,
    answers: f64,
    seconds: f64,
    cpu_seconds: f64,
}

/// Records on the client host; the rules must have been taken away.
pub(crate) fn record(client: &Client, baseline: Option<PathBuf>, in_flight: usize) -> Finished {
    let finished = engine(client, &Task { baseline, record: true, rate: None, in_flight });
    assert!(!finished.killed && !finished.output.is_empty(), "the recording failed: {}", finished.output);
    finished
}

/// Prints a Markdown table, a row a run.
pub(crate) fn run(runs: u32, in_flight: usize) {
    if std::env::var_os(INSIDE).is_none() {
        println!("| connects | answered | seconds | connects a second | CPU for each | wall for each |");
        println!("|---|---|---|---|---|---|");
        (0..runs).for_each(|_| again(in_flight));
        return;
    }
    let work = Work::new();
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let mut client = Client::start(&work, false, folder.path());
    client.lab.replace_rules(&[]).expect("the rules can be taken away");
    let Rate { connects, answers, seconds, cpu_seconds } = rate(&record(&client, None, in_flight));
    println!(
        "| {connects} | {answers} | {seconds:.2} | {:.0} | {:.1} us | {:.1} us |",
        connects / seconds,
        cpu_seconds / connects * 1e6,
        seconds / connects * 1e6
    );
}

/// Set for the process that has the lab: a lab needs a process of its own.
const INSIDE: &str = "EGRESSD_BENCH_INSIDE";

fn again(in_flight: usize) {
    let mut command = Command::new(this_program());
    command.args(["--throughput", "--in-flight", &in_flight.to_string()]).env(INSIDE, "1");
    assert!(command.status().expect("this program starts again").success(), "the run failed");
}

fn rate(finished: &Finished) -> Rate {
    let numbers: Vec<f64> = finished.output.split_whitespace().flat_map(str::parse).collect();
    let [connects, answers, seconds] = numbers[..] else { panic!("no recording: {}", finished.output) };
    Rate { connects, answers, seconds, cpu_seconds: finished.cpu_seconds }
}
