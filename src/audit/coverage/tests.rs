use super::*;
use crate::audit::{Action, Applies, Chain, ChainId, Default, Destination, Match, Rule};
use crate::ranges::FeedSnapshot;

fn set(texts: &[&str]) -> AddressSet {
    texts.iter().map(|text| text.parse::<Prefix>().expect("a prefix")).collect()
}

fn rule(line: u32, to: &[&str], action: Action) -> Rule {
    let destination = if to.is_empty() { Destination::any() } else { set(to).into() };
    Rule::new(Place { file: 0, line }, Match { destination, rest: Applies::Yes }, action)
}

fn doubtful(mut rule: Rule) -> Rule {
    rule.matches.rest = Applies::maybe("it is for some interface");
    rule
}

/// Chains with their defaults; each hook begins in the chain of its index.
fn policy(chains: Vec<(Default, Vec<Rule>)>, hooks: u32) -> Policy {
    let mut policy = Policy::default();
    for (index, (default, rules)) in chains.into_iter().enumerate() {
        policy.add(Chain { rules, ..Chain::new(format!("c{index}"), default) });
    }
    policy.hooks = (0..hooks).map(|id| Hook::new(format!("h{id}"), ChainId(id))).collect();
    policy
}

fn file() -> SourceFile {
    SourceFile {
        name: "rules".to_owned(),
        text: (1..30).map(|line| format!("text of line {line}")).collect::<Vec<_>>().join("\n"),
    }
}

/// What is made of 13.32.0.0/15 and 99.84.0.0/16.
fn covered(policy: &Policy) -> Coverage {
    let feed = FeedSnapshot::documented();
    let wanted = ["13.32.0.0/15", "99.84.0.0/16"];
    let ranges = feed.ranges.iter().filter(|range| wanted.contains(&range.prefix.to_string().as_str())).collect();
    audit(policy, &[file()], &Required { feed: &feed, held: &[], ranges }).expect("it ends")
}

fn parts(coverage: &Coverage) -> [Vec<String>; 3] {
    [&coverage.allowed, &coverage.missing, &coverage.unknown]
        .map(|set| set.prefixes().iter().map(ToString::to_string).collect())
}

#[test]
fn the_first_match_decides_and_the_default_the_rest() {
    let rules = vec![rule(1, &["13.32.0.0/16"], Action::Deny), rule(2, &["13.32.0.0/15"], Action::Accept)];
    let coverage = covered(&policy(vec![(Default::Deny, rules)], 1));
    assert_eq!(parts(&coverage), [vec!["13.33.0.0/16"], vec!["13.32.0.0/16", "99.84.0.0/16"], vec![]]);
    let shadowed = &coverage.missing_by.iter().find(|share| share.allowed_later.is_some()).expect("it is shadowed");
    assert_eq!((shadowed.rule.short(), shadowed.part.clone()), ("rules:1".to_owned(), set(&["13.32.0.0/16"])));
    assert_eq!(shadowed.allowed_later.as_ref().unwrap().short(), "rules:2");
    assert_eq!(shadowed.rule.text.as_deref(), Some("text of line 1"));
    let default = coverage.missing_by.iter().find(|share| share.rule.text.is_none()).expect("the default denies");
    assert_eq!(default.rule.short(), "the default of c0");
}

#[test]
fn what_is_not_understood_is_never_allowed() {
    let maybe = vec![doubtful(rule(1, &["13.32.0.0/15"], Action::Accept)), rule(2, &[], Action::Deny)];
    let coverage = covered(&policy(vec![(Default::Accept, maybe)], 1));
    assert_eq!(parts(&coverage), [vec![], vec!["99.84.0.0/16"], vec!["13.32.0.0/15"]]);
    assert_eq!(coverage.unknown_by[0].rule.short(), "rules:1");
    assert_eq!(coverage.unknown_by[0].reason.as_deref(), Some("it is for some interface"));
    let odd = vec![Rule::not_understood(Place { file: 0, line: 3 }, "what is this"), rule(4, &[], Action::Accept)];
    let coverage = covered(&policy(vec![(Default::Deny, odd)], 1));
    assert_eq!(coverage.answer(), Answer::Undetermined);
    assert_eq!(coverage.unknown_by[0].reason.as_deref(), Some("what is this"));
}

#[test]
fn a_doubt_that_changes_nothing_is_none() {
    let rules = vec![
        doubtful(rule(1, &[], Action::Accept)),
        doubtful(rule(2, &[], Action::Return)),
        rule(3, &["13.32.0.0/15"], Action::Accept),
    ];
    assert_eq!(covered(&policy(vec![(Default::Accept, rules)], 1)).answer(), Answer::Covers);
}

#[test]
fn the_reason_that_is_named_is_the_one_that_matters() {
    let rules = vec![doubtful(rule(1, &[], Action::Accept)), doubtful(rule(2, &[], Action::Deny))];
    let coverage = covered(&policy(vec![(Default::Accept, rules)], 1));
    assert_eq!(coverage.unknown_by[0].rule.short(), "rules:2");
}

