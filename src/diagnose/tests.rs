//! Causes from verdicts, on networks in virtual time.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::diagnose::{Cause, Diagnosis, Findings, Severity, diagnose};
use crate::observe::{Answer, Failure, Observation, Operation, Purpose};
use crate::plan::{Depth, KnownAddresses, ProbePlan, Settings};
use crate::prefix::{Prefix, PrefixSet};
use crate::ranges::{FeedSnapshot, List, Range, Role};
use crate::scan::Scan;
use crate::scenario::RuleAction;
use crate::sim::{Network, run};
use crate::verdict::ranges;

fn set(prefixes: &[&str]) -> PrefixSet {
    prefixes.iter().map(|text| text.parse::<Prefix>().unwrap()).collect()
}

fn network(rules: &[(&[&str], RuleAction)]) -> Network {
    let mut network = Network::open(FeedSnapshot::documented().addresses(), vec!["1.1.1.1".parse().unwrap()], 3);
    network.rules = rules.iter().map(|(prefixes, action)| (set(prefixes), *action)).collect();
    network
}

fn causes(feed: &FeedSnapshot, held: &[FeedSnapshot], network: &Network) -> Vec<Diagnosis> {
    let settings = Settings { depth: Depth::Tcp, ..Settings::default() };
    let plan = ProbePlan::new(&settings, feed, &KnownAddresses::default());
    let evidence = run(Scan::new(plan.clone()), network);
    let verdicts = ranges(&plan, &evidence.observations);
    let observations = &evidence.observations;
    diagnose(&Findings {
        plan: &plan,
        observations,
        verdicts: &verdicts,
        feed,
        held,
        endpoints: crate::diagnose::EndpointFindings::default(),
        media: &[],
    })
}

fn ids(diagnoses: &[Diagnosis]) -> Vec<Cause> {
    diagnoses.iter().map(|diagnosis| diagnosis.id).collect()
}

#[test]
fn many_ranges_behind_one_hop_are_one_cause() {
    let blocked = ["13.224.0.0/14", "52.84.0.0/15", "54.230.0.0/17", "204.246.176.0/20"];
    let found = causes(&FeedSnapshot::documented(), &[], &network(&[(&blocked, RuleAction::Drop)]));
    assert_eq!(ids(&found), [Cause::RangeDropped]);
    assert_eq!(found[0].prefixes.len(), 4);
    assert!(found[0].title.starts_with("4 prefixes are dropped between 10.9.1.1 (hop 1)"), "{}", found[0].title);
}

#[test]
fn two_kinds_of_rejection_are_two_causes() {
    let found = causes(
        &FeedSnapshot::documented(),
        &[],
        &network(&[
            (&["13.224.0.0/14"], RuleAction::RejectAdminProhibited),
            (&["52.84.0.0/15"], RuleAction::RejectPortUnreachable),
        ]),
    );
    assert_eq!(ids(&found), [Cause::RangeRejected, Cause::RangeRejected]);
}

#[test]
fn a_block_of_ranges_without_viewers_is_information() {
    let blocked = ["13.113.203.0/24", "130.176.0.0/17"];
    let found = causes(&FeedSnapshot::documented(), &[], &network(&[(&blocked, RuleAction::RejectAdminProhibited)]));
    assert_eq!(ids(&found), [Cause::RangeRejected]);
    assert_eq!(found[0].severity, Severity::Info);
}

/// The documented list with some ranges less, as of a given day.
fn older(date: &str, without: &[&str]) -> FeedSnapshot {
    let mut feed = FeedSnapshot::documented();
    let without = set(without);
    feed.ranges.retain(|range| !without.covers(range.prefix));
    FeedSnapshot { date: Some(date.parse().unwrap()), name: format!("{date}.json"), ..feed }
}

