//! The commands as a user gives them, on feeds made here.

use std::fs;
use std::path::Path;

use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::ranges::made::{list, newer_ip_ranges};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: RangesCommand,
}

/// A folder with a newer `ip-ranges.json` in `new` and a one-range list in `one`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("new"), newer_ip_ranges()).unwrap();
    fs::write(folder.path().join("one"), list(&["13.32.0.0/15"], &[])).unwrap();
    folder
}

/// The words are arguments; `@name` is a file of the folder.
fn ran(folder: &Path, line: &str) -> Result<(ExitStatus, String), RangesCommandError> {
    let word = |word: &str| match word.strip_prefix('@') {
        Some(name) => folder.join(name).to_str().unwrap().to_owned(),
        None => word.to_owned(),
    };
    let line = Line::parse_from(std::iter::once("ranges".to_owned()).chain(line.split(' ').map(word)));
    let mut out = Vec::new();
    run(&line.command, &mut out).map(|status| (status, String::from_utf8(out).unwrap()))
}

fn text(line: &str) -> String {
    ran(folder().path(), line).unwrap().1
}

fn json(line: &str) -> Value {
    serde_json::from_str(&text(&format!("{line} --format json"))).unwrap()
}

fn status(line: &str) -> ExitStatus {
    ran(folder().path(), line).unwrap().0
}

#[test]
fn the_documented_list_leads_with_its_age() {
    let text = text("list");
    assert!(text.lines().next().unwrap().contains("January 2021; it is old"), "{text}");
    assert!(text.contains("documented 2021-01-11 (embedded): 121 ranges"), "{text}");
    assert_eq!(text.lines().count(), 4 + 121);
}

#[test]
fn list_in_json_names_the_feed_and_each_ranges_origin() {
    let document = json("list --feed @new --feed @one --feed documented --list global --family 4");
    assert_eq!(document["feed"]["source"], "list-cloudfront-ips", "an undated list is the publisher's present one");
    let document = json("list --feed @new --list global --family 4");
    assert_eq!(document["schema"], "egressd.ranges/1");
    assert_eq!(document["feed"]["date"], "2026-08-22");
    assert_eq!(document["feed"]["prefixes"], 9, "the feed's, whatever is shown of it");
    assert_eq!(document.get("note"), None);
    assert_eq!(document["ranges"].as_array().unwrap().len(), 5);
    let new = json!({"prefix": "3.160.0.0/14", "list": "global", "role": "viewer", "region": null,
        "since": {"source": "ip-ranges", "date": "2026-08-22"}});
    assert_eq!(document["ranges"][0], new);
    assert_eq!(document["ranges"][1]["since"], json!({"source": "documented", "date": "2021-01-11"}));
}

#[test]
fn list_writes_to_a_file() {
    let folder = folder();
    let (status, out) = ran(folder.path(), "list --family 6 --feed @new -o @out").unwrap();
    assert_eq!((status, out.as_str()), (ExitStatus::Reachable, ""));
    assert!(fs::read_to_string(folder.path().join("out")).unwrap().contains("2600:9000:2000::/36"));
}

#[test]
fn diff_leads_with_one_sentence() {
    let text = text("diff documented @new");
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(
            "2 global and 1 regional IPv4 ranges were added, 69 and 48 removed; \
             262,145 addresses gained, 1,386,052 lost"
        )
    );
    assert_eq!(lines.next(), Some("2 global and 0 regional IPv6 ranges were added, 0 and 0 removed"));
    assert!(text.contains("\n+ 3.160.0.0/14") && text.contains("\n- 205.251.200.0/21"), "{text}");
}

#[test]
fn diff_exits_like_diff() {
    assert_eq!(status("diff documented documented"), ExitStatus::Reachable);
    assert_eq!(status("diff documented @new"), ExitStatus::NotReachable);
    assert_eq!(status("diff documented @one --family 6"), ExitStatus::Reachable);
    assert!(text("diff @one @one").starts_with("the two feeds list the same ranges\n"));
}

