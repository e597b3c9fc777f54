//! `egressd export`: what is to be allowed, in the syntax of the device that has to allow it.

mod input;
mod listing;

pub use input::InputError;

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::state::tell;
use super::{Asked, CliError, FamilyFilter, ListFilter, StateArgs, output};
use crate::exit::ExitStatus;
use crate::export::{
    ExportError, Intent, Overflow, Request, RuleFormat, Rules, Selected, Selection, Summary, is_object_name,
};
use crate::prefix::{Family, Prefix, PrefixSet};
use crate::ranges::Role;
use crate::store::lists::Lists;

/// The flags of `export`.
#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// The syntax
    #[arg(value_name = "FORMAT", value_enum, required_unless_present = "list_formats")]
    pub rules: Option<RuleFormat>,
    /// Show the formats and what each device can do
    #[arg(long)]
    pub list_formats: bool,
    /// A feed, `-` for standard input or `documented`; of several the newest is written
    #[arg(long = "feed", value_name = "F")]
    pub feeds: Vec<PathBuf>,
    /// Where lists are kept.
    #[command(flatten)]
    pub state: StateArgs,
    /// A list of your own in place of a feed: one prefix in a line
    #[arg(long, value_name = "F", conflicts_with_all = ["feeds", "list", "roles"])]
    pub prefixes: Option<PathBuf>,
    /// The ranges of this list
    #[arg(long, value_enum, default_value_t)]
    pub list: ListFilter,
    /// The ranges of this address family
    #[arg(long, value_enum, default_value_t)]
    pub family: FamilyFilter,
    /// The ranges of this role alone; may be given several times
    #[arg(long = "role", value_name = "ROLE", value_enum)]
    pub roles: Vec<RoleFilter>,
    /// All that is selected, or what a report found missing of it
    #[arg(long, value_enum, default_value_t, requires_if("missing", "report"))]
    pub only: Only,
    /// The report of a check or of an audit, in JSON, for `--only missing`
    #[arg(long, value_name = "F")]
    pub report: Option<PathBuf>,
    /// The export or feed that the device was set up from: write the change since then
    #[arg(long, value_name = "F", conflicts_with = "report")]
    pub since: Option<PathBuf>,
    /// Write what undoes the change of `--since` or `--only missing`
    #[arg(long)]
    pub rollback: bool,
    /// An endpoint's address, or its name where the device takes names; may be given several times
    #[arg(long = "endpoint", value_name = "ADDRESS|HOST")]
    pub endpoints: Vec<Asked>,
    /// A destination port, TCP; may be given several times
    #[arg(long = "port", value_name = "N", default_value = "443", value_parser = clap::value_parser!(u16).range(1..))]
    pub ports: Vec<u16>,
    /// What the objects on the device are called
    #[arg(long, value_name = "N", default_value = "cloudfront", value_parser = name)]
    pub name: String,
    /// The most entries in one object, in place of the device's usual limit
    #[arg(long, value_name = "K")]
    pub max_entries: Option<NonZeroUsize>,
    /// What to do with more entries than that
    #[arg(long, value_enum, default_value_t)]
    pub on_overflow: OnOverflow,
    /// The most that `cover` may allow beyond the list, in per cent of its addresses
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub max_extra: Option<f64>,
    /// How the formats, or what was written, are described
    #[arg(long, value_enum)]
    pub format: Option<DescriptionFormat>,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// Whether what works already is written too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Only {
    /// All that is selected
    #[default]
    All,
    /// What the report names as blocked or missing
    Missing,
}

/// What is done with more entries than the device takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnOverflow {
    /// Write nothing
    #[default]
    Fail,
    /// Write the fewest objects that hold them
    Split,
    /// Write fewer and larger entries, which allow more than the list
    Cover,
}

/// How formats, or what was written, are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DescriptionFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// What a range is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleFilter(Role);

/// What is to be written.
struct Chosen {
    /// The entries that are meant.
    selected: Selected,
    /// All that is listed: no report can name more.
    all: PrefixSet,
    /// Which publication of what day, and which file with what digest.
    source: String,
    origin: String,
}

/// Runs it.
pub(super) fn run(args: &ExportArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let Some(format) = args.rules.filter(|_| !args.list_formats) else {
        let listing = match args.format.unwrap_or(DescriptionFormat::Text) {
            DescriptionFormat::Text => listing::text(),
            DescriptionFormat::Json => listing::json(),
        };
        output::write(args.output.as_deref(), out, listing.as_bytes())?;
        return Ok(ExitStatus::Reachable);
    };
    args.refuse_what_does_not_go_together()?;
    match args.rules(format)? {
        Some(rules) => args.deliver(format, &rules, out)?,
        None => tell("nothing is missing, and nothing was written"),
    }
    Ok(ExitStatus::Reachable)
}

impl ExportArgs {
    fn refuse_what_does_not_go_together(&self) -> Result<(), CliError> {
        let described = self.format.is_some() && self.file().is_none();
        let undone = self.rollback && self.since.is_none() && self.only == Only::All;
        let unasked = self.max_extra.is_some() && self.on_overflow != OnOverflow::Cover;
        let idle = self.report.is_some() && self.only == Only::All;
        let wrong = match (described, undone, unasked, idle) {
            (true, ..) => "--format describes what -o writes: name a file with -o",
            (_, true, ..) => "--rollback needs --since or --only missing",
            (_, _, true, _) => "--max-extra is for --on-overflow cover",
            (.., true) => "--report is for --only missing",
            _ => return Ok(()),
        };
        Err(CliError::Usage(wrong.to_owned()))
    }

