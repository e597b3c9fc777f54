//! `egressd audit`: what an existing rule set allows of what is required, without sending a packet.

mod fix;
mod input;

pub use input::AuditError;
pub(super) use input::allowed;

use std::io::Write;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::export::RoleFilter;
use super::{CliError, FamilyFilter, ListFilter, StateArgs, output};
use crate::audit::{
    AddressSet, Assumed, Coverage, Format, Policy, Question, Report, ReportFormat, Required, Side, SourceFile, Traffic,
    audit,
};
use crate::exit::ExitStatus;
use crate::export::RuleFormat;
use crate::prefix::Prefix;
use crate::ranges::{FeedSnapshot, Range};
use crate::store::lists::Lists;

/// The flags of `audit`.
#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// The files and how they are to be understood.
    #[command(flatten)]
    pub rules: RuleSetArgs,
    /// How the audit is written
    #[arg(long, value_enum, default_value_t)]
    pub format: AuditFormat,
    /// Write the rules that are missing, in this syntax, in place of the audit
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub fix: Option<RuleFormat>,
    /// Write what takes the rules of `--fix` away again
    #[arg(long, requires = "fix")]
    pub rollback: bool,
    /// What the objects of `--fix` are called on the device
    #[arg(long, value_name = "N", default_value = "cloudfront", value_parser = super::export::name, requires = "fix")]
    pub name: String,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// A rule set, and how it is to be understood.
#[derive(Args, Clone, Debug)]
pub struct RuleSetArgs {
    /// The files of one rule set; `-` is standard input
    #[arg(value_name = "F", required = true)]
    pub files: Vec<PathBuf>,
    /// What they are written in
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub from: Source,
    /// What becomes of what a list does not mention
    #[arg(long, value_name = "allow|deny", value_enum)]
    pub default: Option<DefaultArg>,
    /// Whose packets: those that pass through the host, or its own
    #[arg(long, value_enum)]
    pub hook: Option<HookArg>,
    /// An interface or zone toward the clients; may be given several times
    #[arg(long, value_name = "NAME")]
    pub inside: Vec<String>,
    /// An interface or zone toward the Internet; may be given several times
    #[arg(long, value_name = "NAME")]
    pub outside: Vec<String>,
    /// Where the clients are, for rules that tell sources apart; may be given several times
    #[arg(long = "source", value_name = "PREFIX")]
    pub sources: Vec<Prefix>,
    /// The destination port, TCP
    #[arg(long, value_name = "N", default_value_t = 443, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// A feed, `-` for standard input or `documented`; of several the newest is required, older ones help to recognise
    #[arg(long = "feed", value_name = "F")]
    pub feeds: Vec<PathBuf>,
    /// The ranges of this list
    #[arg(long, value_enum, default_value_t)]
    pub list: ListFilter,
    /// The ranges of this address family
    #[arg(long, value_enum, default_value_t)]
    pub family: FamilyFilter,
    /// The ranges of this role alone; may be given several times
    #[arg(long = "role", value_name = "ROLE", value_enum)]
    pub roles: Vec<RoleFilter>,
    /// Where lists are kept.
    #[command(flatten)]
    pub state: StateArgs,
}

/// The format that files are in, or that it is to be recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source(pub Option<Format>);

/// What becomes of what a list does not mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DefaultArg {
    /// It passes
    Allow,
    /// It does not
    Deny,
}

/// Whose packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HookArg {
    /// Those that pass through
    Forward,
    /// The host's own
    Output,
}

/// How an audit is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For a ticket
    Markdown,
}

/// Runs it.
pub(super) fn run(args: &AuditArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let rule_set = args.rules.read(&args.rules.question())?;
    let lists = args.rules.lists()?;
    let required = args.rules.required(&lists);
    let coverage = rule_set.coverage(&required)?;
    let status = coverage.status();
    let text = match args.fix {
        Some(format) => args.fix(format, &required, &coverage)?,
        None => Some(rule_set.report(&coverage, &required, &args.rules.question()).write(args.format.into())),
    };
    if let Some(text) = text {
        output::write(args.output.as_deref(), out, text.as_bytes())?;
    }
    Ok(status)
}

/// A rule set as it was read.
pub(super) struct RuleSet {
    pub(super) format: Format,
    /// As they are written.
    pub(super) files: Vec<SourceFile>,
    /// As they are read: what nft reads is read in its JSON.
    readable: Vec<SourceFile>,
    pub(super) policy: Policy,
}

impl RuleSet {
    /// The same files read with another question.
    pub(super) fn with(&self, question: &Question) -> Result<Self, AuditError> {
        let policy = self.format.read(&self.readable, question)?;
        Ok(Self { format: self.format, files: self.files.clone(), readable: self.readable.clone(), policy })
    }

    pub(super) fn coverage(&self, required: &Required<'_>) -> Result<Coverage, AuditError> {
        Ok(audit(&self.policy, &self.files, required)?)
    }

    pub(super) fn report(&self, coverage: &Coverage, required: &Required<'_>, question: &Question) -> Report {
        let names: Vec<String> = self.files.iter().map(|file| file.name.clone()).collect();
        Report::new(coverage, required, self.format, question, &names)
    }
}

impl RuleSetArgs {
    /// The lists to go by.
    pub(super) fn lists(&self) -> Result<Lists, CliError> {
        self.state.lists(&self.feeds)
    }

    /// What the rules are held against.
    pub(super) fn required<'a>(&self, lists: &'a Lists) -> Required<'a> {
        Required { feed: &lists.newest, held: &lists.older, ranges: self.chosen(&lists.newest) }
    }

    fn chosen<'a>(&self, feed: &'a FeedSnapshot) -> Vec<&'a Range> {
        let selection = self.selection();
        feed.ranges.iter().filter(|range| selection.keeps(range)).collect()
    }

    pub(super) fn question(&self) -> Question {
        let sides = [(&self.inside, Side::Inside), (&self.outside, Side::Outside)];
        let names = |(names, side): (&Vec<String>, Side)| {
            names.iter().map(move |name| (name.clone(), side)).collect::<Vec<_>>()
        };
        Question {
            port: self.port,
            default: self
                .default
                .map(|default| if default == DefaultArg::Allow { Assumed::Allow } else { Assumed::Deny }),
            traffic: self.hook.map(|hook| if hook == HookArg::Forward { Traffic::Forward } else { Traffic::Output }),
            sources: (!self.sources.is_empty()).then(|| self.sources.iter().copied().collect::<AddressSet>()),
            sides: sides.into_iter().flat_map(names).collect(),
        }
    }
}

impl From<AuditFormat> for ReportFormat {
    fn from(format: AuditFormat) -> Self {
        match format {
            AuditFormat::Text => Self::Text,
            AuditFormat::Json => Self::Json,
            AuditFormat::Markdown => Self::Markdown,
        }
    }
}

impl ValueEnum for Source {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: std::sync::LazyLock<Vec<Source>> = std::sync::LazyLock::new(|| {
            std::iter::once(None).chain(Format::ALL.iter().copied().map(Some)).map(Source).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            None => PossibleValue::new("auto").help("the format is recognised"),
            Some(format) => PossibleValue::new(format.name()).help(format.title()),
        })
    }
}
