//! `egressd demo`: the same job in a network inside this process, from which no packet leaves the machine.

use std::fmt::Write as _;
use std::io::Write;

use clap::Args;
use rustls::pki_types::CertificateDer;

use super::check::CheckArgs;
use super::progress::Bar;
use super::{CliError, baseline, output};
use crate::config::Config;
use crate::endpoint::{Direction, Endpoint, EndpointUrl, Resolver};
use crate::exit::ExitStatus;
use crate::job::{self, Job};
use crate::lab::{self, Lab, LabConfig, Names};
use crate::net::interrupt::Interrupt;
use crate::net::tls::{TrustError, parse_roots};
use crate::plan::{KnownAddresses, ProbePlan, Settings};
use crate::prefix::{Family, Prefix, PrefixSet};
use crate::ranges::{FeedSnapshot, Role};
use crate::scan::Pace;
use crate::scenario::Scenario;

/// The flags of `demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// What the firewall of the network does
    #[arg(long, value_name = "NAME", default_value = "stale-allowlist")]
    pub scenario: String,
    /// List the scenarios
    #[arg(long)]
    pub list_scenarios: bool,
    /// As for `check`.
    #[command(flatten)]
    pub check: CheckArgs,
}

/// Runs it.
pub(super) fn run(args: &DemoArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    if args.list_scenarios {
        output::write(None, out, listing().as_bytes())?;
        return Ok(ExitStatus::Reachable);
    }
    let scenario = Scenario::named(&args.scenario)?;
    let config = args.check.config()?;
    let feeds = args.check.feeds(&config, None)?;
    let older = Older::of(&args.scenario, &scenario, &feeds.newest);
    let interrupt = Interrupt::listen().map_err(CliError::Wait)?;
    lab::enter_user_namespace()?;
    let prefixes: Vec<Prefix> = feeds.newest.ranges.iter().map(|range| range.prefix).collect();
    let settings = args.check.settings(&config);
    let endpoints = args.endpoints(&config)?;
    let network = LabConfig {
        names: names(&endpoints, &feeds.newest),
        ..LabConfig::of(&scenario, &prefixes, &older.addresses, settings.seed)
    };
    let mut lab = Lab::start(&LabConfig { rules: Vec::new(), ..network.clone() })?;
    let mut baseline = args.check.known()?;
    if scenario.baseline {
        // The day before: nothing is blocked yet, and what answers is written down.
        let unpaced = Settings { pace: Pace::UNLIMITED, ..settings.clone() };
        let plan = ProbePlan::new(&unpaced, &feeds.newest, &KnownAddresses::default());
        baseline = Some(lab.client().run(|| baseline::record(&plan, &interrupt))??);
    }
    lab.replace_rules(&network.rules)?;
    let held: Vec<FeedSnapshot> = feeds.older.iter().cloned().chain(older.snapshot).collect();
    let roots = [job::roots(&config)?, roots(&lab)?].concat();
    let job = Job {
        site: format!("demo {}", args.scenario),
        settings,
        feed: &feeds.newest,
        held: &held,
        only: None,
        baseline,
        // The lab's edge takes any IPv6 address for its own, so that those of a name say nothing.
        ipv6_servers: Vec::new(),
        store: None,
        trust: job::trust(&config, &roots)?,
        roots: &roots,
        endpoints: &endpoints,
        resolvers: &[Resolver::Udp(lab::resolver())],
        system_resolvers: false,
        endpoints_only: args.check.endpoints_only,
        allowed_by_rules: args.check.allowed_by_rules()?,
    };
    let report = lab.client().run(|| {
        let bar = Bar::new();
        let report = job.run(&interrupt, &mut |progress| bar.tell(progress));
        bar.clear();
        report
    })??;
    args.check.deliver(&report, out)
}

/// Where the lab's platform takes files.
const UPLOAD: &str = "https://upload.example.com/upload/photo.jpg";

impl DemoArgs {
    /// The endpoints: those of a configuration, or one in each direction that the lab has.
    fn endpoints(&self, config: &Config) -> Result<Vec<Endpoint>, CliError> {
        let asked = self.check.endpoints(config)?;
        if asked != Endpoint::defaults() {
            return Ok(asked.to_vec());
        }
        let receive = asked[0].clone();
        let send = Endpoint {
            name: "upload".to_owned(),
            direction: Direction::Send,
            url: EndpointUrl::parse(UPLOAD).expect("a sound URL"),
            body_bytes: Some(1 << 20),
            ..receive.clone()
        };
        Ok(vec![send, receive])
    }
}

/// Each endpoint's name with addresses all over the ranges that viewers are sent to.
fn names(endpoints: &[Endpoint], feed: &FeedSnapshot) -> Names {
    const ADDRESSES: usize = 4;
    let viewers: Vec<Prefix> = feed
        .ranges
        .iter()
        .filter(|range| range.role == Role::Viewer && range.prefix.family() == Family::V4)
        .map(|range| range.prefix)
        .collect();
    let spread = |turn: usize| {
        let step = (viewers.len() / ADDRESSES).max(1);
        viewers.iter().skip(turn % step).step_by(step).take(ADDRESSES).map(|prefix| prefix.nth(10)).collect()
    };
    let hosts = endpoints.iter().map(|endpoint| endpoint.url.host().to_owned());
    hosts.enumerate().map(|(turn, host)| (host, spread(turn * 7))).collect()
}

/// The older list that the firewall's rules were made from.
struct Older {
    addresses: PrefixSet,
    /// As a snapshot to recognise it by, unless it is the documented list, which is at hand anyway.
    snapshot: Option<FeedSnapshot>,
}

impl Older {
    fn of(name: &str, scenario: &Scenario, feed: &FeedSnapshot) -> Self {
        let documented = FeedSnapshot::documented();
        if feed.sha256 != documented.sha256 {
            return Self { addresses: documented.addresses(), snapshot: None };
        }
        let snapshot = scenario.older_snapshot(name, &documented);
        let addresses = snapshot.as_ref().unwrap_or(&documented).addresses();
        Self { addresses, snapshot }
    }
}

pub(super) fn roots(lab: &Lab) -> Result<Vec<CertificateDer<'static>>, CliError> {
    let wrong = |reason| TrustError::Roots { path: "of the lab".into(), reason };
    Ok(parse_roots(lab.ca_pem().as_bytes()).map_err(wrong)?)
}

fn listing() -> String {
    let mut text = String::new();
    for name in Scenario::names() {
        let scenario = Scenario::named(name).expect("the embedded scenarios are sound");
        let _ = writeln!(text, "{name:<22} {}", scenario.title);
    }
    text
}
