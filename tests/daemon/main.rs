//! `egressd run` on a network made with the system's own programs: what it says of a block, and how it takes faults.
//!
//! `cargo test --test daemon [part of a name]`; the last line is `N passed, N failed`.
#![allow(clippy::print_stdout)] // the output of a test runner

mod cases;
mod confined;
mod faults;
#[allow(dead_code)] // made for `check`
#[path = "../network/hosts.rs"]
mod hosts;
#[path = "../runner/mod.rs"]
mod runner;
mod watched;

use std::collections::BTreeMap;
use std::process::ExitCode;

use runner::{Case, EMPTY_NETWORK, Suite};

fn main() -> ExitCode {
    let suite = Suite {
        cases: [cases::all(), faults::all(), confined::all()].into_iter().flatten().collect(),
        launcher: EMPTY_NETWORK,
        program: Some(env!("CARGO_BIN_EXE_egressd")),
        at_once: AT_ONCE,
    };
    suite.main()
}

/// A daemon waits nearly all of the time.
const AT_ONCE: usize = 4;

fn case(name: &str, run: impl Fn() -> String + Sync + 'static) -> Case {
    Case { name: name.to_owned(), run: Box::new(run) }
}

/// The documented list, global and regional.
fn documented() -> Vec<String> {
    let lists: BTreeMap<String, Vec<String>> =
        serde_json::from_str(include_str!("../../data/feeds/documented-2021-01.json")).expect("two lists");
    lists.into_values().flatten().collect()
}
