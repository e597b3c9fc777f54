//! `egressd media`: whether a file can be sent, on which channel, why not, and what to do.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::send::SendArgs;
use super::{CliError, output};
use crate::config::{Config, read};
use crate::exit::ExitStatus;
use crate::media::check::{Destination, Judgement, LastInbound, Sending, Verdict, destinations, judge, of_channel};
use crate::media::inspect::{Inspection, inspect};
use crate::media::report;
use crate::media::rules::read::{ReadError, rules};
use crate::media::rules::{Column, Rules};
use crate::text::printable;

/// Standard input is kept in a file while it is looked at; this is five times what the platform takes.
const MOST_INPUT: u64 = 100 << 20;

/// Says whether files can be sent, where, and why not
#[derive(Clone, Debug, Subcommand)]
pub enum MediaCommand {
    /// Say what becomes of files on a channel; exit status 0 when they arrive, be it as a link, 3 when one is at risk
    Check(CheckArgs),
    /// Say for every channel what becomes of a file; exit status 0 when it arrives on one
    Which(WhichArgs),
    /// Print the rules in force
    Channels(RulesArgs),
    /// Send generated media to configured places, fetch them back, and search for what breaks them
    Send(SendArgs),
}

/// The flags of `media check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Files; `-` is standard input
    #[arg(value_name = "F", required = true)]
    pub files: Vec<PathBuf>,
    /// Where they are sent; without a provider, all of the channel's
    #[arg(long, value_name = "CHANNEL[:PROVIDER]", required = true)]
    pub channel: Vec<String>,
    /// The conversation.
    #[command(flatten)]
    pub message: MessageArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// The flags of `media which`.
#[derive(Args, Clone, Debug)]
pub struct WhichArgs {
    /// A file; `-` is standard input
    #[arg(value_name = "F")]
    pub file: PathBuf,
    /// The conversation.
    #[command(flatten)]
    pub message: MessageArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// How and when a file is sent.
#[derive(Args, Clone, Debug, Default)]
pub struct MessageArgs {
    /// How long ago the customer last wrote: 26h, 3d, 90m, never
    #[arg(long, value_name = "AGO", value_parser = last_inbound)]
    pub last_inbound: Option<LastInbound>,
    /// A text goes with it
    #[arg(long)]
    pub with_text: bool,
    /// It goes as part of a template
    #[arg(long)]
    pub template: bool,
    /// The Content-Type that it is sent with
    #[arg(long, value_name = "T")]
    pub declared_type: Option<String>,
    /// The name that it is sent under; else the file's own
    #[arg(long, value_name = "NAME")]
    pub name: Option<PathBuf>,
}

/// Which rules hold, and where the result goes.
#[derive(Args, Clone, Debug, Default)]
pub struct RulesArgs {
    /// Whose figures count
    #[arg(long, value_enum, default_value_t)]
    pub rules: Column,
    /// A configuration, which may put other rules in place of these
    #[arg(long, value_name = "F")]
    pub config: Option<PathBuf>,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    pub format: MediaFormat,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// How the result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MediaFormat {
    /// For people
    #[default]
    Text,
    /// For programs; of several files, a document on each line
    Json,
}

/// Why nothing was said of a file.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The rules.
    #[error(transparent)]
    Rules(#[from] ReadError),
    /// The file could not be read.
    #[error("cannot read {}", printable(&.file.to_string_lossy(), 80))]
    File {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is a folder, a device or a pipe.
    #[error("{} is not a file", printable(&.0.to_string_lossy(), 80))]
    NotAFile(PathBuf),
    /// There is more than is looked at.
    #[error("standard input is larger than 100 MiB")]
    TooLarge,
    /// No channel or provider has this name.
    #[error("there is no channel `{}`", printable(asked, 60))]
    Channel {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
}

impl MediaError {
    /// What to do next, where something can be done.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Channel { known, .. } => Some(format!("there are {known}")),
            Self::Rules(_) => {
                Some("`egressd media channels --format json` prints the rules that are built in".to_owned())
            }
            Self::File { .. } | Self::NotAFile(_) | Self::TooLarge => None,
        }
    }
}

/// Runs it.
pub(super) fn run(command: &MediaCommand, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    match command {
        MediaCommand::Check(args) => run_check(args, out),
        MediaCommand::Which(args) => run_which(args, out),
        MediaCommand::Channels(args) => run_channels(args, out),
        MediaCommand::Send(args) => super::send::run(args, out),
    }
}

fn run_check(args: &CheckArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let rules = args.rules.read()?;
    let mut to = Vec::new();
    for asked in &args.channel {
        to.extend(named(&rules, asked)?);
    }
    let (mut page, mut worst) = (String::new(), Verdict::WillSend);
    for file in &args.files {
        let inspection = inspected(file)?;
        let sending = args.message.sending(file, &inspection);
        let judgements = judged(&sending, &to, &rules, args.rules.rules);
        worst = judgements.iter().map(|judgement| judgement.verdict).fold(worst, Verdict::max);
        page += &match args.rules.format {
            MediaFormat::Text => report::text(&sending, &judgements),
            MediaFormat::Json => report::json(&sending, &judgements, args.rules.rules, args.files.len() == 1),
        };
    }
    output::write(args.rules.output.as_deref(), out, page.as_bytes())?;
    Ok(status(worst))
}

fn run_which(args: &WhichArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let rules = args.rules.read()?;
    let inspection = inspected(&args.file)?;
    let sending = args.message.sending(&args.file, &inspection);
    let judgements = judged(&sending, &destinations(&rules), &rules, args.rules.rules);
    let page = match args.rules.format {
        MediaFormat::Text => report::table(&sending, &judgements),
        MediaFormat::Json => report::json(&sending, &judgements, args.rules.rules, true),
    };
    output::write(args.rules.output.as_deref(), out, page.as_bytes())?;
    let best = judgements.iter().map(|judgement| judgement.verdict).min().unwrap_or(Verdict::WillFail);
    Ok(status(best))
}

fn run_channels(args: &RulesArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let rules = args.read()?;
    let page = match args.format {
        MediaFormat::Text => report::rules(&rules, args.rules),
        MediaFormat::Json => report::rules_json(&rules, args.rules),
    };
    output::write(args.output.as_deref(), out, page.as_bytes())?;
    Ok(ExitStatus::Reachable)
}

fn judged(sending: &Sending<'_>, to: &[Destination<'_>], rules: &Rules, column: Column) -> Vec<Judgement> {
    to.iter().map(|&to| judge(sending, to, rules, column)).collect()
}

