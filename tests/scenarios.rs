//! Every scenario in virtual time, stage by stage: observations, verdicts and diagnoses against golden files.
//!
//! A test that fails names the stage. `EGRESSD_UPDATE_GOLDEN=1 cargo test --test scenarios` writes the files anew.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

use std::fmt::Write as _;
use std::path::Path;

use egressd::diagnose::{EndpointFindings, Findings, diagnose};
use egressd::observe::{Observation, Purpose};
use egressd::plan::{KnownAddresses, ProbePlan, Settings};
use egressd::prefix::{Prefix, PrefixSet};
use egressd::ranges::FeedSnapshot;
use egressd::scan::{Evidence, Scan};
use egressd::scenario::Scenario;
use egressd::sim::{Network, run};
use egressd::verdict::{RangeVerdict, ranges};

/// A dozen of the documented ranges, of every role and size, so that the files can be read.
const RANGES: [&str; 12] = [
    "13.32.0.0/15",
    "13.113.203.0/24",
    "13.224.0.0/14",
    "54.182.0.0/16",
    "54.192.0.0/16",
    "65.8.0.0/16",
    "99.86.0.0/16",
    "120.52.22.96/27",
    "130.176.0.0/17",
    "143.204.0.0/16",
    "204.246.168.0/22",
    "205.251.249.0/24",
];

#[test]
fn every_scenario_is_seen_judged_and_explained_as_it_was() {
    let mut wrong = Vec::new();
    for name in Scenario::names() {
        let stages = Stages::of(name);
        for (stage, text) in
            [("observations", &stages.observations), ("verdicts", &stages.verdicts), ("diagnoses", &stages.diagnoses)]
        {
            if !same_as_golden(name, stage, text) {
                wrong.push(format!("{name}: {stage}"));
                // What follows is derived from this stage.
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "first stages that differ: {wrong:#?}");
}

struct Stages {
    observations: String,
    verdicts: String,
    diagnoses: String,
}

impl Stages {
    fn of(name: &str) -> Self {
        let scenario = Scenario::named(name).unwrap();
        let feed = small_feed();
        let held: Vec<FeedSnapshot> = scenario.older_snapshot(name, &feed).into_iter().collect();
        let network = network(&scenario, &feed, held.first());
        let plan = ProbePlan::new(&settings(), &feed, &known(&scenario, &feed));
        let evidence = run(Scan::new(plan.clone()), &network);
        let verdicts = ranges(&plan, &evidence.observations);
        let findings = Findings {
            plan: &plan,
            observations: &evidence.observations,
            verdicts: &verdicts,
            feed: &feed,
            held: &held,
            endpoints: EndpointFindings::default(),
            media: &[],
        };
        Self {
            observations: observations(&plan, &evidence),
            verdicts: verdicts.iter().map(verdict).collect(),
            diagnoses: serde_json::to_string_pretty(&diagnose(&findings)).unwrap() + "\n",
        }
    }
}

fn settings() -> Settings {
    Settings { seed: 7, ..Settings::default() }
}

fn small_feed() -> FeedSnapshot {
    let documented = FeedSnapshot::documented();
    let keep: Vec<Prefix> = RANGES.iter().map(|text| text.parse().unwrap()).collect();
    let ranges = documented.ranges.iter().filter(|range| keep.contains(&range.prefix)).cloned().collect();
    FeedSnapshot { ranges, ..documented }
}

fn network(scenario: &Scenario, feed: &FeedSnapshot, older: Option<&FeedSnapshot>) -> Network {
    let prefixes: Vec<Prefix> = feed.ranges.iter().map(|range| range.prefix).collect();
    let older = older.map(FeedSnapshot::addresses).unwrap_or_default();
    let others = ["1.1.1.1", "8.8.8.8", "9.9.9.9"].map(|text| text.parse().unwrap()).to_vec();
    let mut network = Network::open(feed.addresses(), others, 11);
    network.rules = scenario
        .rules(&prefixes, &older)
        .into_iter()
        .map(|(prefixes, action)| (prefixes.into_iter().collect::<PrefixSet>(), action))
        .collect();
    network.wan = scenario.wan.unwrap_or(network.wan);
    network.uplink_down = scenario.uplink_down;
    network
}

/// Where a scenario has a baseline, every thirty-seventh address is known to answer.
fn known(scenario: &Scenario, feed: &FeedSnapshot) -> KnownAddresses {
    if !scenario.baseline {
        return KnownAddresses::default();
    }
    let twelve = |cell: u128, size: u128| (0..12).map(move |turn| cell * size + turn * 37);
    let addresses = feed.ranges.iter().filter(|range| range.prefix.addresses() >= 1 << 12).flat_map(move |range| {
        let size = range.prefix.addresses().min(1 << 12);
        (0..range.prefix.addresses() / size).flat_map(move |cell| twelve(cell, size)).map(|at| range.prefix.nth(at))
    });
    KnownAddresses::new(feed, addresses.collect::<Vec<_>>())
}

fn observations(plan: &ProbePlan, evidence: &Evidence) -> String {
    let mut text = String::new();
    for Observation { operation, purpose, target, ttl, started, took, outcome, .. } in &evidence.observations {
        let why = match purpose {
            Purpose::Range(at) => plan.ranges[*at].range.prefix.to_string(),
            Purpose::Control => "control".to_owned(),
            Purpose::NegativeControl => "negative control".to_owned(),
            Purpose::UplinkControl => "uplink control".to_owned(),
            Purpose::Path => format!("path, ttl {}", ttl.unwrap_or_default()),
        };
        let what = match outcome {
            Ok(answer) => format!("{answer:?}").to_lowercase(),
            Err(failure) => failure.to_string(),
        };
        let (at, took) = (started.as_millis(), took.as_millis());
        let _ = writeln!(text, "{at:>6} ms  {:<14} {target:<22} {took:>5} ms  {what}  [{why}]", operation.name());
    }
    let _ = writeln!(text, "{:?} after {} ms", evidence.controls, evidence.took.as_millis());
    text
}

fn verdict(verdict: &RangeVerdict) -> String {
    let list = |prefixes: &[Prefix]| prefixes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    format!(
        "{:<18} {:<13} {:<15} {}\n  reason {:?}\n  blocked [{}] undetermined [{}]\n  offender {:?}\n  asked {} answered {} authenticated {}, {:.1} nats\n",
        verdict.range.prefix.to_string(),
        verdict.range.role.name(),
        verdict.verdict.name(),
        verdict.mechanism.map_or("", |mechanism| mechanism.name()),
        verdict.reason,
        list(&verdict.blocked),
        list(&verdict.undetermined),
        verdict.offender,
        verdict.probes,
        verdict.answered,
        verdict.authenticated,
        verdict.confidence.nats,
    )
}

fn same_as_golden(scenario: &str, stage: &str, text: &str) -> bool {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{scenario}/{stage}"));
    if std::env::var_os("EGRESSD_UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return true;
    }
    std::fs::read_to_string(&file).is_ok_and(|golden| golden == text)
}
