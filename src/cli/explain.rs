//! `egressd explain`: what a name in a report means, what it rests on, and what to do.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{CliError, output};
use crate::exit::ExitStatus;
use crate::failures::{Entry, Kind, entries, explain, nearest};
use crate::text::{printable, wrapped};

/// The flags of `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The name of a failure, a mechanism or a diagnosis; without it, all are listed
    #[arg(value_name = "FAILURE|DIAGNOSIS")]
    pub id: Option<String>,
    /// List all names
    #[arg(long, conflicts_with = "id")]
    pub list: bool,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    pub format: ExplainFormat,
    /// Write to this file, whole or not at all; `-` is standard output
    #[arg(short, long = "output", value_name = "F")]
    pub output: Option<PathBuf>,
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For a ticket
    Markdown,
}

/// Why nothing was explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No failure, mechanism or diagnosis has this name.
    #[error("nothing is called `{}`", printable(asked, 60))]
    Unknown {
        /// What was asked for.
        asked: String,
    },
}

impl ExplainError {
    /// What may have been meant.
    #[must_use]
    pub fn hint(&self) -> String {
        let Self::Unknown { asked } = self;
        let meant = nearest(asked).map(|id| format!("did you mean `{id}`? ")).unwrap_or_default();
        format!("{meant}`egressd explain --list` shows all names")
    }
}

/// Runs it.
pub(super) fn run(args: &ExplainArgs, out: &mut dyn Write) -> Result<ExitStatus, CliError> {
    let written = match &args.id {
        Some(id) => one(id, args.format)?,
        None => all(args.format),
    };
    output::write(args.output.as_deref(), out, written.as_bytes())?;
    Ok(ExitStatus::Reachable)
}

fn one(id: &str, format: ExplainFormat) -> Result<String, ExplainError> {
    let found = explain(id);
    if found.is_empty() {
        return Err(ExplainError::Unknown { asked: id.to_owned() });
    }
    Ok(match format {
        ExplainFormat::Text => joined(found, text),
        ExplainFormat::Json => json(found),
        ExplainFormat::Markdown => joined(found, markdown),
    })
}

fn all(format: ExplainFormat) -> String {
    match format {
        ExplainFormat::Text => joined(Kind::ALL.into_iter().rev(), list),
        ExplainFormat::Json => json(entries().iter().collect()),
        ExplainFormat::Markdown => joined(Kind::ALL.into_iter().rev(), table),
    }
}

/// The parts with an empty line between them.
fn joined<T>(parts: impl IntoIterator<Item = T>, write: impl Fn(T) -> String) -> String {
    parts.into_iter().map(write).collect::<Vec<_>>().join("\n")
}

/// As wide as a terminal is by default, less the labels before it.
const WIDTH: usize = 80 - INDENT.len();
const INDENT: &str = "             ";

fn text(entry: &Entry) -> String {
    let mut page = format!("{} ({}): {}\n\n", entry.id, entry.kind.name(), entry.title);
    let causes: Vec<String> = entry.causes.iter().map(|cause| wrapped(cause, WIDTH, INDENT)).collect();
    labelled(&mut page, "meaning", &[wrapped(&entry.meaning, WIDTH, INDENT)]);
    labelled(&mut page, "evidence", &[wrapped(&entry.evidence, WIDTH, INDENT)]);
    labelled(&mut page, "causes", &causes);
    labelled(&mut page, "fix", &[wrapped(&entry.fix, WIDTH, INDENT)]);
    entry.owner.iter().for_each(|owner| labelled(&mut page, "owner", &[owner.name().to_owned()]));
    // Not wrapped: they are copied.
    labelled(&mut page, "reproduce", &entry.reproduce);
    if !entry.see.is_empty() {
        labelled(&mut page, "see", &[entry.see.join(", ")]);
    }
    page
}

/// The label stands before the first of the texts.
fn labelled(page: &mut String, label: &str, texts: &[String]) {
    for (index, text) in texts.iter().enumerate() {
        let _ = writeln!(page, "  {:<11}{text}", if index == 0 { label } else { "" });
    }
}

