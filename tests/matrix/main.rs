//! What `egressd check` says of the platform's endpoints where something interferes, each way of interfering produced by
//! a real program: the confusion matrix.
//!
//! `cargo test --test matrix [part of a name]`; with `-- --matrix N` the matrix of N runs. The last line is
//! `N passed, N failed`.
#![allow(clippy::print_stdout)] // the output of a test runner

mod bounds;
mod certificate;
mod client;
mod daemon;
mod hosts;
mod middle;
mod network;
mod row;
mod rows;
#[path = "../runner/mod.rs"]
mod runner;
mod table;
mod times;

use std::process::ExitCode;

use row::Row;
use runner::{Case, EMPTY_HOST, Suite};

fn main() -> ExitCode {
    let rows = rows::all();
    let case = |row: &&'static Row| {
        let row = *row;
        Case { name: row.name.to_owned(), run: Box::new(|| row.run()) }
    };
    let suite = Suite {
        cases: rows.iter().chain(&rows::beside()).map(case).chain(bounds::all()).chain(times::all()).collect(),
        launcher: EMPTY_HOST,
        program: Some(env!("CARGO_BIN_EXE_egressd")),
        at_once: AT_ONCE,
    };
    match times() {
        Some(times) => table::print(&suite, &rows.iter().map(|row| row.name).collect::<Vec<_>>(), times),
        None => suite.main(),
    }
}

/// How often each row is asked for with `--matrix N`.
fn times() -> Option<usize> {
    let mut arguments = std::env::args().skip(1);
    arguments.find(|argument| argument == "--matrix")?;
    Some(arguments.next().map_or(10, |times| times.parse().expect("a number of times")))
}

/// A check waits more than it works.
const AT_ONCE: usize = 4;
