//! The report for a ticket: everything the next person needs, in a form that every tracker shows.

use std::fmt::Write as _;

use super::text::{feed_name, headline};
use super::{RangeReport, Report};
use crate::diagnose::how;
use crate::verdict::{self, Mechanism, Verdict};

pub(super) fn write(report: &Report) -> String {
    let mut page = String::new();
    let (_, sentences) = headline(report);
    let _ = writeln!(page, "## CloudFront reachability from {}\n", escaped(&report.site));
    let _ = writeln!(page, "**{}**\n", escaped(&sentences.join(" ")));
    causes(&mut page, report);
    blocked(&mut page, report);
    endpoints(&mut page, report);
    media(&mut page, report);
    counts(&mut page, report);
    method(&mut page, report);
    page
}

fn causes(page: &mut String, report: &Report) {
    if report.diagnoses.is_empty() {
        return;
    }
    let _ = writeln!(page, "### What to do\n");
    for (number, diagnosis) in (1..).zip(&report.diagnoses) {
        let fix = escaped(&diagnosis.fix);
        let _ = writeln!(page, "{number}. **{}** (`{}`): {fix}", diagnosis.owner.name(), diagnosis.id.name());
        for evidence in &diagnosis.evidence {
            let _ = writeln!(page, "   - {}", escaped(evidence));
        }
        if let Some(command) = &diagnosis.command {
            let _ = writeln!(page, "   - next: `{}`", command.replace('`', "'"));
        }
        if !diagnosis.prefixes.is_empty() {
            prefixes(page, &diagnosis.prefixes);
        }
    }
    page.push('\n');
}

/// The prefixes to be copied into a rule.
fn prefixes(page: &mut String, prefixes: &[crate::prefix::Prefix]) {
    let _ = writeln!(page, "\n   ```");
    for prefix in prefixes {
        let _ = writeln!(page, "   {prefix}");
    }
    let _ = writeln!(page, "   ```\n");
}

fn blocked(page: &mut String, report: &Report) {
    let accused: Vec<&RangeReport> = report.ranges.iter().filter(|range| range.verdict.accuses()).collect();
    if accused.is_empty() {
        return;
    }
    let _ = writeln!(page, "### Blocked\n\n| range | role | blocked | how | evidence |\n|---|---|---|---|---|");
    for range in accused {
        let parts: Vec<String> = range.blocked.iter().map(ToString::to_string).collect();
        let mechanism = range.mechanism.unwrap_or(Mechanism::Dropped);
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            range.prefix,
            range.role,
            parts.join(" "),
            escaped(&how(mechanism, range.offender.as_ref(), None)),
            escaped(&range.reason)
        );
    }
    page.push('\n');
}

fn endpoints(page: &mut String, report: &Report) {
    if report.endpoints.is_empty() {
        return;
    }
    let _ =
        writeln!(page, "### Endpoints\n\n| endpoint | way | verdict | layer | what was seen |\n|---|---|---|---|---|");
    for endpoint in &report.endpoints {
        let _ = writeln!(
            page,
            "| {} ({} {}) | {} | {} | {} | {} |",
            escaped(&endpoint.name),
            endpoint.direction.name(),
            escaped(&endpoint.url),
            endpoint.path,
            endpoint.verdict.name().replace('_', " "),
            endpoint.layer.map_or("", verdict::Layer::name),
            escaped(&endpoint.reason)
        );
    }
    page.push('\n');
}

fn media(page: &mut String, report: &Report) {
    if report.media.is_empty() {
        return;
    }
    let _ = writeln!(page, "### Media\n\n| target | way | verdict | what was seen |\n|---|---|---|---|");
    for media in &report.media {
        let (name, verdict) = (escaped(&media.name), media.verdict.name().replace('_', " "));
        let _ = writeln!(page, "| {name} | {} | {verdict} | {} |", media.path, escaped(&media.whole()));
    }
    page.push('\n');
}

fn counts(page: &mut String, report: &Report) {
    if report.ranges.is_empty() {
        return;
    }
    let _ = writeln!(page, "### All ranges\n\n| verdict | ranges |\n|---|---|");
    let all = [Verdict::Blocked, Verdict::PartlyBlocked, Verdict::Open, Verdict::Undetermined, Verdict::ExpectedSilent];
    for verdict in all {
        let count = report.ranges.iter().filter(|range| range.verdict == verdict).count();
        if count > 0 {
            let _ = writeln!(page, "| {} | {count} |", verdict.name().replace('_', " "));
        }
    }
    page.push('\n');
}

fn method(page: &mut String, report: &Report) {
    let alpha = report.ranges.first().map_or(1e-4, |range| range.confidence.alpha);
    let _ = writeln!(
        page,
        "egressd {}, started {}, {:.1} s, feed {}. {} addresses asked, {} answered, {} rejected, {} silent; \
         controls {} of {}; error rate {alpha} per range.",
        report.tool.version,
        report.started,
        report.seconds,
        feed_name(report),
        report.probes.sent,
        report.probes.answered,
        report.probes.rejected,
        report.probes.silent,
        report.controls.answered,
        report.controls.sent
    );
    for limit in report.limits.iter().map(String::as_str).chain(report.feed.note) {
        let _ = writeln!(page, "\nNote: {}", escaped(limit));
    }
}

/// Text that keeps its letters in Markdown and in the HTML made from it.
pub(crate) fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => line.push_str("&lt;"),
            '>' => line.push_str("&gt;"),
            '&' => line.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '#' | '!' | '~' => {
                line.push('\\');
                line.push(letter);
            }
            control if control.is_control() => line.push(' '),
            other => line.push(other),
        }
    }
    line
}
