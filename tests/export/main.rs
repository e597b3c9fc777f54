//! Every format with every fixture: read by the program that it is for, and read back by something that shares no code
//! with the exporter. The addresses that come back are those that went in.
//!
//! `cargo test --test export [part of a name]`; the last line is `N passed, N failed`. The programs are installed by
//! `tests/run`; one that is missing fails its cases.
#![allow(clippy::print_stdout)] // the output of a test runner

mod cases;
mod examine;
mod fixtures;
#[path = "../runner/mod.rs"]
mod runner;

use std::process::ExitCode;

use runner::{EMPTY_NETWORK, Suite};

fn main() -> ExitCode {
    let suite = Suite {
        cases: cases::all(),
        launcher: EMPTY_NETWORK,
        program: Some(env!("CARGO_BIN_EXE_egressd")),
        at_once: 2,
    };
    suite.main()
}
