//! `egressd prove`: a rule set of Linux in a network inside this process, and real packets through it.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::audit::{AuditFormat, HookArg, RuleSet, RuleSetArgs};
use super::demo::roots;
use super::progress::Bar;
use super::{CliError, baseline, output};
use crate::audit::{
    AddressSet, Coverage, Format, Question, Report as Audit, Required, Side, Traffic, iptables, nftables,
};
use crate::baseline::Baseline;
use crate::config::{Config, Profile};
use crate::exit::ExitStatus;
use crate::job::{self, Job};
use crate::lab::{self, Lab, LabConfig, Links};
use crate::net::interrupt::Interrupt;
use crate::plan::{KnownAddresses, ProbePlan, Settings};
use crate::prefix::{Family, Prefix};
use crate::ranges::FeedSnapshot;
use crate::scan::Pace;
use crate::text::counted;
use crate::verdict::{RangeVerdict, Verdict, ranges};

/// The flags of `prove`.
#[derive(Args, Clone, Debug)]
pub struct ProveArgs {
    /// The files and how they are to be understood.
    #[command(flatten)]
    pub rules: RuleSetArgs,
    /// How the outcome is written
    #[arg(long, value_enum, default_value_t)]
    pub format: AuditFormat,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Proof {
    schema: &'static str,
    agrees: bool,
    /// Ranges of which packets and audit say the same.
    agreed: usize,
    /// Ranges of which the audit said nothing, and packets did.
    settled: Vec<Said>,
    /// Ranges of which they say different things.
    differences: Vec<Said>,
    /// Ranges of which packets said nothing.
    undecided: Vec<Prefix>,
    audit: Audit,
}

/// What is said of a range.
#[derive(Debug, Serialize)]
struct Said {
    prefix: Prefix,
    audit: &'static str,
    packets: &'static str,
    blocked: Vec<Prefix>,
}

/// Runs it.
pub(super) fn run(args: &ProveArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let interrupt = Interrupt::listen().map_err(CliError::Wait)?;
    let lists = args.rules.lists()?;
    let required = args.rules.required(&lists);
    let links = args.links();
    let question = args.question(&links);
    let config = args.rules.state.config()?;
    lab::enter_user_namespace()?;
    let rule_set = args.rules.read(&question)?;
    let coverage = rule_set.coverage(&required)?;
    args.refuse_unplaced(&rule_set, &required)?;
    let mut lab = Laboratory::new(args, &config, &lists.newest, links)?;
    lab.record(&interrupt)?;
    load(&lab.lab, &rule_set)?;
    let verdicts = lab.verdicts(&question, &interrupt)?;
    let proof = Proof::of(&verdicts, &coverage, rule_set.report(&coverage, &required, &question));
    output::write(args.output.as_deref(), out, proof.write(args.format).as_bytes())?;
    Ok(if proof.agrees { coverage.status() } else { ExitStatus::Unusable })
}

impl ProveArgs {
    /// The firewall's links, called as the rules call them.
    fn links(&self) -> Links {
        let usual = Links::default();
        let first = |names: &[String], usual: String| names.first().cloned().unwrap_or(usual);
        Links { inside: first(&self.rules.inside, usual.inside), outside: first(&self.rules.outside, usual.outside) }
    }

    /// Rules that name links are not loaded into a network without such links: everything would be blocked, and agree.
    fn refuse_unplaced(&self, rule_set: &RuleSet, required: &Required<'_>) -> Result<(), CliError> {
        let sides = [(&self.rules.inside, "--inside"), (&self.rules.outside, "--outside")];
        let question = Question { sources: None, ..self.rules.question() };
        let unplaced = rule_set.with(&question)?.coverage(required)?;
        let asked = |flag: &str| {
            unplaced
                .unknown_by
                .iter()
                .filter_map(|share| share.reason.as_deref())
                .find(|reason| reason.contains(flag))
                .map(str::to_owned)
        };
        let missing = sides.into_iter().filter(|(names, _)| names.is_empty()).find_map(|(_, flag)| asked(flag));
        missing.map_or(Ok(()), |reason| Err(CliError::Usage(reason)))
    }

