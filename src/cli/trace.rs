//! `egressd trace`: which hop on the way to an address drops or rejects.

use std::fmt::Write as _;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;

use super::ranges::RangesFormat;
use super::{Asked, CliError, output};
use crate::diagnose::how;
use crate::exit::ExitStatus;
use crate::net;
use crate::net::interrupt::Interrupt;
use crate::observe::{Failure, Observation};
use crate::ranges::{FeedSnapshot, Role};
use crate::scan::{Path, PathEnd, Walks, paths};
use crate::verdict::{Mechanism, Offender, offender_on_path};

/// The flags of `trace`.
#[derive(Args, Clone, Debug)]
pub struct TraceArgs {
    /// Addresses or host names, with port 443 unless they say otherwise
    #[arg(value_name = "ADDRESS[:PORT]", required = true)]
    pub targets: Vec<Target>,
    /// Addresses that are reachable, to show how long a path is; without it, some of the documented ranges
    #[arg(long = "control", value_name = "ADDRESS[:PORT]")]
    pub controls: Vec<Target>,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    pub format: RangesFormat,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// An address or a host, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    asked: Asked,
    port: u16,
}

impl FromStr for Target {
    type Err = super::AskedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Port 0 cannot be connected to: such a text is read as a name, and is none.
        if let Some(address) = text.parse::<SocketAddr>().ok().filter(|address| address.port() != 0) {
            return Ok(Self { asked: Asked::Address(address.ip()), port: address.port() });
        }
        let with_port = text.rsplit_once(':').filter(|(host, _)| !host.contains(':'));
        match with_port.and_then(|(host, port)| Some((host, port.parse::<NonZeroU16>().ok()?))) {
            Some((host, port)) => Ok(Self { asked: host.parse()?, port: port.get() }),
            None => Ok(Self { asked: text.parse()?, port: 443 }),
        }
    }
}

impl Target {
    fn addresses(&self) -> Result<Vec<SocketAddr>, CliError> {
        let addresses = self.asked.addresses()?;
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, self.port)).collect())
    }
}

/// Runs it.
pub(super) fn run(args: &TraceArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let interrupt = Interrupt::listen().map_err(CliError::Wait)?;
    let targets = all(&args.targets)?;
    let given = all(&args.controls)?;
    let controls = if given.is_empty() { some_of_the_documented(&targets) } else { given };
    let mut walks = Walks::new(&controls, &targets, crate::job::seed());
    net::scan::run(&mut walks, None, &interrupt, &mut |_| {}).map_err(CliError::Wait)?;
    let traced = traced(&walks.into_observations(), &targets, &controls);
    let written = match args.format {
        RangesFormat::Text => text(&traced),
        RangesFormat::Json => {
            serde_json::to_string_pretty(&traced).expect("a trace has no map with keys other than text") + "\n"
        }
    };
    output::write(args.output.as_deref(), out, written.as_bytes())?;
    Ok(status(&traced.targets))
}

/// Somebody rejects, or it cannot be said, or all answer.
fn status(targets: &[Walked]) -> ExitStatus {
    let any = |verdict: &str| targets.iter().any(|walk| walk.verdict == verdict);
    match () {
        () if any("blocked") || any("silent") => ExitStatus::NotReachable,
        () if any("no_route") => ExitStatus::Inconclusive,
        () => ExitStatus::Reachable,
    }
}

fn all(targets: &[Target]) -> Result<Vec<SocketAddr>, CliError> {
    let mut addresses = Vec::new();
    for target in targets {
        addresses.extend(target.addresses()?);
    }
    Ok(addresses)
}

/// Addresses of several viewers' ranges: most networks let some of them pass.
fn some_of_the_documented(targets: &[SocketAddr]) -> Vec<SocketAddr> {
    let documented = FeedSnapshot::documented();
    let viewers = documented.ranges.iter().filter(|range| range.role == Role::Viewer);
    let apart = viewers.filter(|range| !targets.iter().any(|target| range.prefix.holds(target.ip())));
    apart.step_by(8).map(|range| SocketAddr::new(range.prefix.nth(1), 443)).collect()
}

/// Schema `egressd.trace/1`.
#[derive(Debug, Serialize)]
struct Traced {
    schema: &'static str,
    targets: Vec<Walked>,
    controls: Vec<Walked>,
}

#[derive(Debug, Serialize)]
struct Walked {
    target: SocketAddr,
    verdict: &'static str,
    mechanism: Option<Mechanism>,
    offender: Option<Offender>,
    hops: Vec<Hop>,
    tried: u8,
}