#[test]
fn the_newest_list_that_fits_is_the_stale_one() {
    let missing = ["13.224.0.0/14", "65.8.0.0/16"];
    let held = [
        older("2018-01-01", &["13.224.0.0/14", "65.8.0.0/16", "143.204.0.0/16"]),
        older("2019-01-01", &missing),
        older("2020-01-01", &["65.8.0.0/16"]),
    ];
    let found = causes(&FeedSnapshot::documented(), &held, &network(&[(&missing, RuleAction::Drop)]));
    assert_eq!(ids(&found), [Cause::StaleAllowlist]);
    assert!(found[0].title.contains("2019-01-01"), "{}", found[0].title);
    assert_eq!(found[0].prefixes.len(), 2);
    assert_eq!(found[0].command.as_deref(), Some("egressd export FORMAT --only missing --report REPORT"));
}

#[test]
fn what_no_older_list_explains_is_no_stale_allowlist() {
    let held = [older("2019-01-01", &["13.224.0.0/14", "65.8.0.0/16"])];
    // One that was added is open, or one that was there before is blocked.
    for blocked in [&["13.224.0.0/14"][..], &["13.224.0.0/14", "65.8.0.0/16", "143.204.0.0/16"]] {
        let found = causes(&FeedSnapshot::documented(), &held, &network(&[(blocked, RuleAction::Drop)]));
        assert_eq!(ids(&found), [Cause::RangeDropped], "{blocked:?}");
    }
}

#[test]
fn a_file_name_in_a_command_is_quoted() {
    let held = older("2019-01-01", &["13.224.0.0/14"]);
    let feed = FeedSnapshot { name: "my list; rm -rf '~'.json".to_owned(), ..FeedSnapshot::documented() };
    let found = causes(&feed, &[held], &network(&[(&["13.224.0.0/14"], RuleAction::Drop)]));
    let expected = r"egressd export FORMAT --feed 'my list; rm -rf '\''~'\''.json' --only missing --report REPORT";
    assert_eq!(found[0].command.as_deref(), Some(expected));
}

#[test]
fn a_router_without_a_way_to_anything_is_the_uplink_and_accuses_no_range() {
    let mut cut = network(&[(&["0.0.0.0/0"], RuleAction::RejectNetUnreachable)]);
    assert_eq!(ids(&causes(&FeedSnapshot::documented(), &[], &cut)), [Cause::OwnUplinkDown]);
    // The same message for the ranges alone is a rule about them.
    cut.rules = vec![(FeedSnapshot::documented().addresses(), RuleAction::RejectNetUnreachable)];
    assert_eq!(ids(&causes(&FeedSnapshot::documented(), &[], &cut)), [Cause::EverythingBlocked]);
}

#[test]
fn silence_everywhere_accuses_nobody_without_a_control() {
    let mut silent = network(&[(&["0.0.0.0/0"], RuleAction::Drop)]);
    silent.others.clear();
    let found = causes(&FeedSnapshot::documented(), &[], &silent);
    assert_eq!(ids(&found), [Cause::OwnUplinkDown]);
    assert!(found[0].confidence < 0.9, "a firewall that drops everything looks the same");
}

#[test]
fn a_missing_ipv6_route_is_no_block() {
    let prefix: Prefix = "2600:9000:1000::/36".parse().unwrap();
    let v6 = Range { prefix, list: List::Global, role: Role::Viewer, region: None };
    let feed = FeedSnapshot { ranges: vec![v6], ..FeedSnapshot::documented() };
    let plan = ProbePlan::new(&Settings::default(), &feed, &KnownAddresses::default());
    let seen = |purpose, address: IpAddr, outcome| Observation {
        operation: Operation::Connect,
        purpose,
        target: SocketAddr::new(address, 443),
        ttl: None,
        started: Duration::ZERO,
        took: Duration::ZERO,
        outcome,
        attested: None,
    };
    let observations = [
        seen(Purpose::Range(0), prefix.first(), Err(Failure::NoRoute)),
        seen(Purpose::UplinkControl, [1, 1, 1, 1].into(), Ok(Answer::Connected)),
    ];
    let verdicts = ranges(&plan, &observations);
    let findings = Findings {
        plan: &plan,
        observations: &observations,
        verdicts: &verdicts,
        feed: &feed,
        held: &[],
        endpoints: crate::diagnose::EndpointFindings::default(),
        media: &[],
    };
    let found = diagnose(&findings);
    assert_eq!(ids(&found), [Cause::NoIpv6Route]);
    assert_eq!(found[0].severity, Severity::Info);
}
