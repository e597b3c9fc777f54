//! One check from plan to report, on whatever network the calling thread is in.

mod endpoints;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::IsTerminal;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{Timestamp, Zoned};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustls::pki_types::CertificateDer;

use super::{Asked, CliError};
use crate::baseline::Baseline;
use crate::config::Config;
use crate::endpoint::{Endpoint, Resolver};
use crate::net;
use crate::net::connect::error_queue_works;
use crate::net::interrupt::Interrupt;
use crate::net::tls::{Trust, read_roots};
use crate::observe::{Observation, Purpose};
use crate::plan::{KnownAddresses, ProbePlan, Settings};
use crate::prefix::{Family, PrefixSet};
use crate::ranges::{FeedSnapshot, Role};
use crate::report::{Report, Run};
use crate::scan::{Evidence, Progress, Scan};
use crate::store::{Store, StoreError};
use endpoints::Endpoints;

/// What a check needs.
pub(super) struct Job<'a> {
    pub(super) site: String,
    pub(super) settings: Settings,
    pub(super) feed: &'a FeedSnapshot,
    pub(super) held: &'a [FeedSnapshot],
    /// Addresses known to answer, from elsewhere or from earlier runs.
    pub(super) baseline: Option<Baseline>,
    /// IPv6 addresses that DNS gives.
    pub(super) ipv6_servers: Vec<IpAddr>,
    /// Where the addresses that answer now are kept; none: nowhere.
    pub(super) store: Option<Store>,
    pub(super) trust: Trust,
    /// What handshakes trust besides the embedded bundle.
    pub(super) roots: &'a [CertificateDer<'static>],
    /// Endpoints to check; none where the ranges alone are asked for.
    pub(super) endpoints: &'a [Endpoint],
    /// Resolvers besides the system's.
    pub(super) resolvers: &'a [Resolver],
    /// The host's own resolvers are asked as well.
    pub(super) system_resolvers: bool,
    /// The endpoints alone are asked for.
    pub(super) endpoints_only: bool,
}

impl Job<'_> {
    pub(super) fn run(&self, interrupt: &Interrupt) -> Result<Report, CliError> {
        raise_descriptor_limit();
        let mut errand = self.errand()?;
        let started = Timestamp::now();
        let mut seen = self.ranges(interrupt)?;
        let endpoints =
            if seen.evidence.interrupted { None } else { self.check_endpoints(&mut errand, &seen, interrupt)? };
        let Endpoints { runs, context, limits, interrupted, took } = endpoints.unwrap_or_default();
        seen.evidence.interrupted |= interrupted;
        seen.evidence.took += took;
        seen.limits.extend(limits);
        seen.limits.extend(kernel_limits());
        Ok(Report::new(&Run {
            site: &self.site,
            started,
            plan: &seen.plan,
            evidence: &seen.evidence,
            feed: self.feed,
            held: self.held,
            baseline: seen.baseline.as_ref(),
            endpoints: &runs,
            context: &context,
            media: &[],
            limits: seen.limits,
        }))
    }

    /// Probes the ranges, unless the endpoints alone are asked for.
    fn ranges(&self, interrupt: &Interrupt) -> Result<Ranges, CliError> {
        if self.endpoints_only {
            let mut plan = ProbePlan::new(&self.settings, self.feed, &KnownAddresses::default());
            plan.ranges.clear();
            return Ok(Ranges { plan, evidence: Evidence::default(), baseline: None, limits: Vec::new() });
        }
        let (remembered, mut limits) = self.remembered();
        let (baseline, known) = self.known(remembered.as_ref());
        let plan = ProbePlan::new(&self.settings, self.feed, &known);
        if plan.ranges.is_empty() {
            return Err(CliError::Usage(format!("no range of {} is of the list and family asked for", self.feed.name)));
        }
        let bar = Bar::new();
        let mut scan = Scan::new(plan.clone());
        let took = net::scan::run(&mut scan, Some(&self.trust), interrupt, &mut |progress| bar.tell(progress));
        bar.clear();
        let evidence = scan.into_evidence(took.map_err(CliError::Wait)?);
        limits.extend(self.keep(remembered, &plan, &evidence));
        Ok(Ranges { plan, evidence, baseline, limits })
    }

    /// What answered in earlier runs from here.
    fn remembered(&self) -> (Option<Baseline>, Vec<String>) {
        match self.store.as_ref().map_or(Ok(None), Store::answered) {
            Ok(stored) => (stored, Vec::new()),
            Err(error) => (None, vec![told(&error)]),
        }
    }

    /// What is known to answer: the baseline that was given, beside what earlier runs from here have seen, and what DNS
    /// gives for the name that handshakes ask for, where IPv6 is asked about and cannot be searched.
    fn known(&self, remembered: Option<&Baseline>) -> (Option<Baseline>, KnownAddresses) {
        let mut baseline = self.baseline.clone();
        if let Some(remembered) = remembered {
            baseline.get_or_insert_default().merge(remembered.within(&self.viewers()));
        }
        let known = baseline.iter().flat_map(Baseline::addresses).chain(self.ipv6_servers.iter().copied());
        let known = KnownAddresses::new(self.feed, known);
        (baseline, if self.baseline.is_some() { known } else { known.after_a_fresh_one() })
    }

    /// Where silence is expected, a memory of answers would only make noise: what is given as a baseline counts there too.
    fn viewers(&self) -> PrefixSet {
        self.feed.ranges.iter().filter(|range| range.role == Role::Viewer).map(|range| range.prefix).collect()
    }

    /// Keeps what answered, unless somebody answers for everybody: such an answer says nothing.
    fn keep(&self, before: Option<Baseline>, plan: &ProbePlan, evidence: &Evidence) -> Option<String> {
        let store = self.store.as_ref()?;
        let forged = |o: &Observation| o.purpose == Purpose::NegativeControl && o.outcome.is_ok();
        if evidence.observations.iter().any(forged) {
            return None;
        }
        let mut answered = before.unwrap_or_default();
        answered.merge(Baseline::of(plan, &evidence.observations, Zoned::now().date()));
        store.keep_answered(&answered).err().map(|error| told(&error))
    }
}

