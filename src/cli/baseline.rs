//! `egressd baseline`: which addresses answered, recorded from an open network.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Zoned;

use super::check::CheckArgs;
use super::progress::Bar;
use super::{CliError, output};
use crate::baseline::{Baseline, BaselineError, Churn, MOST_BYTES};
use crate::exit::ExitStatus;
use crate::net;
use crate::net::interrupt::Interrupt;
use crate::plan::{KnownAddresses, ProbePlan};
use crate::ranges::FeedSnapshot;
use crate::scan::Recorder;
use crate::text::{counted, grouped};

/// Records, joins and shows baselines.
#[derive(Clone, Debug, Subcommand)]
pub enum BaselineCommand {
    /// Record from an open network which addresses answer
    Record(Box<RecordArgs>),
    /// Join recordings of several vantage points or days; what is newer wins
    Merge(MergeArgs),
    /// Show what a baseline knows
    Show {
        /// The baseline
        #[arg(value_name = "F")]
        file: PathBuf,
    },
}

/// The flags of `baseline record`.
#[derive(Args, Clone, Debug)]
pub struct RecordArgs {
    /// As for `check`; `-o` names the baseline.
    #[command(flatten)]
    pub check: CheckArgs,
}

/// The flags of `baseline merge`.
#[derive(Args, Clone, Debug)]
pub struct MergeArgs {
    /// The baselines
    #[arg(value_name = "F", required = true)]
    pub files: Vec<PathBuf>,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// Why a baseline was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read baseline {}", .file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What is in it is refused.
    #[error("baseline {}", .file.display())]
    Content {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: BaselineError,
    },
}

/// Runs it.
pub(super) fn run(command: &BaselineCommand, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    match command {
        BaselineCommand::Record(args) => run_record(args, out),
        BaselineCommand::Merge(args) => run_merge(args, out),
        BaselineCommand::Show { file } => {
            output::write(None, out, shown(&read(file)?).as_bytes())?;
            Ok(ExitStatus::Reachable)
        }
    }
}

/// The baseline in a file.
pub(super) fn read(file: &Path) -> Result<Baseline, ReadError> {
    let wrong = |source| ReadError::File { file: file.to_owned(), source };
    let refused = |source| ReadError::Content { file: file.to_owned(), source };
    if std::fs::metadata(file).map_err(wrong)?.len() > MOST_BYTES as u64 {
        return Err(refused(BaselineError::TooLarge));
    }
    Baseline::parse(&std::fs::read(file).map_err(wrong)?).map_err(refused)
}

/// Asks until enough addresses of each cell have answered.
pub(super) fn record(plan: &ProbePlan, interrupt: &Interrupt) -> Result<Baseline, CliError> {
    let mut recorder = Recorder::new(plan.clone());
    let bar = Bar::new();
    let took = net::scan::run(&mut recorder, None, interrupt, &mut |progress| bar.tell(progress));
    bar.clear();
    took.map_err(CliError::Wait)?;
    Ok(Baseline::of(plan, &recorder.into_observations(), Zoned::now().date()))
}

fn run_record(args: &RecordArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let args = &args.check;
    args.refuse_unlimited()?;
    let interrupt = Interrupt::listen().map_err(CliError::Wait)?;
    let config = args.config()?;
    let feed = args.feeds(&config, args.store(&config).as_ref())?.newest;
    let before = args.known()?.unwrap_or_default();
    let known = KnownAddresses::new(&feed, before.addresses());
    let baseline = record(&ProbePlan::new(&args.settings(&config), &feed, &known), &interrupt)?;
    output::write(args.output.as_deref(), out, baseline.write().as_bytes())?;
    Ok(if baseline.cells() > 0 { ExitStatus::Reachable } else { ExitStatus::Inconclusive })
}

fn run_merge(args: &MergeArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let mut merged = Baseline::default();
    let mut report = String::new();
    for file in &args.files {
        let churn = merged.merge(read(file)?);
        let _ = writeln!(report, "{}: {}", file.display(), told(churn));
    }
    output::write(args.output.as_deref(), out, merged.write().as_bytes())?;
    // Nothing is left to be done if standard error is closed.
    let _ = std::io::stderr().write_all(report.as_bytes());
    Ok(ExitStatus::Reachable)
}

fn told(churn: Churn) -> String {
    let Churn { gone, kept, new } = churn;
    match gone + kept + new {
        0 => "no cell in common with what came before".to_owned(),
        _ => format!("{kept} addresses in both, {gone} only in the older, {new} only in the newer"),
    }
}

/// What an admin wants to know of a baseline: how much of the list it covers, and how old it is.
fn shown(baseline: &Baseline) -> String {
    let documented = FeedSnapshot::documented();
    let mut page = String::new();
    let addresses = baseline.addresses().count();
    let _ = write!(
        page,
        "{} in {}",
        counted(addresses, "address", "addresses"),
        counted(baseline.cells(), "cell", "cells")
    );
    if let Some((oldest, newest)) = baseline.dates() {
        let _ = write!(page, ", answered from {oldest} to {newest}");
    }
    page.push('\n');
    for range in &documented.ranges {
        let inside = baseline.addresses().filter(|&address| range.prefix.holds(address)).count();
        if let (Some(rtt), Some(date)) = (baseline.rtt(range.prefix), baseline.last_answer(range.prefix)) {
            let rtt = rtt.as_secs_f64() * 1e3;
            let _ = writeln!(
                page,
                "  {:<20} {:>6} addresses  {rtt:>7.1} ms  {date}",
                range.prefix.to_string(),
                grouped(inside as u128)
            );
        }
    }
    page
}
