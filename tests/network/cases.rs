//! What `egressd check` must and must not say of this network.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::actions::{ACTIONS, Action, Rule};
use crate::chance::Chance;
use crate::exported;
use crate::hosts::{Checked, FIREWALL, Network};
use crate::runner::{self, Case};
use crate::viewer_ranges;

/// Runs on firewalls that block something, each of its own seed.
const SEEDS: u64 = 20;

/// A seed that drops, rejects and resets.
const MIXED_SEED: u64 = 12;

/// Two of a hundred packets are lost on the way there and two on the way back.
const LOSS: &str = "numgen random mod 100 < 2 drop";

const LOSSY_RUNS: u64 = 20;
const OPEN_RUNS: u64 = 10;

pub fn all() -> Vec<Case> {
    let mut all = vec![
        case("the_network_does_what_its_rules_say", the_network_itself),
        case("without_an_ipv6_route_nobody_is_accused", no_ipv6_route),
        case("a_firewall_that_seldom_answers_still_blocks", seldom_answers),
        case("loss_does_not_hide_a_block", lossy_block),
        case("a_rejected_part_is_named_alone", rejected_part),
        case("a_rejected_run_of_addresses_is_named_to_the_bit", rejected_run),
        case("a_dropped_part_is_named_by_what_answered_before", remembered),
        case("an_older_list_is_known_by_the_day_of_its_copy", older_list),
        case("a_drop_before_routing_is_between_here_and_the_firewall", dropped_on_arrival),
        case("a_blackhole_route_drops", || route("blackhole", "dropped", None)),
        case("an_unreachable_route_rejects", || route("unreachable", "rejected_icmp", Some("3/1"))),
        case("a_prohibit_route_rejects", || route("prohibit", "rejected_icmp", Some("3/13"))),
        case("a_dead_uplink_accuses_nobody", dead_uplink),
        case("a_limit_of_new_connections_accuses_nobody", limited),
        case("blocked_ranges_are_named_as_nobody", || blocked_ranges(MIXED_SEED)),
    ];
    for seed in 1..=SEEDS {
        all.push(case(&format!("blocked_ranges_are_named_seed_{seed:02}"), move || blocked_ranges(seed)));
    }
    // The firewall's losses are its own: no seed can repeat them.
    for run in 1..=LOSSY_RUNS {
        all.push(case(&format!("loss_accuses_nobody_run_{run:02}"), lossy));
    }
    for run in 1..=OPEN_RUNS {
        all.push(case(&format!("an_open_network_accuses_nobody_run_{run:02}"), open));
    }
    all.extend(exported::all());
    all
}

pub fn case(name: &str, run: impl Fn() -> String + Sync + 'static) -> Case {
    Case { name: name.to_owned(), run: Box::new(run) }
}

/// Holds the network against what is known of the kernel, so that the other cases mean something.
fn the_network_itself() -> String {
    let network = Network::build();
    assert_eq!(network.connect("192.0.2.1"), "silent", "nobody's address");
    for action in ACTIONS {
        let rule = Rule { prefix: "13.32.0.0/15".to_owned(), action };
        network.filter(&[rule.statement()]);
        let seen = match action.icmp {
            Some(icmp) => format!("{} {icmp} {FIREWALL}", action.seen),
            None => action.seen.to_owned(),
        };
        assert_eq!(network.connect("13.33.255.255"), seen, "{action:?}");
        assert_eq!(network.connect("13.35.0.1"), "open", "in no rule");
        network.unfilter();
        assert_eq!(network.connect("13.33.255.255"), "open");
    }
    format!("{} actions", ACTIONS.len())
}

/// Each check asks one fresh address of each part; after some of them enough is known for a silent part to be told.
fn remembered() -> String {
    const HOLE: &str = "13.32.96.0/20";
    let network = Network::build();
    let state = tempfile::tempdir().expect("a folder");
    let remember = ["--state", state.path().to_str().expect("a path in UTF-8")];
    for _ in 0..12 {
        assert_nobody_accused(&check(&network, &remember));
    }
    network.filter(&[format!("ip daddr {HOLE} drop")]);
    assert_nobody_accused(&check(&network, &["--state", "off"]));
    let checked = check(&network, &remember);
    let range = checked.range("13.32.0.0/15");
    assert_eq!((&range["verdict"], &range["blocked"]), (&json!("partly_blocked"), &json!([HOLE])), "{range:#}");
    assert!(range["reason"].as_str().is_some_and(|reason| reason.contains("that answered on 20")), "{range:#}");
    cost(&checked)
}

