//! `egressd ranges`: what is listed, what changed, and what one address is.

mod json;
mod keep;
mod text;

pub use keep::{AcceptArgs, ImportArgs, UpdateArgs};

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::output::{self, OutputError};
use super::{Asked, CliError, FamilyFilter, ListFilter, StateArgs};
use crate::exit::ExitStatus;
use crate::prefix::aggregate;
use crate::ranges::read;
use crate::ranges::{Explanation, FeedSnapshot, Provenance, Range, Withdrawn, diff, states};

/// Shows the listed ranges, what changed in them, and what an address is
#[derive(Clone, Debug, Subcommand)]
pub enum RangesCommand {
    /// Print the ranges of the newest feed
    List(ListArgs),
    /// Compare two feeds; like diff(1) the exit status is 0 when they list the same, else 1
    Diff(DiffArgs),
    /// Print the fewest prefixes that hold what plain lists hold: a prefix in each line, `#` before comments
    Aggregate(AggregateArgs),
    /// Fetch the lists, and take what holds to the bounds; exit status 1 when none does
    Update(UpdateArgs),
    /// Take the list that waits for a person
    Accept(AcceptArgs),
    /// Keep the old lists of a folder, to tell dates by and to recognise old rules
    Import(ImportArgs),
    /// Say which range an address or a host is in, of which list, for what, and since when; exit status 1 when in none
    Explain(ExplainArgs),
}

/// The flags of `ranges list`.
#[derive(Args, Clone, Debug, Default)]
pub struct ListArgs {
    /// A feed, `-` for standard input or `documented`; of several the newest is shown; without it the list in force
    #[arg(long = "feed", value_name = "F")]
    pub feeds: Vec<PathBuf>,
    /// Show what changed from each list that is kept to the next
    #[arg(long)]
    pub history: bool,
    /// Where lists are kept.
    #[command(flatten)]
    pub state: StateArgs,
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
    /// A feed to look in besides the lists that are kept and the documented one
    #[arg(long = "feed", value_name = "F")]
    pub feeds: Vec<PathBuf>,
    /// Where lists are kept.
    #[command(flatten)]
    pub state: StateArgs,
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

/// Runs one of them; the result goes to `out` unless `-o` names a file.
pub(super) fn run(command: &RangesCommand, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    match command {
        RangesCommand::List(args) => run_list(args, out),
        RangesCommand::Diff(args) => run_diff(args, out),
        RangesCommand::Aggregate(args) => run_aggregate(args, out),
        RangesCommand::Explain(args) => run_explain(args, out),
        RangesCommand::Update(args) => keep::update(args, out),
        RangesCommand::Accept(args) => keep::accept(args, out),
        RangesCommand::Import(args) => keep::import(args, out),
    }
}

fn run_list(args: &ListArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let lists = args.state.lists(&args.feeds)?;
    let held = lists.provenance();
    let written = if args.history {
        let narrowed: Vec<FeedSnapshot> =
            lists.older.iter().chain([&lists.newest]).map(|feed| args.filter.of(feed)).collect();
        let states = states(&narrowed);
        match args.output.format {
            RangesFormat::Text => text::history(&states, &lists.withdrawn),
            RangesFormat::Json => json::history(&states, &lists.withdrawn),
        }
    } else {
        let ranges = lists.newest.ranges.iter().filter(|range| args.filter.keeps(range)).collect();
        let withdrawn = lists.withdrawn.iter().filter(|missed| args.filter.keeps(&missed.range)).collect();
        let listing = Listing { shown: &lists.newest, held, ranges, withdrawn };
        match args.output.format {
            RangesFormat::Text => text::list(&listing),
            RangesFormat::Json => json::list(&listing),
        }
    };
    args.output.write(out, &written)?;
    Ok(ExitStatus::Reachable)
}

fn run_diff(args: &DiffArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let (from, to) = (read::snapshot(&args.from)?, read::snapshot(&args.to)?);
    let change = diff(&args.filter.of(&from), &args.filter.of(&to));
    let written = match args.output.format {
        RangesFormat::Text => text::diff(&from, &to, &change),
        RangesFormat::Json => json::diff(&from, &to, &change),
    };
    args.output.write(out, &written)?;
    Ok(if change.is_empty() { ExitStatus::Reachable } else { ExitStatus::NotReachable })
}

fn run_aggregate(args: &AggregateArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
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

fn run_explain(args: &ExplainArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let lists = args.state.lists(&args.feeds)?;
    let held = lists.provenance();
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
    /// What the list has no more, and exports still have.
    withdrawn: Vec<&'a Withdrawn>,
}

/// What `explain` found, by address.
struct Answer<'a> {
    asked: &'a Asked,
    explained: Vec<(IpAddr, Option<Explanation<'a>>)>,
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
