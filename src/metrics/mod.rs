//! Metrics: descriptors, values, and the only place that knows the exposition format.
//!
//! All that describes the site is written into text once, when a result comes in: a scrape copies that text and adds the
//! few numbers that live ([`Live`]).

pub mod descriptor;
mod live;
#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;

pub use live::{Delivery, Live, Refused};

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use prometheus::{CounterVec, GaugeVec, Opts, Registry, TextEncoder};

use crate::config::Config;
use crate::daemon::{Check, Pause, ProbeTotals, Snapshot};
use crate::diagnose::Diagnosis;
use crate::endpoint::Variant;
use crate::media::send::{Purpose, SendRun};
use crate::observe::Operation;
use crate::prefix::Family;
use crate::ranges::{FeedSnapshot, List};
use crate::report::{EndpointReport, RangeReport};
use crate::verdict::{Mechanism, Subject, Verdict};
use descriptor::Descriptor;

/// Blocked ranges that have a series of their own. The current list has 243; with every other family at its largest the page
/// stays below 1,000 series. Viewers' ranges come first.
pub const MOST_BLOCKED: usize = 300;

/// The exposition of a snapshot, without the [`Live`] values.
#[must_use]
pub fn page(snapshot: &Snapshot) -> String {
    let page = Page { registry: Registry::new() };
    page.set(descriptor::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1.0);
    page.feed(&snapshot.feeds.feeds.newest);
    page.schedule(snapshot);
    page.probes(snapshot.probes);
    page.state(snapshot);
    if let Some(current) = &snapshot.report {
        page.ranges(current.report.ranges());
        page.endpoints(current.report.endpoints());
        page.diagnoses(current.report.diagnoses());
    }
    encoded(&page.registry)
}

/// A page under construction.
struct Page {
    registry: Registry,
}

impl Page {
    fn feed(&self, feed: &FeedSnapshot) {
        let serial = feed.serial.as_deref().unwrap_or("none");
        self.set(descriptor::FEED_INFO, &[feed.source.name(), serial], 1.0);
        if let Some(published) = feed.date.and_then(midnight) {
            self.set(descriptor::FEED_TIMESTAMP, &[], seconds(published));
        }
        let prefixes = self.gauges(descriptor::FEED_PREFIXES);
        for (list, family) in lists() {
            let listed = feed.ranges.iter().filter(|range| range.list == list && range.prefix.family() == family);
            prefixes.with_label_values(&[list.name(), number(family)]).set(listed.count() as f64);
        }
    }

    fn schedule(&self, snapshot: &Snapshot) {
        let (success, took) = (self.gauges(descriptor::CHECK_LAST_SUCCESS), self.gauges(descriptor::CHECK_DURATION));
        let (failed, late) = (self.counters(descriptor::CHECKS_FAILED), self.counters(descriptor::CHECKS_LATE));
        for (check, past) in &snapshot.checks {
            let name = &[check.name()];
            if let Some(at) = past.last_success {
                success.with_label_values(name).set(seconds(at));
            }
            if let Some(duration) = past.took {
                took.with_label_values(name).set(duration.as_secs_f64());
            }
            failed.with_label_values(name).inc_by(past.failed as f64);
            late.with_label_values(name).inc_by(past.late as f64);
        }
        let (next, interval) = (self.gauges(descriptor::CHECK_NEXT), self.gauges(descriptor::CHECK_INTERVAL));
        for (check, due) in &snapshot.next {
            next.with_label_values(&[check.name()]).set(seconds(*due));
        }
        for check in snapshot.checks.keys().chain(snapshot.next.keys()) {
            if let Some(every) = every(&snapshot.config, *check) {
                interval.with_label_values(&[check.name()]).set(every as f64);
            }
        }
    }

