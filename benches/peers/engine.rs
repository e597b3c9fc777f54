//! egressd itself: a process on the client host that does what `egressd check` does with a list and a baseline at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egressd::baseline::Baseline;
use egressd::endpoint::RunContext;
use egressd::net;
use egressd::net::interrupt::Interrupt;
use egressd::observe::{Observation, Operation, Purpose};
use egressd::plan::{Depth, KnownAddresses, ProbePlan, Settings};
use egressd::report::{Format, Report, Run, Style};
use egressd::scan::{Evidence, Pace, Recorder, Scan};
use egressd::verdict::{RangeVerdict, Verdict, ranges};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::words::{Word, write_word};
use crate::work::{Cell, Work};

/// What the process is to do.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Task {
    /// The file of the baseline: written by a recording, read by a check.
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) record: bool,
    /// None: as fast as connections are made.
    pub(crate) rate: Option<u32>,
    pub(crate) in_flight: usize,
}

/// Carries out the task in a file; what it says of the cells goes to standard output, where the time went to standard
/// error.
pub(crate) fn run(task: &Path) {
    assert_inside();
    let text = fs::read(task).expect("the task can be read");
    let task: Task = serde_json::from_slice(&text).expect("a task is written by this program");
    let work = Work::new();
    if task.record { record(&work, &task) } else { check(&work, &task) }
}

/// This process is on the lab's client host, whoever started it.
fn assert_inside() {
    let text = fs::read_to_string("/proc/net/dev").expect("the kernel lists links");
    let mut links: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(':')?.0.trim())).collect();
    links.sort_unstable();
    assert_eq!(links, ["c0", "lo"], "not in the lab");
}

fn plan(work: &Work, task: &Task, known: &KnownAddresses) -> ProbePlan {
    let per_second = task.rate.map_or(f64::INFINITY, f64::from);
    let pace = Pace { per_second, in_flight: task.in_flight };
    let settings = Settings { resolution: Some(24), depth: Depth::Tcp, pace, seed: 1, ..Settings::default() };
    ProbePlan::new(&settings, &work.feed, known)
}

fn record(work: &Work, task: &Task) {
    let plan = plan(work, task, &KnownAddresses::default());
    let interrupt = Interrupt::listen().expect("signals can be listened for");
    let mut recorder = Recorder::new(plan.clone());
    let took = net::scan::run(&mut recorder, None, &interrupt, &mut |_| {}).expect("sockets can be waited for");
    let observations = recorder.into_observations();
    let answers = observations.iter().filter(|observation| observation.outcome.is_ok()).count();
    let baseline = Baseline::of(&plan, &observations, Zoned::now().date());
    if let Some(path) = &task.baseline {
        fs::write(path, baseline.write()).expect("the temporary folder can be written to");
    }
    eprintln!("{} {answers} {}", observations.len(), took.took.as_secs_f64());
}

fn check(work: &Work, task: &Task) {
    let read = |path: &PathBuf| fs::read(path).expect("the baseline was recorded before");
    let baseline = task.baseline.as_ref().map(|path| Baseline::parse(&read(path)).expect("a baseline"));
    let known = baseline.as_ref().map(|baseline| KnownAddresses::new(&work.feed, baseline.addresses()));
    let plan = plan(work, task, &known.unwrap_or_default());
    let interrupt = Interrupt::listen().expect("signals can be listened for");
    let started = Timestamp::now();
    let began = Instant::now();
    let mut scan = Scan::new(plan.clone());
    let built = began.elapsed();
    let took = net::scan::run(&mut scan, None, &interrupt, &mut |_| {}).expect("sockets can be waited for");
    let evidence = scan.into_evidence(took.took);
    let scanned = Instant::now();
    report(work, &plan, &evidence, baseline.as_ref(), started);
    let verdicts = ranges(&plan, &evidence.observations);
    for cell in &work.cells {
        if let Some(word) = word(cell, &verdicts[cell.range]) {
            println!("{}", write_word(cell.target, word));
        }
    }
    let reported = scanned.elapsed();
    eprintln!(
        "engine built in {:.2} s; {}; report {:.2} s",
        built.as_secs_f64(),
        phases(&evidence),
        reported.as_secs_f64()
    );
}

/// The report as a user gets it; it counts toward the time.
fn report(work: &Work, plan: &ProbePlan, evidence: &Evidence, baseline: Option<&Baseline>, started: Timestamp) {
    let feed = &work.feed;
    let (endpoints, context) = (&[], &RunContext::default());
    let run = Run {
        site: "bench",
        started,
        plan,
        evidence,
        feed,
        held: &[],
        baseline,
        endpoints,
        context,
        media: &[],
        limits: Vec::new(),
    };
    std::hint::black_box(Report::new(&run).write(Format::Json, Style::default()));
}

fn word(cell: &Cell, verdict: &RangeVerdict) -> Option<Word> {
    let holds = |prefixes: &[egressd::prefix::Prefix]| prefixes.iter().any(|prefix| prefix.covers(cell.prefix));
    if holds(&verdict.blocked) {
        let by = verdict.offender.and_then(|offender| offender.address.or(offender.hop_address));
        return Some(Word::Blocked { how: verdict.mechanism, by });
    }
    let said = matches!(verdict.verdict, Verdict::Open | Verdict::PartlyBlocked);
    (said && !holds(&verdict.undetermined)).then_some(Word::Open)
}

/// Where the time of a scan went.
fn phases(evidence: &Evidence) -> String {
    let cells = |o: &&Observation| matches!(o.purpose, Purpose::Range(_)) && o.operation == Operation::Connect;
    let path = |o: &&Observation| o.purpose == Purpose::Path;
    let all = &evidence.observations;
    let started = |wanted: &dyn Fn(&&Observation) -> bool| all.iter().filter(wanted).map(|o| o.started).max();
    let ended = |wanted: &dyn Fn(&&Observation) -> bool| all.iter().filter(wanted).map(|o| o.started + o.took).max();
    let seconds = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64();
    let first_step = all.iter().filter(path).map(|o| o.started).min();
    format!(
        "{} connects to cells, the last begun at {:.2} s and settled at {:.2} s; {} steps of traces from {:.2} to {:.2} \
         s; scan {:.2} s",
        all.iter().filter(cells).count(),
        seconds(started(&cells)),
        seconds(ended(&cells)),
        all.iter().filter(path).count(),
        seconds(first_step),
        seconds(ended(&path)),
        evidence.took.as_secs_f64()
    )
}
