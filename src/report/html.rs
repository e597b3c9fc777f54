//! The report as one page for a browser: nothing is fetched, nothing runs, and it prints.

use std::fmt::{Display, Write as _};

use super::endpoints::EndpointReport;
use super::markup::escaped;
use super::media::MediaReport;
use super::text::{feed_name, headline, one_in};
use super::{RangeReport, Report};
use crate::diagnose::{Diagnosis, how};
use crate::prefix::Prefix;
use crate::verdict::{Layer, Mechanism, Verdict};

/// Styles alone: no script, no image, no font, and the policy says so in case a name should ever get through as markup.
const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --bad: #b3261e; --good: #1b6e3c; --unsure: #8a5a00; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #7bd69b; --unsure: #ffca66; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
pre, code { font-family: ui-monospace, monospace; font-size: .9em; }
.lead { font-size: 1.2rem; font-weight: 600; }
.blocked, .partly { color: var(--bad); } .open { color: var(--good); } .unsure { color: var(--unsure); }
.facts { opacity: .75; }
@media print { details > :not(summary) { display: block; } }
</style>
"#;

pub(super) fn write(report: &Report) -> String {
    let mut page = String::from(HEAD);
    let site = escaped(&report.site);
    let _ = write!(page, "<title>CloudFront reachability from {site}</title>\n</head>\n<body>\n");
    let _ = writeln!(page, "<h1>CloudFront reachability from {site}</h1>");
    lead(&mut page, report);
    causes(&mut page, &report.diagnoses);
    endpoints(&mut page, &report.endpoints);
    media(&mut page, &report.media);
    accused(&mut page, report);
    every_range(&mut page, report);
    method(&mut page, report);
    page.push_str("</body>\n</html>\n");
    page
}

fn lead(page: &mut String, report: &Report) {
    let (_, sentences) = headline(report);
    let class = match report.exit_status {
        0 => "open",
        1 => "blocked",
        _ => "unsure",
    };
    let _ = writeln!(page, "<p class=\"lead {class}\">{}</p>", escaped(&sentences.join(" ")));
}

fn causes(page: &mut String, diagnoses: &[Diagnosis]) {
    if diagnoses.is_empty() {
        return;
    }
    page.push_str("<h2>What to do</h2>\n<ol>\n");
    for diagnosis in diagnoses {
        let (owner, id, fix) = (diagnosis.owner.name(), diagnosis.id.name(), escaped(&diagnosis.fix));
        let _ = writeln!(page, "<li><b>{owner}</b>: {fix} <code>{id}</code>\n<ul>");
        for evidence in &diagnosis.evidence {
            let _ = writeln!(page, "<li>{}</li>", escaped(evidence));
        }
        if let Some(command) = &diagnosis.command {
            let _ = writeln!(page, "<li>next: <code>{}</code></li>", escaped(command));
        }
        page.push_str("</ul>\n");
        prefixes(page, &diagnosis.prefixes);
        page.push_str("</li>\n");
    }
    page.push_str("</ol>\n");
}

/// The prefixes to be copied into a rule.
fn prefixes(page: &mut String, prefixes: &[Prefix]) {
    if prefixes.is_empty() {
        return;
    }
    let _ = write!(page, "<details><summary>{} prefixes</summary>\n<pre>", prefixes.len());
    for prefix in prefixes {
        let _ = writeln!(page, "{prefix}");
    }
    page.push_str("</pre>\n</details>\n");
}

fn media(page: &mut String, media: &[MediaReport]) {
    table(page, "Media", &["target", "way", "verdict", "what was seen"], media, |media| {
        vec![Cell::text(&media.name), Cell::text(media.path), Cell::verdict(media.verdict), Cell::text(media.whole())]
    });
}