fn list(kind: Kind) -> String {
    let mut page = format!("{}\n", kind.plural());
    for entry in entries().iter().filter(|entry| entry.kind == kind) {
        let _ = writeln!(page, "  {:<25}{}", entry.id, entry.title);
    }
    page
}

fn markdown(entry: &Entry) -> String {
    let mut page = format!("### `{}` ({})\n\n{}.\n\n", entry.id, entry.kind.name(), entry.title);
    let _ = writeln!(page, "{}\n", entry.meaning);
    let _ = writeln!(page, "- Evidence: {}", entry.evidence);
    let _ = writeln!(page, "- Usual causes: {}.", entry.causes.join("; "));
    let _ = writeln!(page, "- Fix: {}", entry.fix);
    entry.owner.iter().for_each(|owner| {
        let _ = writeln!(page, "- Owner: {}", owner.name());
    });
    let _ = writeln!(page, "- To reproduce: {}", coded(&entry.reproduce, "; "));
    if !entry.see.is_empty() {
        let _ = writeln!(page, "- See: {}", coded(&entry.see, ", "));
    }
    page
}

/// The table that the README has of the diagnoses.
fn table(kind: Kind) -> String {
    let mut page = format!("| {} | what it says |\n|---|---|\n", kind.name());
    for entry in entries().iter().filter(|entry| entry.kind == kind) {
        let _ = writeln!(page, "| `{}` | {} |", entry.id, entry.title);
    }
    page
}

fn coded(texts: &[String], between: &str) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(between)
}

/// Schema `egressd.failures/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    entries: Vec<&'a Entry>,
}

fn json(entries: Vec<&Entry>) -> String {
    let document = Document { schema: "egressd.failures/1", entries };
    let mut written = serde_json::to_string_pretty(&document).expect("every value has a JSON form");
    written.push('\n');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_written_as_people_read_it() {
        assert_eq!(
            one("no_ipv6_route", ExplainFormat::Text).unwrap(),
            "no_ipv6_route (diagnosis): this host has no route for IPv6\n\
             \n\
             \x20 meaning    The IPv6 ranges were not checked, and nothing blocks them.\n\
             \x20 evidence   The kernel's refusal, for every IPv6 address.\n\
             \x20 causes     a network without IPv6\n\
             \x20 fix        Nothing, if that is as it should be.\n\
             \x20 owner      host\n\
             \x20 reproduce  sysctl net.ipv6.conf.all.disable_ipv6=1\n\
             \x20 see        no_route\n"
        );
    }

    #[test]
    fn an_entry_is_written_for_a_ticket() {
        assert_eq!(
            one("no_ipv6_route", ExplainFormat::Markdown).unwrap(),
            "### `no_ipv6_route` (diagnosis)\n\
             \n\
             this host has no route for IPv6.\n\
             \n\
             The IPv6 ranges were not checked, and nothing blocks them.\n\
             \n\
             - Evidence: The kernel's refusal, for every IPv6 address.\n\
             - Usual causes: a network without IPv6.\n\
             - Fix: Nothing, if that is as it should be.\n\
             - Owner: host\n\
             - To reproduce: `sysctl net.ipv6.conf.all.disable_ipv6=1`\n\
             - See: `no_route`\n"
        );
    }

    #[test]
    fn every_entry_is_written_within_a_terminal() {
        for entry in entries() {
            let page = text(entry);
            let fits =
                |line: &str| line.chars().count() <= 80 || entry.reproduce.iter().any(|shown| line.ends_with(shown));
            assert!(page.lines().skip(1).all(fits), "{page}");
        }
        assert!(all(ExplainFormat::Text).lines().all(|line| line.chars().count() <= 100));
    }

    #[test]
    fn a_wrong_name_is_not_explained() {
        let error = one("tls_intercept\u{1b}", ExplainFormat::Text).unwrap_err();
        assert_eq!(error.to_string(), "nothing is called `tls_intercept\\u{1b}`");
        assert_eq!(error.hint(), "did you mean `tls_intercepted`? `egressd explain --list` shows all names");
    }
}
