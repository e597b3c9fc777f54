//! The report for a terminal: the sentence that matters, what is blocked and by whom, what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{RangeReport, Report};
use crate::diagnose::{Cause, Diagnosis, Severity, how};
use crate::prefix::Family;
use crate::ranges::Source;
use crate::text::{counted, grouped, printable};
use crate::verdict::{Mechanism, Offender, Verdict};

/// What the terminal takes, and how much is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colours may be used.
    pub colour: bool,
    /// Each range gets a line.
    pub all: bool,
}

pub(super) fn write(report: &Report, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    page.header(report);
    page.sentence(report);
    page.table(report);
    page.endpoints(report);
    page.media(report);
    if style.all {
        page.every_range(report);
    }
    page.actions(report);
    page.footer(report);
    page.text
}

struct Page {
    text: String,
    style: Style,
}

/// SGR codes.
const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.style.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn header(&mut self, report: &Report) {
        let pace =
            report.probes.per_second_limit.map_or_else(|| "unpaced".to_owned(), |rate| format!("{rate} probes/s"));
        let ranges = (!report.ranges.is_empty())
            .then(|| format!("{} ({}) · {pace}", counted(report.ranges.len(), "range", "ranges"), feed_name(report)));
        let names: BTreeSet<&str> = report.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
        let endpoints = (!names.is_empty()).then(|| counted(names.len(), "endpoint", "endpoints"));
        let what = ranges.into_iter().chain(endpoints).collect::<Vec<_>>().join(" · ");
        let (version, site) = (report.tool.version, printable(&report.site, 60));
        let line = format!("egressd {version} · {site} · {what} · {:.1} s", report.seconds);
        let line = self.painted(DIM, &line);
        self.line(&line);
    }

    fn sentence(&mut self, report: &Report) {
        let (code, sentences) = headline(report);
        self.line("");
        for sentence in sentences {
            let sentence = self.painted(&format!("{BOLD};{code}"), &sentence);
            self.line(&format!("  {sentence}"));
        }
        self.line("");
    }

    fn table(&mut self, report: &Report) {
        for row in blocked_rows(report) {
            self.row(RED, &row);
        }
        for row in partly_rows(report) {
            self.row(RED, &row);
        }
        for row in quiet_rows(report) {
            let code = if row.label == "open" { GREEN } else { YELLOW };
            self.row(code, &row);
        }
    }

    fn row(&mut self, code: &str, row: &Row) {
        let label = self.painted(code, &format!("{:<9}", row.label));
        let size = row.size.map_or_else(String::new, |size| format!("{} addresses", grouped(size)));
        let ranges = counted(row.ranges, "range", "ranges");
        let (ranges, unit) = ranges.split_once(' ').expect("a number and a noun");
        self.line(&format!("  {label} {ranges:>5} {unit:<6}  {size:>20}   {}", row.what));
    }

    fn endpoints(&mut self, report: &Report) {
        if report.endpoints.is_empty() {
            return;
        }
        if !report.ranges.is_empty() {
            self.line("");
        }
        let width = report.endpoints.iter().map(|endpoint| endpoint.name.len()).max().unwrap_or(0);
        for endpoint in &report.endpoints {
            let (code, word) = endpoint_word(endpoint.verdict);
            let word = self.painted(code, &format!("{word:<6}"));
            let path = if endpoint.path == "proxy" { "by proxy" } else { "direct" };
            let (direction, name) = (endpoint.direction.name(), &endpoint.name);
            self.line(&format!("  {direction:<8}  {name:<width$}  {path:<8}  {word}  {}", endpoint.reason));
        }
    }

    fn media(&mut self, report: &Report) {
        let width = report.media.iter().map(|media| media.name.len()).max().unwrap_or(0);
        for media in &report.media {
            let (code, word) = endpoint_word(media.verdict);
            let word = self.painted(code, &format!("{word:<6}"));
            let path = if media.path == "proxy" { "by proxy" } else { "direct" };
            self.line(&format!("  media     {:<width$}  {path:<8}  {word}  {}", media.name, media.sentence()));
            for more in media.breaks.iter().skip(1) {
                self.line(&format!("            {:<width$}            also    {}", "", more.reason));
            }
        }
    }

    fn every_range(&mut self, report: &Report) {
        self.line("");
        for range in &report.ranges {
            let code = if range.verdict.accuses() {
                RED
            } else if range.verdict == Verdict::Open {
                GREEN
            } else {
                YELLOW
            };
            let verdict = self.painted(code, &format!("{:<15}", range.verdict.name()));
            self.line(&format!(
                "  {:<22} {:<13} {verdict} {}",
                range.prefix.to_string(),
                range.role.name(),
                range.reason
            ));
        }
    }

    fn actions(&mut self, report: &Report) {
        if report.diagnoses.is_empty() {
            return;
        }
        self.line("");
        self.line("  What to do");
        for (number, diagnosis) in (1..).zip(&report.diagnoses) {
            let owner = diagnosis.owner.name();
            self.line(&format!("  {number}  {owner:<8} {}", diagnosis.fix));
            for evidence in &diagnosis.evidence {
                let evidence = self.painted(DIM, evidence);
                self.line(&format!("              {evidence}"));
            }
            if let Some(command) = &diagnosis.command {
                let command = self.painted(BOLD, command);
                self.line(&format!("              next: {command}"));
            }
        }
    }

    fn footer(&mut self, report: &Report) {
        self.line("");
        for limit in &report.limits {
            self.line(&format!("  note: {limit}"));
        }
        for note in report.media.iter().flat_map(super::media::MediaReport::notes) {
            self.line(&format!("  note: {note}"));
        }
        if report.interrupted {
            self.line("  note: interrupted; this is what was known by then");
        }
        if let Some(note) = report.feed.note.filter(|_| !report.ranges.is_empty()) {
            self.line(&format!("  note: {note}"));
        }
        let Some(alpha) = report.ranges.first().map(|range| range.confidence.alpha) else {
            let command = if report.media.is_empty() { "check" } else { "media send" };
            let line = self.painted(DIM, &format!("ticket: egressd {command} --format markdown"));
            return self.line(&format!("  {line}"));
        };
        let line = format!(
            "error rate 1 in {} per range · controls {} of {} · ticket: egressd check --format markdown",
            one_in(alpha),
            report.controls.answered,
            report.controls.sent
        );
        let line = self.painted(DIM, &line);
        self.line(&format!("  {line}"));
    }
}

