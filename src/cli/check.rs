//! `egressd check`: which ranges this network blocks, and where.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::progress::Bar;
use super::state;
use super::{CliError, FamilyFilter, ListFilter, output};
use crate::baseline::Baseline;
use crate::config::{Config, DepthName, Profile, read};
use crate::endpoint::Endpoint;
use crate::exit::ExitStatus;
use crate::job::{self, Feeds, Job};
use crate::net::interrupt::Interrupt;
use crate::plan::Settings;
use crate::prefix::PrefixSet;
use crate::report::{Format, Report, Style};
use crate::store::Store;
use crate::store::lists::Lists;

/// The flags of `check`; `demo` takes them too.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Configuration file
    #[arg(long, value_name = "F")]
    pub config: Option<PathBuf>,
    /// A published list; of several the newest is checked, older ones help to recognise old rules
    #[arg(long = "feed", value_name = "F")]
    pub feeds: Vec<PathBuf>,
    /// Which of the two lists
    #[arg(long, value_enum, default_value_t)]
    pub list: ListFilter,
    /// Which address family
    #[arg(long, value_enum, default_value_t)]
    pub family: FamilyFilter,
    /// How deep a connection goes
    #[arg(long, value_enum)]
    pub depth: Option<DepthName>,
    /// Length of the sub-prefixes that are judged one by one: 16 to 24, or `off` for whole ranges
    #[arg(long, value_name = "N|off", value_parser = resolution)]
    pub resolution: Option<u8>,
    /// How fast
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// Connections a second, in place of the profile's: 1 to 2000, or `unlimited` inside the lab
    #[arg(long, value_name = "N|unlimited", value_parser = rate)]
    pub rate: Option<f64>,
    /// Addresses known to answer, from `egressd baseline record`
    #[arg(long, value_name = "F")]
    pub baseline: Option<PathBuf>,
    /// Folder of what is kept between runs, lists and addresses that answer, or `off`
    #[arg(long, value_name = "DIR|off")]
    pub state: Option<PathBuf>,
    /// An audit of the rules on the way, in JSON from `egressd audit`: what it finds allowed must not be blocked
    #[arg(long, value_name = "F")]
    pub audit: Option<PathBuf>,
    /// Check the ranges and nothing else
    #[arg(long, conflicts_with = "endpoints_only")]
    pub ranges_only: bool,
    /// Check the endpoints and nothing else
    #[arg(long)]
    pub endpoints_only: bool,
    /// Where the order of addresses begins; the same seed asks the same addresses
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Show a line for each range, not only what matters
    #[arg(long)]
    pub all: bool,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(args: &CheckArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    args.refuse_unlimited()?;
    let interrupt = Interrupt::listen().map_err(CliError::Wait)?;
    let config = args.config()?;
    let store = args.store(&config);
    let feeds = args.feeds(&config, store.as_ref())?;
    let settings = args.settings(&config);
    let endpoints = args.endpoints(&config)?;
    let roots = job::roots(&config)?;
    let ipv6_servers =
        if args.endpoints_only { Vec::new() } else { job::ipv6_servers(&config, endpoints, &settings, &feeds.newest) };
    let job = Job {
        site: job::site(&config),
        ipv6_servers,
        settings,
        feed: &feeds.newest,
        held: &feeds.older,
        only: None,
        baseline: args.known()?,
        store,
        trust: job::trust(&config, &roots)?,
        roots: &roots,
        endpoints,
        resolvers: &config.dns.resolvers,
        system_resolvers: true,
        endpoints_only: args.endpoints_only,
        allowed_by_rules: args.allowed_by_rules()?,
    };
    let bar = Bar::new();
    let report = job.run(&interrupt, &mut |progress| bar.tell(progress));
    bar.clear();
    let report = report?;
    args.deliver(&report, out)
}

impl CheckArgs {
    pub(super) fn refuse_unlimited(&self) -> Result<(), CliError> {
        let message = "--rate unlimited is for the lab alone: other people's networks are paced";
        if self.rate.is_some_and(f64::is_infinite) { Err(CliError::Usage(message.to_owned())) } else { Ok(()) }
    }

    /// The endpoints to check.
    pub(super) fn endpoints<'a>(&self, config: &'a Config) -> Result<&'a [Endpoint], CliError> {
        let none = "the configuration has no endpoint, and --endpoints-only asks for nothing else".to_owned();
        match (self.ranges_only, self.endpoints_only && config.endpoints.is_empty()) {
            (true, _) => Ok(&[]),
            (_, true) => Err(CliError::Usage(none)),
            _ => Ok(&config.endpoints),
        }
    }

    pub(super) fn known(&self) -> Result<Option<Baseline>, CliError> {
        Ok(self.baseline.as_deref().map(super::baseline::read).transpose()?)
    }

    /// What an audit found allowed.
    pub(super) fn allowed_by_rules(&self) -> Result<Option<PrefixSet>, CliError> {
        Ok(self.audit.as_deref().map(super::audit::allowed).transpose()?)
    }

    pub(super) fn store(&self, config: &Config) -> Option<Store> {
        state::store(self.state.as_deref(), config)
    }

    pub(super) fn config(&self) -> Result<Config, CliError> {
        self.config.as_deref().map_or_else(|| Ok(Config::default()), |file| Ok(read::config(file)?))
    }

    /// The list in force and older ones; without a store those that are named alone.
    pub(super) fn feeds(&self, config: &Config, store: Option<&Store>) -> Result<Feeds, CliError> {
        let Lists { newest, older, .. } = state::lists(&self.feeds, config, store)?;
        Ok(Feeds { newest, older })
    }

    pub(super) fn settings(&self, config: &Config) -> Settings {
        let mut config = config.clone();
        config.scan.depth = self.depth.unwrap_or(config.scan.depth);
        config.scan.resolution = self.resolution.unwrap_or(config.scan.resolution);
        if let Some(profile) = self.profile {
            (config.scan.profile, config.scan.per_second, config.scan.in_flight) = (profile, 0.0, 0);
        }
        let mut settings = config.settings();
        settings.pace.per_second = self.rate.unwrap_or(settings.pace.per_second);
        settings.list = self.list.only();
        settings.family = self.family.only();
        settings.seed = self.seed.unwrap_or_else(job::seed);
        settings
    }

    pub(super) fn deliver(&self, report: &Report, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
        let style = styled(self.output.as_deref(), self.all);
        output::write(self.output.as_deref(), out, report.write(self.format, style).as_bytes())?;
        Ok(report.status())
    }
}

/// What the output takes: colours go to a terminal alone.
pub(super) fn styled(output: Option<&Path>, all: bool) -> Style {
    let asked_not_to = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Style { colour: output.is_none() && io::stdout().is_terminal() && !asked_not_to, all }
}

fn resolution(text: &str) -> Result<u8, String> {
    match text {
        "off" => Ok(0),
        _ => text
            .parse()
            .ok()
            .filter(|length| (16..=24).contains(length))
            .ok_or_else(|| "expected 16 to 24, or `off`".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text {
        "unlimited" => Ok(f64::INFINITY),
        _ => text
            .parse()
            .ok()
            .filter(|rate| (1.0..=2000.0).contains(rate))
            .ok_or_else(|| "expected 1 to 2000, or `unlimited`".to_owned()),
    }
}