fn endpoints(page: &mut String, endpoints: &[EndpointReport]) {
    let head = ["endpoint", "direction", "URL", "way", "verdict", "layer", "what was seen"];
    table(page, "Endpoints", &head, endpoints, |endpoint| {
        vec![
            Cell::text(&endpoint.name),
            Cell::text(endpoint.direction.name()),
            Cell::text(&endpoint.url),
            Cell::text(endpoint.path),
            Cell::verdict(endpoint.verdict),
            Cell::text(endpoint.layer.map_or("", Layer::name)),
            Cell::text(&endpoint.reason),
        ]
    });
}

fn accused(page: &mut String, report: &Report) {
    let accused: Vec<&RangeReport> = report.ranges.iter().filter(|range| range.verdict.accuses()).collect();
    table(page, "Blocked", &["range", "role", "blocked", "how", "evidence"], &accused, |range| {
        let parts: Vec<String> = range.blocked.iter().map(ToString::to_string).collect();
        let mechanism = range.mechanism.unwrap_or(Mechanism::Dropped);
        vec![
            Cell::text(range.prefix),
            Cell::text(range.role),
            Cell::text(parts.join(" ")),
            Cell::text(how(mechanism, range.offender.as_ref(), None)),
            Cell::text(&range.reason),
        ]
    });
}

fn every_range(page: &mut String, report: &Report) {
    if report.ranges.is_empty() {
        return;
    }
    let _ = writeln!(page, "<details>\n<summary>All {} ranges</summary>", report.ranges.len());
    let head = ["range", "list", "role", "verdict", "asked", "answered", "what was seen"];
    table(page, "All ranges", &head, &report.ranges, |range| {
        vec![
            Cell::text(range.prefix),
            Cell::text(range.list),
            Cell::text(range.role),
            Cell::verdict(range.verdict),
            Cell::text(range.probes),
            Cell::text(range.answered),
            Cell::text(&range.reason),
        ]
    });
    page.push_str("</details>\n");
}

fn method(page: &mut String, report: &Report) {
    let alpha =
        report.ranges.first().map(|range| format!("; error rate 1 in {} per range", one_in(range.confidence.alpha)));
    let _ = writeln!(
        page,
        "<p class=\"facts\">egressd {}, started {}, {:.1} s, feed {}. {} addresses asked, {} answered, {} rejected, {} \
         silent; controls {} of {}{}.</p>",
        report.tool.version,
        report.started,
        report.seconds,
        escaped(&feed_name(report)),
        report.probes.sent,
        report.probes.answered,
        report.probes.rejected,
        report.probes.silent,
        report.controls.answered,
        report.controls.sent,
        alpha.unwrap_or_default(),
    );
    for note in report.limits.iter().map(String::as_str).chain(report.feed.note) {
        let _ = writeln!(page, "<p class=\"facts\">Note: {}</p>", escaped(note));
    }
}

/// A cell of a table: its class, and its text as it may stand in the page.
struct Cell {
    class: &'static str,
    text: String,
}

impl Cell {
    fn text(text: impl Display) -> Self {
        Self { class: "", text: escaped(&text.to_string()) }
    }

    fn verdict(verdict: Verdict) -> Self {
        let class = match verdict {
            Verdict::Open => "open",
            Verdict::Blocked => "blocked",
            Verdict::PartlyBlocked => "partly",
            Verdict::Undetermined => "unsure",
            Verdict::ExpectedSilent => "",
        };
        Self { class, text: verdict.name().replace('_', " ") }
    }
}

fn table<T>(page: &mut String, title: &str, head: &[&str], items: &[T], row: impl Fn(&T) -> Vec<Cell>) {
    if items.is_empty() {
        return;
    }
    let _ = write!(page, "<h2>{title}</h2>\n<table>\n<thead><tr>");
    for name in head {
        let _ = write!(page, "<th>{name}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for item in items {
        page.push_str("<tr>");
        for Cell { class, text } in row(item) {
            let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            let _ = write!(page, "<td{class}>{text}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
}