#[test]
fn jumps_come_back_and_gotos_do_not() {
    let (sub, all) = (ChainId(1), rule(9, &["99.84.0.0/16"], Action::Accept));
    let accepting = vec![rule(5, &["13.32.0.0/16"], Action::Accept), rule(6, &["13.33.0.0/17"], Action::Return)];
    let called = |action| {
        policy(
            vec![
                (
                    Default::Deny,
                    vec![rule(1, &["13.32.0.0/15"], action), all.clone(), rule(2, &["13.33.0.0/16"], Action::Accept)],
                ),
                (Default::Accept, accepting.clone()),
            ],
            1,
        )
    };
    assert_eq!(parts(&covered(&called(Action::Jump(sub)))), [vec!["13.32.0.0/15", "99.84.0.0/16"], vec![], vec![]]);
    let [allowed, missing, _] = parts(&covered(&called(Action::Goto(sub))));
    assert_eq!(
        (allowed, missing),
        (vec!["13.32.0.0/16".to_owned(), "99.84.0.0/16".to_owned()], vec!["13.33.0.0/16".to_owned()])
    );
}

#[test]
fn every_hook_must_accept() {
    let first = (Default::Accept, vec![rule(1, &["13.32.0.0/16"], Action::Deny)]);
    let second = (
        Default::Deny,
        vec![doubtful(rule(2, &["99.84.0.0/16"], Action::Accept)), rule(3, &["13.32.0.0/15"], Action::Accept)],
    );
    let coverage = covered(&policy(vec![first, second], 2));
    assert_eq!(parts(&coverage), [vec!["13.33.0.0/16"], vec!["13.32.0.0/16"], vec!["99.84.0.0/16"]]);
}

#[test]
fn a_host_name_beside_prefixes_is_a_doubt_for_everything_else() {
    let destination = Destination::from(set(&["13.32.0.0/15"])).union(&Destination::unknown("a host name"));
    let matches = Match { destination: destination.clone(), rest: Applies::Yes };
    let allow = Rule::new(Place { file: 0, line: 1 }, matches, Action::Accept);
    let coverage = covered(&policy(vec![(Default::Deny, vec![allow])], 1));
    assert_eq!(parts(&coverage), [vec!["13.32.0.0/15"], vec![], vec!["99.84.0.0/16"]]);
    let matches = Match { destination: destination.complement(), rest: Applies::Yes };
    let deny = Rule::new(Place { file: 0, line: 1 }, matches, Action::Deny);
    let coverage = covered(&policy(vec![(Default::Accept, vec![deny])], 1));
    assert_eq!(parts(&coverage), [vec!["13.32.0.0/15"], vec![], vec!["99.84.0.0/16"]]);
}

#[test]
fn chains_in_a_circle_are_an_error_and_not_a_hang() {
    let (sub, back) = (vec![rule(1, &[], Action::Jump(ChainId(1)))], vec![rule(2, &[], Action::Jump(ChainId(0)))]);
    let policy = policy(vec![(Default::Accept, sub), (Default::Accept, back)], 1);
    let feed = FeedSnapshot::documented();
    let required = Required { feed: &feed, held: &[], ranges: feed.ranges.iter().collect() };
    assert_eq!(audit(&policy, &[], &required).unwrap_err(), Exhausted::Depth);
}

#[test]
fn the_list_that_rules_were_made_from_is_recognised() {
    let old = FeedSnapshot::documented();
    let mut new = old.clone();
    let mut range = old.ranges[0].clone();
    range.prefix = "3.160.0.0/14".parse().unwrap();
    new.ranges.retain(|range| range.prefix.to_string() != "99.84.0.0/16");
    new.ranges.push(range);
    (new.sha256, new.date) = ("other".to_owned(), "2026-08-22".parse().ok());
    let held = [old.clone()];
    let required = Required { feed: &new, held: &held, ranges: new.ranges.iter().collect() };
    let listed: AddressSet = old.ranges.iter().map(|range| range.prefix).collect();
    let allow =
        Rule::new(Place { file: 0, line: 1 }, Match { destination: listed.into(), rest: Applies::Yes }, Action::Accept);
    let coverage = audit(&policy(vec![(Default::Deny, vec![allow])], 1), &[file()], &required).unwrap();
    let age = coverage.age.expect("it is the older list");
    assert_eq!((age.behind, age.date), (1, old.date));
    assert_eq!(coverage.stale, set(&["99.84.0.0/16"]));
    assert_eq!(coverage.beyond, set(&["99.84.0.0/16"]));
}

#[test]
fn the_list_for_origins_is_not_the_one_for_viewers() {
    let feed = FeedSnapshot::documented();
    let origins = AddressSet::from(&feed.origin_facing);
    let allow = Rule::new(
        Place { file: 0, line: 1 },
        Match { destination: origins.into(), rest: Applies::Yes },
        Action::Accept,
    );
    let policy = policy(vec![(Default::Deny, vec![allow])], 1);
    let required = Required { feed: &feed, held: &[], ranges: feed.ranges.iter().collect() };
    assert!(audit(&policy, &[file()], &required).unwrap().origin_facing_instead);
}