    /// None when nothing is missing.
    fn rules(&self, format: RuleFormat) -> Result<Option<Rules>, CliError> {
        let Chosen { mut selected, all, source, origin } = self.chosen()?;
        if let Some(report) = &self.report {
            selected = selected.within(&input::missing(report, &all)?);
        }
        let previous = self.since.as_deref().map(input::previous).transpose()?;
        let previous = previous.map(|previous| self.of_family(previous));
        let hosts = self.endpoints.iter().filter_map(Asked::host).map(str::to_owned).collect::<Vec<_>>();
        let intent = self.intent(format, previous.as_deref());
        let request = Request {
            format,
            name: &self.object_name(intent),
            source: &source,
            origin: &origin,
            selected: &selected,
            intent,
            ports: &self.ports,
            hosts: &hosts,
            max_entries: self.max_entries,
            overflow: self.overflow(),
        };
        match request.rules() {
            Err(ExportError::Empty) if self.only == Only::Missing => Ok(None),
            rules => Ok(Some(rules?)),
        }
    }

    fn chosen(&self) -> Result<Chosen, CliError> {
        if let Some(file) = &self.prefixes {
            let prefixes = self.of_family(input::previous(file)?);
            let all = if self.report.is_some() { prefixes.iter().copied().collect() } else { PrefixSet::new() };
            let (source, origin) = ("own list".to_owned(), file.display().to_string());
            return Ok(Chosen { selected: Selected::plain(&prefixes), all, source, origin });
        }
        let Lists { newest: feed, withdrawn, .. } = self.state.lists(&self.feeds)?;
        let selection = Selection {
            list: self.list.only(),
            family: self.family.only(),
            roles: self.roles.iter().map(|role| role.0).collect(),
            addresses: self.endpoints.iter().filter_map(Asked::address).collect(),
        };
        Ok(Chosen {
            selected: selection.with_withdrawn(&feed, &withdrawn),
            all: feed.addresses().union(&withdrawn.iter().map(|missed| missed.range.prefix).collect()),
            source: feed.edition(),
            origin: feed.origin(),
        })
    }

    fn of_family(&self, mut prefixes: Vec<Prefix>) -> Vec<Prefix> {
        let family: Option<Family> = self.family.only();
        prefixes.retain(|prefix| family.is_none_or(|family| family == prefix.family()));
        prefixes
    }

    /// What is missing is added where the device can add, and else a list of its own.
    fn intent<'a>(&self, format: RuleFormat, previous: Option<&'a [Prefix]>) -> Intent<'a> {
        match (previous, self.rollback, self.only) {
            (Some(previous), false, _) => Intent::From(previous),
            (Some(previous), true, _) => Intent::BackTo(previous),
            (None, true, _) => Intent::Remove,
            (None, false, Only::Missing) if format.capability().change => Intent::Add,
            (None, false, _) => Intent::Replace,
        }
    }

    /// What is missing must not take the place of what is there.
    fn object_name(&self, intent: Intent<'_>) -> String {
        let apart = self.only == Only::Missing && intent == Intent::Replace;
        if apart { format!("{}-missing", self.name) } else { self.name.clone() }
    }

    fn overflow(&self) -> Overflow {
        match self.on_overflow {
            OnOverflow::Fail => Overflow::Fail,
            OnOverflow::Split => Overflow::Split,
            OnOverflow::Cover => Overflow::Cover { max_extra_percent: self.max_extra },
        }
    }

    fn file(&self) -> Option<&PathBuf> {
        self.output.as_ref().filter(|file| file.as_os_str() != "-")
    }

    fn deliver(&self, format: RuleFormat, rules: &Rules, out: &mut dyn Write) -> Result<(), CliError> {
        let mut text = String::new();
        format.write(rules, &mut text).expect("a String takes everything");
        output::write(self.output.as_deref(), out, text.as_bytes())?;
        rules.notes().iter().for_each(|note| tell(note));
        rules.extra().iter().for_each(|prefix| tell(&format!("beyond the list: {prefix}")));
        let mut summary = Summary::new(format, rules);
        summary.files.extend(self.file().map(|file| file.display().to_string()));
        let described = match self.format {
            None => return Ok(()),
            Some(DescriptionFormat::Text) => summary.text(),
            Some(DescriptionFormat::Json) => summary.json(),
        };
        Ok(output::write(None, out, described.as_bytes())?)
    }
}

pub(super) fn name(text: &str) -> Result<String, String> {
    is_object_name(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "expected at most 63 letters, digits, `-` and `_`, a letter first".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "expected a percentage, such as 5".to_owned())
}

impl ValueEnum for RuleFormat {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.title()))
    }
}

impl RoleFilter {
    /// The role.
    #[must_use]
    pub fn role(self) -> Role {
        self.0
    }
}

impl ValueEnum for RoleFilter {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: &[RoleFilter] = &[
            RoleFilter(Role::Viewer),
            RoleFilter(Role::RegionalEdge),
            RoleFilter(Role::OriginFacing),
            RoleFilter(Role::CarrierCn),
        ];
        ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}
