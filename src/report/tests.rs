//! A report of a network in virtual time, in each of its forms.

use super::*;
use crate::plan::{KnownAddresses, Settings};
use crate::scan::Scan;
use crate::scenario::Scenario;
use crate::sim::{Network, run};

/// The report on a scenario; `site` and the rest of what comes from outside are hostile on request.
fn report(name: &str, site: &str) -> Report {
    let (scenario, feed) = (Scenario::named(name).unwrap(), FeedSnapshot::documented());
    let held: Vec<FeedSnapshot> = scenario.older_snapshot(name, &feed).into_iter().collect();
    let prefixes: Vec<Prefix> = feed.ranges.iter().map(|range| range.prefix).collect();
    let older = held.first().map(FeedSnapshot::addresses).unwrap_or_default();
    let mut network = Network::open(feed.addresses(), vec!["1.1.1.1".parse().unwrap()], 3);
    network.rules = scenario
        .rules(&prefixes, &older)
        .into_iter()
        .map(|(prefixes, action)| (prefixes.into_iter().collect(), action))
        .collect();
    let plan = ProbePlan::new(&Settings::default(), &feed, &KnownAddresses::default());
    let evidence = run(Scan::new(plan.clone()), &network);
    Report::new(&Run {
        site,
        started: Timestamp::UNIX_EPOCH,
        plan: &plan,
        evidence: &evidence,
        feed: &feed,
        held: &held,
        baseline: None,
        endpoints: &[],
        context: &RunContext::default(),
        media: &[],
        limits: Vec::new(),
    })
}

fn text(report: &Report) -> String {
    report.write(Format::Text, Style::default())
}

#[test]
fn the_sentence_that_matters_comes_first() {
    let page = text(&report("stale-allowlist", "hq"));
    let lines: Vec<&str> = page.lines().collect();
    assert!(lines[0].starts_with("egressd ") && lines[0].contains("· hq · 121 ranges"), "{page}");
    assert_eq!(lines[2], "  Your firewall allows the list of 2018-11-06 and nothing newer:");
    assert!(lines.len() < 25, "an admin reads it in ten seconds:\n{page}");
}

#[test]
fn every_range_has_its_line_only_when_asked() {
    let report = report("mixed", "hq");
    assert!(!text(&report).contains("143.204.0.0/16"));
    let all = report.write(Format::Text, Style { all: true, colour: false });
    assert!(FeedSnapshot::documented().ranges.iter().all(|range| all.contains(&range.prefix.to_string())));
}

#[test]
fn colours_change_nothing_but_the_colours() {
    let report = report("mixed", "hq");
    let coloured = report.write(Format::Text, Style { all: false, colour: true });
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, text(&report));
    assert!(coloured.contains("\u{1b}["));
}

#[test]
fn the_json_has_every_field_of_its_schema() {
    let report = report("mixed", "hq");
    let value: serde_json::Value = serde_json::from_str(&report.write(Format::Json, Style::default())).unwrap();
    assert_eq!(value["schema"], "egressd.report/1");
    assert_eq!(value["started"], "1970-01-01T00:00:00Z");
    for key in ["tool", "site", "seconds", "baseline", "controls", "probes", "endpoints", "media", "exit_status"] {
        assert!(value.get(key).is_some(), "{key}");
    }
    for key in ["source", "serial", "date", "sha256", "prefixes"] {
        assert!(value["feed"].get(key).is_some(), "feed.{key}");
    }
    for range in value["ranges"].as_array().unwrap() {
        for key in [
            "prefix",
            "list",
            "role",
            "verdict",
            "mechanism",
            "blocked",
            "undetermined",
            "offender",
            "confidence",
            "reason",
            "probes",
            "answered",
            "rtt_seconds",
        ] {
            assert!(range.get(key).is_some(), "{range}: {key}");
        }
    }
    let blocked = value["ranges"].as_array().unwrap().iter().find(|range| range["prefix"] == "13.224.0.0/14").unwrap();
    assert_eq!((&blocked["verdict"], &blocked["mechanism"]), (&"blocked".into(), &"dropped".into()));
    assert!(blocked["rtt_seconds"]["min"].is_null(), "what is absent is null, never 0");
    assert_eq!(value["exit_status"], 1);
}

#[test]
fn the_status_follows_from_what_viewers_need() {
    for (scenario, status) in [
        ("open", ExitStatus::Reachable),
        ("mixed", ExitStatus::NotReachable),
        ("everything-dropped", ExitStatus::NotReachable),
        ("answers-for-everyone", ExitStatus::Inconclusive),
        ("hole-in-range", ExitStatus::Inconclusive),
    ] {
        assert_eq!(report(scenario, "hq").status(), status, "{scenario}");
    }
}

#[test]
fn a_hostile_site_name_stays_text() {
    let site = "\u{1b}[2J<script>|*evil*|\n# heading";
    let report = report("open", site);
    for format in [Format::Text, Format::Markdown, Format::Html, Format::Junit] {
        let page = report.write(format, Style::default());
        assert!(!page.contains('\u{1b}') && !page.contains("\n# heading"), "{page}");
        assert!(format == Format::Text || !page.contains("<script>"), "{page}");
    }
    assert!(!report.write(Format::Markdown, Style::default()).contains("*evil*|"));
}

#[test]
fn a_ticket_holds_the_prefixes_to_allow() {
    let page = report("stale-allowlist", "hq").write(Format::Markdown, Style::default());
    assert!(page.starts_with("## CloudFront reachability from hq\n"));
    let listed = page.lines().filter(|line| line.trim().parse::<Prefix>().is_ok()).count();
    assert_eq!(listed, 48, "{page}");
}

#[test]
fn a_page_has_the_sentence_the_action_and_every_range() {
    let report = report("stale-allowlist", "hq");
    let page = report.write(Format::Html, Style::default());
    for part in ["Your firewall allows the list of 2018-11-06", "<b>network</b>", "egressd export", "13.224.0.0/14"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let cells = |prefix: &Prefix| page.contains(&format!("<td>{prefix}</td>"));
    assert!(FeedSnapshot::documented().ranges.iter().all(|range| cells(&range.prefix)));
    assert!(!page.contains("<script") && !page.contains(" src=") && !page.contains(" href="), "it fetches nothing");
}

#[test]
fn a_pipeline_fails_by_the_name_of_the_range() {
    let report = report("mixed", "hq");
    let page = report.write(Format::Junit, Style::default());
    let document = roxmltree::Document::parse(&page).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    let count = |tag: &str| document.descendants().filter(|node| node.has_tag_name(tag)).count();
    for (attribute, tag) in [("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")] {
        assert_eq!(suite.attribute(attribute), Some(count(tag).to_string().as_str()), "{attribute}");
    }
    let failed = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failed.parent().unwrap().attribute("classname"), Some("ranges.global"));
    assert!(!failed.attribute("message").unwrap().is_empty());
}
