//! The engine in virtual time.

mod parts;

use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::observe::{Failure, Observation};
use crate::plan::{Depth, KnownAddresses, ProbePlan, Settings};
use crate::prefix::{Prefix, PrefixSet};
use crate::ranges::{FeedSnapshot, Role};
use crate::scenario::{RuleAction, Wan};
use crate::sim::{Invariants, Lit, Network, run, run_before};

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn controls() -> Vec<IpAddr> {
    ["1.1.1.1", "8.8.8.8", "9.9.9.9"].map(|text| text.parse().unwrap()).to_vec()
}

fn open(seed: u64) -> Network {
    Network::open(FeedSnapshot::documented().addresses(), controls(), seed)
}

fn with_rules(seed: u64, rules: &[(&str, RuleAction)]) -> Network {
    let rules = rules.iter().map(|(text, action)| (PrefixSet::from(prefix(text)), *action)).collect();
    Network { rules, ..open(seed) }
}

fn settings(seed: u64) -> Settings {
    Settings { depth: Depth::Tcp, pace: Pace::FAST, seed, ..Settings::default() }
}

fn check(settings: &Settings, known: &[IpAddr], network: &Network) -> (ProbePlan, Evidence, Vec<RangeJudgement>) {
    let snapshot = FeedSnapshot::documented();
    let plan = ProbePlan::new(settings, &snapshot, &KnownAddresses::new(&snapshot, known.iter().copied()));
    let evidence = run(Scan::new(plan.clone()), network);
    let judgements = judge(&plan, &evidence.observations);
    (plan, evidence, judgements)
}

fn blocked(judgements: &[RangeJudgement]) -> Vec<String> {
    judgements.iter().flat_map(|judgement| judgement.blocked.iter().map(Prefix::to_string)).collect()
}

#[test]
fn an_open_network_is_open_and_costs_one_probe_a_cell() {
    let (plan, evidence, judgements) = check(&settings(1), &[], &open(1));
    assert_eq!(blocked(&judgements), Vec::<String>::new());
    for (planned, judgement) in plan.ranges.iter().zip(&judgements) {
        assert!(judgement.undetermined.is_empty(), "{:?}", planned.range);
    }
    let cells: usize = judgements.iter().map(|judgement| judgement.cells.len()).sum();
    let probes: u32 = judgements.iter().map(|judgement| judgement.probes).sum();
    assert!(f64::from(probes) < 1.02 * cells as f64);
    assert!(evidence.took < Duration::from_secs(3));
}

#[test]
fn a_dropped_range_is_blocked_without_a_baseline() {
    for seed in 0..20 {
        let network = with_rules(seed, &[("13.224.0.0/14", RuleAction::Drop)]);
        let (_, _, judgements) = check(&settings(seed), &[], &network);
        assert_eq!(blocked(&judgements), ["13.224.0.0/14"]);
    }
}

#[test]
fn each_way_to_reject_is_found() {
    use RuleAction as Rule;
    for (seed, action) in (0..).zip([
        Rule::RejectNetUnreachable,
        Rule::RejectHostUnreachable,
        Rule::RejectProtUnreachable,
        Rule::RejectPortUnreachable,
        Rule::RejectNetProhibited,
        Rule::RejectHostProhibited,
        Rule::RejectAdminProhibited,
        Rule::RejectTcpReset,
    ]) {
        for range in ["99.86.0.0/16", "54.230.200.0/21", "13.113.203.0/24", "120.52.22.96/27"] {
            let (_, _, judgements) = check(&settings(seed), &[], &with_rules(seed, &[(range, action)]));
            assert_eq!(blocked(&judgements), [range], "{action:?}");
        }
    }
}

#[test]
fn silence_outside_viewer_space_is_no_evidence() {
    let network = with_rules(1, &[("130.176.0.0/17", RuleAction::Drop), ("13.113.203.0/24", RuleAction::Drop)]);
    let (_, _, judgements) = check(&settings(1), &[], &network);
    assert_eq!(blocked(&judgements), Vec::<String>::new());
}

#[test]
fn loss_accuses_nobody() {
    for seed in 0..20 {
        let wan = Wan { delay_ms: 60.0, jitter_ms: 10.0, loss: 0.02, spread_ms: 0.0 };
        let (_, evidence, judgements) = check(&settings(seed), &[], &Network { wan, ..open(seed) });
        assert_eq!(blocked(&judgements), Vec::<String>::new(), "seed {seed} {:?}", evidence.controls);
        assert!(judgements.iter().all(|judgement| judgement.undetermined.is_empty()), "seed {seed}");
    }
}

#[test]
fn a_hole_is_found_where_a_baseline_covers_it_and_left_open_where_none_does() {
    let network = with_rules(3, &[("13.32.96.0/20", RuleAction::Drop)]);
    let (plan, _, without) = check(&settings(3), &[], &network);
    assert_eq!(blocked(&without), Vec::<String>::new());
    let at = plan.ranges.iter().position(|planned| planned.range.prefix == prefix("13.32.0.0/15")).unwrap();
    assert_eq!(without[at].undetermined, [prefix("13.32.96.0/20")]);
    let known: Vec<IpAddr> = (0..32_u32)
        .flat_map(|cell| (1..=16_u32).map(move |host| (cell, host)))
        .map(|(cell, host)| prefix("13.32.0.0/15").nth(u128::from(cell * 4096 + host * 37)))
        .collect();
    let (_, _, with) = check(&settings(3), &known, &network);
    assert_eq!(blocked(&with), ["13.32.96.0/20"]);
}

