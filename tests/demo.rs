//! Every scenario of `egressd demo` with real packets: what is said must be what the firewall does.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

use std::process::Command;

use serde_json::Value;

struct Demo {
    report: Value,
    status: i32,
}

fn demo(scenario: &str, flags: &[&str]) -> Demo {
    let output = Command::new(env!("CARGO_BIN_EXE_egressd"))
        .args(["demo", "--scenario", scenario, "--profile", "fast", "--format", "json"])
        .args(flags)
        .output()
        .expect("the binary starts");
    let status = output.status.code().expect("no signal ends it");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{scenario}: {errors}");
    Demo { report: serde_json::from_slice(&output.stdout).expect("the report is JSON"), status }
}

impl Demo {
    fn ranges(&self) -> impl Iterator<Item = &Value> {
        self.report["ranges"].as_array().expect("a list").iter()
    }

    /// Prefix, mechanism and what is blocked, of every range that is accused.
    fn accused(&self) -> Vec<(String, String, String)> {
        let accused =
            self.ranges().filter(|range| range["verdict"] == "blocked" || range["verdict"] == "partly_blocked");
        let blocked = |range: &Value| {
            let parts = range["blocked"].as_array().expect("a list").iter().map(text).collect::<Vec<_>>();
            parts.join(" ")
        };
        accused.map(|range| (text(&range["prefix"]), text(&range["mechanism"]), blocked(range))).collect()
    }

    fn causes(&self) -> Vec<String> {
        self.report["diagnoses"].as_array().expect("a list").iter().map(|cause| text(&cause["id"])).collect()
    }

    fn verdicts(&self, role: &str, verdict: &str) -> usize {
        self.ranges().filter(|range| range["role"] == role && range["verdict"] == verdict).count()
    }

