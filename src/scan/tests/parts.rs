//! Blocks that end inside a cell.

use proptest::prelude::*;

use super::*;
use crate::observe::{Operation, Purpose};

const RANGE: &str = "13.32.0.0/15";

fn rejected(seed: u64, parts: &[&str], action: RuleAction) -> Network {
    let set = parts.iter().map(|text| prefix(text)).collect();
    Network { rules: vec![(set, action)], ..open(seed) }
}

/// Whether an address in the prefixes was asked.
fn hit(evidence: &Evidence, parts: &[&str]) -> bool {
    let inside = |o: &Observation| parts.iter().any(|text| prefix(text).holds(o.target.ip()));
    let asks = |o: &&Observation| matches!(o.purpose, Purpose::Range(_)) && o.operation == Operation::Connect;
    evidence.observations.iter().filter(asks).any(inside)
}

/// So many addresses of each /24 of the range are known to answer.
fn dense(each: u32) -> Vec<IpAddr> {
    let of_block = |block: u32| (0..each).map(move |host| block * 256 + host * 31 % 256);
    (0..512).flat_map(of_block).map(|offset| prefix(RANGE).nth(u128::from(offset))).collect()
}

#[test]
fn a_rejected_part_of_a_cell_that_is_hit_is_named_to_the_bit() {
    for part in ["13.32.0.0/22", "13.33.88.0/21", "13.33.240.128/25", "205.251.249.128/26"] {
        for action in [RuleAction::RejectAdminProhibited, RuleAction::RejectTcpReset] {
            let mut hits = 0;
            for seed in 0..16 {
                let (_, evidence, judgements) = check(&settings(seed), &[], &rejected(seed, &[part], action));
                let expected = if hit(&evidence, &[part]) { vec![part.to_owned()] } else { Vec::new() };
                assert_eq!(blocked(&judgements), expected, "{action:?} seed {seed}");
                hits += expected.len();
                let unsure = judgements.iter().flat_map(|judgement| &judgement.undetermined).count();
                assert_eq!(unsure, 0, "{part} {action:?} seed {seed}");
            }
            assert!(hits < 16, "a part that no probe hits is not claimed");
        }
    }
}

#[test]
fn a_run_of_rejected_addresses_is_followed_beyond_its_cells() {
    let run = ["13.32.96.0/19", "13.32.128.0/21", "13.32.136.0/24", "13.32.137.0/26"];
    let open_run = ["13.32.92.0/22", "13.32.96.0/20"];
    for seed in 0..20 {
        for run in [&run[..], &open_run] {
            let network = rejected(seed, run, RuleAction::RejectAdminProhibited);
            let (_, _, judgements) = check(&settings(seed), &[], &network);
            assert_eq!(blocked(&judgements), run, "seed {seed}");
        }
    }
}

#[test]
fn whole_ranges_are_divided_where_answers_and_rejections_lie_side_by_side() {
    let part = ["13.32.0.0/16"];
    for seed in 0..20 {
        let whole = Settings { resolution: None, ..settings(seed) };
        let network = rejected(seed, &part, RuleAction::RejectPortUnreachable);
        let (_, evidence, judgements) = check(&whole, &[], &network);
        let expected: &[&str] = if hit(&evidence, &part) { &part } else { &[] };
        assert_eq!(blocked(&judgements), expected, "seed {seed}");
    }
}

#[test]
fn a_dropped_part_of_a_cell_is_named_where_a_baseline_knows_its_blocks() {
    let part = "13.32.104.0/21";
    let mut hits = 0;
    for seed in 0..20 {
        let network = with_rules(seed, &[(part, RuleAction::Drop)]);
        let (_, evidence, judgements) = check(&settings(seed), &dense(12), &network);
        let expected = if hit(&evidence, &[part]) { vec![part.to_owned()] } else { Vec::new() };
        assert_eq!(blocked(&judgements), expected, "seed {seed}");
        hits += expected.len();
    }
    assert!(hits > 4);
}

#[test]
fn a_closer_look_costs_no_more_than_it_says() {
    for seed in 0..20 {
        let lone = rejected(seed, &["13.32.0.0/22"], RuleAction::RejectAdminProhibited);
        let asked = |network: &Network| -> u32 {
            let (_, _, judgements) = check(&settings(seed), &[], network);
            judgements.iter().map(|judgement| judgement.probes).sum()
        };
        assert!(asked(&lone) <= asked(&open(seed)) + 16, "seed {seed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is rejected, reset or dropped where: nothing is called blocked that holds an address that answered, and,
    /// as rejections are proof, nothing in which somebody who was asked was let through.
    #[test]
    fn nothing_that_answers_is_blocked(
        seed: u64,
        parts in proptest::collection::vec((0_u32..1 << 17, 16_u8..=30, 0..3_usize), 1..5),
        resolution in proptest::option::of(16_u8..=24),
        share in prop_oneof![Just(1.0), 0.5..1.0],
        known: bool,
    ) {
        const ACTIONS: [RuleAction; 3] =
            [RuleAction::RejectAdminProhibited, RuleAction::RejectTcpReset, RuleAction::Drop];
        let rule = |&(offset, length, action): &(u32, u8, usize)| {
            let part = Prefix::containing(prefix(RANGE).nth(u128::from(offset)), length);
            (PrefixSet::from(part), ACTIONS[action])
        };
        let network = Network { rules: parts.iter().map(rule).collect(), lit: Lit::Share(share), ..open(seed) };
        let mut known = if known { dense(4) } else { Vec::new() };
        known.retain(|&address| network.answers(address));
        let settings = Settings { resolution, ..settings(seed) };
        let snapshot = FeedSnapshot::documented();
        let plan = ProbePlan::new(&settings, &snapshot, &KnownAddresses::new(&snapshot, known));
        let mut invariants = Invariants::of(&plan);
        let evidence = run_before(Scan::new(plan.clone()), &network, &mut invariants);
        invariants.check(&evidence);
        for judgement in judge(&plan, &evidence.observations) {
            for observation in evidence.observations.iter().filter(|o| o.outcome.is_ok()) {
                let accused = judgement.blocked.iter().find(|prefix| prefix.holds(observation.target.ip()));
                prop_assert!(accused.is_none(), "{accused:?} {}", observation.target);
            }
        }
    }
}