    /// In the lab everything is known: where the client is, and on which side a link is.
    fn question(&self, links: &Links) -> Question {
        let client =
            if self.rules.hook == Some(HookArg::Output) { lab::FIREWALL_ADDRESSES } else { lab::CLIENT_ADDRESSES };
        let sides = [(links.inside.clone(), Side::Inside), (links.outside.clone(), Side::Outside)];
        Question {
            sources: Some(client.into_iter().map(Prefix::host).collect::<AddressSet>()),
            sides: sides.into_iter().collect(),
            traffic: Some(if self.rules.hook == Some(HookArg::Output) { Traffic::Output } else { Traffic::Forward }),
            ..self.rules.question()
        }
    }
}

/// The network, and what is asked in it.
struct Laboratory<'a> {
    lab: Lab,
    config: &'a Config,
    feed: &'a FeedSnapshot,
    settings: Settings,
    baseline: Option<Baseline>,
}

impl<'a> Laboratory<'a> {
    fn new(args: &ProveArgs, config: &'a Config, feed: &'a FeedSnapshot, links: Links) -> Result<Self, CliError> {
        let owned = feed.ranges.iter().map(|range| range.prefix).collect();
        let lab = Lab::start(&LabConfig { owned, links, ..LabConfig::default() })?;
        let mut fast = config.clone();
        (fast.scan.profile, fast.scan.per_second, fast.scan.in_flight) = (Profile::Fast, 0.0, 0);
        let mut settings = fast.settings();
        settings.pace = Pace::UNLIMITED;
        settings.list = args.rules.list.only();
        settings.family = args.rules.family.only();
        Ok(Self { lab, config, feed, settings, baseline: None })
    }

    /// What answers while there are no rules: all of it must be told from what they block.
    fn record(&mut self, interrupt: &Interrupt) -> Result<(), CliError> {
        let plan = ProbePlan::new(&self.settings, self.feed, &KnownAddresses::default());
        self.baseline = Some(self.lab.client().run(|| baseline::record(&plan, interrupt))??);
        Ok(())
    }

    /// What a check says of the ranges, from behind the firewall or from itself.
    fn verdicts(&mut self, question: &Question, interrupt: &Interrupt) -> Result<Vec<RangeVerdict>, CliError> {
        let roots = roots(&self.lab)?;
        let job = Job {
            site: "prove".to_owned(),
            settings: self.settings.clone(),
            feed: self.feed,
            held: &[],
            only: None,
            baseline: self.baseline.take(),
            ipv6_servers: Vec::new(),
            store: None,
            trust: job::trust(self.config, &roots)?,
            roots: &roots,
            endpoints: &[],
            resolvers: &[],
            system_resolvers: false,
            endpoints_only: false,
            allowed_by_rules: None,
        };
        let own = question.traffic == Some(Traffic::Output);
        let host = if own { self.lab.firewall() } else { self.lab.client() };
        let seen = host.run(|| {
            let bar = Bar::new();
            let seen = job.see_ranges(interrupt, &mut |progress| bar.tell(progress));
            bar.clear();
            seen
        })??;
        Ok(ranges(&seen.plan, &seen.evidence.observations))
    }
}

/// Loads the files into the firewall host, with the programs that read them.
fn load(lab: &Lab, rule_set: &RuleSet) -> Result<(), CliError> {
    match rule_set.format {
        Format::Nftables => rule_set.files.iter().try_for_each(|file| {
            let flags: &[&str] = if nftables::is_text(&file.text) { &["-f", "-"] } else { &["-j", "-f", "-"] };
            Ok(lab.load_rules("nft", flags, &file.text)?)
        }),
        Format::Iptables => {
            let mut files: Vec<_> =
                rule_set.files.iter().map(|file| (iptables::Program::of(&file.text), &file.text)).collect();
            files.sort_by_key(|(program, _)| *program);
            files.into_iter().try_for_each(|(program, text)| {
                let (name, arguments) = program.command();
                Ok(lab.load_rules(name, arguments, text)?)
            })
        }
        other => {
            Err(CliError::Usage(format!("rules of {other} cannot be loaded here: prove takes nftables and iptables")))
        }
    }
}

