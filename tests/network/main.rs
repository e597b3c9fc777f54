//! `egressd check` on a network that owes nothing to the library's own lab: made with `ip`, `nft` and python.
//!
//! `cargo test --test network [part of a name]`; the last line is `N passed, N failed`.
#![allow(clippy::print_stdout)] // the output of a test runner

mod actions;
mod cases;
mod chance;
mod exported;
mod hosts;
#[path = "../runner/mod.rs"]
mod runner;

use std::collections::BTreeMap;
use std::process::ExitCode;

use runner::{EMPTY_NETWORK, Suite};

fn main() -> ExitCode {
    let suite = Suite {
        cases: cases::all(),
        launcher: EMPTY_NETWORK,
        program: Some(env!("CARGO_BIN_EXE_egressd")),
        at_once: AT_ONCE,
    };
    suite.main()
}

/// A check waits more than it works.
const AT_ONCE: usize = 2;

/// The documented list, global and regional.
fn documented() -> Vec<String> {
    lists().into_values().flatten().collect()
}

/// What viewers talk to: the global list without what talks to origins and what is in Chinese carriers' networks.
///
/// The report's own roles are held against this.
fn viewer_ranges() -> Vec<String> {
    let mut global = lists().remove("CLOUDFRONT_GLOBAL_IP_LIST").expect("the global list");
    global.retain(|prefix| !ORIGIN_FACING.contains(&prefix.as_str()) && length(prefix) < 25);
    global
}

/// As `CLOUDFRONT_ORIGIN_FACING` had them in August 2026.
const ORIGIN_FACING: [&str; 7] = [
    "52.46.0.0/18",
    "64.252.64.0/18",
    "64.252.128.0/18",
    "70.132.0.0/18",
    "130.176.0.0/17",
    "130.176.128.0/18",
    "130.176.192.0/19",
];

fn length(prefix: &str) -> u8 {
    let (_, length) = prefix.split_once('/').expect("a prefix");
    length.parse().expect("a length")
}

fn lists() -> BTreeMap<String, Vec<String>> {
    serde_json::from_str(include_str!("../../data/feeds/documented-2021-01.json")).expect("two lists")
}
