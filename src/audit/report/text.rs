//! The audit for a terminal: the sentence that matters, what is missing and why, what to do.

use std::fmt::Write as _;

use super::{Part, Report};
use crate::audit::{AddressSet, Answer};
use crate::prefix::Family;
use crate::ranges::Source;
use crate::text::{counted, grouped, wrapped};

pub(super) fn write(report: &Report) -> String {
    let mut page = header(report);
    let _ = writeln!(page, "\n  {}\n", wrapped(&sentence(report), 78, "  "));
    table(&mut page, report);
    actions(&mut page, report);
    if !report.notes.is_empty() {
        page.push('\n');
    }
    for note in &report.notes {
        let _ = writeln!(page, "  {}", wrapped(note, 100, "  "));
    }
    page
}

fn header(report: &Report) -> String {
    let date = report.feed.date.as_deref().map_or_else(String::new, |date| format!(" {date}"));
    format!(
        "egressd {} · audit {} ({}) · {} ({}{date}) · TCP {}\n",
        report.tool.version,
        report.files.join(", "),
        report.format,
        counted(report.ranges.required, "range", "ranges"),
        report.feed.source,
        report.port
    )
}

/// What the admin has to know, before anything else.
pub(super) fn sentence(report: &Report) -> String {
    let counts = report.ranges;
    let of = format!("of {}", counted(counts.required, "required range", "required ranges"));
    match report.answer() {
        _ if report.origin_facing_instead => format!(
            "The rules allow the ranges that CloudFront talks to origins from, and none that serves viewers: it is the \
             list for servers behind CloudFront, not for clients of it. {} {of} are missing.",
            counts.missing
        ),
        Answer::Covers => format!("The rules allow {}.", all(counts.required)),
        Answer::Misses => {
            format!("{} {of} {} missing. Transfers through them fail.", older(report), is(counts.missing))
        }
        Answer::Undetermined => format!(
            "Nothing is known to be missing, but {} {of} cannot be judged: {}.",
            counts.unknown,
            first_reason(report)
        ),
    }
}

fn older(report: &Report) -> String {
    let missing = report.ranges.missing;
    let Some(older) = &report.equals else { return missing.to_string() };
    let list = match (older.source, &older.date) {
        (Source::Documented, _) => "the documented list of January 2021".to_owned(),
        (_, Some(date)) => format!("the list of {date}"),
        (_, None) => "an older list".to_owned(),
    };
    format!("The rules allow {list} and nothing newer: {missing}")
}

fn all(count: usize) -> String {
    if count == 1 { "the 1 required range".to_owned() } else { format!("all {count} required ranges") }
}

fn is(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn first_reason(report: &Report) -> &str {
    report.unknown_by.iter().find_map(|part| part.reason.as_deref()).unwrap_or("the rules contradict each other")
}

fn table(page: &mut String, report: &Report) {
    rows(page, "missing", &report.missing_by);
    rows(page, "unknown", &report.unknown_by);
    rows(page, "allowed", &report.by_rule);
    if !report.stale.is_empty() {
        let stale = report.stale.iter().copied().collect::<AddressSet>();
        let entries = counted(report.stale.len(), "prefix", "prefixes");
        let _ = writeln!(page, "  stale    {entries:>13}  {:>22}   allowed, and no longer on the list", amount(&stale));
    }
    beyond(page, report);
}

fn beyond(page: &mut String, report: &Report) {
    let amount = report.beyond.amount;
    if amount.prefixes == 0 {
        return;
    }
    let first: Vec<String> = report.beyond.first.iter().take(3).map(ToString::to_string).collect();
    let more = if amount.prefixes > first.len() { ", …" } else { "" };
    let entries = counted(amount.prefixes, "prefix", "prefixes");
    let addresses = format!("{} addresses", grouped(amount.addresses.0));
    let _ = writeln!(
        page,
        "  beyond   {entries:>13}  {addresses:>22}   allowed and not asked for: {}{more}",
        first.join(" ")
    );
}

/// The most rules of one kind; the report in JSON has all.
const MOST_ROWS: usize = 8;

fn rows(page: &mut String, word: &str, parts: &[Part]) {
    let mut parts: Vec<&Part> = parts.iter().collect();
    // Several hooks say the same of the same part; the first is enough.
    let mut seen: Vec<&AddressSet> = Vec::new();
    parts.retain(|part| {
        let new = !seen.contains(&&part.addresses);
        seen.extend(new.then_some(&part.addresses).filter(|_| seen.len() < MOST_ROWS * 4));
        new
    });
    parts.sort_by_key(|part| std::cmp::Reverse(part.ranges));
    for part in parts.iter().take(MOST_ROWS) {
        let ranges = counted(part.ranges, "range", "ranges");
        let _ = writeln!(page, "  {word:<8} {ranges:>13}  {:>22}   {}", amount(&part.addresses), explained(part));
    }
    if let Some(more) = parts.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
        let _ = writeln!(page, "  {word:<8} by {} (--format json)", counted(more, "more rule", "more rules"));
    }
}

fn amount(set: &AddressSet) -> String {
    match (set.addresses(Family::V4), set.addresses(Family::V6)) {
        (0, v6) if v6 > 0 => "IPv6".to_owned(),
        (v4, 0) => format!("{} addresses", grouped(v4)),
        (v4, _) => format!("{} and IPv6", grouped(v4)),
    }
}

/// The rule, and what is wrong with it.
pub(super) fn explained(part: &Part) -> String {
    let text = part.text.as_deref().map_or_else(String::new, |text| format!(" `{text}`"));
    let rule = match part.text {
        Some(_) => format!("{}{text}", part.rule),
        None => format!("no rule for it: {}", part.rule),
    };
    match (&part.reason, &part.allowed_later) {
        (Some(reason), _) => format!("{rule}: {reason}"),
        (None, Some(later)) => format!("{rule} denies first what {} would allow", later.rule),
        (None, None) => rule,
    }
}

fn actions(page: &mut String, report: &Report) {
    let actions = proposed(report);
    if actions.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n  What to do");
    for (number, action) in (1..).zip(actions) {
        let _ = writeln!(page, "  {number}  network  {}", wrapped(&action, 88, "              "));
    }
}

/// What is to be done, most urgent first.
pub(super) fn proposed(report: &Report) -> Vec<String> {
    let mut actions = Vec::new();
    let shadowed = report.missing_by.iter().find_map(|part| Some((part, part.allowed_later.as_ref()?)));
    if let Some((part, later)) = shadowed {
        actions.push(format!("move {} before {}, or narrow the latter", later.rule, part.rule));
    }
    if !report.missing.is_empty() {
        actions.push(
            "allow what is missing: egressd audit … --fix FORMAT prints the rules, --fix FORMAT --rollback what takes \
             them away again"
                .to_owned(),
        );
    }
    if !report.unknown.is_empty() {
        actions.push(format!("settle what is unknown: {}", first_reason(report)));
    }
    if !report.stale.is_empty() {
        actions.push(format!(
            "take out {} that the list no longer has",
            counted(report.stale.len(), "prefix", "prefixes")
        ));
    }
    actions
}