    fn probes(&self, totals: ProbeTotals) {
        let probes = self.counters(descriptor::PROBES);
        let ProbeTotals { answered, rejected, silent, local } = totals;
        for (outcome, count) in
            [("answered", answered), ("rejected", rejected), ("silent", silent), ("not_sent", local)]
        {
            probes.with_label_values(&[outcome]).inc_by(count as f64);
        }
    }

    fn state(&self, snapshot: &Snapshot) {
        self.set(descriptor::RELOAD_SUCCESSFUL, &[], truth(snapshot.reload_error.is_none()));
        self.set(descriptor::MAINTENANCE, &[], truth(snapshot.maintenance));
        self.set(descriptor::STATE_WRITABLE, &[], truth(snapshot.trouble.is_none()));
        if let Some(ok) = snapshot.controls_ok {
            self.set(descriptor::CONTROLS_OK, &[], truth(ok));
        }
        let paused = self.gauges(descriptor::PAUSED);
        for pause in Pause::ALL {
            paused.with_label_values(&[pause.name()]).set(truth(snapshot.paused == Some(pause)));
        }
        let flapping = self.gauges(descriptor::FLAPPING);
        let ranges = snapshot.flapping.iter().filter(|subject| matches!(subject, Subject::Range(_))).count();
        flapping.with_label_values(&["range"]).set(ranges as f64);
        flapping.with_label_values(&["endpoint"]).set((snapshot.flapping.len() - ranges) as f64);
        self.media(&snapshot.media);
        let missing = self.gauges(descriptor::ALLOWLIST_MISSING);
        for audit in &snapshot.audits {
            if let Some(count) = audit.missing {
                missing.with_label_values(&[&audit.name]).set(count as f64);
            }
        }
    }

    fn ranges(&self, ranges: &[RangeReport]) {
        if ranges.is_empty() {
            return;
        }
        let verdicts = self.gauges(descriptor::RANGE_VERDICT);
        for (list, family) in lists() {
            for verdict in Verdict::ALL {
                let of = |range: &&RangeReport| {
                    range.list == list && range.prefix.family() == family && range.verdict == verdict
                };
                let count = ranges.iter().filter(of).count() as f64;
                verdicts.with_label_values(&[list.name(), number(family), verdict.name()]).set(count);
            }
        }
        self.blocked(ranges);
    }

    fn blocked(&self, ranges: &[RangeReport]) {
        let mut accused: Vec<&RangeReport> = ranges.iter().filter(|range| range.verdict.accuses()).collect();
        accused.sort_by_key(|range| (range.role, range.prefix));
        let blocked = self.gauges(descriptor::RANGE_BLOCKED);
        for range in accused.iter().take(MOST_BLOCKED) {
            blocked.with_label_values(&[&range.prefix.to_string(), range.list.name(), how(range.mechanism)]).set(1.0);
        }
        self.set(descriptor::RANGE_BLOCKED_OMITTED, &[], accused.len().saturating_sub(MOST_BLOCKED) as f64);
    }

    fn endpoints(&self, endpoints: &[EndpointReport]) {
        let (up, failure) = (self.gauges(descriptor::ENDPOINT_UP), self.gauges(descriptor::ENDPOINT_FAILURE));
        for endpoint in endpoints {
            let EndpointReport { name, direction, path, verdict, layer, mechanism, .. } = endpoint;
            if *verdict == Verdict::Open || verdict.accuses() {
                up.with_label_values(&[name, direction.name(), path]).set(truth(!verdict.accuses()));
            }
            if let (true, Some(layer)) = (verdict.accuses(), layer) {
                failure.with_label_values(&[name, layer.name(), how(*mechanism)]).set(1.0);
            }
        }
        self.phases(endpoints);
    }