fn status(verdict: Verdict) -> ExitStatus {
    match verdict {
        Verdict::WillSend | Verdict::WillSendAsLink => ExitStatus::Reachable,
        Verdict::AtRisk => ExitStatus::Inconclusive,
        Verdict::NeedsTemplate | Verdict::WillFail => ExitStatus::NotReachable,
    }
}

/// A channel as it is asked for: its name, and a provider of it or all.
fn named<'a>(rules: &'a Rules, asked: &str) -> Result<Vec<Destination<'a>>, MediaError> {
    let (name, provider) = asked.split_once(':').map_or((asked, None), |(name, provider)| (name, Some(provider)));
    let all = rules.channel(name).map(of_channel).unwrap_or_default();
    let found: Vec<_> = all.into_iter().filter(|to| provider.is_none() || to.provider == provider).collect();
    if found.is_empty() {
        let known = destinations(rules).into_iter().map(|Destination { channel, provider }| {
            provider.map_or_else(|| channel.name.clone(), |provider| format!("{}:{provider}", channel.name))
        });
        return Err(MediaError::Channel { asked: asked.to_owned(), known: known.collect::<Vec<_>>().join(", ") });
    }
    Ok(found)
}

fn inspected(file: &Path) -> Result<Inspection, MediaError> {
    let wrong = |source| MediaError::File { file: file.to_owned(), source };
    if file == Path::new("-") {
        return inspect(spooled()?).map_err(wrong);
    }
    // Looked at before it is opened: opening a pipe waits for a writer.
    if !std::fs::metadata(file).map_err(wrong)?.is_file() {
        return Err(MediaError::NotAFile(file.to_owned()));
    }
    inspect(File::open(file).map_err(wrong)?).map_err(wrong)
}

fn spooled() -> Result<File, MediaError> {
    let wrong = |source| MediaError::File { file: PathBuf::from("-"), source };
    let mut file = tempfile::tempfile().map_err(wrong)?;
    let copied = io::copy(&mut io::Read::take(io::stdin().lock(), MOST_INPUT + 1), &mut file).map_err(wrong)?;
    if copied > MOST_INPUT {
        return Err(MediaError::TooLarge);
    }
    file.rewind().map_err(wrong)?;
    Ok(file)
}

impl MessageArgs {
    fn sending<'a>(&'a self, file: &'a Path, inspection: &'a Inspection) -> Sending<'a> {
        Sending {
            file: self.name.as_deref().unwrap_or(file),
            inspection,
            declared_type: self.declared_type.as_deref(),
            last_inbound: self.last_inbound.unwrap_or_default(),
            with_text: self.with_text,
            template: self.template,
        }
    }
}

impl RulesArgs {
    fn read(&self) -> Result<Rules, CliError> {
        let config = self.config.as_deref().map_or_else(|| Ok(Config::default()), read::config)?;
        Ok(rules(&config.media.rules).map_err(MediaError::from)?)
    }
}

/// `never`, or how long ago; a day has 24 hours.
fn last_inbound(text: &str) -> Result<LastInbound, String> {
    if text == "never" {
        return Ok(LastInbound::Never);
    }
    let span: jiff::Span = text.parse().map_err(|_| "not a time span such as 26h, 3d or 90m".to_owned())?;
    let ago = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok();
    let ago = ago.and_then(|ago| Duration::try_from(ago).ok()).ok_or("not a length of time that has passed")?;
    Ok(LastInbound::Ago(ago))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_is_read() {
        for (text, hours) in [("26h", 26), ("3d", 72), ("90m", 1), ("1d 2h", 26), ("0s", 0)] {
            let Ok(LastInbound::Ago(ago)) = last_inbound(text) else { panic!("{text}") };
            assert_eq!(ago.as_secs() / 3600, hours, "{text}");
        }
        assert_eq!(last_inbound("never"), Ok(LastInbound::Never));
        for wrong in ["", "26", "-1h", "soon", "1y"] {
            assert!(last_inbound(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_channel_is_asked_for_with_a_provider_or_with_all() {
        let rules = Rules::embedded();
        assert_eq!(named(&rules, "whatsapp").unwrap().len(), 5);
        assert_eq!(named(&rules, "whatsapp:twilio").unwrap()[0].provider, Some("twilio"));
        assert_eq!(named(&rules, "line").unwrap().len(), 1);
        for wrong in ["pager", "whatsapp:nobody", "line:twilio", ""] {
            assert!(named(&rules, wrong).is_err(), "{wrong}");
        }
    }
}
