//! `egressd media send`: whether media really arrive, and what breaks them.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::check::styled;
use super::{CliError, output};
use crate::config::{Config, read};
use crate::exit::ExitStatus;
use crate::job::media::{BUDGET_BYTES, Sending};
use crate::media::generate::SampleKind;
use crate::media::send::SendTarget;
use crate::net::endpoint::send::SendProgress;
use crate::net::interrupt::Interrupt;
use crate::ranges::FeedSnapshot;
use crate::report::Format;

/// The flags of `media send`.
#[derive(Args, Clone, Debug)]
pub struct SendArgs {
    /// A configuration with a `[[media.send]]` for each place that media are sent to
    #[arg(long, value_name = "F")]
    pub config: PathBuf,
    /// Send there alone; else to every target of the configuration
    #[arg(long, value_name = "NAME")]
    pub target: Vec<String>,
    /// Send these kinds alone
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub kinds: Vec<SampleKind>,
    /// The largest upload that is tried, in place of the configuration's
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1 << 17..=128 << 20))]
    pub max_bytes: Option<u64>,
    /// What all uploads together may send
    #[arg(long, value_name = "BYTES", default_value_t = BUDGET_BYTES)]
    pub budget: u64,
    /// How the report is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(args: &SendArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let interrupt = Interrupt::listen().map_err(CliError::Wait)?;
    let config = read::config(&args.config)?;
    let feed = FeedSnapshot::documented();
    let (targets, bar) = (args.targets(&config)?, Bar::new());
    let sending = Sending { config: &config, targets: &targets, budget_bytes: args.budget, feed: &feed };
    let report = sending.run(&interrupt, &mut |progress| bar.tell(progress));
    bar.clear();
    let report = report?;
    let page = report.write(args.format, styled(args.output.as_deref(), false));
    output::write(args.output.as_deref(), out, page.as_bytes())?;
    Ok(report.status())
}

impl SendArgs {
    fn targets(&self, config: &Config) -> Result<Vec<SendTarget>, CliError> {
        let all = &config.media.send;
        let unknown = self.target.iter().find(|name| !all.iter().any(|target| target.name == **name));
        if let Some(name) = unknown {
            let name = crate::text::printable(name, 60);
            return Err(CliError::Usage(format!("the configuration has no [[media.send]] named `{name}`")));
        }
        if all.is_empty() {
            return Err(CliError::Usage(
                "the configuration has no [[media.send]]: nothing says where media are sent".to_owned(),
            ));
        }
        let chosen = all.iter().filter(|target| self.target.is_empty() || self.target.contains(&target.name));
        Ok(chosen.map(|target| self.with_flags(target)).collect())
    }

    fn with_flags(&self, target: &SendTarget) -> SendTarget {
        let kinds = if self.kinds.is_empty() { target.kinds.clone() } else { self.kinds.clone() };
        SendTarget { kinds, max_bytes: self.max_bytes.unwrap_or(target.max_bytes), ..target.clone() }
    }
}

/// A line of progress on standard error, if that is a terminal.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template("  {spinner} {msg}").expect("the template is sound");
        Self(io::stderr().is_terminal().then(|| ProgressBar::new_spinner().with_style(style)))
    }

    fn tell(&self, progress: &SendProgress) {
        if let Some(bar) = &self.0 {
            let SendProgress { requests, sent_bytes, what } = progress;
            bar.set_message(format!("{what}: {requests} requests, {} sent", HumanBytes(*sent_bytes)));
            bar.tick();
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
