//! The matrix itself: what was produced against what was said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::ExitCode;

use crate::row::{CELL, HEALTHY};
use crate::runner::{Case, Outcome, Suite};

/// Runs every row so many times and prints the matrix; the status says whether every cell is right.
pub fn print(suite: &Suite, names: &[&str], times: usize) -> ExitCode {
    let rows: Vec<&Case> = suite.cases.iter().filter(|case| names.contains(&case.name.as_str())).collect();
    let outcomes = suite.outcomes(&rows.repeat(times));
    let wrong: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
    println!("\n{}\n{}", table(&outcomes), listed(&wrong));
    println!("{} ways, each {times} times", rows.len());
    println!("{} passed, {} failed", outcomes.len() - wrong.len(), wrong.len());
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A row for each mechanism that was produced, a column for each that was said, and how often.
fn table(outcomes: &[Outcome]) -> String {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (produced, said) in outcomes.iter().map(cell) {
        *counts.entry(produced).or_default().entry(said).or_default() += 1;
    }
    let columns: BTreeSet<&str> = counts.values().flat_map(|row| row.keys().copied()).collect();
    let columns = last(columns);
    let mut text = format!("| produced \\ said | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for produced in last(counts.keys().copied().collect()) {
        let count = |said| counts[produced].get(said).map_or_else(String::new, usize::to_string);
        let cells: Vec<String> = columns.iter().map(count).collect();
        let _ = writeln!(text, "| {produced} | {} |", cells.join(" | "));
    }
    text
}

/// In alphabetical order, but what is healthy comes last.
fn last(names: BTreeSet<&str>) -> Vec<&str> {
    let (healthy, mut names): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| *name == HEALTHY);
    names.extend(healthy);
    names
}

fn cell(outcome: &Outcome) -> (&str, &str) {
    let line = outcome.said.lines().find_map(|line| line.strip_prefix(CELL));
    line.and_then(|cell| cell.split_once('\t')).unwrap_or((&outcome.name, "no report"))
}

fn listed(wrong: &[&Outcome]) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for outcome in wrong {
        *counts.entry((&outcome.name, cell(outcome).1)).or_default() += 1;
    }
    let lines = counts.iter().map(|((name, said), times)| format!("wrong: {name} said {said}, {times} times"));
    lines.collect::<Vec<_>>().join("\n")
}