impl Proof {
    fn of(verdicts: &[RangeVerdict], coverage: &Coverage, audit: Audit) -> Self {
        let (mut agreed, mut settled, mut differences, mut undecided) = (0, Vec::new(), Vec::new(), Vec::new());
        for verdict in verdicts.iter().filter(|verdict| coverage.required.covers(&verdict.range.prefix.into())) {
            let said = Said::of(verdict, coverage);
            match (said.audit, verdict.verdict) {
                (_, Verdict::Undetermined | Verdict::ExpectedSilent) => undecided.push(said.prefix),
                ("unknown", _) => settled.push(said),
                _ if said.agrees(verdict, coverage) => agreed += 1,
                _ => differences.push(said),
            }
        }
        Self {
            schema: "egressd.prove/1",
            agrees: differences.is_empty(),
            agreed,
            settled,
            differences,
            undecided,
            audit,
        }
    }

    fn write(&self, format: AuditFormat) -> String {
        match format {
            AuditFormat::Json => {
                let mut text = serde_json::to_string_pretty(self).expect("a proof is plain data");
                text.push('\n');
                text
            }
            AuditFormat::Text | AuditFormat::Markdown => self.text(format),
        }
    }

    fn text(&self, format: AuditFormat) -> String {
        let mut text = self.audit.write(format.into());
        let ranges = |count| counted(count, "range", "ranges");
        let _ = writeln!(text, "\n  {}", if self.agrees { "Packets agree:" } else { "Packets do NOT agree:" });
        let _ = writeln!(text, "  agreed    {} as the audit says", ranges(self.agreed));
        for said in &self.differences {
            let _ = writeln!(
                text,
                "  differs   {}: the audit says {}, packets say {}",
                said.prefix, said.audit, said.packets
            );
        }
        for said in &self.settled {
            let _ = writeln!(text, "  settled   {}: the audit cannot tell, packets say {}", said.prefix, said.packets);
        }
        if !self.undecided.is_empty() {
            let _ = writeln!(text, "  undecided {}: packets cannot tell", ranges(self.undecided.len()));
        }
        if !self.agrees {
            let _ = writeln!(text, "  A difference is an error of egressd: please report it with the rules.");
        }
        text
    }
}

impl Said {
    fn of(verdict: &RangeVerdict, coverage: &Coverage) -> Self {
        let range = AddressSet::from(verdict.range.prefix);
        let touches = |set: &AddressSet| !set.intersection(&range).is_empty();
        let audit = match (touches(&coverage.unknown), touches(&coverage.allowed), touches(&coverage.missing)) {
            (true, ..) => "unknown",
            (_, true, true) => "partly allowed",
            (_, true, _) => "allowed",
            _ => "missing",
        };
        let packets = match verdict.verdict {
            Verdict::Open => "open",
            Verdict::PartlyBlocked => "partly blocked",
            Verdict::Blocked => "blocked",
            Verdict::Undetermined | Verdict::ExpectedSilent => "nothing",
        };
        Self { prefix: verdict.range.prefix, audit, packets, blocked: verdict.blocked.clone() }
    }

    /// What is blocked lies in what is missing, and what is missing and large enough to be asked is blocked.
    fn agrees(&self, verdict: &RangeVerdict, coverage: &Coverage) -> bool {
        let range = AddressSet::from(self.prefix);
        let missing = coverage.missing.intersection(&range);
        let blocked: AddressSet = verdict.blocked.iter().copied().collect();
        let untold: AddressSet = verdict.undetermined.iter().copied().collect();
        let justified = verdict.blocked.iter().all(|prefix| !missing.intersection(&(*prefix).into()).is_empty());
        let unseen = missing.difference(&blocked).difference(&untold);
        let whole_cell = |prefix: &Prefix| {
            let cell = if prefix.family() == Family::V4 { SMALLEST_CELL } else { SMALLEST_CELL_V6 };
            prefix.len() <= cell || *prefix == self.prefix
        };
        justified && !unseen.prefixes().iter().any(whole_cell)
    }
}

/// The cells that a check asks one by one.
const SMALLEST_CELL: u8 = 20;

/// Of IPv6 a range is asked as a whole.
const SMALLEST_CELL_V6: u8 = 0;