/// A firewall that allows what somebody has a copy of.
fn older_list() -> String {
    let (listed, state) = (viewer_ranges(), tempfile::tempdir().expect("a folder"));
    let (older, newer) = listed.split_at(listed.len() - 8);
    let copies = state.path().join("copies");
    fs::create_dir(&copies).expect("a folder");
    let lists = json!({"CLOUDFRONT_GLOBAL_IP_LIST": older, "CLOUDFRONT_REGIONAL_EDGE_IP_LIST": []});
    fs::write(copies.join("copied-2019-06-01.json"), lists.to_string()).expect("a file");
    let path = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let mut import = Command::new(runner::program());
    import.args(["ranges", "import", &path(&copies), "--state", &path(state.path())]);
    assert!(import.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("it starts").success());
    let network = Network::build();
    network.filter(&[format!("ip daddr {{ {} }} drop", newer.join(", "))]);
    let checked = check(&network, &["--state", &path(state.path())]);
    let diagnosis = &checked.report["diagnoses"][0];
    assert_eq!(diagnosis["id"], "stale_allowlist", "{diagnosis:#}");
    assert!(diagnosis["title"].as_str().is_some_and(|title| title.contains("the list of 2019-06-01")), "{diagnosis:#}");
    let missing = diagnosis["prefixes"].as_array().expect("prefixes");
    assert!(newer.iter().all(|prefix| missing.contains(&json!(prefix))), "{diagnosis:#}");
    cost(&checked)
}

fn blocked_ranges(seed: u64) -> String {
    let rules = rules(seed);
    let network = Network::build();
    network.filter(&statements(&rules));
    let checked = check(&network, &[]);
    for rule in &rules {
        let range = checked.range(&rule.prefix);
        assert_eq!(range["role"], "viewer", "{range:#}");
        assert_eq!(range["verdict"], "blocked", "{range:#}");
        assert_eq!(range["blocked"], json!([rule.prefix]), "{range:#}");
        assert_eq!(range["mechanism"], rule.action.mechanism, "{range:#}");
        assert_offender(range, rule.action);
    }
    assert_rules_accused(&checked, &rules);
    assert_eq!(checked.status, Some(1));
    format!("{}; {}", statements(&rules).join("; "), cost(&checked))
}

/// One to four whole ranges. The first rules of the seeds go through all actions in turn; of the others half drop, as
/// firewalls do.
fn rules(seed: u64) -> Vec<Rule> {
    let mut chance = Chance::of(seed);
    let count = 1 + chance.below(4);
    let in_turn = usize::try_from(seed).expect("a small number") % ACTIONS.len();
    let prefixes = chance.some(viewer_ranges(), count);
    let rule = |(at, prefix)| {
        let action = if at == 0 { in_turn } else { chance.below(2 * ACTIONS.len()) };
        Rule { prefix, action: ACTIONS.get(action).unwrap_or(&ACTIONS[0]) }
    };
    prefixes.into_iter().enumerate().map(rule).collect()
}

/// An ICMP message names its sender; silence and a reset have none, so there the distance has to do.
fn assert_offender(range: &Value, action: &Action) {
    let offender = &range["offender"];
    assert_eq!(offender["hop"], 1, "{range:#}");
    match action.mechanism {
        "rejected_icmp" => assert_eq!(offender["address"], FIREWALL, "{range:#}"),
        "dropped" => {
            assert!(offender["address"].is_null() || offender["address"] == FIREWALL, "{range:#}");
        }
        _ => {}
    }
    assert_eq!(offender["icmp"].as_str(), action.icmp, "{range:#}");
}