#[test]
fn diff_in_json_counts_what_javascript_cannot_in_strings() {
    let document = json("diff documented @new");
    assert_eq!(document["schema"], "egressd.ranges-diff/1");
    assert_eq!((&document["from"]["prefixes"], &document["to"]["prefixes"]), (&json!(121), &json!(9)));
    assert_eq!(document["addresses"]["gained"], json!({"v4": 262_145, "v6": "4951764879508003969241710592"}));
    assert_eq!(document["addresses"]["lost"]["v6"], 0);
    assert_eq!(document["added"].as_array().unwrap().len(), 5);
}

#[test]
fn explain_tells_range_list_role_and_since() {
    let text = text("explain 13.32.4.1 --feed @new");
    assert!(
        text.starts_with("13.32.4.1 is in 13.32.0.0/15, global list, viewer: blocking it breaks transfers\n"),
        "{text}"
    );
    assert!(text.contains("this part of the range talks to origins"), "{text}");
    assert!(text.contains("  since      documented 2021-01-11\n"), "{text}");
    assert_eq!(text.matches("listed in").count(), 2, "{text}");
}

#[test]
fn explain_tells_what_is_withdrawn_and_what_was_never_there() {
    assert!(text("explain 205.251.200.7 --feed @new").contains("withdrawn"));
    assert_eq!(status("explain 9.9.9.9"), ExitStatus::NotReachable);
    assert_eq!(
        text("explain 192.168.1.1"),
        "192.168.1.1 is in none of CloudFront's ranges that are at hand; it is in 192.168.0.0/16, private use (RFC 1918)\n"
    );
}

#[test]
fn explain_in_json_has_null_for_what_is_not_known() {
    let found = json("explain 2600:9000:2000::1 --feed @new");
    assert_eq!((&found["schema"], &found["asked"]), (&json!("egressd.explain/1"), &json!("2600:9000:2000::1")));
    assert_eq!(found["addresses"][0]["prefix"], "2600:9000:2000::/36");
    assert_eq!(found["addresses"][0]["since"], json!({"source": "ip-ranges", "date": "2026-08-22"}));
    let unknown = json("explain 9.9.9.9");
    assert_eq!(unknown["addresses"][0]["listed"], false);
    assert_eq!(unknown["addresses"][0]["prefix"], Value::Null);
    assert_eq!(unknown["addresses"][0]["feeds"], json!([]));
}

#[test]
fn a_feed_that_cannot_be_read_is_named() {
    let folder = folder();
    let error = ran(folder.path(), "list --feed @none").unwrap_err().to_string();
    assert!(error.starts_with("cannot read feed ") && error.ends_with("none"), "{error}");
    fs::write(folder.path().join("bad"), "{").unwrap();
    let error = ran(folder.path(), "diff @new @bad").unwrap_err().to_string();
    assert!(error.contains("bad: line 1, column 1: EOF while parsing an object (the file is cut off)"), "{error}");
    let error = ran(folder.path(), "list --feed /dev/zero").unwrap_err().to_string();
    assert_eq!(error, "feed /dev/zero: the file has more than 32 MiB (ip-ranges.json has 3)");
}

#[test]
fn a_bad_feed_leaves_the_old_output_alone() {
    let folder = folder();
    fs::write(folder.path().join("bad"), "{").unwrap();
    fs::write(folder.path().join("out"), "old").unwrap();
    ran(folder.path(), "list --feed @bad -o @out").unwrap_err();
    assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), "old");
}

#[test]
fn lists_become_the_fewest_prefixes() {
    let folder = folder();
    fs::write(folder.path().join("a"), "2600::/33 # mine\n13.33.0.0/16\n13.32.7.0/24\n").unwrap();
    fs::write(folder.path().join("b"), "13.32.0.0/16\n2600:0:8000::/33\n").unwrap();
    assert_eq!(ran(folder.path(), "aggregate @a @b").unwrap().1, "13.32.0.0/15\n2600::/32\n");
    assert_eq!(ran(folder.path(), "aggregate --family 6 @a @b").unwrap().1, "2600::/32\n");
    let error = ran(folder.path(), "aggregate @a @one").unwrap_err().to_string();
    assert!(error.ends_with("one"), "{error}");
}