/// What was seen of the ranges.
pub(super) struct Ranges {
    pub(super) plan: ProbePlan,
    pub(super) evidence: Evidence,
    baseline: Option<Baseline>,
    limits: Vec<String>,
}

/// The name of this site: as configured, or the host's.
pub(super) fn site(config: &Config) -> String {
    if !config.site.is_empty() {
        return config.site.clone();
    }
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "unnamed".to_owned())
}

/// The authorities that the configuration adds to the embedded bundle.
pub(super) fn roots(config: &Config) -> Result<Vec<CertificateDer<'static>>, CliError> {
    if config.roots.as_os_str().is_empty() { Ok(Vec::new()) } else { Ok(read_roots(&config.roots)?) }
}

/// What handshakes trust: the embedded bundle, and `roots`.
pub(super) fn trust(config: &Config, roots: &[CertificateDer<'static>]) -> Result<Trust, CliError> {
    Ok(Trust::new(&config.server_name, roots)?)
}

/// The IPv6 addresses of the server that handshakes ask for, and of the endpoints, where the feed has IPv6 ranges to judge
/// by them.
pub(super) fn ipv6_servers(
    config: &Config,
    endpoints: &[Endpoint],
    settings: &Settings,
    feed: &FeedSnapshot,
) -> Vec<IpAddr> {
    // A check waits no longer for what it can do without.
    const LIMIT: Duration = Duration::from_millis(1500);
    if settings.family == Some(Family::V4) || !feed.ranges.iter().any(|range| range.prefix.family() == Family::V6) {
        return Vec::new();
    }
    let began = Instant::now();
    let hosts: BTreeSet<&str> =
        endpoints.iter().map(|endpoint| endpoint.url.host()).chain([config.server_name.as_str()]).collect();
    let mut servers: Vec<IpAddr> = Vec::new();
    for host in hosts.into_iter().filter_map(|host| host.parse::<Asked>().ok()) {
        let left = LIMIT.saturating_sub(began.elapsed());
        servers.extend(host.addresses_within(left).unwrap_or_default().into_iter().filter(IpAddr::is_ipv6));
    }
    servers
}

/// A different order of addresses for each run.
pub(super) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs() ^ (u64::from(now.subsec_nanos()) << 32)
}

/// What makes the evidence poorer on this kernel.
fn kernel_limits() -> Option<String> {
    const POORER: &str = "this kernel does not report ICMP errors to sockets: who rejects a connection cannot be named";
    (!error_queue_works()).then(|| POORER.to_owned())
}

/// An error that does not stop a run, with its cause.
fn told(error: &StoreError) -> String {
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    format!("{error}{cause}")
}

/// Each connection under way is a descriptor, and the usual limit is 1,024.
fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // If it is refused, the engine slows down when descriptors run out.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(soft.max(4096)), hard);
    }
}

/// A progress bar on standard error, if that is a terminal.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("  {bar:40} {pos} of {len} parts settled, {msg}");
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0));
        Self(bar.map(|bar| bar.with_style(style.expect("the template is sound"))))
    }

    pub(super) fn tell(&self, progress: Progress) {
        if let Some(bar) = &self.0 {
            bar.set_length(progress.cells as u64);
            bar.set_position(progress.settled as u64);
            bar.set_message(format!("{} connections", progress.sent));
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
