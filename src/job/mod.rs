//! One check from plan to report, on whatever network the calling thread is in.

mod endpoints;
mod error;
pub mod media;

pub use endpoints::EndpointsSeen;
pub use error::JobError;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::{Timestamp, Zoned};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustls::pki_types::CertificateDer;

use crate::baseline::Baseline;
use crate::cli::Asked;
use crate::config::Config;
use crate::endpoint::{Endpoint, Resolver, RunContext};
use crate::net;
use crate::net::connect::error_queue_works;
use crate::net::interrupt::Interrupt;
use crate::net::tls::{Trust, read_roots};
use crate::observe::{Observation, Purpose};
use crate::plan::{KnownAddresses, ProbePlan, Settings};
use crate::prefix::{Family, Prefix, PrefixSet};
use crate::ranges::{FeedSnapshot, Role};
use crate::report::{Report, Run};
use crate::scan::{Evidence, Progress, Scan};
use crate::store::Store;
use crate::text::told;

/// What a check needs.
pub struct Job<'a> {
    /// The name of this site in reports.
    pub site: String,
    /// What is asked, and how politely.
    pub settings: Settings,
    /// The list in force.
    pub feed: &'a FeedSnapshot,
    /// Older lists that are at hand.
    pub held: &'a [FeedSnapshot],
    /// The ranges that alone are asked; none: all of them.
    pub only: Option<BTreeSet<Prefix>>,
    /// Addresses known to answer, from elsewhere or from earlier runs.
    pub baseline: Option<Baseline>,
    /// IPv6 addresses that DNS gives.
    pub ipv6_servers: Vec<IpAddr>,
    /// Where the addresses that answer now are kept; none: nowhere.
    pub store: Option<Store>,
    /// What handshakes with ranges trust.
    pub trust: Trust,
    /// What handshakes trust besides the embedded bundle.
    pub roots: &'a [CertificateDer<'static>],
    /// Endpoints to check; none where the ranges alone are asked for.
    pub endpoints: &'a [Endpoint],
    /// Resolvers besides the system's.
    pub resolvers: &'a [Resolver],
    /// The host's own resolvers are asked as well.
    pub system_resolvers: bool,
    /// The endpoints alone are asked for.
    pub endpoints_only: bool,
    /// What an audit of the rules on the way found allowed.
    pub allowed_by_rules: Option<PrefixSet>,
}

/// The list in force, and older ones that are at hand.
#[derive(Clone, Debug)]
pub struct Feeds {
    /// The newest.
    pub newest: FeedSnapshot,
    /// The others.
    pub older: Vec<FeedSnapshot>,
}

/// What was seen of the ranges.
#[derive(Clone, Debug)]
pub struct RangesSeen {
    /// What was to be probed.
    pub plan: ProbePlan,
    /// What was seen.
    pub evidence: Evidence,
    /// Addresses that were known to answer.
    pub baseline: Option<Baseline>,
    /// What made the evidence poorer than it could be.
    pub limits: Vec<String>,
}

impl Job<'_> {
    /// Asks the ranges, then the endpoints, and judges.
    ///
    /// # Errors
    /// What stopped it; findings are no errors.
    pub fn run(&self, interrupt: &Interrupt, progress: &mut dyn FnMut(Progress)) -> Result<Report, JobError> {
        raise_descriptor_limit();
        let mut errand = self.errand()?;
        let started = Timestamp::now();
        let mut seen = self.see_ranges(interrupt, progress)?;
        let endpoints =
            if seen.evidence.interrupted { None } else { self.check_endpoints(&mut errand, &seen, interrupt)? };
        let EndpointsSeen { runs, context, limits, interrupted, took } = endpoints.unwrap_or_default();
        let context = RunContext { allowed_by_rules: self.allowed_by_rules.clone(), ..context };
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

    /// Asks the ranges, unless the endpoints alone are asked for.
    ///
    /// # Errors
    /// When no range is left to be asked, or the kernel refuses to wait for sockets.
    pub fn see_ranges(
        &self,
        interrupt: &Interrupt,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<RangesSeen, JobError> {
        if self.endpoints_only {
            return Ok(self.no_ranges());
        }
        let (remembered, mut limits) = self.remembered();
        let (baseline, known) = self.known(remembered.as_ref());
        let mut plan = ProbePlan::new(&self.settings, self.feed, &known);
        plan.ranges.retain(|planned| self.only.as_ref().is_none_or(|only| only.contains(&planned.range.prefix)));
        if plan.ranges.is_empty() {
            return Err(JobError::NoRange { feed: self.feed.name.clone() });
        }
        let mut scan = Scan::new(plan.clone());
        let ran = net::scan::run(&mut scan, Some(&self.trust), interrupt, progress).map_err(JobError::Wait)?;
        let evidence = Evidence { starved: ran.starved, ..scan.into_evidence(ran.took) };
        limits.extend(self.keep(remembered, &plan, &evidence));
        Ok(RangesSeen { plan, evidence, baseline, limits })
    }

    /// What is seen of the ranges when none is asked.
    #[must_use]
    pub fn no_ranges(&self) -> RangesSeen {
        let mut plan = ProbePlan::new(&self.settings, self.feed, &KnownAddresses::default());
        plan.ranges.clear();
        RangesSeen { plan, evidence: Evidence::default(), baseline: None, limits: Vec::new() }
    }

    /// Asks the endpoints, and traces those that fail; what is known of the ranges tells where else to ask.
    ///
    /// # Errors
    /// When a header cannot be had, or the kernel refuses to wait for sockets.
    pub fn see_endpoints(&self, ranges: &RangesSeen, interrupt: &Interrupt) -> Result<EndpointsSeen, JobError> {
        Ok(self.check_endpoints(&mut self.errand()?, ranges, interrupt)?.unwrap_or_default())
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

/// The name of this site: as configured, or the host's.
#[must_use]
pub fn site(config: &Config) -> String {
    if !config.site.is_empty() {
        return config.site.clone();
    }
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "unnamed".to_owned())
}

/// The authorities that the configuration adds to the embedded bundle.
pub fn roots(config: &Config) -> Result<Vec<CertificateDer<'static>>, JobError> {
    if config.roots.as_os_str().is_empty() { Ok(Vec::new()) } else { Ok(read_roots(&config.roots)?) }
}

/// What handshakes trust: the embedded bundle, and `roots`.
pub fn trust(config: &Config, roots: &[CertificateDer<'static>]) -> Result<Trust, JobError> {
    Ok(Trust::new(&config.server_name, roots)?)
}

/// The IPv6 addresses of the server that handshakes ask for, and of the endpoints, where the feed has IPv6 ranges to judge
/// by them.
#[must_use]
pub fn ipv6_servers(config: &Config, endpoints: &[Endpoint], settings: &Settings, feed: &FeedSnapshot) -> Vec<IpAddr> {
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
#[must_use]
pub fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs() ^ (u64::from(now.subsec_nanos()) << 32)
}

/// What makes the evidence poorer on this kernel.
#[must_use]
pub fn kernel_limits() -> Option<String> {
    const POORER: &str = "this kernel does not report ICMP errors to sockets: who rejects a connection cannot be named";
    (!error_queue_works()).then(|| POORER.to_owned())
}

/// Each connection under way is a descriptor, and the usual limit is 1,024.
pub fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // If it is refused, the engine slows down when descriptors run out.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(soft.max(4096)), hard);
    }
}