fn endpoint_word(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Open => (GREEN, "open"),
        Verdict::Blocked => (RED, "FAILS"),
        Verdict::PartlyBlocked => (RED, "partly"),
        Verdict::Undetermined | Verdict::ExpectedSilent => (YELLOW, "unsure"),
    }
}

pub(super) fn feed_name(report: &Report) -> String {
    let date = report.feed.date.as_deref().unwrap_or("undated");
    match report.feed.source {
        Source::Documented => format!("documented list of {date}"),
        Source::ListCloudfrontIps | Source::IpRanges => format!("{} {date}", report.feed.source),
    }
}

/// The sentence that matters, and its colour.
pub(super) fn headline(report: &Report) -> (&'static str, Vec<String>) {
    let grave = |diagnosis: &&Diagnosis| diagnosis.severity == Severity::Critical;
    if let Some(stale) = report.diagnoses.iter().find(|diagnosis| diagnosis.id == Cause::StaleAllowlist) {
        return (RED, stale_headline(report, stale));
    }
    if let Some(cause) = report.diagnoses.iter().find(grave) {
        let more = report.diagnoses.iter().filter(grave).count() - 1;
        let tail =
            if more > 0 { format!("; {} below", counted(more, "other cause", "other causes")) } else { String::new() };
        return (RED, vec![format!("{}{tail}.", capitalised(&cause.title)), consequence(cause)]);
    }
    if report.ranges.is_empty() {
        return endpoints_headline(report);
    }
    let viewers = || report.ranges.iter().filter(|range| range.is_viewer());
    let unknown = viewers().filter(|range| range.verdict == Verdict::Undetermined && !range.is_v6()).count();
    let open = viewers().filter(|range| range.verdict == Verdict::Open).count();
    match (open, unknown) {
        (0, _) => (YELLOW, vec!["No range could be judged.".to_owned()]),
        (_, 0) => (GREEN, vec![format!("Nothing is blocked: all {open} ranges that carry transfers are open.")]),
        _ => (
            YELLOW,
            vec![format!(
                "Nothing is seen to be blocked: {open} ranges that carry transfers are open, {unknown} cannot be told."
            )],
        ),
    }
}

fn endpoints_headline(report: &Report) -> (&'static str, Vec<String>) {
    let all = report.endpoints.len();
    let open = report.endpoints.iter().filter(|endpoint| endpoint.verdict == Verdict::Open).count();
    let media = report.media.iter().filter(|media| media.verdict != Verdict::Open).count();
    match all - open {
        0 if media > 0 => {
            (YELLOW, vec!["The endpoints work, and not everything that is sent there arrives.".to_owned()])
        }
        0 if !report.media.is_empty() => (GREEN, vec!["Media are sent and received unchanged.".to_owned()]),
        0 => (GREEN, vec![format!("All {} work.", counted(all, "endpoint", "endpoints"))]),
        rest => {
            (YELLOW, vec![format!("{open} of {} work, {rest} not for certain.", counted(all, "endpoint", "endpoints"))])
        }
    }
}

fn stale_headline(report: &Report, stale: &Diagnosis) -> Vec<String> {
    let blocked = report.ranges.iter().filter(|range| range.is_viewer() && range.verdict.accuses());
    let example = blocked.clone().find(|range| range.offender.is_some());
    let place = example.map(|range| (range.mechanism.unwrap_or(Mechanism::Dropped), range.offender));
    let how =
        place.map_or_else(|| "blocked".to_owned(), |(mechanism, offender)| how(mechanism, offender.as_ref(), None));
    let (allows, _) = stale.title.split_once(':').unwrap_or((&stale.title, ""));
    vec![
        format!("{}:", capitalised(allows).replacen("The firewall", "Your firewall", 1)),
        format!(
            "{} ranges added since are missing; the {} of them that carry transfers are",
            stale.prefixes.len(),
            blocked.count()
        ),
        format!("{how}. Transfers through them fail."),
    ]
}

