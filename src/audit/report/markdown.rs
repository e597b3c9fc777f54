//! The audit for a ticket.

use std::fmt::Write as _;

use super::text::{explained, proposed, sentence};
use super::{Part, Report};
use crate::prefix::Prefix;
use crate::report::markdown::escaped;

pub(super) fn write(report: &Report) -> String {
    let mut page = format!("## Audit of {}\n\n", escaped(&report.files.join(", ")));
    let _ = writeln!(page, "**{}**\n", escaped(&sentence(report)));
    let actions = proposed(report);
    if !actions.is_empty() {
        let _ = writeln!(page, "### What to do\n");
        for (number, action) in (1..).zip(&actions) {
            let _ = writeln!(page, "{number}. {}", escaped(action));
        }
        page.push('\n');
    }
    prefixes(&mut page, "Missing", &report.missing);
    prefixes(&mut page, "Unknown", &report.unknown);
    rules(&mut page, report);
    let date = report.feed.date.as_deref().unwrap_or("undated");
    let _ = writeln!(
        page,
        "Held against {} ({date}, sha256 `{}`), TCP {}.",
        report.feed.source, report.feed.sha256, report.port
    );
    for note in &report.notes {
        let _ = writeln!(page, "- {}", escaped(note));
    }
    page
}

fn prefixes(page: &mut String, title: &str, prefixes: &[Prefix]) {
    if prefixes.is_empty() {
        return;
    }
    let _ = writeln!(page, "### {title}\n\n```");
    for prefix in prefixes {
        let _ = writeln!(page, "{prefix}");
    }
    let _ = writeln!(page, "```\n");
}

/// The most rules in a ticket; the report in JSON has all.
const MOST_RULES: usize = 40;

fn rules(page: &mut String, report: &Report) {
    let _ = writeln!(page, "### By which rule\n\n| | ranges | hook | rule |\n|---|---|---|---|");
    let all = [("missing", &report.missing_by), ("unknown", &report.unknown_by), ("allowed", &report.by_rule)];
    let rows = all.into_iter().flat_map(|(word, parts)| parts.iter().map(move |part| (word, part)));
    for (word, part) in rows.take(MOST_RULES) {
        row(page, word, part);
    }
    page.push('\n');
}

fn row(page: &mut String, word: &str, part: &Part) {
    let _ = writeln!(page, "| {word} | {} | {} | {} |", part.ranges, escaped(&part.hook), escaped(&explained(part)));
}
