//! The binary: parse, run, map the exit status; nothing else.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use egressd::cli::{self, Cli, CliError};
use egressd::exit::ExitStatus;

fn main() -> ExitCode {
    let status = match cli::run(Cli::parse(), &mut io::stdout()) {
        Ok(status) => status,
        Err(error) if error.is_closed_pipe() => ExitStatus::Reachable,
        Err(error) => {
            tell(&error);
            ExitStatus::Unusable
        }
    };
    ExitCode::from(status as u8)
}

/// The chain of causes on standard error, and what to do.
fn tell(error: &CliError) {
    let mut line = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(line, ": {cause}");
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        let _ = write!(line, "\nhint: {hint}");
    }
    // Nothing is left to be done if standard error is closed.
    let _ = writeln!(io::stderr(), "{line}");
}
