//! `egressd config`: the configuration, shown and checked.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use super::{CliError, output};
use crate::config::{Config, DEFAULT, read};
use crate::exit::ExitStatus;

/// Shows or checks the configuration.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every key with its default value
    Default,
    /// Check a configuration file
    Check {
        /// The file
        #[arg(value_name = "F")]
        file: PathBuf,
    },
    /// Print the configuration that a file amounts to
    Show {
        /// The file; without it, the defaults
        #[arg(long, value_name = "F")]
        config: Option<PathBuf>,
    },
}

/// Runs it.
pub(super) fn run(command: &ConfigCommand, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let text = match command {
        ConfigCommand::Default => DEFAULT.to_owned(),
        ConfigCommand::Check { file } => {
            read::config(file)?;
            format!("{} is sound\n", file.display())
        }
        ConfigCommand::Show { config } => {
            let config = config.as_deref().map_or_else(|| Ok(Config::default()), read::config)?;
            toml::to_string(&config).expect("every value has a TOML form")
        }
    };
    output::write(None, out, text.as_bytes())?;
    Ok(ExitStatus::Reachable)
}
