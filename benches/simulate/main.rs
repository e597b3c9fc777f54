//! Scans thousands of random networks in virtual time: `cargo bench --bench simulate -- [--runs N] [--only NAME] [--seed N] [--feed FILE]`.
//!
//! What the columns say: `false` ranges are accused though open, `missed` ones not though blocked, of `wrong` ones a
//! blocked cell is called open; `wide` ones are accused beyond what is blocked. `parts` are blocks smaller than their
//! cell: named as they are, of those that a probe hit. `closer` counts addresses asked in cells that had answered.
//!
//! `B` is what any method needs (one answer of each open cell; of all blocked ones one probe each, or of each block as
//! many silences as the error rate needs), `B'` the same block by block. Where two ranges in five are blocked, 1.25 B at
//! /20 is out of reach: B allows 3.4 silences a block, the blocked ranges are single cells, and silences are whole. With
//! 4 each the old list would cost 1.33 B; it takes 6. One is the prior of one blocked range in ten (2.2 nats), one that
//! the share of known addresses is learnt and not given: the fifth silence in a row weighs a seventh less than the first,
//! and ends at 11.3 of the 11.5 nats. A prior learnt from how many ranges are blocked would save the sixth, a fourteenth of
//! the probes, where many are; and it would take its margin from the very networks in which something else may have
//! made the ranges silent. It is left at one in ten.
#![allow(clippy::print_stdout)] // a table is what this program is for

mod cost;
mod suites;

use std::time::Instant;

use egressd::ranges::FeedSnapshot;
use egressd::sim::{Conditions, Score};
use suites::SUITES;

/// What was asked for on the command line.
struct Options {
    runs: Option<u64>,
    only: Option<String>,
    seed: u64,
    feed: Option<FeedSnapshot>,
}

fn main() {
    let options = Options::read(std::env::args().skip(1));
    for (name, title, runs, rows) in SUITES {
        if options.wants(name) {
            println!("\n{name}: {title}");
            table(&rows(), options.runs.unwrap_or(*runs), options.seed);
        }
    }
    if options.wants("engine") {
        println!("\nengine: time of the engine alone, and of the judgement, by size of the list");
        cost::engine(options.feed.as_ref());
    }
    if options.wants("memory") {
        println!("\nmemory: peak of the process, by --only memory alone");
        cost::memory(options.feed.as_ref());
    }
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self { runs: None, only: None, seed: 1, feed: None };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                // cargo passes it to every bench
                "--bench" => {}
                "--runs" => options.runs = Some(value().parse().expect("--runs wants a number")),
                "--seed" => options.seed = value().parse().expect("--seed wants a number"),
                "--only" => options.only = Some(value()),
                "--feed" => options.feed = Some(feed(&value())),
                other => panic!("unknown option {other}"),
            }
        }
        options
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name == only)
    }
}

fn feed(path: &str) -> FeedSnapshot {
    let bytes = std::fs::read(path).expect("the feed can be read");
    FeedSnapshot::parse(path, &bytes).expect("the feed is sound")
}

fn table(rows: &[(String, Conditions)], runs: u64, seed: u64) {
    println!(
        "{:<34} {:>6} {:>6} {:>6} {:>5} {:>6} {:>8} {:>5} {:>9} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} {:>7} {:>7} {:>6} {:>6}",
        "network",
        "ranges",
        "false",
        "missed",
        "wrong",
        "unsure",
        "exact",
        "wide",
        "parts",
        "probes",
        "closer",
        "/ B",
        "/ B'",
        "others",
        "decide",
        "slowest",
        "ends",
        "waves",
        "ms/run"
    );
    for (name, conditions) in rows {
        let began = Instant::now();
        let score = scores(conditions, runs, seed);
        line(name, &score, began.elapsed().as_secs_f64() * 1e3 / runs as f64);
    }
}

fn scores(conditions: &Conditions, runs: u64, seed: u64) -> Score {
    let snapshot = FeedSnapshot::documented();
    let mut total = Score::default();
    for run in 0..runs {
        total.add(&conditions.trial(&snapshot, seed * 1_000_003 + run).score());
    }
    total
}

fn line(name: &str, score: &Score, milliseconds: f64) {
    let runs = score.runs as f64;
    println!(
        "{name:<34} {:>6} {:>6} {:>6} {:>5} {:>6.2} {:>8} {:>5} {:>9} {:>6.0} {:>6.1} {:>6.3} {:>6.3} {:>6.0} {:>6.2}s {:>6.2}s {:>6.2}s {:>6.1} {:>6.1}",
        score.ranges,
        score.false_ranges,
        score.missed_ranges,
        score.wrongly_open,
        score.undetermined as f64 / runs,
        format!("{}/{}", score.exact, score.runs),
        score.wide_ranges,
        format!("{}/{}", score.parts_named, score.parts_hit),
        score.probes as f64 / runs,
        score.closer as f64 / runs,
        score.probes as f64 / score.bound,
        score.probes as f64 / score.bound_by_block,
        score.others as f64 / runs,
        score.decided.as_secs_f64() / runs,
        score.slowest.as_secs_f64(),
        score.took.as_secs_f64() / runs,
        f64::from(score.waves_discarded) / runs,
        milliseconds,
    );
}