    fn offender_of(&self, prefix: &str) -> &Value {
        &self.ranges().find(|range| range["prefix"] == prefix).expect("a listed range")["offender"]
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn accusation(prefix: &str, mechanism: &str) -> (String, String, String) {
    (prefix.to_owned(), mechanism.to_owned(), prefix.to_owned())
}

#[test]
fn open() {
    let demo = demo("open", &[]);
    assert_eq!((demo.status, demo.accused(), demo.causes()), (0, vec![], vec![]));
    assert_eq!(demo.verdicts("viewer", "open"), 40);
    assert_eq!(demo.report["controls"]["negative_answered"], 0);
}

#[test]
fn each_kind_of_block_is_named_with_who_blocks() {
    for (scenario, prefix, mechanism, cause) in [
        ("dropped-range", "13.224.0.0/14", "dropped", "range_dropped"),
        ("rejected-range", "99.86.0.0/16", "rejected_icmp", "range_rejected"),
        ("reset-range", "54.192.0.0/16", "reset", "range_reset"),
    ] {
        let demo = demo(scenario, &[]);
        assert_eq!((demo.status, demo.accused()), (1, vec![accusation(prefix, mechanism)]), "{scenario}");
        assert_eq!(demo.causes(), [cause]);
        let offender = demo.offender_of(prefix);
        assert_eq!((&offender["hop"], &offender["hop_address"]), (&1.into(), &"10.9.1.1".into()), "{scenario}");
        assert_eq!(offender["next"], "10.9.2.2");
        let (address, icmp) =
            if mechanism == "rejected_icmp" { ("10.9.1.1".into(), "3/13".into()) } else { (Value::Null, Value::Null) };
        assert_eq!((&offender["address"], &offender["icmp"]), (&address, &icmp));
    }
}

#[test]
fn three_kinds_at_once_are_three_causes() {
    let demo = demo("mixed", &[]);
    let expected = [("13.224.0.0/14", "dropped"), ("54.192.0.0/16", "reset"), ("99.86.0.0/16", "rejected_icmp")];
    assert_eq!(demo.accused(), expected.map(|(prefix, mechanism)| accusation(prefix, mechanism)));
    assert_eq!(demo.causes(), ["range_dropped", "range_rejected", "range_reset"]);
}

#[test]
fn a_stale_allowlist_is_one_cause() {
    let demo = demo("stale-allowlist", &[]);
    assert_eq!((demo.status, demo.causes()), (1, vec!["stale_allowlist".to_owned()]));
    assert_eq!(demo.report["diagnoses"][0]["prefixes"].as_array().unwrap().len(), 48);
    assert_eq!((demo.verdicts("viewer", "blocked"), demo.verdicts("viewer", "open")), (15, 25));
    assert_eq!(demo.accused().len(), 15, "ranges that serve no viewers are not accused");
}

#[test]
fn a_newer_feed_makes_the_documented_list_the_stale_one() {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("ip-ranges.json");
    std::fs::write(&newer, newer_feed()).unwrap();
    let demo = demo("stale-allowlist", &["--feed", newer.to_str().unwrap()]);
    assert_eq!(demo.causes(), ["stale_allowlist"]);
    let accused = demo.accused();
    assert_eq!(accused, ["3.160.0.0/14", "108.138.0.0/15"].map(|prefix| accusation(prefix, "dropped")));
    assert!(text(&demo.report["diagnoses"][0]["title"]).contains("2021-01-11"), "{}", demo.report["diagnoses"][0]);
}

/// The documented list and two ranges more, in the form of `ip-ranges.json`.
fn newer_feed() -> String {
    let documented = egressd::ranges::FeedSnapshot::documented();
    let mut entries: Vec<String> = documented
        .ranges
        .iter()
        .map(|range| {
            let region = if range.list == egressd::ranges::List::Global { "GLOBAL" } else { "eu-west-1" };
            entry(&range.prefix.to_string(), region)
        })
        .collect();
    entries.extend(["3.160.0.0/14", "108.138.0.0/15"].map(|prefix| entry(prefix, "GLOBAL")));
    let list = entries.join(",");
    format!(r#"{{"syncToken":"1787433425","createDate":"2026-08-22-21-17-05","prefixes":[{list}],"ipv6_prefixes":[]}}"#)
}

fn entry(prefix: &str, region: &str) -> String {
    format!(
        r#"{{"ip_prefix":"{prefix}","region":"{region}","service":"CLOUDFRONT","network_border_group":"{region}"}}"#
    )
}

#[test]
fn a_hole_is_found_with_a_baseline() {
    let demo = demo("hole-in-range", &[]);
    let hole = ("13.32.0.0/15".to_owned(), "dropped".to_owned(), "13.32.96.0/20".to_owned());
    assert_eq!((demo.status, demo.accused()), (1, vec![hole]));
    assert_eq!(demo.causes(), ["range_dropped"]);
}

#[test]
fn rejections_are_followed_to_where_they_end() {
    let demo = demo("rejected-part", &[]);
    let parts = "13.32.96.0/19 13.32.128.0/21 13.32.136.0/24".to_owned();
    assert_eq!(
        (demo.status, demo.accused()),
        (1, vec![("13.32.0.0/15".to_owned(), "rejected_icmp".to_owned(), parts)])
    );
    assert_eq!(demo.causes(), ["range_rejected"]);
}

#[test]
fn a_block_of_everything_differs_from_an_uplink_that_is_down() {
    let blocked = demo("everything-dropped", &[]);
    assert_eq!((blocked.status, blocked.causes()), (1, vec!["everything_blocked".to_owned()]));
    assert_eq!(blocked.verdicts("viewer", "blocked"), 40);
    assert!(blocked.ranges().filter(|range| range["verdict"] == "blocked").all(|range| range["offender"]["hop"] == 1));
    let down = demo("own-uplink-down", &[]);
    assert_eq!((down.status, down.causes()), (3, vec!["own_uplink_down".to_owned()]));
    assert_eq!(down.accused(), []);
}

#[test]
fn somebody_who_answers_for_everyone_is_not_taken_for_an_open_network() {
    let demo = demo("answers-for-everyone", &[]);
    // No range is accused; that no handshake of an endpoint passes is seen.
    assert_eq!((demo.status, demo.causes()), (1, vec!["answers_for_everyone".to_owned()]));
    assert_eq!((demo.accused(), demo.verdicts("viewer", "open")), (vec![], 0));
}

#[test]
fn distance_and_loss_accuse_nobody() {
    for scenario in ["lossy-far", "spread"] {
        let demo = demo(scenario, &[]);
        assert_eq!((demo.status, demo.accused(), demo.causes()), (0, vec![], vec![]), "{scenario}");
    }
}

#[test]
fn the_same_report_is_written_for_people_and_for_a_ticket() {
    for (format, sentence) in [
        ("text", "Your firewall allows the list of 2018-11-06 and nothing newer"),
        ("markdown", "| 13.224.0.0/14 | viewer |"),
        ("html", "<td>13.224.0.0/14</td><td>viewer</td>"),
        ("junit", "classname=\"ranges.global\" name=\"13.224.0.0/14\""),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_egressd"))
            .args(["demo", "--profile", "fast", "--format", format])
            .output()
            .expect("the binary starts");
        let page = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(page.contains(sentence), "{page}");
        assert!(!page.contains('\u{1b}'), "no colours without a terminal");
    }
}

/// Programs that share no code with egressd read what it writes for browsers and for pipelines.
#[test]
fn other_programs_read_the_page_and_the_test_results() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = |format: &str| {
        let file = folder.path().join(format);
        let report = Command::new(env!("CARGO_BIN_EXE_egressd"))
            .args(["demo", "--profile", "fast", "--format", format, "-o"])
            .arg(&file)
            .status()
            .expect("the binary starts");
        assert_eq!(report.code(), Some(1));
        file
    };
    let said = |command: &mut Command| {
        let output = command.output().expect("tests/run installs it");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    // It ends with 1 where it has a warning.
    said(Command::new("tidy").args(["-q", "-e"]).arg(written("html")));
    // What the file says of itself, and what its cases come to.
    let count = "import sys, junitparser; suites = junitparser.JUnitXml.fromfile(sys.argv[1]); \
                 said = suites.tests, suites.failures; suites.update_statistics(); \
                 print(said == (suites.tests, suites.failures), suites.tests, suites.failures, suites.errors)";
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/target/validators/bin/python");
    let counted = said(Command::new(python).args(["-c", count]).arg(written("junit")));
    assert_eq!(counted.trim_end(), "True 123 16 0", "121 ranges, of which 15 are blocked, and an endpoint each way");
}
