//! `egressd run`: the daemon.

use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::daemon;
use crate::exit::ExitStatus;

/// The flags of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Configuration file; SIGHUP has it read again
    #[arg(long, value_name = "F")]
    pub config: PathBuf,
}

/// Runs until it is told to end.
pub(super) fn run(args: &RunArgs) -> Result<ExitStatus, CliError> {
    daemon::run(&args.config)?;
    Ok(ExitStatus::Reachable)
}
