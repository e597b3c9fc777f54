//! The command line: one file per subcommand, which reads, calls the core, writes and returns a status.

pub mod audit;
pub mod baseline;
pub mod check;
pub mod config;
pub mod demo;
pub mod error;
pub mod explain;
pub mod export;
mod filter;
pub mod media;
pub mod output;
mod progress;
pub mod prove;
pub mod ranges;
mod resolve;
pub mod run;
pub mod send;
mod state;
pub mod trace;

pub use error::CliError;
pub use filter::{FamilyFilter, ListFilter};
pub use resolve::{Asked, AskedError, ResolveError};
pub use state::StateArgs;

use std::io::{self, Write};

use clap::{CommandFactory, Parser, Subcommand};
use clap_mangen::roff::{Roff, bold, roman};

use crate::exit::ExitStatus;
use crate::failures::{Kind, entries};

/// Finds out which CloudFront ranges a network blocks and at which hop, and what to do about it
#[derive(Debug, Parser)]
#[command(name = "egressd", version, propagate_version = true, disable_help_subcommand = true)]
#[command(
    after_help = "Exit status: 0 all is reachable, 1 something is not, 2 wrong usage or the tool could not work, 3 inconclusive."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check which ranges this network blocks, and where
    Check(check::CheckArgs),
    /// Show the same in a network inside this process, from which no packet leaves the machine
    Demo(demo::DemoArgs),
    /// Show which hop on the way to an address drops or rejects
    Trace(trace::TraceArgs),
    /// Write what is to be allowed in the syntax of a firewall, a router, a cloud or a proxy
    Export(Box<export::ExportArgs>),
    /// Say what a rule set allows of what is required, without sending a packet
    Audit(Box<audit::AuditArgs>),
    /// Load a rule set of Linux into a network inside this process, and see whether packets pass as the audit says
    Prove(Box<prove::ProveArgs>),
    /// Record, join and show which addresses answered from an open network
    #[command(subcommand)]
    Baseline(baseline::BaselineCommand),
    /// Say whether a file can be sent, on which channel, and why not; and whether it really arrives
    #[command(subcommand)]
    Media(media::MediaCommand),
    /// Show the published ranges
    #[command(subcommand)]
    Ranges(ranges::RangesCommand),
    /// Check again and again, remember, and say what changed: the daemon
    Run(run::RunArgs),
    /// Say what a name in a report means, what it rests on, and what to do
    Explain(explain::ExplainArgs),
    /// Show or check the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a completion script
    Completions {
        /// The shell that it is for
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Parses nothing, decides nothing: runs the subcommand that was asked for.
///
/// # Errors
/// What stopped it; findings are no errors.
pub fn run(cli: Cli, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    match cli.command {
        Command::Check(args) => check::run(&args, out),
        Command::Demo(args) => demo::run(&args, out),
        Command::Trace(args) => trace::run(&args, out),
        Command::Export(args) => export::run(&args, out),
        Command::Audit(args) => audit::run(&args, out),
        Command::Prove(args) => prove::run(&args, out),
        Command::Baseline(command) => baseline::run(&command, out),
        Command::Media(command) => media::run(&command, out),
        Command::Ranges(command) => ranges::run(&command, out),
        Command::Run(args) => run::run(&args),
        Command::Explain(args) => explain::run(&args, out),
        Command::Config(command) => config::run(&command, out),
        Command::Completions { shell } => print(out, |page| {
            clap_complete::generate(shell, &mut Cli::command(), "egressd", page);
            Ok(())
        }),
        Command::Man => print(out, manual),
    }
}

/// Renders into memory first: the renderers panic when the output is closed.
fn print(out: &mut dyn Write, render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<ExitStatus, CliError> {
    let mut page = Vec::new();
    render(&mut page).expect("memory takes it");
    output::write(None, out, &page)?;
    Ok(ExitStatus::Reachable)
}

/// One page: the command itself, then each subcommand.
fn manual(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(page)?;
    for sub in command.get_subcommands() {
        let man = clap_mangen::Man::new(sub.clone());
        writeln!(page, ".SH \"EGRESSD {}\"", sub.get_name().to_uppercase())?;
        man.render_description_section(page)?;
        man.render_synopsis_section(page)?;
        man.render_options_section(page)?;
    }
    causes(page)
}

/// What each diagnosis means, and what to do about it.
fn causes(page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["DIAGNOSES"]);
    for entry in entries().iter().filter(|entry| entry.kind == Kind::Diagnosis) {
        roff.control("TP", []);
        roff.text([bold(entry.id.as_str())]);
        roff.text([roman(format!("{} {}", entry.meaning, entry.fix))]);
    }
    roff.to_writer(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