/// A hop that answered, or did not.
#[derive(Debug, Serialize)]
struct Hop {
    #[serde(rename = "hop")]
    distance: u8,
    address: Option<IpAddr>,
    seconds: Option<f64>,
    answer: Option<String>,
}

fn traced(observations: &[Observation], targets: &[SocketAddr], controls: &[SocketAddr]) -> Traced {
    let (paths, unseen) = (paths(observations), Path::default());
    let walked = |target: &SocketAddr| walked(*target, paths.get(target).unwrap_or(&unseen), observations);
    Traced {
        schema: "egressd.trace/1",
        targets: targets.iter().map(walked).collect(),
        controls: controls.iter().map(walked).filter(|walk| walk.verdict == "open").collect(),
    }
}

fn walked(target: SocketAddr, path: &Path, observations: &[Observation]) -> Walked {
    let no_route = |o: &Observation| o.target == target && o.outcome == Err(Failure::NoRoute);
    let (verdict, mechanism) = match path.end {
        None if observations.iter().any(no_route) => ("no_route", None),
        Some((_, PathEnd::Answer)) => ("open", None),
        Some((_, PathEnd::Reset)) => ("blocked", Some(Mechanism::Reset)),
        Some((_, PathEnd::Icmp(_))) => ("blocked", Some(Mechanism::RejectedIcmp)),
        // Silence toward one address proves nothing: it may never have answered anybody.
        None => ("silent", Some(Mechanism::Dropped)),
    };
    Walked {
        target,
        verdict,
        mechanism,
        offender: mechanism.and_then(|mechanism| offender_on_path(observations, target, mechanism)),
        hops: (1..=path.tried).map(|ttl| hop(target, ttl, path, observations)).collect(),
        tried: path.tried,
    }
}

fn hop(target: SocketAddr, ttl: u8, path: &Path, observations: &[Observation]) -> Hop {
    let end = path.end.filter(|(at, _)| *at == ttl).map(|(_, end)| end);
    let own = |o: &&Observation| o.target == target && o.ttl == Some(ttl);
    let answered =
        observations.iter().filter(own).find(|o| end.is_some() || path.hops.contains_key(&ttl) && !is_silent(o));
    Hop {
        distance: ttl,
        address: path.hops.get(&ttl).copied().or(match end {
            Some(PathEnd::Icmp(icmp)) => Some(icmp.from),
            Some(PathEnd::Answer) => Some(target.ip()),
            Some(PathEnd::Reset) | None => None,
        }),
        seconds: answered.map(|o| (o.took.as_secs_f64() * 1e6).round() / 1e6),
        answer: end.map(|end| match end {
            PathEnd::Answer => "connected".to_owned(),
            PathEnd::Reset => "reset".to_owned(),
            PathEnd::Icmp(icmp) => format!("icmp {icmp}"),
        }),
    }
}

fn is_silent(observation: &Observation) -> bool {
    observation.outcome == Err(Failure::NoAnswer)
}

fn text(traced: &Traced) -> String {
    let mut page = String::new();
    for walk in &traced.targets {
        let what = match (walk.verdict, walk.mechanism) {
            ("open", _) => "reachable".to_owned(),
            ("no_route", _) => "this host has no route to it".to_owned(),
            ("silent", Some(mechanism)) => {
                format!("silent; if a server is there, it is {}", how(mechanism, walk.offender.as_ref(), None))
            }
            (_, Some(mechanism)) => how(mechanism, walk.offender.as_ref(), None),
            (verdict, None) => verdict.to_owned(),
        };
        let _ = writeln!(page, "{}  {what}", walk.target);
        hops(&mut page, walk);
    }
    match traced.controls.first() {
        Some(control) => {
            let _ = writeln!(page, "control {}  reachable", control.target);
            hops(&mut page, control);
        }
        None => page.push_str("no control answered: --control names an address that is reachable from here\n"),
    }
    page
}

fn hops(page: &mut String, walk: &Walked) {
    for hop in &walk.hops {
        let address = hop.address.map_or_else(|| "*".to_owned(), |address| address.to_string());
        let time = hop.seconds.map_or_else(String::new, |seconds| format!("{:.1} ms", seconds * 1e3));
        let line = format!("  {:>2}  {address:<40} {time:>10}  {}", hop.distance, hop.answer.as_deref().unwrap_or(""));
        let _ = writeln!(page, "{}", line.trim_end());
    }
}