#[test]
fn a_limiter_accuses_nobody() {
    for seed in 0..5 {
        let network = Network { limiter: Some(500.0), ..open(seed) };
        let (_, _, judgements) = check(&settings(seed), &[], &network);
        assert_eq!(blocked(&judgements), Vec::<String>::new());
    }
}

#[test]
fn waves_of_loss_accuse_nobody() {
    for seed in 0..20 {
        let network = Network { outages: Some((0.3, 0.95)), ..open(seed) };
        let (_, _, judgements) = check(&Settings { pace: Pace::NORMAL, ..settings(seed) }, &[], &network);
        assert_eq!(blocked(&judgements), Vec::<String>::new());
    }
}

#[test]
fn a_dark_part_is_not_a_blocked_part() {
    for seed in 0..10 {
        let network = Network { lit: Lit::Clusters(0.6, 0.9), ..open(seed) };
        let (_, _, judgements) = check(&settings(seed), &[], &network);
        assert_eq!(blocked(&judgements), Vec::<String>::new());
    }
}

#[test]
fn without_an_answer_anywhere_nothing_is_judged_unless_a_control_outside_answers() {
    let mut network = open(1);
    network.rules = vec![(FeedSnapshot::documented().addresses(), RuleAction::Drop)];
    let (plan, _, judgements) = check(&settings(1), &[], &network);
    let viewers = plan.ranges.iter().filter(|planned| planned.range.role == Role::Viewer).count();
    assert_eq!(judgements.iter().filter(|judgement| !judgement.blocked.is_empty()).count(), viewers);
    network.others.clear();
    let (_, _, judgements) = check(&settings(1), &[], &network);
    assert_eq!(blocked(&judgements), Vec::<String>::new());
}

#[test]
fn an_uplink_that_goes_down_ends_the_scan_and_accuses_nobody() {
    for (seed, milliseconds) in (0..).zip([20, 100, 300, 1200]) {
        let everything = ["0.0.0.0/0"].map(prefix).into_iter().collect();
        let rules_from = Duration::from_millis(milliseconds);
        let network = Network { rules: vec![(everything, RuleAction::Drop)], rules_from, ..open(seed) };
        let plan = ProbePlan::new(&settings(seed), &FeedSnapshot::documented(), &KnownAddresses::default());
        let evidence = run_before(Scan::new(plan.clone()), &network, &mut Invariants::of(&plan));
        assert_eq!(blocked(&judge(&plan, &evidence.observations)), Vec::<String>::new());
        assert!(evidence.took < Duration::from_mins(3), "{:?}", evidence.took);
    }
}

/// Controls are found when the first answers are back, and then attest what was silent before: the second tries and the
/// kernel's repeats take such silences back.
#[test]
fn an_outage_within_the_first_round_trip_accuses_nobody() {
    for (seed, share) in (0..).zip([0.3, 0.6, 0.8, 0.95]) {
        for delay_ms in [20.0, 75.0, 150.0] {
            for per_second in [200.0, 2000.0, 5000.0] {
                let everything = ["0.0.0.0/0"].map(prefix).into_iter().collect();
                let rules = vec![(everything, RuleAction::Drop)];
                let (rules_from, rules_until) = (Duration::from_millis(4), share * 2.0 * delay_ms / 1e3);
                let rules_until = Some(Duration::from_secs_f64(rules_until));
                let wan = Wan { delay_ms, ..Wan::default() };
                let network = Network { rules, wan, rules_from, rules_until, ..open(seed) };
                let pace = Pace { per_second, in_flight: 1000 };
                let (_, _, judgements) = check(&Settings { pace, ..settings(seed) }, &[], &network);
                assert_eq!(blocked(&judgements), Vec::<String>::new(), "seed {seed} {delay_ms} {per_second}");
            }
        }
    }
}

#[test]
fn silence_before_the_first_answer_is_never_attested() {
    for seed in 0..20 {
        let network = Network { outages: Some((0.3, 1.0)), ..open(seed) };
        let (_, evidence, _) = check(&Settings { pace: Pace::NORMAL, ..settings(seed) }, &[], &network);
        let soon = |o: &&Observation| o.outcome.is_ok() && o.took < Duration::from_secs(1);
        let up = evidence.observations.iter().filter(soon).map(|o| o.started).min();
        let attested =
            |o: &&Observation| o.outcome == Err(Failure::NoAnswer) && o.attested.is_some_and(|share| share > 0.0);
        let first = evidence.observations.iter().filter(attested).map(|o| o.started).min();
        assert!(first.is_none_or(|first| up.is_some_and(|up| first >= up)), "seed {seed}: {first:?} {up:?}");
    }
}