fn consequence(cause: &Diagnosis) -> String {
    let text = match cause.id {
        Cause::OwnUplinkDown => "Nobody is accused: nothing can be said until it is up.",
        Cause::EverythingBlocked => "No file can be sent or received.",
        Cause::AnswersForEveryone => "Whether a range is open cannot be told from a connection here.",
        Cause::RangeDropped | Cause::RangeRejected | Cause::RangeReset => {
            "Transfers that are sent there fail, for some people, some of the time."
        }
        Cause::TlsIntercepted => "Programs that do not trust the interceptor fail there, and some that do.",
        Cause::StaleAllowlist | Cause::NoIpv6Route | Cause::QuicBlocked | Cause::HostLimits => "",
        _ => "Transfers there fail.",
    };
    text.to_owned()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A bound on an error as people say it: 1 in so many.
pub(super) fn one_in(alpha: f64) -> String {
    // Exact for every bound that the configuration takes.
    let number = format!("{:.0}", 1.0 / alpha);
    number.parse().map_or(number, grouped)
}

/// One line of the table.
struct Row {
    label: &'static str,
    ranges: usize,
    size: Option<u128>,
    what: String,
}

/// What blocked ranges on one line share.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    other: bool,
    mechanism: Mechanism,
    offender: Option<Offender>,
}

impl Place {
    fn of(range: &RangeReport) -> Self {
        Self {
            other: !range.is_viewer(),
            mechanism: range.mechanism.unwrap_or(Mechanism::Dropped),
            offender: range.offender.map(|offender| Offender { traced: true, ..offender }),
        }
    }

    fn row(&self, ranges: &[&RangeReport]) -> Row {
        let aside = if self.other { " (serves no viewers)" } else { "" };
        let name = if let [only] = ranges { format!("{} ", only.prefix) } else { String::new() };
        let size = ranges.iter().map(|range| range.blocked_addresses()).fold(0, u128::saturating_add);
        let what = format!("{name}{}{aside}", how(self.mechanism, self.offender.as_ref(), None));
        Row { label: "blocked", ranges: ranges.len(), size: Some(size), what }
    }
}

fn blocked_rows(report: &Report) -> Vec<Row> {
    let mut places: BTreeMap<Place, Vec<&RangeReport>> = BTreeMap::new();
    for range in report.ranges.iter().filter(|range| range.verdict == Verdict::Blocked) {
        places.entry(Place::of(range)).or_default().push(range);
    }
    places.into_iter().map(|(place, ranges)| place.row(&ranges)).collect()
}

fn partly_rows(report: &Report) -> Vec<Row> {
    let partly = report.ranges.iter().filter(|range| range.verdict == Verdict::PartlyBlocked);
    let row = |range: &RangeReport| {
        let mut what = String::new();
        let holes: Vec<String> = range.blocked.iter().take(4).map(ToString::to_string).collect();
        let more = range.blocked.len().saturating_sub(4);
        let _ = write!(what, "{}", holes.join(", "));
        if more > 0 {
            let _ = write!(what, " and {more} more");
        }
        let how = how(range.mechanism.unwrap_or(Mechanism::Dropped), range.offender.as_ref(), None);
        let _ = write!(what, " in {}, {how}", range.prefix);
        Row { label: "partly", ranges: 1, size: Some(range.blocked_addresses()), what }
    };
    partly.map(row).collect()
}

/// What needs no action: a line for each kind.
fn quiet_rows(report: &Report) -> Vec<Row> {
    let of = |verdict: Verdict, family: Option<Family>| {
        let wanted = move |range: &&RangeReport| {
            range.verdict == verdict && family.is_none_or(|family| range.prefix.family() == family)
        };
        report.ranges.iter().filter(wanted)
    };
    let unsure_v4 = || of(Verdict::Undetermined, Some(Family::V4));
    let unsure_v6 = || of(Verdict::Undetermined, Some(Family::V6));
    let rows = [
        ("open", of(Verdict::Open, None).count(), String::new()),
        ("unsure", unsure_v4().count(), why(unsure_v4())),
        ("unsure", unsure_v6().count(), why(unsure_v6())),
        ("silent", of(Verdict::ExpectedSilent, None).count(), "not viewer-facing, silence is expected".to_owned()),
    ];
    rows.into_iter()
        .filter(|(_, ranges, _)| *ranges > 0)
        .map(|(label, ranges, what)| Row { label, ranges, size: None, what })
        .collect()
}

/// The most frequent reason of several ranges.
fn why<'a>(ranges: impl Iterator<Item = &'a RangeReport>) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for range in ranges {
        *reasons.entry(range.reason.as_str()).or_default() += 1;
    }
    let several = reasons.len() > 1;
    let most = reasons.into_iter().max_by_key(|(_, count)| *count).map_or("", |(reason, _)| reason);
    if several { format!("{most}; --all shows each") } else { most.to_owned() }
}
