//! `egressd ranges`: what is listed, what changed, and what one address is.

mod json;
mod text;

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::output::{self, OutputError};
use super::{Asked, FamilyFilter, ListFilter, ResolveError};
use crate::exit::ExitStatus;
use crate::prefix::aggregate;
use crate::ranges::read::{self, ReadError};
use crate::ranges::{Explanation, FeedSnapshot, Provenance, Range, diff};

/// Shows the listed ranges, what changed in them, and what an address is
#[derive(Clone, Debug, Subcommand)]
pub enum RangesCommand {
    /// Print the ranges of the newest feed
    List(ListArgs),
    /// Compare two feeds; like diff(1) the exit status is 0 when they list the same, else 1
    Diff(DiffArgs),
    /// Print the fewest prefixes that hold what plain lists hold: a prefix in each line, `#` before comments
    Aggregate(AggregateArgs),
    /// Say which range an address or a host is in, of which list, for what, and since when; exit status 1 when in none
    Explain(ExplainArgs),
}

/// The flags of `ranges list`.
#[derive(Args, Clone, Debug, Default)]
pub struct ListArgs {
    /// A feed, `-` for standard input or `documented`; of several the newest is shown
    #[arg(long = "feed", value_name = "F")]
    pub feeds: Vec<PathBuf>,
    /// Which ranges.
    #[command(flatten)]
    pub filter: Filter,
    /// Where and how.
    #[command(flatten)]
    pub output: Output,
}

/// The flags of `ranges diff`.
#[derive(Args, Clone, Debug)]
pub struct DiffArgs {
    /// The older feed: a file, `-` for standard input or `documented`
    #[arg(value_name = "A")]
    pub from: PathBuf,
    /// The newer feed
    #[arg(value_name = "B")]
    pub to: PathBuf,
    /// Which ranges.
    #[command(flatten)]
    pub filter: Filter,
    /// Where and how.
    #[command(flatten)]
    pub output: Output,
}

/// The flags of `ranges aggregate`.
#[derive(Args, Clone, Debug)]
pub struct AggregateArgs {
    /// A list; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The prefixes of this address family
    #[arg(long, value_enum, default_value_t)]
    pub family: FamilyFilter,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// The flags of `ranges explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// An address, or a host name, which is resolved as this system does
    #[arg(value_name = "ADDRESS|HOST")]
    pub asked: Asked,
    /// A feed to look in besides the documented list
    #[arg(long = "feed", value_name = "F")]
    pub feeds: Vec<PathBuf>,
    /// Where and how.
    #[command(flatten)]
    pub output: Output,
}

/// Which ranges.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Filter {
    /// The ranges of this list
    #[arg(long, value_enum, default_value_t)]
    pub list: ListFilter,
    /// The ranges of this address family
    #[arg(long, value_enum, default_value_t)]
    pub family: FamilyFilter,
}

/// Where and how the result is written.
#[derive(Args, Clone, Debug, Default)]
pub struct Output {
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    pub format: RangesFormat,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// How the result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RangesFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Why a `ranges` command gave no result.
#[derive(Debug, thiserror::Error)]
pub enum RangesCommandError {
    /// A feed was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A host name gave no address.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The result was not written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Runs one of them; the result goes to `out` unless `-o` names a file.
pub fn run(command: &RangesCommand, out: &mut dyn Write) -> Result<ExitStatus, RangesCommandError> {
    match command {
        RangesCommand::List(args) => run_list(args, out),
        RangesCommand::Diff(args) => run_diff(args, out),
        RangesCommand::Aggregate(args) => run_aggregate(args, out),
        RangesCommand::Explain(args) => run_explain(args, out),
    }
}

fn run_list(args: &ListArgs, out: &mut dyn Write) -> Result<ExitStatus, RangesCommandError> {
    let (documented, given) = (FeedSnapshot::documented(), read_all(&args.feeds)?);
    let given: Vec<&FeedSnapshot> = given.iter().collect();
    let shown = Provenance::new(&given).newest().unwrap_or(&documented);
    let listing = Listing {
        shown,
        held: Provenance::new(&[&[&documented], given.as_slice()].concat()),
        ranges: shown.ranges.iter().filter(|range| args.filter.keeps(range)).collect(),
    };
    let written = match args.output.format {
        RangesFormat::Text => text::list(&listing),
        RangesFormat::Json => json::list(&listing),
    };
    args.output.write(out, &written)?;
    Ok(ExitStatus::Reachable)
}

fn run_diff(args: &DiffArgs, out: &mut dyn Write) -> Result<ExitStatus, RangesCommandError> {
    let (from, to) = (read::snapshot(&args.from)?, read::snapshot(&args.to)?);
    let change = diff(&args.filter.of(&from), &args.filter.of(&to));
    let written = match args.output.format {
        RangesFormat::Text => text::diff(&from, &to, &change),
        RangesFormat::Json => json::diff(&from, &to, &change),
    };
    args.output.write(out, &written)?;
    Ok(if change.is_empty() { ExitStatus::Reachable } else { ExitStatus::NotReachable })
}

fn run_aggregate(args: &AggregateArgs, out: &mut dyn Write) -> Result<ExitStatus, RangesCommandError> {
    let (mut held, family) = (Vec::new(), args.family.only());
    for file in &args.files {
        read::list(file, |prefix| {
            if family.is_none_or(|family| family == prefix.family()) {
                held.push(prefix);
            }
        })?;
    }
    output::write(args.output.as_deref(), out, text::plain(aggregate(held)).as_bytes())?;
    Ok(ExitStatus::Reachable)
}

fn run_explain(args: &ExplainArgs, out: &mut dyn Write) -> Result<ExitStatus, RangesCommandError> {
    let (documented, given) = (FeedSnapshot::documented(), read_all(&args.feeds)?);
    let held: Vec<&FeedSnapshot> = std::iter::once(&documented).chain(&given).collect();
    let held = Provenance::new(&held);
    let explained = args.asked.addresses()?.into_iter().map(|address| (address, held.explain(address))).collect();
    let answer = Answer { asked: &args.asked, explained };
    let written = match args.output.format {
        RangesFormat::Text => text::explain(&answer),
        RangesFormat::Json => json::explain(&answer),
    };
    args.output.write(out, &written)?;
    let all_listed = answer.explained.iter().all(|(_, found)| found.is_some());
    Ok(if all_listed { ExitStatus::Reachable } else { ExitStatus::NotReachable })
}

/// What `list` shows.
struct Listing<'a> {
    shown: &'a FeedSnapshot,
    held: Provenance<'a>,
    ranges: Vec<&'a Range>,
}

/// What `explain` found, by address.
struct Answer<'a> {
    asked: &'a Asked,
    explained: Vec<(IpAddr, Option<Explanation<'a>>)>,
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<FeedSnapshot>, ReadError> {
    paths.iter().map(|path| read::snapshot(path)).collect()
}

impl Filter {
    fn keeps(self, range: &Range) -> bool {
        self.list.keeps(range) && self.family.keeps(range)
    }

    fn of(self, feed: &FeedSnapshot) -> FeedSnapshot {
        let mut kept = feed.clone();
        kept.ranges.retain(|range| self.keeps(range));
        kept
    }
}

impl Output {
    fn write(&self, out: &mut dyn Write, text: &str) -> Result<(), OutputError> {
        output::write(self.output.as_deref(), out, text.as_bytes())
    }
}

#[cfg(test)]
mod tests;
