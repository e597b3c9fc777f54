//! The commands that change which lists are kept.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{Output, RangesFormat, json, text};
use crate::cli::state::{self, tell, tell_error};
use crate::cli::{CliError, StateArgs};
use crate::config::{Config, FeedPlace};
use crate::exit::ExitStatus;
use crate::job;
use crate::net::feed::{Attempt, UpdateError, Updated, update as look};
use crate::store::Store;
use crate::store::feeds::Terms;
use crate::store::history::{Check, CheckKind, History, HistoryError};

/// The flags of `ranges update`.
#[derive(Args, Clone, Debug)]
pub struct UpdateArgs {
    /// Where to look in place of what the configuration has: a URL or a file; of several the first good list is taken
    #[arg(long = "url", value_name = "URL|F")]
    pub places: Vec<FeedPlace>,
    /// Where lists are kept.
    #[command(flatten)]
    pub state: StateArgs,
    /// Where and how.
    #[command(flatten)]
    pub output: Output,
}

/// The flags of `ranges accept`.
#[derive(Args, Clone, Debug)]
pub struct AcceptArgs {
    /// Where lists are kept.
    #[command(flatten)]
    pub state: StateArgs,
}

/// The flags of `ranges import`.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// A folder with old copies of either published format; one without a date has it in its name
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Where lists are kept.
    #[command(flatten)]
    pub state: StateArgs,
    /// Where and how.
    #[command(flatten)]
    pub output: Output,
}

/// Fetches, judges, keeps and tells.
pub(super) fn update(args: &UpdateArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let mut config = args.state.config()?;
    if !args.places.is_empty() {
        config.feed.urls.clone_from(&args.places);
    }
    let store = state::required(args.state.store(&config))?;
    let updated = fetched(&store, &config)?;
    if updated.outcomes().next().is_none() {
        return Err(nothing_came(updated));
    }
    remember(&store);
    let in_force = state::lists(&[], &without_files(&config), Some(&store))?.newest;
    let written = match args.output.format {
        RangesFormat::Text => text::update(&updated, &in_force),
        RangesFormat::Json => json::update(&updated, &in_force),
    };
    args.output.write(out, &written)?;
    Ok(if updated.is_current() { ExitStatus::Reachable } else { ExitStatus::NotReachable })
}

/// Puts in force what waits.
pub(super) fn accept(args: &AcceptArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let config = args.state.config()?;
    let store = state::required(args.state.store(&config))?;
    let accepted = store.feeds().accept(&terms(&config), Timestamp::now())?;
    remember(&store);
    let in_force = state::lists(&[], &without_files(&config), Some(&store))?.newest;
    crate::cli::output::write(None, out, text::accept(&accepted, &in_force).as_bytes())?;
    Ok(ExitStatus::Reachable)
}

/// Keeps old lists.
pub(super) fn import(args: &ImportArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let config = args.state.config()?;
    let store = state::required(args.state.store(&config))?;
    let imported = store.feeds().import(&args.folder)?;
    let written = match args.output.format {
        RangesFormat::Text => text::import(&imported),
        RangesFormat::Json => json::import(&imported),
    };
    args.output.write(out, &written)?;
    Ok(if imported.refused.is_empty() { ExitStatus::Reachable } else { ExitStatus::NotReachable })
}

fn fetched(store: &Store, config: &Config) -> Result<Updated, CliError> {
    let roots = job::roots(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::Wait)?;
    let updated = runtime.block_on(look(&store.feeds(), &config.feed, &roots, Timestamp::now));
    let kept = updated.attempts.iter().filter_map(|attempt| attempt.result.as_ref().ok());
    kept.flat_map(|offered| &offered.troubles).for_each(|trouble| tell_error(trouble));
    Ok(updated)
}

fn terms(config: &Config) -> Terms {
    Terms { bounds: config.feed.bounds(), patience: config.feed.patience() }
}

/// What is kept is shown, whatever files the configuration names.
fn without_files(config: &Config) -> Config {
    Config { feeds: Vec::new(), ..config.clone() }
}

/// A folder that cannot be written to is our own trouble, not that of the places.
fn nothing_came(updated: Updated) -> CliError {
    let told = |attempt: &Attempt| format!("{}: {}", attempt.from, attempt.told());
    let reasons = updated.attempts.iter().map(told).collect::<Vec<_>>().join("; ");
    let ours = updated.attempts.into_iter().find_map(|attempt| match attempt.result {
        Err(UpdateError::Feeds(error)) => Some(CliError::Feeds(error)),
        _ => None,
    });
    ours.unwrap_or(CliError::Update(reasons))
}

/// The list is kept whether or not its changes can be remembered.
fn remember(store: &Store) {
    if let Err(error) = remembered(store) {
        tell_error(&error);
    }
}

fn remembered(store: &Store) -> Result<(), HistoryError> {
    let feed = store.feeds().recent_changes();
    if feed.is_empty() {
        return Ok(());
    }
    let opened = History::open(&store.history_file())?;
    if let Some(aside) = opened.set_aside {
        tell(&format!("the history was damaged and is kept as {}", aside.display()));
    }
    let mut history = opened.history;
    history.record(&Check { feed, ..Check::new(CheckKind::Feed, Timestamp::now(), 0.0) })
}
