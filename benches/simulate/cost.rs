//! What the engine itself costs: the calls of a scan are recorded, and made again without a network.

use std::time::{Duration, Instant};

use egressd::ranges::FeedSnapshot;
use egressd::scan::{Action, Event, Scan, judge};
use egressd::sim::{Conditions, Shape, Trial, Witness, packed, run_before, with_newer_ranges};

/// Everything that a shell passed to the engine.
#[derive(Default)]
struct Calls {
    list: Vec<Call>,
    actions: usize,
}

enum Call {
    Handle(Event, Duration),
    Poll(Duration),
}

impl Witness for Calls {
    fn action(&mut self, _action: &Action, _now: Duration) {
        self.actions += 1;
    }

    fn outcome(&mut self, event: &Event, now: Duration) {
        self.list.push(Call::Handle(event.clone(), now));
    }

    fn idle(&mut self, _next: Option<(Duration, &'static str)>, now: Duration) {
        self.list.push(Call::Poll(now));
    }
}

impl Calls {
    fn replay(&self, mut scan: Scan) {
        for call in &self.list {
            match call {
                Call::Handle(event, now) => scan.handle(event.clone(), *now),
                Call::Poll(now) => {
                    while scan.poll_action(*now).is_some() {}
                    std::hint::black_box(scan.poll_timeout());
                }
            }
        }
    }

    /// Actions taken, outcomes reported, and times reached.
    fn events(&self) -> usize {
        self.list.len() + self.actions
    }
}

/// Prints what an event costs in lists of growing size.
pub fn engine(feed: Option<&FeedSnapshot>) {
    let lists = [1, 4, 16].map(|times| (format!("documented x {times}"), packed(times)));
    let newer = ("211 + 32 prefixes".to_owned(), feed.cloned().unwrap_or_else(with_newer_ranges));
    println!("{:<40} {:>8} {:>9} {:>9} {:>10} {:>10}", "network", "cells", "events", "engine", "us/event", "judge");
    for (name, list) in lists.into_iter().chain([newer]) {
        for shape in [Shape::Open, Shape::FirstSixty] {
            for (known, baseline) in [("", None), (" baseline", Some(14))] {
                let trial = Conditions { shape, resolution: 24, baseline, ..Conditions::default() }.trial(&list, 1);
                line(&format!("{name} {shape:?}{known}"), &trial);
            }
        }
    }
}

fn line(name: &str, trial: &Trial) {
    let mut calls = Calls::default();
    let evidence = run_before(Scan::new(trial.plan.clone()), &trial.network, &mut calls);
    let scan = Scan::new(trial.plan.clone());
    let began = Instant::now();
    calls.replay(scan);
    let with_suspects = began.elapsed();
    let began = Instant::now();
    let size: usize = judge(&trial.plan, &evidence.observations).iter().map(|range| range.cells.len()).sum();
    let judged = began.elapsed();
    // The engine judges once itself, to know whose paths to trace.
    let engine = with_suspects.saturating_sub(judged);
    println!(
        "{name:<40} {size:>8} {:>9} {:>6.1} ms {:>10.3} {:>7.1} ms",
        calls.events(),
        engine.as_secs_f64() * 1e3,
        engine.as_secs_f64() * 1e6 / calls.events() as f64,
        judged.as_secs_f64() * 1e3
    );
}

/// Prints the peak of this process after a scan of the largest list, its network included.
pub fn memory(feed: Option<&FeedSnapshot>) {
    let list = feed.cloned().unwrap_or_else(with_newer_ranges);
    println!("before: {} kB", peak());
    for baseline in [None, Some(14)] {
        let conditions = Conditions { shape: Shape::FirstSixty, resolution: 24, baseline, ..Conditions::default() };
        let trial = conditions.trial(&list, 1);
        println!("with the network and its plan, baseline {baseline:?}: {} kB", peak());
        let evidence = run_before(Scan::new(trial.plan.clone()), &trial.network, &mut ());
        let judgements = judge(&trial.plan, &evidence.observations);
        let (observations, ranges) = (evidence.observations.len(), judgements.len());
        println!("{ranges} ranges, {observations} observations, judged: {} kB", peak());
    }
}

/// The largest resident size so far, in kB, as the kernel counts it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel counts it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
