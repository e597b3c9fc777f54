//! Snapshots for tests: a site of which much is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::daemon::{Audited, Check, Current, FeedsInForce, Past, ProbeTotals, Snapshot};
use crate::endpoint::{ConnectDetail, Detail, Direction, Endpoint, EndpointRun, Path, RunContext, Step, Variant};
use crate::job::Feeds;
use crate::observe::{Failure, Operation};
use crate::plan::{KnownAddresses, ProbePlan, Settings};
use crate::ranges::{FeedSnapshot, List, Range, made};
use crate::report::{Format, Judged, Report, Run, Style};
use crate::scan::Evidence;
use crate::verdict::{Confidence, EndpointVerdict, Layer, Mechanism, RangeVerdict, Reason, Verdict};

/// When the tests are.
pub(crate) const NOW: &str = "2026-11-03T12:00:00Z";

/// Before the first result.
pub(crate) fn fresh() -> Snapshot {
    Snapshot {
        started: NOW.parse().unwrap(),
        config: Arc::new(Config::default()),
        reload_error: None,
        feeds: Arc::new(FeedsInForce {
            feeds: Feeds { newest: FeedSnapshot::documented(), older: Vec::new() },
            withdrawn: Vec::new(),
        }),
        report: None,
        checks: BTreeMap::new(),
        probes: ProbeTotals::default(),
        controls_ok: None,
        paused: None,
        next: BTreeMap::from([(Check::Endpoints, NOW.parse().unwrap())]),
        flapping: BTreeSet::new(),
        maintenance: false,
        audits: Vec::new(),
        media: Arc::default(),
        trouble: None,
    }
}

/// All is well, on the documented list.
pub(crate) fn open() -> Snapshot {
    judged(FeedSnapshot::documented(), 2, false)
}

/// A list as long as the one of August 2026, every range of it blocked, and as many endpoints as a configuration takes failing over
/// both paths.
pub(crate) fn worst() -> Snapshot {
    let mut worst = judged(current(), 64, true);
    worst.audits = (0..8).map(|number| Audited { name: format!("device-{number}"), missing: Some(7) }).collect();
    worst
}

/// 118 global and 93 regional IPv4 prefixes, and 32 of IPv6.
pub(crate) fn current() -> FeedSnapshot {
    let global = (0..118).map(|index| made::entry(&format!("13.{index}.0.0/16"), "GLOBAL", "CLOUDFRONT"));
    let regional = (0..93).map(|index| made::entry(&format!("3.10.{index}.0/26"), "eu-west-2", "CLOUDFRONT"));
    let v6: Vec<String> =
        (0..32).map(|index| made::entry_v6(&format!("2600:9000:{index:x}00::/40"), "GLOBAL", "CLOUDFRONT")).collect();
    let feed = made::ip_ranges(&global.chain(regional).collect::<Vec<_>>(), &v6);
    FeedSnapshot::parse("made", feed.as_bytes()).unwrap()
}

fn judged(feed: FeedSnapshot, endpoints: usize, blocked: bool) -> Snapshot {
    let plan = ProbePlan::new(&Settings::default(), &feed, &KnownAddresses::default());
    let runs: Vec<EndpointRun> = (0..endpoints).flat_map(|number| both_paths(number, blocked)).collect();
    let ranges = plan.ranges.iter().map(|planned| range(&planned.range, blocked)).collect();
    let verdicts = Judged { ranges, endpoints: runs.iter().map(|_| endpoint(blocked)).collect() };
    let run = Run {
        site: "hq <b>&",
        started: NOW.parse().unwrap(),
        plan: &plan,
        evidence: &Evidence::default(),
        feed: &feed,
        held: &[],
        baseline: None,
        endpoints: &runs,
        context: &RunContext { v4: Some(true), v6: Some(true), ..RunContext::default() },
        media: &[],
        limits: vec!["made".to_owned()],
    };
    let report = Report::judged(&run, &verdicts);
    let finished: Timestamp = NOW.parse().unwrap();
    let json = report.write(Format::Json, Style::default());
    let past = Past {
        last_success: Some(finished),
        took: Some(Duration::from_millis(1500)),
        succeeded: 7,
        failed: 1,
        late: 2,
    };
    Snapshot {
        feeds: Arc::new(FeedsInForce { feeds: Feeds { newest: feed, older: Vec::new() }, withdrawn: Vec::new() }),
        report: Some(Arc::new(Current { report, json, finished })),
        checks: Check::ALL.into_iter().map(|check| (check, past)).collect(),
        next: Check::ALL.into_iter().map(|check| (check, finished)).collect(),
        probes: ProbeTotals { answered: 900, rejected: 12, silent: 100, local: 1 },
        controls_ok: Some(true),
        ..fresh()
    }
}

fn range(range: &Range, blocked: bool) -> RangeVerdict {
    let silent = range.list == List::RegionalEdge && !blocked;
    let (verdict, reason) = match (blocked, silent) {
        (true, _) => (Verdict::Blocked, Reason::Rejected),
        (_, true) => (Verdict::ExpectedSilent, Reason::Answered),
        _ => (Verdict::Open, Reason::Authenticated),
    };
    RangeVerdict {
        range: range.clone(),
        verdict,
        mechanism: blocked.then_some(Mechanism::RejectedIcmp),
        blocked: if blocked { vec![range.prefix] } else { Vec::new() },
        undetermined: Vec::new(),
        offender: None,
        confidence: Confidence { alpha: 1e-4, nats: 9.6 },
        reason,
        probes: 9,
        answered: if blocked { 0 } else { 9 },
        authenticated: u32::from(!blocked),
        rtt: None,
    }
}

fn both_paths(number: usize, failing: bool) -> Vec<EndpointRun> {
    let mut endpoint = Endpoint::defaults().remove(number % 2);
    endpoint.name = format!("endpoint-{number}");
    endpoint.direction = if number.is_multiple_of(2) { Direction::Receive } else { Direction::Send };
    let run = |path| EndpointRun { endpoint: endpoint.clone(), path, steps: steps(failing), offender: None };
    vec![run(Path::Direct), run(Path::Proxy("proxy.example:3128".to_owned()))]
}

/// All that a client does, and in a failing one the end of it.
fn steps(failing: bool) -> Vec<Step> {
    let operations = [
        Operation::Resolve,
        Operation::Connect,
        Operation::TlsHandshake,
        Operation::HttpRoundTrip,
        Operation::Transfer,
    ];
    let step = |(index, operation): (u64, Operation)| Step {
        operation,
        variant: Variant::Plain,
        address: Some("13.32.0.1:443".parse().unwrap()),
        started: Duration::from_millis(10 * index),
        took: Duration::from_millis(8 + index),
        detail: Detail::Connect(ConnectDetail::default()),
        failure: None,
    };
    let mut steps: Vec<Step> = (0..).zip(operations).map(step).collect();
    if failing {
        let last = Step { failure: Some(Failure::NoAnswer), ..step((5, Operation::Transfer)) };
        steps.push(last);
    }
    steps
}

fn endpoint(failing: bool) -> EndpointVerdict {
    EndpointVerdict {
        verdict: if failing { Verdict::Blocked } else { Verdict::Open },
        layer: failing.then_some(Layer::Transfer),
        mechanism: failing.then_some(Mechanism::ProxyLimit),
        failure: None,
        name_blocked: false,
        reason: "made \"quoted\" \\ <i>".to_owned(),
    }
}