/// With the limit of ICMP messages that Linux has by default, most refused packets look dropped.
fn seldom_answers() -> String {
    let network = Network::build();
    network.limit_icmp();
    let action = ACTIONS.iter().find(|action| action.icmp == Some("3/13")).expect("it is listed");
    let rules = ["13.224.0.0/14", "99.86.0.0/16"].map(|prefix| Rule { prefix: prefix.to_owned(), action });
    network.filter(&statements(&rules));
    let checked = check(&network, &[]);
    for rule in &rules {
        let range = checked.range(&rule.prefix);
        assert_eq!(range["verdict"], "blocked", "{range:#}");
        assert_eq!(range["blocked"], json!([rule.prefix]), "{range:#}");
        assert!(range["mechanism"] == "rejected_icmp" || range["mechanism"] == "dropped", "{range:#}");
    }
    assert_rules_accused(&checked, &rules);
    assert_eq!(checked.status, Some(1));
    let mechanisms = rules.iter().map(|rule| checked.range(&rule.prefix)["mechanism"].to_string());
    format!("{}; {}", mechanisms.collect::<Vec<_>>().join(", "), cost(&checked))
}

fn lossy_block() -> String {
    let rules = rules(MIXED_SEED);
    let network = Network::build();
    network.filter(&[statements(&rules), vec![LOSS.to_owned()]].concat());
    let checked = check(&network, &[]);
    for rule in &rules {
        let range = checked.range(&rule.prefix);
        assert_eq!(range["verdict"], "blocked", "{range:#}");
        assert_eq!(range["blocked"], json!([rule.prefix]), "{range:#}");
        assert_eq!(range["mechanism"], rule.action.mechanism, "{range:#}");
    }
    assert_rules_accused(&checked, &rules);
    assert_eq!(checked.status, Some(1));
    cost(&checked)
}

/// A rejection is its own evidence; silence in a part could as well be space that nobody uses.
fn rejected_part() -> String {
    let network = Network::build();
    network.filter(&["ip daddr 13.32.96.0/20 reject with icmp type admin-prohibited".to_owned()]);
    let checked = check(&network, &[]);
    let range = checked.range("13.32.0.0/15");
    assert_eq!(range["verdict"], "partly_blocked", "{range:#}");
    assert_eq!(range["blocked"], json!(["13.32.96.0/20"]), "{range:#}");
    assert_eq!(checked.status, Some(1));
    cost(&checked)
}

/// A run that begins inside one /20 and ends inside another, as an address object of a firewall does.
fn rejected_run() -> String {
    let network = Network::build();
    network.filter(&["ip daddr 13.32.92.0-13.32.137.63 tcp dport 443 reject with tcp reset".to_owned()]);
    let checked = check(&network, &[]);
    let range = checked.range("13.32.0.0/15");
    let run = ["13.32.92.0/22", "13.32.96.0/19", "13.32.128.0/21", "13.32.136.0/24", "13.32.137.0/26"];
    assert_eq!((&range["verdict"], &range["mechanism"]), (&json!("partly_blocked"), &json!("reset")), "{range:#}");
    assert_eq!(range["blocked"], json!(run), "{range:#}");
    assert_eq!(checked.status, Some(1));
    cost(&checked)
}

/// The firewall itself is not heard of: a packet that it drops on arrival has no time to exceed.
fn dropped_on_arrival() -> String {
    let network = Network::build();
    network.filter_on_arrival(&["ip daddr 13.32.0.0/15 drop".to_owned()]);
    let checked = check(&network, &[]);
    let range = checked.range("13.32.0.0/15");
    assert_eq!((&range["verdict"], &range["mechanism"]), (&json!("blocked"), &json!("dropped")), "{range:#}");
    let offender = &range["offender"];
    assert_eq!((&offender["address"], &offender["hop"]), (&Value::Null, &json!(0)), "{range:#}");
    assert_eq!(offender["next"], FIREWALL, "{range:#}");
    cost(&checked)
}

/// One range only: of what routes refuse Linux tells a host five times and then once a second, whatever else is set.
fn route(kind: &str, mechanism: &str, icmp: Option<&str>) -> String {
    let network = Network::build();
    network.route(kind, "13.32.0.0/15");
    let checked = check(&network, &[]);
    let range = checked.range("13.32.0.0/15");
    assert_eq!((&range["verdict"], &range["mechanism"]), (&json!("blocked"), &json!(mechanism)), "{range:#}");
    assert_eq!(range["offender"]["icmp"].as_str(), icmp, "{range:#}");
    assert_eq!(checked.status, Some(1));
    cost(&checked)
}

