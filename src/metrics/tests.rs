//! The exposition: what is in it, how much, and what Prometheus' own linter says.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::*;
use crate::ranges::Role;

fn whole(snapshot: &Snapshot) -> String {
    let mut page = page(snapshot);
    Live::new().append(&mut page, Instant::now());
    page
}

fn series(page: &str) -> Vec<&str> {
    page.lines().filter(|line| !line.starts_with('#')).collect()
}

fn value(page: &str, series: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn the_worst_site_stays_below_a_thousand_series() {
    let page = whole(&made::worst());
    let count = series(&page).len();
    assert_eq!(series(&page).iter().filter(|line| line.starts_with("egressd_range_blocked{")).count(), 243);
    assert!((700..1000).contains(&count), "{count}");
}

#[test]
fn what_exceeds_the_bound_is_counted_and_viewers_come_first() {
    let current = made::worst().report.unwrap();
    let mut ranges = current.report.ranges().to_vec();
    ranges.extend(current.report.ranges().to_vec());
    ranges.iter_mut().enumerate().for_each(|(index, range)| {
        let octet = index % 250;
        range.prefix = format!("10.{}.{octet}.0/24", index / 250).parse().unwrap();
    });
    let page = Page { registry: Registry::new() };
    page.ranges(&ranges);
    let text = encoded(&page.registry);
    let named = series(&text).iter().filter(|line| line.starts_with("egressd_range_blocked{")).count();
    assert_eq!((named, value(&text, "egressd_range_blocked_omitted")), (MOST_BLOCKED, Some(486.0 - 300.0)));
    let viewers = ranges.iter().filter(|range| range.role == Role::Viewer);
    assert!(viewers.clone().count() > 200);
    viewers.for_each(|range| assert!(text.contains(&format!("prefix=\"{}\"", range.prefix)), "viewers come first"));
}

#[test]
fn values_are_those_of_the_snapshot() {
    let page = page(&made::open());
    for (series, expected) in [
        (r#"egressd_range_verdict{family="4",list="global",verdict="open"}"#, 72.0),
        (r#"egressd_range_verdict{family="4",list="regional-edge",verdict="expected_silent"}"#, 49.0),
        (r#"egressd_range_verdict{family="6",list="global",verdict="blocked"}"#, 0.0),
        (r#"egressd_endpoint_up{direction="receive",endpoint="endpoint-0",path="direct"}"#, 1.0),
        (r#"egressd_endpoint_phase_seconds{endpoint="endpoint-0",phase="connect"}"#, 0.009),
        (r#"egressd_feed_info{serial="none",source="documented"}"#, 1.0),
        ("egressd_feed_timestamp_seconds", 1_610_323_200.0),
        (r#"egressd_check_duration_seconds{check="endpoints"}"#, 1.5),
        (r#"egressd_checks_late_total{check="ranges"}"#, 2.0),
        (r#"egressd_probes_total{outcome="silent"}"#, 100.0),
        ("egressd_controls_ok", 1.0),
        ("egressd_config_last_reload_successful", 1.0),
    ] {
        assert_eq!(value(&page, series), Some(expected), "{series}\n{page}");
    }
}

#[test]
fn what_is_not_known_is_not_there() {
    let page = page(&made::fresh());
    for name in ["egressd_range_verdict", "egressd_endpoint_up", "egressd_controls_ok", "egressd_diagnosis"] {
        assert!(!page.contains(&format!("\n{name}")), "{name}\n{page}");
    }
    assert!(page.contains("egressd_build_info"));
}

#[test]
fn every_descriptor_is_used_and_nothing_else() {
    let (worst, open) = (whole(&made::worst()), whole(&made::open()));
    let typed: BTreeSet<&str> = [&worst, &open]
        .into_iter()
        .flat_map(|page| page.lines())
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|name| name.starts_with("egressd_"))
        .collect();
    let known: BTreeSet<&str> = descriptor::ALL.iter().map(|descriptor| descriptor.name).collect();
    let missing: Vec<_> = known.difference(&typed).collect();
    assert!(typed.is_subset(&known), "{typed:?}");
    let silent = [&"egressd_http_requests_total", &"egressd_media_send_success"];
    assert_eq!(missing, silent, "without a request and without a target");
}

#[test]
fn the_kernel_is_asked_once_a_second() {
    let (live, start) = (Live::new(), Instant::now());
    let at = |after: u64| {
        let mut page = String::new();
        live.append(&mut page, start + Duration::from_millis(after));
        page
    };
    let first = at(0);
    live.answered("/", 200);
    assert_eq!(at(999), first);
    assert!(at(1000).contains(r#"egressd_http_requests_total{code="200",route="/"} 1"#));
}
