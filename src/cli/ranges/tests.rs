//! The commands as a user gives them, on feeds made here.

use std::fs;
use std::path::Path;

use clap::Parser;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::ranges::List;
use crate::ranges::made::{entry, ip_ranges, list, newer_ip_ranges};
use crate::store::history::{HistoryReader, Query};

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
fn ran(folder: &Path, line: &str) -> Result<(ExitStatus, String), CliError> {
    let word = |word: &str| match word.strip_prefix('@') {
        Some(name) => folder.join(name).to_str().unwrap().to_owned(),
        None => word.to_owned(),
    };
    // What the user's own memory holds has no say.
    let stateless = if line.starts_with("diff") || line.starts_with("aggregate") { "" } else { " --state @state" };
    let line = format!("ranges {line}{stateless}");
    let line = Line::parse_from(line.split(' ').map(word));
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

/// The documented list and more, as an `ip-ranges.json` of this serial.
fn published(serial: u64, more: &[&str]) -> String {
    let documented = FeedSnapshot::documented();
    let listed = documented.ranges.iter().map(|range| (range.prefix.to_string(), range.list));
    let listed = listed.chain(more.iter().map(|prefix| ((*prefix).to_owned(), List::Global)));
    let entries = listed.flat_map(|(prefix, list)| {
        let region = if list == List::Global { "GLOBAL" } else { "eu-west-2" };
        [entry(&prefix, region, "CLOUDFRONT"), entry(&prefix, region, "AMAZON")]
    });
    let text = ip_ranges(&entries.collect::<Vec<_>>(), &[]).replace("1787433425", &serial.to_string());
    let date = Timestamp::from_second(serial.try_into().unwrap()).unwrap().strftime("%F");
    text.replace("2026-08-22", &date.to_string())
}

#[test]
fn a_list_is_updated_shown_held_and_accepted() {
    let folder = folder();
    let update = |serial, more: &[&str]| {
        fs::write(folder.path().join("mirror"), published(serial, more)).unwrap();
        ran(folder.path(), "update --url @mirror").unwrap()
    };
    let (status, text) = update(1_700_000_000, &[]);
    assert!(
        status == ExitStatus::Reachable && text.contains("mirror: accepted\nin force: ip-ranges 2023-11-14"),
        "{text}"
    );
    let (_, text) = update(1_710_000_000, &["3.172.0.0/18"]);
    assert!(text.contains("accepted\n  added     3.172.0.0/18 "), "{text}");
    let (_, text) = update(1_710_000_000, &["3.172.0.0/18"]);
    assert!(text.contains("mirror: unchanged\nin force"), "{text}");
    let (status, text) = update(1_720_000_000, &["3.172.0.0/18", "3.144.0.0/12"]);
    assert!(status == ExitStatus::NotReachable && text.contains("held for a person: it has 67.6 %"), "{text}");
    assert!(text.contains("in force: ip-ranges 2024-03-09") && text.ends_with("`egressd ranges accept`\n"), "{text}");
    let (status, text) = update(1_600_000_000, &[]);
    assert!(status == ExitStatus::NotReachable && text.contains("refused: it is older"), "{text}");
    let (_, text) = ran(folder.path(), "accept").unwrap();
    assert!(text.starts_with("  added     3.144.0.0/12 ") && text.contains("in force: ip-ranges 2024-07-03"), "{text}");
    let error = ran(folder.path(), "accept").unwrap_err();
    assert!(error.hint().is_some() && error.to_string() == "no list waits to be accepted");
    assert!(ran(folder.path(), "list").unwrap().1.contains("3.144.0.0/12"));
    let history = HistoryReader::open(&folder.path().join("state/history.sqlite")).unwrap();
    assert_eq!(history.feed_changes(&Query::default()).unwrap().entries.len(), 2);
}

#[test]
fn history_shows_each_list_and_what_changed() {
    let folder = folder();
    let old = folder.path().join("old");
    fs::create_dir(&old).unwrap();
    for (name, text) in [
        ("a.json", published(1_600_000_000, &[])),
        ("b.json", published(1_610_000_000, &["3.172.0.0/18"])),
        ("c-2024-05-29.json", list(&["13.32.0.0/15"], &[])),
        ("d.json", list(&["13.32.0.0/15"], &[])),
        ("e.json", "{".to_owned()),
    ] {
        fs::write(old.join(name), text).unwrap();
    }
    let (status, text) = ran(folder.path(), "import @old").unwrap();
    assert_eq!(status, ExitStatus::NotReachable);
    assert!(
        text.contains("b.json: the list of 2021-01-07\n") && text.contains("c-2024-05-29.json: the list of 2024-05-29")
    );
    assert!(
        text.contains("d.json: refused: it has no date") && text.ends_with("3 lists imported, 0 known already\n"),
        "{text}"
    );
    assert!(ran(folder.path(), "import @old").unwrap().1.ends_with("0 lists imported, 3 known already\n"));
    // The list in force has to be newer than what is shown as older.
    fs::write(folder.path().join("mirror"), published(1_720_000_000, &["3.173.0.0/18"])).unwrap();
    ran(folder.path(), "update --url @mirror").unwrap();
    let (_, text) = ran(folder.path(), "list --history").unwrap();
    assert!(
        text.contains("ip-ranges 2021-01-07 (serial 1610000000): 122 ranges, 1 added, 0 removed\n  + 3.172.0.0/18"),
        "{text}"
    );
    assert!(text.contains("ip-ranges 2024-07-03 (serial 1720000000): 122 ranges, 1 added, 1 removed\n"), "{text}");
    let json: Value = serde_json::from_str(&ran(folder.path(), "list --history --format json").unwrap().1).unwrap();
    let dates: Vec<&str> =
        json["lists"].as_array().unwrap().iter().map(|list| list["date"].as_str().unwrap()).collect();
    assert_eq!(dates, ["2020-09-13", "2021-01-07", "2021-01-11", "2024-05-29", "2024-07-03"]);
    assert_eq!(json["lists"][4]["removed"][0]["prefix"], "3.172.0.0/18");
    let (_, text) = ran(folder.path(), "explain 3.172.0.1").unwrap();
    assert!(text.contains("since      ip-ranges 2021-01-07") && text.contains("withdrawn"), "{text}");
}

#[test]
fn places_without_a_list_are_named() {
    let folder = folder();
    let error = ran(folder.path(), "update --url @none --url @also-none").unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("no list could be fetched: file://") && text.contains("also-none: failed: cannot read it"),
        "{text}"
    );
    fs::write(folder.path().join("bad"), "<html>").unwrap();
    let (status, text) = ran(folder.path(), "update --url @bad").unwrap();
    assert!(status == ExitStatus::NotReachable && text.contains("bad: refused: the file is HTML"), "{text}");
    assert!(text.contains("in force: documented 2021-01-11"), "{text}");
}