fn dead_uplink() -> String {
    let network = Network::build();
    network.filter(&["drop".to_owned()]);
    let checked = check(&network, &[]);
    assert_nobody_accused(&checked);
    assert_eq!(checked.status, Some(3));
    cost(&checked)
}

/// A firewall that lets 500 connections a second begin, while four times as many are tried.
fn limited() -> String {
    let network = Network::build();
    network.filter(&["tcp flags syn limit rate over 500/second burst 20 packets drop".to_owned()]);
    let checked = check(&network, &[]);
    assert_nobody_accused(&checked);
    cost(&checked)
}

fn open() -> String {
    let checked = check(&Network::build(), &[]);
    assert_nobody_accused(&checked);
    for range in checked.viewer_ranges() {
        assert_eq!(range["verdict"], "open", "{range:#}");
    }
    cost(&checked)
}

fn lossy() -> String {
    let network = Network::build();
    network.filter(&[LOSS.to_owned()]);
    let checked = check(&network, &[]);
    assert_nobody_accused(&checked);
    cost(&checked)
}

fn no_ipv6_route() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let feed = folder.path().join("feed.json");
    fs::write(&feed, FEED_WITH_IPV6).expect("a feed");
    let checked = check(&Network::build(), &["--feed", feed.to_str().expect("text")]);
    assert_nobody_accused(&checked);
    let listed = |prefix: &str| checked.viewer_ranges().iter().any(|range| range["prefix"] == prefix);
    assert!(listed("13.32.0.0/15") && listed("2600:9000:2000::/36"), "both families are reported");
    let diagnoses = checked.report["diagnoses"].as_array().expect("a list");
    assert!(diagnoses.iter().any(|diagnosis| diagnosis["id"] == "no_ipv6_route"), "{diagnoses:#?}");
    cost(&checked)
}

const FEED_WITH_IPV6: &str = r#"{"syncToken": "1787433425", "createDate": "2026-08-22-21-17-05",
 "prefixes": [
  {"ip_prefix": "13.32.0.0/15", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"},
  {"ip_prefix": "13.224.0.0/14", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}],
 "ipv6_prefixes": [
  {"ipv6_prefix": "2600:9000:2000::/36", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"},
  {"ipv6_prefix": "2600:9000:5200::/40", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}
 ]}"#;

pub fn check(network: &Network, more: &[&str]) -> Checked {
    let flags = ["--ranges-only", "--depth", "tcp", "--profile", "fast"];
    let checked = network.check(&[flags.as_slice(), more].concat());
    assert_eq!(checked.report["schema"], "egressd.report/1");
    assert_eq!(checked.report["exit_status"].as_i64().map(i32::try_from), checked.status.map(Ok), "two statuses");
    checked
}

pub fn assert_nobody_accused(checked: &Checked) {
    assert_accused(checked, &[]);
    assert!(matches!(checked.status, Some(0 | 3)), "status {:?}", checked.status);
}

/// The viewer ranges that are called blocked, in whole or in part, are these.
pub fn assert_accused(checked: &Checked, prefixes: &[&str]) {
    let accused = |range: &&Value| range["verdict"] == "blocked" || range["verdict"] == "partly_blocked";
    let viewer = checked.viewer_ranges();
    for range in viewer.into_iter().filter(accused) {
        assert!(prefixes.iter().any(|prefix| range["prefix"] == *prefix), "falsely accused: {range:#}");
    }
}

fn assert_rules_accused(checked: &Checked, rules: &[Rule]) {
    assert_accused(checked, &rules.iter().map(|rule| rule.prefix.as_str()).collect::<Vec<_>>());
}

fn statements(rules: &[Rule]) -> Vec<String> {
    rules.iter().map(Rule::statement).collect()
}

pub fn cost(checked: &Checked) -> String {
    format!("{} probes in {} s", checked.report["probes"]["sent"], checked.report["seconds"])
}

impl Checked {
    fn viewer_ranges(&self) -> Vec<&Value> {
        self.ranges().iter().filter(|range| range["role"] == "viewer").collect()
    }

    pub fn range(&self, prefix: &str) -> &Value {
        self.ranges().iter().find(|range| range["prefix"] == prefix).unwrap_or_else(|| panic!("no range {prefix}"))
    }

    fn ranges(&self) -> &[Value] {
        self.report["ranges"].as_array().expect("a list of ranges")
    }
}
