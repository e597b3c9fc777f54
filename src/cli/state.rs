//! Which configuration and which memory a command goes by.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::CliError;
use crate::config::{Config, read};
use crate::ranges::read::ReadError;
use crate::store::Store;
use crate::store::lists::Lists;

/// The flags for both.
#[derive(Args, Clone, Debug, Default)]
pub struct StateArgs {
    /// Configuration file
    #[arg(long, value_name = "F")]
    pub config: Option<PathBuf>,
    /// Folder of the lists that are kept, or `off`
    #[arg(long, value_name = "DIR|off")]
    pub state: Option<PathBuf>,
}

impl StateArgs {
    /// The configuration: the file that was named, else the defaults.
    pub(super) fn config(&self) -> Result<Config, read::ReadError> {
        self.config.as_deref().map_or_else(|| Ok(Config::default()), read::config)
    }

    /// The lists to go by: those of flags, else what configuration and memory have.
    pub(super) fn lists(&self, files: &[PathBuf]) -> Result<Lists, CliError> {
        let config = self.config()?;
        Ok(lists(files, &config, self.store(&config).as_ref())?)
    }

    /// What is kept between runs; none where nothing is to be.
    pub(super) fn store(&self, config: &Config) -> Option<Store> {
        store(self.state.as_deref(), config)
    }
}

/// The folder that was named, that of the configuration, or the usual one.
pub(super) fn store(named: Option<&Path>, config: &Config) -> Option<Store> {
    let named = named.or(Some(config.state.as_path()).filter(|path| !path.as_os_str().is_empty()));
    if named == Some(Path::new("off")) { None } else { Store::at(named) }
}

/// The lists to go by: named by flags, else by the configuration, else kept. What is damaged is told on standard error.
pub(super) fn lists(files: &[PathBuf], config: &Config, store: Option<&Store>) -> Result<Lists, ReadError> {
    let files = if files.is_empty() { &config.feeds } else { files };
    let lists = Lists::read(files, store, config.feed.patience(), Timestamp::now())?;
    lists.troubles.iter().for_each(|trouble| tell(trouble));
    Ok(lists)
}

/// What a person has to know, beside the output.
pub(super) fn tell(note: &str) {
    // Nothing is left to be done if standard error is closed.
    let _ = writeln!(io::stderr(), "note: {note}");
}

/// An error that stops nothing, with its causes.
pub(super) fn tell_error(error: &dyn Error) {
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
    tell(&causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")));
}

/// The folder of the lists, which a command that changes them cannot do without.
pub(super) fn required(store: Option<Store>) -> Result<Store, CliError> {
    let none = "there is no folder to keep lists in: name one with --state DIR";
    store.ok_or_else(|| CliError::Usage(none.to_owned()))
}
