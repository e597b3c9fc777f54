//! The tables, in Markdown.

use std::fmt::Write as _;

use crate::score::{Score, Tally};
use crate::tools::{Speed, Tool};

/// One table: a tool a row, of several runs the median, and the worst of what is wrong or missed.
pub(crate) fn write(speed: Speed, rows: &[(&Tool, Vec<Score>)]) -> String {
    let mut text = match speed {
        Speed::Best => "### Each at its best speed\n\n".to_owned(),
        Speed::Equal(rate) => format!("### All at {rate} a second\n\n"),
    };
    text.push_str(
        "| tool | version | seconds | cells right | wrong | missed | ranges right | wrong | missed | how told | by whom told \
         | peak MB | packets sent | CPU s |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (tool, scores) in rows {
        row(&mut text, tool, scores);
    }
    for (tool, scores) in rows {
        if let Some(note) = scores.last().map(|score| &score.note).filter(|note| !note.is_empty()) {
            let _ = write!(text, "\n- {}, last run: {note}", tool.name);
        }
    }
    text.push('\n');
    text
}

fn row(text: &mut String, tool: &Tool, scores: &[Score]) {
    let seconds = sorted(scores, |score| score.seconds);
    let killed = if scores.iter().any(|score| score.killed) { " (killed)" } else { "" };
    let range = format!("{:.2} ({:.2} to {:.2})", median(&seconds), seconds[0], seconds[seconds.len() - 1]);
    let middle = |of: fn(&Score) -> f64| median(&sorted(scores, of));
    let least = |of: fn(&Score) -> usize| scores.iter().map(of).min().unwrap_or_default();
    let cells = worst(scores, |score| score.cells);
    let ranges = worst(scores, |score| score.ranges);
    // Of a tool that was killed both are unknown.
    let known = |value: String| if killed.is_empty() { value } else { "-".to_owned() };
    let peak = known(format!("{:.1}", middle(|score| score.peak_kib as f64) / 1024.0));
    let cpu = known(format!("{:.2}", middle(|score| score.cpu_seconds)));
    let _ = writeln!(
        text,
        "| {} | {} | {range}{killed} | {} | {} | {} | {} | {} | {} | {} | {} | {peak} | {} | {cpu} |",
        tool.name,
        tool.version().unwrap_or_default(),
        cells.right,
        cells.wrong,
        cells.missed,
        ranges.right,
        ranges.wrong,
        ranges.missed,
        least(|score| score.how),
        least(|score| score.by),
        middle(|score| score.packets as f64).round(),
    );
}

fn sorted(scores: &[Score], of: impl Fn(&Score) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = scores.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// The fewest that are right, the most that are wrong and missed, each over all runs.
fn worst(scores: &[Score], of: fn(&Score) -> Tally) -> Tally {
    let tallies = || scores.iter().map(of);
    Tally {
        right: tallies().map(|tally| tally.right).min().unwrap_or_default(),
        wrong: tallies().map(|tally| tally.wrong).max().unwrap_or_default(),
        missed: tallies().map(|tally| tally.missed).max().unwrap_or_default(),
    }
}

/// What the columns mean, and the flags.
pub(crate) fn notes(tools: &[&Tool]) -> String {
    let mut text = "The work: the 6,032 /24 cells of the documented list's 121 ranges, of which the lab's firewall drops \
                    1,024, rejects 256 with ICMP admin-prohibited and resets 256. Wrong: open, and said to be blocked. \
                    Missed: blocked and said to be open, or without a word; a tool that lists what is open alone says \
                    by its silence that a cell is not. A range is right when all its cells are. How told: of the 1,536 \
                    blocked cells, those of which the tool says rightly whether they are dropped, rejected or reset; by \
                    whom told: those of which it also names the firewall. Seconds are the median of the runs with the \
                    least and the most, right is the worst of the runs. Peers ask one address a cell, once where nothing else is said, as nothing is lost without `--wan`; egressd asks until \
                    its error rate is reached, and traces. Peak memory and CPU are those of the tool's process alone; \
                    packets are those that left the client's link.\n\nThe flags:\n\n"
        .to_owned();
    for tool in tools {
        let _ =
            writeln!(text, "- {}: `{} {}`{}; {}.", tool.name, tool.command(), tool.flags(), tool.own_flags(), tool.why);
    }
    text
}