    fn phases(&self, endpoints: &[EndpointReport]) {
        let phases = self.gauges(descriptor::ENDPOINT_PHASE);
        // Where there is a proxy, programs go through it.
        let paths: BTreeMap<&str, &EndpointReport> = endpoints.iter().fold(BTreeMap::new(), |mut paths, endpoint| {
            let known = paths.entry(endpoint.name.as_str()).or_insert(endpoint);
            if endpoint.path == "proxy" {
                *known = endpoint;
            }
            paths
        });
        for (name, endpoint) in paths {
            for phase in PHASES {
                if let Some(median) = median(endpoint, phase) {
                    phases.with_label_values(&[name, phase.name()]).set(median);
                }
            }
        }
    }

    /// Over two ways, both have to pass.
    fn media(&self, runs: &[SendRun]) {
        let mut passed: BTreeMap<(&str, &str), bool> = BTreeMap::new();
        for (run, trial) in runs.iter().flat_map(|run| run.of(Purpose::Kind).map(move |trial| (run, trial))) {
            let all = passed.entry((run.target.name.as_str(), trial.shape.declared.name())).or_insert(true);
            *all &= trial.passed();
        }
        let sent = self.gauges(descriptor::MEDIA_SEND);
        for ((endpoint, kind), passed) in passed {
            sent.with_label_values(&[endpoint, kind]).set(truth(passed));
        }
    }

    fn diagnoses(&self, found: &[Diagnosis]) {
        let diagnoses = self.gauges(descriptor::DIAGNOSIS);
        for diagnosis in found {
            diagnoses.with_label_values(&[diagnosis.id.name(), diagnosis.severity.name()]).set(1.0);
        }
    }

    fn set(&self, descriptor: Descriptor, labels: &[&str], value: f64) {
        self.gauges(descriptor).with_label_values(labels).set(value);
    }

    fn gauges(&self, descriptor: Descriptor) -> GaugeVec {
        let gauges = GaugeVec::new(Opts::new(descriptor.name, descriptor.help), descriptor.labels);
        let gauges = gauges.expect("a sound descriptor");
        self.registry.register(Box::new(gauges.clone())).expect("a name is used once");
        gauges
    }

    fn counters(&self, descriptor: Descriptor) -> CounterVec {
        let counters = CounterVec::new(Opts::new(descriptor.name, descriptor.help), descriptor.labels);
        let counters = counters.expect("a sound descriptor");
        self.registry.register(Box::new(counters.clone())).expect("a name is used once");
        counters
    }
}

/// The longest time between two checks of a kind, in seconds, where it is configured.
fn every(config: &Config, check: Check) -> Option<u64> {
    match check {
        Check::Ranges => Some(config.daemon.ranges_seconds),
        Check::Pulse | Check::Endpoints => Some(config.daemon.endpoints_seconds),
        Check::Media => Some(config.daemon.media_seconds),
        Check::Feed => Some(u64::from(config.feed.interval_seconds)),
        Check::Prune => None,
    }
}

/// What a client waits for, one after the other.
const PHASES: [Operation; 5] =
    [Operation::Resolve, Operation::Connect, Operation::TlsHandshake, Operation::HttpRoundTrip, Operation::Transfer];

/// The median time of what a client does and what succeeded.
fn median(endpoint: &EndpointReport, phase: Operation) -> Option<f64> {
    let plain = endpoint.observations.iter().filter(|o| o.variant == Variant::Plain && o.operation == phase);
    let mut times: Vec<f64> = plain.filter(|o| o.failure.is_none()).map(|o| o.seconds).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

fn lists() -> impl Iterator<Item = (List, Family)> {
    [List::Global, List::RegionalEdge].into_iter().flat_map(|list| [(list, Family::V4), (list, Family::V6)])
}

fn number(family: Family) -> &'static str {
    match family {
        Family::V4 => "4",
        Family::V6 => "6",
    }
}

fn how(mechanism: Option<Mechanism>) -> &'static str {
    mechanism.map_or("none", Mechanism::name)
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

/// Feeds give a day; it counts from its beginning in UTC.
fn midnight(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn encoded(registry: &Registry) -> String {
    TextEncoder::new().encode_to_string(&registry.gather()).expect("a String takes everything, and names are sound")
}
